package changes

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// document is the answer of Path.
type document struct {
	Changes []told            `json:"changes"`
	Next    string            `json:"next"` // the position after them
	More    bool              `json:"more"` // there are others already
	Links   map[string]string `json:"links"`
}

// told is a change as one client is told it.
type told struct {
	ID string `json:"id"` // the position after it
	*change
}

// change is a vintage that was published, and what it changes.
type change struct {
	Vintage   string   `json:"vintage"` // 2016-S1/1
	Period    string   `json:"period"`
	Number    uint64   `json:"number"`
	Status    string   `json:"status"`
	Published string   `json:"published_at"`
	Revises   string   `json:"revises,omitempty"` // of a revision, the vintage that it corrects
	Reason    string   `json:"reason,omitempty"`
	Scope     string   `json:"scope"` // all: every count is new; cells: only those of Cells
	Address   string   `json:"address"`
	Tables    []table  `json:"tables"`
	Reasons   []string `json:"reasons"` // codes of those that Cells have
	Cells     []cell   `json:"cells"`
	urn       string
}

// table is one that the vintage has. Changed is how many of its counts are other than in the vintage before; null where all are new.
type table struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Changed *int   `json:"changed"`
}

// cell is a count that a revision changes. Key has the code of each column that is not summed over; Reasons add up to the change.
type cell struct {
	Measure string            `json:"measure"`
	Key     map[string]string `json:"key"`
	Tables  []string          `json:"tables"`
	Before  int64             `json:"before"`
	After   int64             `json:"after"`
	Reasons map[string]int64  `json:"reasons"`
}

// otherReason is the code of what is no named reason, as a column of revision.csv has it.
const otherReason = "other"

func changeOf(o *vintages.Opened) *change {
	folder := vintages.Address(o.Period, o.Number)
	c := &change{Vintage: o.Name(), Period: o.Period, Number: o.Number, Status: o.Status, Published: o.Published.In(calendar.Zone()).Format(time.RFC3339), Reason: o.Manifest.Reason,
		Scope: "all", Address: folder, Tables: []table{}, Reasons: []string{}, Cells: []cell{}, urn: "urn:uuid:" + o.ID.String()}
	revision := o.Manifest.Revises > 0
	if revision {
		c.Scope, c.Revises = "cells", vintages.Vintage{Period: o.Period, Number: o.Manifest.Revises}.Name()
	}
	in := map[string][]string{} // tables by key
	for _, t := range o.Tables {
		one := table{ID: t.ID, Address: folder + bundle.TablePath(t.ID)}
		if revision {
			one.Changed = new(int)
		}
		c.Tables = append(c.Tables, one)
		for _, shown := range t.Cells {
			key := published.Key(t.Measure, t.Columns, shown.Codes)
			in[key] = append(in[key], t.ID)
		}
	}
	for _, d := range o.Differences {
		one := cellOf(d, in[d.Key])
		c.Cells = append(c.Cells, one)
		for i := range c.Tables {
			if slices.Contains(one.Tables, c.Tables[i].ID) {
				*c.Tables[i].Changed++
			}
		}
	}
	for _, reason := range append(slices.Clone(bundle.Reasons), otherReason) {
		if slices.ContainsFunc(c.Cells, func(one cell) bool { return one.Reasons[reason] != 0 }) {
			c.Reasons = append(c.Reasons, reason)
		}
	}
	return c
}

func cellOf(d published.Difference, tables []string) cell {
	measure, key, _ := strings.Cut(d.Key, "|")
	c := cell{Measure: measure, Key: map[string]string{}, Tables: tables, Before: d.Before, After: d.After, Reasons: map[string]int64{}}
	for part := range strings.SplitSeq(key, "|") {
		if column, code, ok := strings.Cut(part, "="); ok {
			c.Key[column] = code
		}
	}
	for reason, amount := range d.By {
		c.Reasons[reason] = amount
	}
	if d.Other != 0 {
		c.Reasons[otherReason] = d.Other
	}
	return c
}

func indented(what any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(what)
	return out.Bytes(), err
}
