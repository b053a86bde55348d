package dictionary

import (
	"strings"
	"testing"
)

// row is a table of one attribute with some cells changed, by the names of their columns.
func row(t *testing.T, changes map[string]string) []byte {
	t.Helper()
	lines := strings.SplitN(string(table), "\n", 2)
	header := strings.Split(lines[0], ",")
	cells := map[string]string{
		"name": "language", "type": "code", "list": "country", "registration": "24", "import": "code", "concept": "LANGUAGE", "sensitivity": "indirect",
		"label_es": "Idioma", "label_en": "Language", "description_es": "Idioma", "description_en": "Language",
	}
	for name, text := range changes {
		cells[name] = text
	}
	values := make([]string, len(header))
	for i, name := range header {
		values[i] = cells[name]
	}
	return []byte(lines[0] + "\n" + strings.Join(values, ",") + "\n")
}

// TestRowsThatContradictThemselvesAreRefused: each wrong cell is named.
func TestRowsThatContradictThemselvesAreRefused(t *testing.T) {
	if _, err := Parse(row(t, nil)); err != nil {
		t.Fatalf("a right row: %v", err)
	}
	for _, c := range []struct{ column, text, names string }{
		{"name", "", "no name"},
		{"type", "word", `"word"`},
		{"type", "age", `the code list "country"`},
		{"list", "", `code list ""`},
		{"list", "tongue", `code list "tongue"`},
		{"post", "tongue", `given by "tongue"`},
		{"type", "codes", "only type code may be"},
		{"registration", "x", `"x" is no number`},
		{"registration", "0", `"0" is no number`},
		{"registration", "", "a number on the wire"},
		{"method", "latest", `"latest"`},
		{"import", "guess", `"guess"`},
		{"sensitivity", "much", `"much"`},
		{"label_es", "", "lacks a label"},
		{"concept", "", "a concept"},
	} {
		_, err := Parse(row(t, map[string]string{c.column: c.text}))
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s %q: %v, want an error that says %s", c.column, c.text, err, c.names)
		}
	}
	first := row(t, nil)
	second := row(t, map[string]string{"name": "tongue"})
	twice := append(first, second[strings.IndexByte(string(second), '\n')+1:]...)
	if _, err := Parse(twice); err == nil || !strings.Contains(err.Error(), "both language and tongue") {
		t.Errorf("two attributes on one number: %v", err)
	}
	spoken := map[string]string{"name": "speaks", "type": "flag", "list": "", "import": "own"}
	first = row(t, spoken)
	spoken["name"], spoken["registration"] = "reads", "25"
	second = row(t, spoken)
	twice = append(first, second[strings.IndexByte(string(second), '\n')+1:]...)
	if _, err := Parse(twice); err == nil || !strings.Contains(err.Error(), "both of type flag") {
		t.Errorf("two flags: %v", err)
	}
}

// TestEachArrayIsABeginning: what a return has comes before what only facts have, and that before what is stored only.
func TestEachArrayIsABeginning(t *testing.T) {
	for i := range AllCodes {
		a := Coded(i).Attribute()
		if a.Coded != Coded(i) {
			t.Fatalf("%s stands at %d and says %d", a.Name, i, a.Coded)
		}
		if got := a.OfReturn() && a.InCube("returns"); got != (i < ReturnDimensions) {
			t.Errorf("%s, place %d: a dimension of returns: %v", a.Name, i, got)
		}
		if got := a.OfReturn(); got != (i < ReturnCodes) {
			t.Errorf("%s, place %d: of a return: %v", a.Name, i, got)
		}
		if got := a.Method != Unused; got != (i < FactCodes) {
			t.Errorf("%s, place %d: the method needs it: %v", a.Name, i, got)
		}
	}
}
