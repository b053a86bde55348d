package structure_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/sdmx/structure"
)

// id is the form of ids (SDMX 2.1 §3, IDType), and name that of components and concepts (NCNameIDType).
var (
	id   = regexp.MustCompile(`^[A-Za-z0-9_@$\-]+$`)
	name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_\-]*$`)
)

func shipped(t *testing.T) *lattice.Lattice {
	t.Helper()
	l, err := lattice.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestEveryColumnAndTableIsThere under ids that the standard allows, each once, with names in both languages and parents that are there.
func TestEveryColumnAndTableIsThere(t *testing.T) {
	l := shipped(t)
	s := structure.New([]*lattice.Lattice{l}, []bundle.Code{{Column: "exit_point", Code: "NIC+SLV", Parent: "_T", LabelES: "Frontera con Nicaragua + …", LabelEN: "Border with Nicaragua + …"}})
	if len(s.Dimensions) != len(l.Columns)+2 || len(s.Flows) != len(l.Tables) {
		t.Errorf("%d dimensions of %d columns, %d dataflows of %d tables", len(s.Dimensions), len(l.Columns), len(s.Flows), len(l.Tables))
	}
	seen := map[string]bool{}
	for _, c := range s.Components() {
		if !name.MatchString(c.ID) || seen[c.ID] || c.Name.ES == "" || c.Name.EN == "" || c.Description.ES == "" || c.Description.EN == "" {
			t.Errorf("component %+v", c.Concept)
		}
		seen[c.ID] = true
	}
	for _, list := range s.Lists() {
		codes := map[string]bool{}
		for _, c := range list.Codes {
			if !id.MatchString(c.ID) || codes[c.ID] || c.Name.ES == "" || c.Name.EN == "" {
				t.Errorf("%s has %+v", list.ID, c)
			}
			codes[c.ID] = true
		}
		for _, c := range list.Codes {
			if c.Parent != "" && !codes[c.Parent] || c.Parent == c.ID {
				t.Errorf("%s: %s is in %s", list.ID, c.ID, c.Parent)
			}
		}
	}
	if c, ok := s.Component("AGE"); !ok || c.Label("51@", "en") != "51 and over" {
		t.Error("51+ is not found as 51@")
	}
	if c, _ := s.Component("EXIT_POINT"); !strings.HasPrefix(c.Label("NIC@SLV", "es"), "Frontera") {
		t.Error("a code that a vintage joined is not there")
	}
}

// TestDimensionsKeepTheirPlaces when a later lattice has a column more, wherever it stands there: keys that partners have stay right.
func TestDimensionsKeepTheirPlaces(t *testing.T) {
	l := shipped(t)
	column := "columns:\n  - id: programme\n    list: programme\n    groups: [{each: programme}]\n    levels: {programme: [programme]}\n"
	later, err := lattice.Parse("later", []byte(strings.Replace(string(l.Text()), "columns:\n", column, 1)))
	if err != nil {
		t.Fatal(err)
	}
	before, after := structure.New([]*lattice.Lattice{l}, nil), structure.New([]*lattice.Lattice{l, later}, nil)
	ids := func(s *structure.Structures) (all []string) {
		for _, d := range s.Dimensions {
			all = append(all, d.ID)
		}
		return all
	}
	if had, has := ids(before), ids(after); !slices.Equal(has, append(slices.Clone(had), "PROGRAMME")) {
		t.Errorf("%v became %v", had, has)
	}
	if !before.Begins(after) || after.Begins(before) || structure.New([]*lattice.Lattice{later}, nil).Begins(after) {
		t.Error("it is not seen whether dimensions keep their places")
	}
}

// TestReferences: what comes with an artefact is what the standard says comes with it.
func TestReferences(t *testing.T) {
	s := structure.New([]*lattice.Lattice{shipped(t)}, nil)
	for _, c := range []struct {
		kind, id, references          string
		agencies, concepts, structure bool
		lists, flows                  int
	}{
		{"dataflow", "T1", "none", false, false, false, 0, 1},
		{"dataflow", "T1", "children", false, false, true, 0, 1},
		{"dataflow", "T1", "descendants", false, true, true, len(s.Lists()), 1},
		{"dataflow", "T1", "all", true, true, true, len(s.Lists()), 1},
		{"dataflow", "T1", "parents", false, false, false, 0, 1},
		{"datastructure", "RETURN_MIGRATION", "children", false, true, true, len(s.Lists()), 0},
		{"datastructure", "RETURN_MIGRATION", "parents", false, false, true, 0, len(s.Flows)},
		{"codelist", "CL_SEX", "parents", false, false, true, 1, 0},
		{"codelist", "CL_SEX", "parentsandsiblings", false, true, true, len(s.Lists()), 0},
		{"codelist", "CL_SEX", "dataflow", false, false, false, 1, len(s.Flows)},
		{"agencyscheme", "AGENCIES", "children", true, false, false, 0, 0},
	} {
		got, ok := s.Select(structure.Ask{Kind: c.kind, IDs: []string{c.id}, References: c.references})
		if !ok || got.HasAgencies != c.agencies || got.HasConcepts != c.concepts || got.HasStructure != c.structure || len(got.Lists) != c.lists || len(got.Flows) != c.flows {
			t.Errorf("%s %s with %s: %v %v %v %d %d", c.kind, c.id, c.references, got.HasAgencies, got.HasConcepts, got.HasStructure, len(got.Lists), len(got.Flows))
		}
	}
}
