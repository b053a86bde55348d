package portal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/portal"
)

// known is what the test itself adds up from the raw cells.
type known struct{ registered, checkpoint, reconciled uint64 }

// five rounds to a multiple of five, and writes thousands with a comma.
func five(n uint64) (uint64, string) {
	n = (n + 2) / 5 * 5
	if n < 1000 {
		return n, fmt.Sprint(n)
	}
	return n, fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// percent is the share of two rounded counts, or a dash below 100.
func percent(part, whole uint64) string {
	p, _ := five(part)
	w, _ := five(whole)
	if w < 100 {
		return "–"
	}
	tenths := (p*10000/w + 5) / 10
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

// TestTheNumbersSayHowCompleteTheyAre adds the raw cells up by month, point and centre and looks for the rows on the page:
// rounded counts, and shares of these.
func TestTheNumbersSayHowCompleteTheyAre(t *testing.T) {
	rows, err := conn.Query(t.Context(), `SELECT toMonth(day), entry_point, centre, registered, checkpoint, reconciled FROM retorno.return_counts FINAL
		WHERE day BETWEEN '2016-01-01' AND '2016-06-30'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	months, posts, centres := map[string]known{}, map[string]known{}, map[string]known{}
	names := []string{"", "Enero", "Febrero", "Marzo", "Abril", "Mayo", "Junio"}
	var whole known
	for rows.Next() {
		var month uint8
		var post, centre string
		var k known
		if err := rows.Scan(&month, &post, &centre, &k.registered, &k.checkpoint, &k.reconciled); err != nil {
			t.Fatal(err)
		}
		for _, of := range []*known{&whole} {
			*of = known{of.registered + k.registered, of.checkpoint + k.checkpoint, of.reconciled + k.reconciled}
		}
		for of, key := range map[*map[string]known]string{&months: names[month], &posts: post, &centres: centre} {
			sum := (*of)[key]
			(*of)[key] = known{sum.registered + k.registered, sum.checkpoint + k.checkpoint, sum.reconciled + k.reconciled}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	var want []string
	row := func(name string, k known, late, missing uint64) string {
		_, reconciled := five(k.reconciled)
		_, registered := five(k.registered)
		return fmt.Sprintf("%s %s %s %s %s %d", name, reconciled, registered, percent(k.registered, k.reconciled), percent(late, k.reconciled), missing)
	}
	missing, late := map[string]uint64{"Marzo": 6}, map[string]uint64{"Febrero": 812}
	for name, k := range months {
		want = append(want, row(name, k, late[name], missing[name]), fmt.Sprintf("%s: %s.", name, percent(k.registered, k.reconciled)))
	}
	want = append(want, strings.Replace(row("Total", whole, 812, 6), "27,085", "27,086", 1)) // the one exact count
	for code, name := range map[string]string{"L-COR": "Corinto", "L-AGC": "Agua Caliente", "L-POY": "El Poy"} {
		k := posts[code]
		_, reconciled := five(k.reconciled)
		_, registered := five(k.registered)
		want = append(want, fmt.Sprintf("%s %s %s %s %d", name, reconciled, registered, percent(k.registered, k.reconciled), map[string]int{"L-POY": 6}[code]))
	}
	for code, name := range map[string]string{"CAMR-OMO": "Centro de Atención al Migrante Retornado Omoa", "X-NON": "Sin registro en un centro"} {
		k := centres[code]
		_, reconciled := five(k.reconciled)
		_, seen := five(k.checkpoint)
		want = append(want, fmt.Sprintf("%s %s %s %s 0", name, reconciled, seen, percent(k.checkpoint, k.reconciled)))
	}
	if percent(posts["L-POY"].registered, posts["L-POY"].reconciled) != "–" || len(months) != 6 {
		t.Fatal("the made half-year has no point too small for a percentage, or not six months")
	}
	_, page := get(t, handler(), "/?lang=es&period=2016-S1")
	text := plain(page)
	for _, w := range append(want, "Datos recibidos hasta el 23 de noviembre de 2026, 11:15") {
		if !strings.Contains(text, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
}

// TestAHalfYearTooSmallForCoverageHasNoPicture: a picture of dashes says nothing.
func TestAHalfYearTooSmallForCoverageHasNoPicture(t *testing.T) {
	for period, drawn := range map[string]bool{"2016-S1": true, "2026-S2": false} {
		_, page := get(t, handler(), "/?lang=es&period="+period)
		if strings.Contains(page, `id="cm-title"`) != drawn || !strings.Contains(page, `id="cap-cob-mes"`) {
			t.Errorf("%s: drawn %v", period, !drawn)
		}
	}
}

// TestComputersAreShownByPlace: who is silent, lacks records or has a wrong clock, place by place and never by computer.
func TestComputersAreShownByPlace(t *testing.T) {
	for lang, want := range map[string][]string{
		"es": {"El Poy 1 En silencio 10 de marzo de 2016, 06:00 6 en hora", "5 En silencio: 1 23 de noviembre de 2026, 10:59 0 +90 min",
			"Centro de Atención al Migrante Retornado Omoa 5 Faltan registros 23 de noviembre de 2026, 10:59 3 en hora", "Corinto 6 Al día",
			"computadoras en silencio, 2 de 23", "en medio de los recibidos, 2", "con el reloj desajustado, 1", "Según lo recibido hasta el 23 de noviembre de 2026, 10:59"},
		"en": {"El Poy 1 Silent 10 March 2016, 06:00 6 in step", "Corinto 6 Up to date", "silent computers, 2 of 23", "By what was received until 23 November 2026, 10:59"},
	} {
		_, page := get(t, handler(), "/?lang="+lang)
		text := strings.ReplaceAll(plain(page), " ,", ",")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the page does not say %q", lang, w)
			}
		}
		for _, computer := range []string{"A-SAP-07", "CAMR-OMO-12", "L-POY-1"} {
			if strings.Contains(page, computer) {
				t.Errorf("%s: the page names the computer %s", lang, computer)
			}
		}
	}
}

// TestWithoutCompletenessThePageSaysSo: the counts stand, and each place where completeness would be says that it is not there.
func TestWithoutCompletenessThePageSaysSo(t *testing.T) {
	for _, view := range []string{"ceniss.sources", "ceniss.coverage"} {
		half := &part{fails: func(query string) error {
			if strings.Contains(query, view) {
				return errors.New("no")
			}
			return nil
		}}
		clock := now()
		h := portal.New(portal.Config{Conn: half, Now: func() time.Time { return clock }})
		resp, page := get(t, h, "/?lang=en")
		if resp.StatusCode != 200 || !strings.Contains(page, "27,086") || strings.Count(page, "could not be read") != 3 {
			t.Errorf("%s: %d, %d times not read", view, resp.StatusCode, strings.Count(page, "could not be read"))
		}
		half.fails = nil
		clock = clock.Add(3 * time.Second)
		if _, page := get(t, h, "/?lang=en"); strings.Contains(page, "could not be read") {
			t.Errorf("%s: a failure is kept as long as what was read", view)
		}
	}
}
