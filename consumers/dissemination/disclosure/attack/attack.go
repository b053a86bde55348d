// Package attack tries to find out what published tables withhold. It knows what everyone may know: the tables and
// percentages of every vintage, the hierarchies of the codes, the threshold, and what others publish about the same people. It
// shares no code with what protects the tables but the form of a table.
//
// It promises that what it returns is true: arithmetic is exact, and each finding says by which means it was found. It
// does not promise to find everything: bounds are computed for systems of up to 300 unknown cells, integer bounds for small ones, and
// cells that are in no table and that no one else publishes are left out. It has no clock, no I/O and no randomness.
package attack

import (
	"cmp"
	"fmt"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// Input is what the attacker has.
type Input struct {
	// Hierarchies are those of vintages that have none of their own.
	Hierarchies map[string]published.Hierarchy
	Vintages    []published.Vintage
	// Known are counts from elsewhere; they hold for each vintage that does not contradict them.
	Known []Known
	// Threshold is the number below which a count, or a change, says too much.
	Threshold int64
	// Thresholds are those of cells that ask for more, by the key of the cell.
	Thresholds map[string]int64
	// Within names, by a measure of persons, that of the events which each of them had at least one of.
	Within map[string]string
	// Sensitive names columns, with the codes that say nothing: all of a group in one of the other codes is a finding.
	Sensitive map[string][]string
}

// Known is a count that others publish, or that someone knows. Columns that are not named are summed over.
type Known struct {
	Measure        string
	Columns, Codes []string
	Value          int64
}

// Key is that of the cell.
func (k Known) Key() string { return published.Key(k.Measure, k.Columns, k.Codes) }

// threshold is the number below which the count of a cell says too much.
func (in *Input) threshold(key string) int64 { return max(in.Threshold, in.Thresholds[key]) }

// How names the means by which a cell was found.
type How string

// The means.
const (
	Rounding How = "a provisional figure that is not rounded"
	Read     How = "a published count below the threshold"
	Group    How = "the whole group has one attribute"
	Percent  How = "a percentage finer than its counts"
	Linear   How = "addition and subtraction"
	Bounds   How = "bounds of linear programs"
	Integers How = "every table of whole numbers"
	Narrow   How = "bounds of a rounded count that are close together"
	Second   How = "events less the persons who had them"
	Self     How = "bounds for a person who knows their own cell"
	Change   How = "the change between two vintages"
	Later    How = "a cell that another vintage publishes"
	Shape    How = "a form of the tables that says more than they do" // found by package shapes
)

// Finding is one cell that the tables give away.
type Finding struct {
	Vintage string `json:"vintage"`
	Key     string `json:"cell"`
	// Low and High are what the attacker knows of the count (of the change, if How is Change; of the others, if Self).
	Low  int64 `json:"low"`
	High int64 `json:"high"`
	How  How   `json:"how"`
	// With is the other vintage, or the key of the cell that the person knows to be in.
	With string `json:"with,omitempty"`
}

func (f Finding) String() string {
	with := ""
	if f.With != "" {
		with = " (" + f.With + ")"
	}
	return fmt.Sprintf("vintage %s: %s is %d to %d, by %s%s", f.Vintage, f.Key, f.Low, f.High, f.How, with)
}

// Run returns everything that it finds, in an order that depends on the findings alone. An error says what of the input cannot be.
func Run(in *Input) ([]Finding, error) {
	var out []Finding
	views := make([]*view, len(in.Vintages))
	for i := range in.Vintages {
		v, err := look(in, &in.Vintages[i])
		if err != nil {
			return nil, err
		}
		views[i] = v
		out = append(append(out, v.plain(in)...), v.seconds(in)...)
		found, err := v.solve()
		if err != nil {
			return nil, fmt.Errorf("vintage %s: %w", v.id, err)
		}
		out = append(out, found...)
	}
	for i, a := range views {
		for _, b := range views[i+1:] {
			found, err := compare(a, b)
			if err != nil {
				return nil, fmt.Errorf("vintages %s and %s: %w", a.id, b.id, err)
			}
			out = append(out, found...)
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Vintage, b.Vintage), cmp.Compare(a.Key, b.Key), cmp.Compare(a.How, b.How), cmp.Compare(a.With, b.With))
	})
	return slices.Compact(out), nil
}

// Idle are the known counts that tell an attacker nothing: of no cell that a vintage has, and in no sum with one, or contradicted by each.
func Idle(in *Input) ([]Known, error) {
	used := map[string]bool{}
	for i := range in.Vintages {
		v, err := look(in, &in.Vintages[i])
		if err != nil {
			return nil, err
		}
		use := func(cell int) {
			if v.told[cell] {
				used[v.keys[cell]] = true
			}
		}
		for _, t := range v.vintage.Tables {
			for _, c := range t.Cells {
				use(v.index[published.Key(t.Measure, t.Columns, c.Codes)])
			}
		}
		for _, s := range v.sums {
			use(s.whole)
			for _, c := range s.parts {
				use(c)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(in.Known), func(k Known) bool { return used[k.Key()] }), nil
}

// plain finds what needs no arithmetic.
func (v *view) plain(in *Input) []Finding {
	var out []Finding
	for _, t := range v.vintage.Tables {
		for _, c := range t.Cells {
			if c.Withheld || c.Kept {
				continue
			}
			k := published.Key(t.Measure, t.Columns, c.Codes)
			if v.vintage.Provisional && (t.Base < 10 || c.Value%t.Base != 0) {
				out = append(out, Finding{Vintage: v.id, Key: k, Low: c.Value, High: c.Value, How: Rounding})
			} else if t.Base <= 1 && c.Value > 0 && c.Value < in.threshold(k) {
				out = append(out, Finding{Vintage: v.id, Key: k, Low: c.Value, High: c.Value, How: Read})
			}
			out = append(out, v.group(in, &t, c)...)
		}
	}
	return out
}

// group finds a cell that has all of the group that its table sums over a sensitive column.
func (v *view) group(in *Input, t *published.Table, c published.Cell) []Finding {
	var out []Finding
	for j, column := range t.Columns {
		silent, sensitive := in.Sensitive[column]
		if !sensitive || c.Codes[j] == published.Total || slices.Contains(silent, c.Codes[j]) || c.Value == 0 || t.Base > 1 {
			continue
		}
		codes := slices.Clone(c.Codes)
		codes[j] = published.Total
		whole, ok := v.index[published.Key(t.Measure, t.Columns, codes)]
		if ok && v.low[whole] == c.Value && v.high[whole] == c.Value {
			out = append(out, Finding{Vintage: v.id, Key: published.Key(t.Measure, t.Columns, c.Codes), Low: c.Value, High: c.Value, How: Group})
		}
	}
	return out
}
