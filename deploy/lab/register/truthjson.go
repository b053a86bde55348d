package register

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"slices"
)

// header is the part of the truth that stands before its long lists.
type header struct {
	Table              string         `json:"table"`
	Seed               uint64         `json:"seed"`
	Mess               Level          `json:"mess"`
	PeriodStart        string         `json:"period_start"`
	PeriodEnd          string         `json:"period_end"`
	Events             int            `json:"events"`
	Rejected           map[string]int `json:"rejected"`
	Records            int            `json:"records"`
	Held               int            `json:"held"`
	RegisteredInPeriod int            `json:"registered_in_period"`
	AssistedInPeriod   int            `json:"assisted_in_period"`
	Sources            []Source       `json:"sources"`
}

// WriteJSON writes the truth as one JSON object: the numbers of Truth, then the lists "return_counts",
// "assistance_counts", "crossing_counts" (cells in the order of their columns) and "returns", one element a line. The
// same truth gives the same bytes.
func (t *Truth) WriteJSON(w io.Writer) error {
	b := bufio.NewWriter(w)
	head, err := json.Marshal(header{Table: t.Table, Seed: t.Seed, Mess: t.Mess, PeriodStart: t.First.String(), PeriodEnd: t.Last.String(),
		Events: t.Events, Rejected: t.Rejected, Records: t.Records, Held: t.Held, RegisteredInPeriod: t.RegisteredInPeriod,
		AssistedInPeriod: t.AssistedInPeriod, Sources: t.Sources})
	if err != nil {
		return err
	}
	b.Write(head[:len(head)-1])
	o := jsonLists{b: b}
	returns, helps, crossings := t.ReturnCells(), t.HelpCells(), t.CrossingCells()
	o.begin("return_counts")
	for _, k := range sorted(returns, compareReturnCells) {
		o.element(struct {
			ReturnCell
			ReturnCount
		}{k, returns[k]})
	}
	o.begin("assistance_counts")
	for _, k := range sorted(helps, compareHelpCells) {
		o.element(struct {
			HelpCell
			Helps int `json:"helps"`
		}{k, helps[k]})
	}
	o.begin("crossing_counts")
	for _, k := range sorted(crossings, compareCrossingCells) {
		o.element(struct {
			CrossingCell
			Crossings int `json:"crossings"`
		}{k, crossings[k]})
	}
	o.begin("returns")
	for r := range t.Returns() {
		o.element(r)
	}
	if o.err != nil {
		return o.err
	}
	b.WriteString("\n]}\n")
	return b.Flush()
}

// jsonLists writes named lists into an object that is open; the first error stays.
type jsonLists struct {
	b           *bufio.Writer
	open, comma bool
	err         error
}

func (o *jsonLists) begin(name string) {
	if o.open {
		o.b.WriteString("\n]")
	}
	o.b.WriteString(",\n\"" + name + "\":[")
	o.open, o.comma = true, false
}

func (o *jsonLists) element(v any) {
	if o.err != nil {
		return
	}
	if o.comma {
		o.b.WriteByte(',')
	}
	o.comma = true
	line, err := json.Marshal(v)
	if err != nil {
		o.err = err
		return
	}
	o.b.WriteByte('\n')
	_, o.err = o.b.Write(line)
}

// sorted gives the keys of a map of cells in the order of compare.
func sorted[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}

func compareReturnCells(a, b ReturnCell) int {
	return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Route, b.Route), cmp.Compare(a.ReturnType, b.ReturnType),
		cmp.Compare(a.EntryPoint, b.EntryPoint), cmp.Compare(a.ExitPoint, b.ExitPoint), cmp.Compare(a.Centre, b.Centre),
		cmp.Compare(a.Sex, b.Sex), cmp.Compare(a.AgeGroup, b.AgeGroup))
}

func compareHelpCells(a, b HelpCell) int {
	return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Centre, b.Centre), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Sex, b.Sex),
		cmp.Compare(a.AgeGroup, b.AgeGroup))
}

func compareCrossingCells(a, b CrossingCell) int {
	return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.BorderPoint, b.BorderPoint), cmp.Compare(a.Direction, b.Direction),
		cmp.Compare(a.DocumentCheck, b.DocumentCheck))
}
