package shapes

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/schemas/calendar"
)

// sources are the series of the feed, with the sources that each is the sum of.
var sources = map[string][]string{"registered": {"registered"}, "checkpoint": {"both", "post_only"}, "reconciled": {published.Total}}

// byName are the columns that the feed has, by what it calls them.
var byName = map[string]string{"route": "route", "return_type": "return_type", "entry_point": "entry_point", "exit_point": "exit_point", "centre": "centre", "sex": "sex", "age": "age_group"}

// feedQuestions are those that a table of returns answers: each of its periods, by all its columns, in every series.
func feedQuestions(b *bundle.Bundle, t *bundle.Table) (all []question) {
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
			f := fed{by, columns, period, of}
			all = append(all, question{of: b.Name(), path: "feed/v1/returns.json?" + q.Encode(), read: f.readJSON},
				question{of: b.Name(), path: "feed/v1/returns.csv?" + q.Encode(), read: f.readCSV})
		}
	}
	return all
}

// feeds reports whether the feed answers for a period.
func feeds(label string) bool {
	p, err := calendar.ParsePeriod(label)
	return err == nil && slices.Contains([]string{calendar.KindHalfYear, calendar.KindQuarter, calendar.KindMonth}, p.Kind)
}

// fed is what an answer of the feed is about.
type fed struct {
	by, columns []string // its columns, as the feed and as tables call them
	period      string
	of          []string // the sources that its series is the sum of
}

// cell is the count of codes.
func (f fed) cell(codes []string, value int64) (c cell) {
	c.value = value
	for _, source := range f.of {
		c.keys = append(c.keys, published.Key("returns", append(slices.Clone(f.columns), "time_period", "source"), append(slices.Clone(codes), f.period, source)))
	}
	return c
}

func (f fed) readJSON(body []byte) (cells []cell, err error) {
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
		codes := make([]string, len(f.by))
		for i, name := range f.by {
			var ok bool
			if codes[i], ok = row[name].(string); !ok {
				return nil, fmt.Errorf("%w: a row has no %s", errForm, name)
			}
		}
		cells = append(cells, f.cell(codes, int64(value)))
	}
	return cells, nil
}

func (f fed) readCSV(body []byte) ([]cell, error) { return lines(body, f.by, "returns", 0, f.cell) }
