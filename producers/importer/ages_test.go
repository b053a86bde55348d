package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// agesOf is a file of registrations, one row for each age.
func agesOf(ages ...[]string) string {
	text := "Centro;Fecha;Hora;Edad\n"
	for i, age := range slices.Concat(ages...) {
		text += fmt.Sprintf("Omoa;16/02/2015;%d:%02d;%s\n", i/60%24, i%60, age)
	}
	return text
}

func TestAgesByDefaultAreNamed(t *testing.T) {
	adults := func(n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprint(15+i%40))
		}
		return out
	}
	times := func(age string, n int) []string { return slices.Repeat([]string{age}, n) }
	children := slices.Repeat([]string{"1", "2", "3", "4", "5"}, 4)
	for _, c := range []struct{ text, want string }{
		{agesOf(adults(30), times("0", 10)), "piled_up Edad 0 10"},
		{agesOf(adults(40), times("0,0", 4)), "piled_up Edad 0 4"},
		{agesOf(adults(30), times("0", 2)), ""},
		{agesOf(adults(60), children, times("0", 6)), ""},
		{agesOf(adults(60), children, times("0", 30)), "piled_up Edad 0 30"},
		{agesOf(adults(40), times("115", 3)), "piled_up Edad 115 3"},
		{agesOf(adults(40), times("115", 1), times("116", 2)), "piled_up Edad 115 1; piled_up Edad 116 2"},
		{agesOf(adults(40), times("100", 1), times("111", 2)), "piled_up Edad 100 1; piled_up Edad 111 2"},
		{agesOf(adults(2100), times("101", 1)), ""},
		{agesOf(adults(40), times("18", 25)), "piled_up Edad 18 26"},
		{agesOf(adults(200), times("18", 40)), ""},
		{agesOf(times("15", 3), times("24", 20), times("33", 9), times("18", 30)), "piled_up Edad 24 20; piled_up Edad 18 30"},
		{agesOf(times("14", 10), times("15", 20), times("16", 40), times("17", 60)), ""},
		{agesOf(times("25", 12)), ""},
	} {
		got := mustImport(t, Config{Kind: KindCentre}, c.text)
		if s := warnings(got.sum); s != c.want || got.sum.Rejected != 0 {
			t.Errorf("%q, want %q", s, c.want)
		}
	}
	if got := mustImport(t, Config{Kind: KindCentre, Missing: []string{"age=0", "age=115"}}, agesOf(adults(30), times("0", 10), times("115", 2))); warnings(got.sum) != "" {
		t.Errorf("what was settled is warned of: %s", warnings(got.sum))
	}
}

func TestBirthsOnTheDayOfTheEventAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		kind, text string
		want       int
	}{
		"registered":                 {KindCentre, "Centro;Fecha;Fecha de nacimiento\nOmoa;16/02/2015;16/02/2015\nOmoa;17/02/2015;17/02/2015\nOmoa;18/02/2015;15/05/1985\n", 2},
		"arrived":                    {KindCentre, "Centro;Fecha;Fecha de llegada;F. Nac.\nOmoa;16/02/2015;15/02/2015;15/02/2015\nOmoa;17/02/2015;17/02/2015;16/02/2015\n", 1},
		"crossed":                    {KindCheckpoint, "Puesto;Movimiento;Fecha;Fecha de nacimiento\nCorinto;entrada;2015-02-16 08:00;2015-02-16\nCorinto;entrada;2015-02-17 09:00;2015-02-17 00:00\nCorinto;entrada;2015-02-18 09:00;1985-05-15\n", 2},
		"month first":                {KindCentre, "Centro;Fecha (mm/dd/aaaa);Fecha de nacimiento (mm/dd/aaaa)\nOmoa;02/16/2015;02/16/2015\nOmoa;02/17/2015;05/15/1985\n", 1},
		"born the day before":        {KindCentre, "Centro;Fecha;Fecha de nacimiento\nOmoa;16/02/2015;15/02/2015\nOmoa;17/02/2015;16/02/2014\n", 0},
		"an anniversary is no birth": {KindCentre, "Centro;Fecha;Fecha de nacimiento\nOmoa;16/02/2015;16/02/1985\nOmoa;17/02/2015;17/02/1990\n", 0},
	} {
		got := mustImport(t, Config{Kind: c.kind}, c.text)
		n := 0
		for _, w := range got.sum.Warnings {
			if w.Code == "born_that_day" {
				n += w.Count
				if es, en := w.Text(); es == en || strings.Contains(es+en, "2015") {
					t.Errorf("%s: %s / %s", name, es, en)
				}
			}
		}
		if n != c.want || got.sum.Rejected != 0 {
			t.Errorf("%s: %d warned of, want %d: %v, %v", name, n, c.want, got.sum.Warnings, got.rejected)
		}
	}
}
