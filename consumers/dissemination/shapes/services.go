package shapes

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/schemas/calendar"
)

// conceptsOf are the columns of vintages by what SDMX calls them, and the dataflows.
func conceptsOf(all []*bundle.Bundle) (columns map[string]string, flows []string, err error) {
	columns = map[string]string{}
	for _, b := range all {
		l, err := lattice.Parse(b.Name()+" "+bundle.LatticePath, b.Lattice)
		if err != nil {
			return nil, nil, err
		}
		s := structure.New([]*lattice.Lattice{l}, b.Codes)
		for _, d := range s.Dimensions {
			if d.Column != "" {
				columns[d.ID] = d.Column
			}
		}
		for _, t := range b.Tables {
			if id := structure.ID(t.ID); !slices.Contains(flows, id) {
				flows = append(flows, id)
			}
		}
	}
	return columns, flows, nil
}

// sdmxCells reads SDMX-CSV 1.0 and 2.0.
func sdmxCells(body []byte, concepts map[string]string) (cells []cell, err error) {
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(errForm, err)
	}
	measure, value, period := slices.Index(rows[0], structure.Measure), slices.Index(rows[0], structure.Value), slices.Index(rows[0], structure.Time)
	if measure < 0 || value < 0 || period < 0 {
		return nil, fmt.Errorf("%w: its columns are %q", errForm, rows[0])
	}
	for _, row := range rows[1:] {
		if row[value] == "" || row[value] == "NaN" {
			continue
		}
		n, err := strconv.ParseInt(row[value], 10, 64)
		if err != nil {
			return nil, err
		}
		columns, codes := []string{"time_period"}, []string{row[period]}
		for i, name := range rows[0] {
			if column, ok := concepts[name]; ok && row[i] != structure.Total {
				columns, codes = append(columns, column), append(codes, strings.ReplaceAll(row[i], "@", "+"))
			}
		}
		cells = append(cells, cell{[]string{published.Key(row[measure], columns, codes)}, n})
	}
	return cells, nil
}

// question is one to the feed.
type question struct {
	path string
	read func([]byte) ([]cell, error)
}

// sources are the series of the feed, with the sources that each is the sum of.
var sources = map[string][]string{"registered": {"registered"}, "checkpoint": {"both", "post_only"}, "reconciled": {published.Total}}

// byName are the columns that the feed has, by what it calls them.
var byName = map[string]string{"route": "route", "return_type": "return_type", "entry_point": "entry_point", "exit_point": "exit_point", "centre": "centre", "sex": "sex", "age": "age_group"}

// questions are those that a table of returns answers: each of its periods, by all its columns, in every series.
func questions(b *bundle.Bundle, t *bundle.Table) (all []question) {
	var by, columns []string
	for _, column := range t.Columns {
		if column == "time_period" || column == "source" {
			continue
		}
		name, ok := byName[column]
		if !ok {
			return nil
		}
		by, columns = append(by, name), append(columns, column)
	}
	if t.Measure != "returns" || len(by) > 3 {
		return nil
	}
	var periods []string
	for _, c := range t.Cells {
		if label := c.Codes[slices.Index(t.Columns, "time_period")]; !slices.Contains(periods, label) && feeds(label) {
			periods = append(periods, label)
		}
	}
	for _, period := range periods {
		for series, of := range sources {
			q := url.Values{"period": {period}, "series": {series}, "vintage": {strconv.FormatUint(b.Manifest.Vintage, 10)}}
			if len(by) > 0 {
				q.Set("by", strings.Join(by, ","))
			}
			all = append(all, question{"feed/v1/returns.json?" + q.Encode(), func(body []byte) ([]cell, error) { return feedCells(body, by, columns, period, of) }})
		}
	}
	return all
}

// feeds reports whether the feed answers for a period.
func feeds(label string) bool {
	p, err := calendar.ParsePeriod(label)
	return err == nil && slices.Contains([]string{calendar.KindHalfYear, calendar.KindQuarter, calendar.KindMonth}, p.Kind)
}

// feedCells reads the JSON of the feed.
func feedCells(body []byte, by, columns []string, period string, of []string) (cells []cell, err error) {
	var d struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	for _, row := range d.Rows {
		value, given := row["returns"].(float64)
		if !given {
			continue
		}
		codes := make([]string, len(by))
		for i, name := range by {
			var ok bool
			if codes[i], ok = row[name].(string); !ok {
				return nil, fmt.Errorf("%w: a row has no %s", errForm, name)
			}
		}
		c := cell{value: int64(value)}
		for _, source := range of {
			c.keys = append(c.keys, published.Key("returns", append(slices.Clone(columns), "time_period", "source"), append(slices.Clone(codes), period, source)))
		}
		cells = append(cells, c)
	}
	return cells, nil
}
