package portal_test

import (
	"strings"
	"testing"
)

// TestRevisionsOfAHalfYear: the page puts vintages beside each other and says why counts changed; the page of the half-year says which
// counts are still those of the vintage before.
func TestRevisionsOfAHalfYear(t *testing.T) {
	for target, want := range map[string][]string{
		"/revisions/2014-S1?lang=es": {"Revisiones, primer semestre de 2014", "Mes 1 Definitiva 2 Revisión", "Edición 1, publicada el 1 de octubre de 2014. Edición 2, publicada el 2 de marzo de 2015.", "Total 27,086 27,326", "Cambio del total +240",
			"enero 4,521 4,521 [1]", "no se da: los meses conservan el conteo de una edición anterior", "por eso casi todas son «otras razones»", "Retornos Retornos conocidos 33,868 34,108",
			"Retornos Registrado en un centro 27,086 27,326 +240 tardíos +240", "Corinto · Registrado en un centro 17,064 17,304 +240 tardíos +240", "conteos siguen siendo los de una edición anterior"},
		"/revisions/2014-S1?lang=en": {"Revisions, first half of 2014", "Change of the total +240", "Corinto · Registered at a centre 17,064 17,304 +240 late +240", "counts are still those of an earlier vintage"},
		"/revisions/2016-S1?lang=es": {"1 Provisional", "2 Definitiva", "múltiplos de 10", "De la edición 1 a la 2", "Revisión media por mes 1.0"},
		"/?lang=es&period=2014-S1":   {"Revisado", "Total registrado 27,326", "Salieron por Corinto 17,304", "revisiones", "4,521 [1] Enero", "por mes de llegada. [1]: cifra de la edición 1. No cambió, o cambió en tan pocas personas que no se publica. No la sume con las demás."},
	} {
		resp, page := get(t, handler(), target)
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %d", target, resp.StatusCode)
		}
		text := plain(page)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the page does not say %q:\n%s", target, w, text)
			}
		}
	}
	for target, want := range map[string]int{"/revisions/2013-S1": 404, "/revisions/2014": 404, "/revisions/": 404, "/revisions/2014-S1?lang=fr": 400, "/revisions/%00": 404} {
		if resp, _ := get(t, handler(), target); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, resp.StatusCode, want)
		}
	}
}
