package formats

import (
	"bytes"
	"encoding/json"
	"time"

	"retorno/schemas/calendar"
)

type document struct {
	about
	Title   text           `json:"title"`
	Unit    text           `json:"unit"`
	Source  text           `json:"source"`
	Notes   []text         `json:"notes"`
	Columns []documentTerm `json:"columns"`
	Rows    []documentRow  `json:"rows"`
}

type documentTerm struct {
	ID string `json:"id"`
	text
}

// writeJSON writes a table with all that is needed to read it.
func writeJSON(s Slice) ([]byte, error) {
	d := document{about: s.about(), Title: text(s.Table.Title), Unit: measures[s.Table.Measure].text, Source: source, Notes: s.notes(), Rows: []documentRow{}}
	for _, name := range s.Table.Columns {
		d.Columns = append(d.Columns, documentTerm{name, columns[name].text})
	}
	for _, r := range s.rows() {
		d.Rows = append(d.Rows, documentRow{s.Table.Columns, r})
	}
	return indented(d)
}

// documentRow is an object whose members stand in the order of the columns.
type documentRow struct {
	columns []string
	row     row
}

// MarshalJSON writes code and label of each column, the count, which is null when it is withheld, its status, and the vintage that it is of.
func (r documentRow) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	member := func(name string, value any) error {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		body, err := json.Marshal(value)
		out.WriteString(`"` + name + `":`) // names of columns need no escape
		out.Write(body)
		return err
	}
	for i, name := range r.columns {
		if err := member(name, r.row.codes[i]); err != nil {
			return nil, err
		}
		if labelled(name) {
			if err := member(name+labelSuffix, r.row.labels[i]); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range []struct {
		name  string
		value any
	}{{"obs_value", r.row.value}, {"obs_status", r.row.status}, {"vintage", r.row.vintage}} {
		if err := member(m.name, m.value); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func indented(what any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(what)
	return out.Bytes(), err
}

// moment writes a time on the clocks of Honduras, to the second.
func moment(t time.Time) string { return t.In(calendar.Zone()).Format(time.RFC3339) }
