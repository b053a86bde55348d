package suppress

import (
	"testing"

	"retorno/consumers/dissemination/disclosure/audit"
	"retorno/consumers/dissemination/disclosure/published"
)

// Three tables in a cycle: who has a is who has b, so that the withheld cross of a and c is the published one of b and c. No two of the tables
// say so; the core does.
func TestACycleOfTablesNeedsItsCore(t *testing.T) {
	two := func(x string) published.Hierarchy { return published.Hierarchy{x + "0": "_T", x + "1": "_T"} }
	in := &Input{Hierarchies: map[string]published.Hierarchy{"a": two("a"), "b": two("b"), "c": two("c")}}
	var events []event
	for i, codes := range [][2]string{{"0", "0"}, {"0", "0"}, {"0", "1"}, {"1", "0"}, {"1", "1"}, {"1", "1"}} {
		for k := range 7 {
			events = append(events, event{7*i + k, map[string]string{"a": "a" + codes[0], "b": "b" + codes[0], "c": "c" + codes[1]}})
		}
	}
	for _, pair := range []string{"ab", "bc", "ac"} {
		x, y := pair[:1], pair[1:]
		in.Tables = append(in.Tables, tabulate(pair, []string{x, y}, [][]string{{"_T", x + "0", x + "1"}, {"_T", y + "0", y + "1"}}, in.Hierarchies, 5, events))
	}
	core := Core{Measure: "returns", Columns: []string{"a", "b", "c"}, Codes: [][]string{{"a0", "a1"}, {"b0", "b1"}, {"c0", "c1"}}}
	for _, c := range []struct {
		cores      []Core
		determined int
	}{{nil, 0}, {[]Core{core}, 4}} {
		in.Cores = c.cores
		f, err := newFrame(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"returns|a=a0|c=c0", "returns|a=a0|c=c1", "returns|a=a1|c=c0", "returns|a=a1|c=c1"} {
			f.Cells[f.index[k]].Withheld = true
		}
		r, err := audit.Audit(&f.System, audit.Options{Exact: true})
		if err != nil || r.Determined != c.determined || r.Audited != 4 {
			t.Errorf("with %d cores: %d of %d determined, want %d: %v", len(c.cores), r.Determined, r.Audited, c.determined, err)
		}
	}
}
