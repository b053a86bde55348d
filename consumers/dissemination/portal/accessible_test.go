package portal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"retorno/deploy/lab/browser"
)

// TestAxe: axe-core finds nothing on any page at three widths, and no page is wider than its window.
func TestAxe(t *testing.T) {
	pages := []string{"/?lang=es", "/feed/?lang=en", "/explore?lang=en", "/explore/T2?lang=es", "/explore/T5?lang=en&period=all&sex=F&age=minor", "/explore/T11e?lang=es", "/calendar?lang=es", "/revisions/2014-S1?lang=en", "/explore/T2?lang=es&x=1"}
	found, err := browser.Findings(t.Context(), handler(), pages, 1280, 768, 360)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range found {
		t.Error(one)
	}
}

// TestAxeFinds: what axe-core must find it does find, so that its silence says something.
func TestAxeFinds(t *testing.T) {
	found, err := browser.Findings(t.Context(), faulty{}, []string{"/"}, 360)
	if err != nil || len(found) < 2 {
		t.Errorf("%q %v", found, err)
	}
}

// TestFromTheStart: a person who sees the start for the first time has the figure, its share by Corinto and its coverage at once, its SDMX key with one
// click, and its revision history with another.
func TestFromTheStart(t *testing.T) {
	value, err := browser.Drive(t.Context(), handler(), `
		const said = {};
		const start = () => visit.open('/?lang=es', 360);
		said.start = visit.text(await start());
		said.total = visit.text(await visit.click(await start(), 'Tabla y clave SDMX del total'));
		said.corinto = visit.text(await visit.click(await start(), 'Tabla y clave SDMX de Corinto'));
		said.revisions = visit.text(await visit.click(await start(), 'revisiones'));
		const tables = await visit.click(await start(), 'Tablas');
		const table = await visit.click(tables, 'Retornos registrados por municipio de origen');
		said.municipalities = visit.text(table);
		const form = table.contentDocument.forms[0];
		form.elements.residence.value = '0101';
		const there = visit.loaded(table);
		form.elements.residence.focus();
		form.requestSubmit();
		said.laCeiba = visit.text(await there);
		said.address = String(table.contentWindow.location.search);
		return said;`)
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]string
	if err := json.Unmarshal(value, &said); err != nil {
		t.Fatal(err)
	}
	for where, want := range map[string][]string{
		"start":          {"27,086", "Salieron por Corinto 17,064 63.0\u00a0% de los 27,086", "Cobertura 80.0\u00a0%"},
		"total":          {"27,086", "S.returns.registered._T", "T1", "80.0\u00a0%"},
		"corinto":        {"17,064", "63.0\u00a0%", "S.returns.registered.*.L-COR", "T2"},
		"revisions":      {"Revisiones, primer semestre de 2016", "27,086", "27,090", "De la edición 1 a la 2"},
		"municipalities": {"Filas 1–250 de 334"},
		"laCeiba":        {"La Ceiba", "Filas 1–1 de 1"},
		"address":        {"residence=0101"},
	} {
		for _, w := range want {
			if !strings.Contains(strings.ReplaceAll(said[where], "\u00a0", " "), strings.ReplaceAll(w, "\u00a0", " ")) {
				t.Errorf("%s does not say %q: %s", where, w, said[where])
			}
		}
	}
}
