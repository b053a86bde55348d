// Package csvdata writes observations as SDMX-CSV 1.0, 2.0 and 2.1.
//
// It promises one row for each observation, in the order of the answer, with columns in the order of the data structure, and bytes that
// follow from the answer and the options alone. A withheld observation has an empty value in 1.0, which knows no better, and NaN, a
// value that is missing on purpose, from 2.0 on. It decides nothing about what is in an answer. Writing to memory does not fail.
package csvdata

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"

	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/sdmx/structure"
)

// Media types (SDMX-CSV field guides 1.0, 2.0 and 2.1).
const (
	Type10 = "application/vnd.sdmx.data+csv;version=1.0.0"
	Type20 = "application/vnd.sdmx.data+csv;version=2.0.0"
	Type21 = "application/vnd.sdmx.data+csv;version=2.1.0"
)

// Options are the parameters of the media type.
type Options struct {
	Labels string // id, name (from 2.0 on) or both; "": id
	Keys   string // none, obs, series or both, from 2.0 on; "": none
	Lang   string // of labels: es or en
}

// actions of data sets (SDMX-CSV 2.0, "Column content").
var actions = map[string]string{query.Replace: "R", query.Merge: "M", query.Delete: "D"}

// Write10 writes an answer as SDMX-CSV 1.0. It has no actions: it cannot tell what was deleted.
func Write10(a *query.Answer, o Options) []byte {
	w := newTable(a, o)
	head := w.headings()
	w.row(append([]string{"DATAFLOW"}, head...))
	flow := structure.Agency + ":" + a.Flow.ID + "(" + structure.Version + ")"
	if o.Labels == "both" {
		flow += ": " + a.Flow.Name.In(o.Lang)
	}
	for _, s := range a.Sets {
		for _, one := range s.Observations {
			w.row(append([]string{flow}, w.values(one, "")...))
		}
	}
	return w.done()
}

// Write20 writes an answer as SDMX-CSV 2.0 or 2.1: what stands here is the same in both.
func Write20(a *query.Answer, o Options) []byte {
	w := newTable(a, o)
	flow := []string{structure.Agency + ":" + a.Flow.ID + "(" + structure.Semantic + ")"}
	head := []string{"STRUCTURE", "STRUCTURE_ID"}
	switch o.Labels {
	case "name":
		head, flow = append(head, "STRUCTURE_NAME"), append(flow, a.Flow.Name.In(o.Lang))
	case "both":
		flow[0] += ": " + a.Flow.Name.In(o.Lang)
	}
	head = append(head, "ACTION")
	series, observation := o.Keys == "series" || o.Keys == "both", o.Keys == "obs" || o.Keys == "both"
	if series {
		head = append(head, "SERIES_KEY")
	}
	if observation {
		head = append(head, "OBS_KEY")
	}
	w.row(append(head, w.headings()...))
	for _, s := range a.Sets {
		for _, one := range s.Observations {
			row := append(append([]string{"dataflow"}, flow...), actions[s.Action])
			if series {
				row = append(row, strings.Join(one.Key, "."))
			}
			if observation {
				row = append(row, strings.Join(one.Key, ".")+"."+one.Period.Label)
			}
			w.row(append(row, w.values(one, "NaN")...))
		}
	}
	return w.done()
}

// table writes rows.
type table struct {
	*query.Answer
	Options
	columns []structure.Component
	body    bytes.Buffer
	csv     *csv.Writer
}

func newTable(a *query.Answer, o Options) *table {
	w := &table{Answer: a, Options: o}
	w.csv = csv.NewWriter(&w.body)
	w.csv.UseCRLF = true // RFC 4180
	for _, c := range append(slices.Clone(a.Structures.Dimensions), a.Structures.Period) {
		if !a.SeriesOnly || c.ID != a.AtObservation {
			w.columns = append(w.columns, c)
		}
	}
	if a.Measures {
		w.columns = append(w.columns, a.Structures.Primary)
	}
	w.columns = append(w.columns, a.Attributes...)
	return w
}

func (w *table) row(row []string) { _ = w.csv.Write(row) } // a buffer takes all

func (w *table) done() []byte {
	w.csv.Flush()
	return w.body.Bytes()
}

func (w *table) headings() (row []string) {
	for _, c := range w.columns {
		name := c.Name.In(w.Lang)
		switch w.Labels {
		case "both":
			row = append(row, c.ID+": "+name)
		case "name":
			row = append(row, c.ID, name)
		default:
			row = append(row, c.ID)
		}
	}
	return row
}

// values are those of a row; missing is what stands for a count that is withheld.
func (w *table) values(o *cells.Observation, missing string) (row []string) {
	for _, c := range w.columns {
		value := query.Value(w.Structures, o, c.ID)
		if value == "" && c.ID == structure.Value {
			value = missing
		}
		label := c.Label(value, w.Lang)
		switch w.Labels {
		case "both":
			if label != "" {
				value += ": " + label
			}
			row = append(row, value)
		case "name":
			row = append(row, value, label)
		default:
			row = append(row, value)
		}
	}
	return row
}
