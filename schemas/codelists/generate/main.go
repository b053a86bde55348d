// Command generate completes the two code lists that follow from others: data/country.csv gets every country of
// ISO 3166-1 that it lacks, data/route.csv every country x mode that it lacks.
//
// It only ever appends: rows that are there keep their place and their text, because released codes keep their index.
// Names come from CLDR through golang.org/x/text, groups of the added countries from the UN M49 regions in it.
// Run it in schemas/codelists with `go generate`; on failure it says why and leaves both files as they were.
package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

func main() {
	if err := run("data"); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	countries, err := readTable(filepath.Join(dir, "country.csv"))
	if err != nil {
		return err
	}
	if err := completeCountries(countries); err != nil {
		return err
	}
	modes, err := readTable(filepath.Join(dir, "mode.csv"))
	if err != nil {
		return err
	}
	routes, err := readTable(filepath.Join(dir, "route.csv"))
	if os.IsNotExist(err) {
		routes = &table{header: []string{"code", "label_es", "label_en", "valid_from", "valid_to", "country", "mode", "plausible"}}
	} else if err != nil {
		return err
	}
	completeRoutes(routes, countries, modes)
	if err := countries.write(filepath.Join(dir, "country.csv")); err != nil {
		return err
	}
	return routes.write(filepath.Join(dir, "route.csv"))
}

// completeCountries appends the countries of ISO 3166-1 alpha-2 that are missing, in the order of their codes, and
// fills the short names of those that are there.
func completeCountries(t *table) error {
	there := map[string]bool{}
	for _, row := range t.rows {
		there[t.get(row, "code")] = true
		if r, err := language.ParseRegion(t.get(row, "code")); err == nil && t.get(row, "short_es") == "" && t.get(row, "code") != "XX" {
			t.set(row, "short_es", display.Spanish.Regions().Name(r))
			t.set(row, "short_en", display.English.Regions().Name(r))
		}
	}
	added := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			r, err := language.ParseRegion(code)
			if err != nil || there[code] || !isCountry(r, code) {
				continue
			}
			es, en := display.Spanish.Regions().Name(r), display.English.Regions().Name(r)
			t.rows = append(t.rows, t.row(map[string]string{
				"code": code, "label_es": es, "label_en": en, "short_es": es, "short_en": en, "iso3": r.ISO3(),
				"m49": fmt.Sprintf("%03d", r.M49()), "group": group(r), "source": "ISO 3166-1; names CLDR; group UN M49",
			}))
			added++
		}
	}
	const inISO = 249
	if n := len(t.rows) - 1; n != inISO {
		return fmt.Errorf("country.csv would hold %d countries (%d added), ISO 3166-1 has %d", n, added, inISO)
	}
	return nil
}

// isCountry tells the officially assigned codes from the reserved and the withdrawn ones, which x/text knows too.
func isCountry(r language.Region, code string) bool {
	switch code {
	case "AC", "CP", "CQ", "DG", "EA", "IC", "TA", "XK":
		return false // reserved or user-assigned
	case "AN", "CS", "NT", "SU", "YU":
		return false // withdrawn
	}
	return r.IsCountry() && r.String() == code && r.Canonicalize() == r && r.M49() != 0
}

func group(r language.Region) string {
	for _, g := range []struct{ m49, group string }{{"013", "CAM"}, {"005", "SAM"}, {"150", "EUR"}} {
		if language.MustParseRegion(g.m49).Contains(r) {
			return g.group
		}
	}
	return "OTH"
}

// completeRoutes appends each country x mode that is missing.
func completeRoutes(routes, countries, modes *table) {
	there := map[string]bool{}
	for _, row := range routes.rows {
		there[routes.get(row, "code")] = true
	}
	for _, c := range countries.rows {
		country := countries.get(c, "code")
		es, en := countries.get(c, "short_es"), countries.get(c, "short_en")
		if es == "" {
			es, en = "País no declarado", "Country not stated"
		}
		for _, m := range modes.rows {
			code := country + "-" + modes.get(m, "route_suffix")
			if there[code] {
				continue
			}
			mode := modes.get(m, "code")
			routes.rows = append(routes.rows, routes.row(map[string]string{
				"code": code, "label_es": es + ", " + modes.get(m, "adverb_es"), "label_en": en + ", " + modes.get(m, "adverb_en"),
				"country": country, "mode": mode, "plausible": plausible(country, mode),
			}))
		}
	}
}

// plausible marks the ways by which people come: see codelists.PlausibleRoute.
func plausible(country, mode string) string {
	in := func(list ...string) bool {
		for _, c := range list {
			if c == country {
				return true
			}
		}
		return false
	}
	switch {
	case country == "HN":
		return "0"
	case country == "XX", mode == "unknown", mode == "air",
		mode == "land" && in("MX", "GT", "BZ", "SV", "NI", "CR", "PA"),
		mode == "sea" && in("BZ", "GT", "SV", "NI"):
		return "1"
	}
	return "0"
}

type table struct {
	header []string
	rows   [][]string
}

func readTable(path string) (*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return &table{header: rows[0], rows: rows[1:]}, nil
}

func (t *table) at(column string) int {
	for i, h := range t.header {
		if h == column {
			return i
		}
	}
	panic("no column " + column)
}

func (t *table) get(row []string, column string) string { return row[t.at(column)] }
func (t *table) set(row []string, column, v string)     { row[t.at(column)] = v }

func (t *table) row(values map[string]string) []string {
	row := make([]string, len(t.header))
	for column, v := range values {
		t.set(row, column, v)
	}
	return row
}

// write replaces the file in one step.
func (t *table) write(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".list-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	w := csv.NewWriter(f)
	if err := w.WriteAll(append([][]string{t.header}, t.rows...)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
