// Package query understands what is asked of the SDMX data services, in the forms of both versions of the interface (SDMX 2.1: REST 1.5;
// SDMX 3.0: REST 2.2), and takes the answer from published observations.
//
// It promises that both forms of a question mean the same; that a question is understood whole, or each wrong parameter is named in
// Spanish and English with what would be right; that observations are chosen and ordered, and never made; and that replaying the Delete
// and Replace sets of an answer to updatedAfter on what was there before gives exactly what is there now. It has no I/O. A question that
// would give more observations than an answer may have is refused, so that no answer takes unbounded memory.
package query

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/schemas/calendar"
)

// AllDimensions asks for observations that are not grouped (dimensionAtObservation).
const AllDimensions = "AllDimensions"

// Data is a question for observations that was understood.
type Data struct {
	Flow structure.Flow
	// AtObservation is the dimension that observations of a group differ in: the time, another, or AllDimensions.
	AtObservation string
	Attributes    []structure.Component // those asked for
	Measures      bool                  // the observed value is asked for
	// Chosen reports whether only some of the components are asked for, so that an answer does not replace whole observations.
	Chosen bool
	// SeriesOnly asks for the keys of series, each once, without observations.
	SeriesOnly   bool
	UpdatedAfter time.Time // zero: not asked
	AsOf         time.Time // zero: now
	History      bool

	keys          []key
	filters       []filter
	first, last   int // of each series; 0: all
	offset, limit int // limit 0: all
	order         []sortBy
	structures    *structure.Structures
}

// Fault is one thing that is wrong with a question.
type Fault struct {
	Status    int    `json:"-"` // 400, or 422 where it can be read and cannot be meant
	Parameter string `json:"parameter"`
	Found     string `json:"found"`
	ES        string `json:"detail_es"`
	EN        string `json:"detail_en"`
}

func wrong(parameter, found, es, en string) Fault {
	return Fault{400, parameter, response.Short(found), fmt.Sprintf(es, response.Short(found)), fmt.Sprintf(en, response.Short(found))}
}

func meaningless(parameter, found, es, en string) Fault {
	f := wrong(parameter, found, es, en)
	f.Status = 422
	return f
}

// Parameters are those that data questions may have, besides c[…] for components.
var Parameters = []string{"startPeriod", "endPeriod", "updatedAfter", "firstNObservations", "lastNObservations", "dimensionAtObservation", "detail", "attributes", "measures", "includeHistory",
	"asOf", "offset", "limit", "sort"}

// Parse understands a data question: of a dataflow, with the key of the path ("" or all: everything), and the parameters.
func Parse(s *structure.Structures, flow structure.Flow, keyText string, values url.Values) (*Data, []Fault) {
	q := &Data{Flow: flow, structures: s, AtObservation: structure.Time, Attributes: s.Attributes, Measures: true}
	p := parser{q: q, values: values}
	p.keys(keyText)
	p.components()
	p.periods()
	p.times()
	p.numbers()
	p.shape()
	p.detail()
	p.sort()
	return q, p.faults
}

// parser reads parameters one by one.
type parser struct {
	q      *Data
	values url.Values
	faults []Fault
}

func (p *parser) fault(f Fault) { p.faults = append(p.faults, f) }

// one is the value of a parameter, and whether it stands there. Written twice, it is a fault.
func (p *parser) one(name string) (string, bool) {
	all := p.values[name]
	if len(all) > 1 {
		p.fault(wrong(name, strings.Join(all, " & "), "Escriba el parámetro una sola vez: «%s».", "Write the parameter once: %q."))
	}
	return p.values.Get(name), p.values.Get(name) != ""
}

func (p *parser) periods() {
	for _, bound := range []struct{ name, op string }{{"startPeriod", "ge"}, {"endPeriod", "le"}} {
		text, ok := p.one(bound.name)
		if !ok {
			continue
		}
		period, err := parsePeriod(text)
		if err != nil {
			p.fault(wrong(bound.name, text, "«%s» no es un período: escriba 2016, 2016-S1, 2016-Q1, 2016-01 o un día.", "%q is not a period: write 2016, 2016-S1, 2016-Q1, 2016-01 or a day."))
		}
		p.q.filters = append(p.q.filters, filter{component: structure.Time, any: [][]test{{{op: bound.op, value: text, period: period}}}, at: -1})
	}
}

// parsePeriod reads a period, or the day of a moment.
func parsePeriod(text string) (calendar.Period, error) {
	if day, _, ok := strings.Cut(text, "T"); ok {
		text = day
	}
	return calendar.ParsePeriod(text)
}

func (p *parser) times() {
	for name, at := range map[string]*time.Time{"updatedAfter": &p.q.UpdatedAfter, "asOf": &p.q.AsOf} {
		text, ok := p.one(name)
		if !ok {
			continue
		}
		t, err := parseMoment(text)
		if err != nil {
			p.fault(wrong(name, text, "«%s» no es un momento: escriba 2016-08-01T12:00:00-06:00; sin zona, es la hora de Honduras.", "%q is not a moment: write 2016-08-01T12:00:00-06:00; without a zone, it is the time of Honduras."))
		}
		*at = t
	}
	if !p.q.AsOf.IsZero() && p.q.UpdatedAfter.After(p.q.AsOf) {
		text, _ := p.one("updatedAfter")
		p.fault(wrong("updatedAfter", text, "updatedAfter (%s) es posterior a asOf.", "updatedAfter (%s) is later than asOf."))
	}
	if text, ok := p.one("includeHistory"); ok {
		yes, err := strconv.ParseBool(strings.ToLower(text))
		if p.q.History = yes; err != nil {
			p.fault(wrong("includeHistory", text, "«%s» no es true ni false.", "%q is neither true nor false."))
		}
	}
}

// parseMoment reads an xs:dateTime. Without a zone it is on the clocks of Honduras; a day alone is its beginning.
func parseMoment(text string) (time.Time, error) {
	text = strings.ReplaceAll(text, " ", "+") // a plus sign of a zone that was not escaped
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, calendar.Zone()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no moment", text)
}

func (p *parser) numbers() {
	for _, n := range []struct {
		name  string
		to    *int
		least int
	}{{"firstNObservations", &p.q.first, 1}, {"lastNObservations", &p.q.last, 1}, {"offset", &p.q.offset, 0}, {"limit", &p.q.limit, 1}} {
		text, ok := p.one(n.name)
		if !ok {
			continue
		}
		v, err := strconv.Atoi(text)
		if *n.to = v; err != nil || v < n.least || v > 1_000_000_000 {
			*n.to = 0
			p.fault(wrong(n.name, text, "«%s» no es un número entero positivo.", "%q is not a positive whole number."))
		}
	}
}

func (p *parser) shape() {
	if text, ok := p.one("dimensionAtObservation"); ok {
		if p.q.AtObservation = text; text != structure.Time && text != AllDimensions && p.q.structures.Position(text) < 0 {
			p.fault(meaningless("dimensionAtObservation", text, "«%s» no es una dimensión, TIME_PERIOD ni AllDimensions.", "%q is not a dimension, TIME_PERIOD or AllDimensions."))
		}
	}
}

// detail reads which components are asked for: detail of REST 1.5, attributes and measures of REST 2.
func (p *parser) detail() {
	q := p.q
	if text, ok := p.one("detail"); ok {
		switch text {
		case "full":
		case "dataonly":
			q.Attributes, q.Chosen = nil, true
		case "serieskeysonly", "nodata": // no attribute is of a series
			q.Chosen, q.SeriesOnly = true, true
		default:
			p.fault(wrong("detail", text, "«%s» no es full, dataonly, serieskeysonly ni nodata.", "%q is not full, dataonly, serieskeysonly or nodata."))
		}
	}
	if text, ok := p.one("attributes"); ok {
		q.Attributes, q.Chosen = p.attributes(text), true
	}
	if text, ok := p.one("measures"); ok {
		q.Chosen = true
		switch text {
		case "all", structure.Value:
		case "none":
			q.Measures = false
		default:
			p.fault(meaningless("measures", text, "«%s» no es all, none ni OBS_VALUE.", "%q is not all, none or OBS_VALUE."))
		}
	}
	if q.SeriesOnly = q.SeriesOnly || !q.Measures && len(q.Attributes) == 0; q.SeriesOnly {
		q.Attributes, q.Measures = nil, false
		if q.AtObservation == AllDimensions {
			q.AtObservation = structure.Time // series are of the time
		}
	}
}

func (p *parser) attributes(text string) (some []structure.Component) {
	names := strings.Split(text, ",")
	for _, name := range names {
		switch name {
		case "dsd", "all", "obs":
			return p.q.structures.Attributes
		case "none", "msd", "dataset", "series":
			continue
		}
		if !slices.ContainsFunc(p.q.structures.Attributes, func(c structure.Component) bool { return c.ID == name }) {
			p.fault(meaningless("attributes", name, "«%s» no es un atributo, dsd, msd, dataset, series, obs, all ni none.", "%q is not an attribute, dsd, msd, dataset, series, obs, all or none."))
		}
	}
	for _, c := range p.q.structures.Attributes {
		if slices.Contains(names, c.ID) {
			some = append(some, c)
		}
	}
	return some
}

// sortBy is one component by which observations are ordered.
type sortBy struct {
	component string
	at        int // place in the key; -1 of what is no dimension of it
	down      bool
}

func (p *parser) sort() {
	text, ok := p.one("sort")
	if !ok {
		return
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '+' || r == ' ' }) {
		id, way, _ := strings.Cut(part, ":")
		if way != "" && way != "asc" && way != "desc" {
			p.fault(wrong("sort", part, "«%s» no termina en :asc ni :desc.", "%q does not end in :asc or :desc."))
		}
		ids := []string{id}
		if id == "*" || id == "series_key" {
			ids = nil
			for _, d := range p.q.structures.Dimensions {
				if id == "*" || d.ID != p.q.AtObservation {
					ids = append(ids, d.ID)
				}
			}
			if id == "*" || p.q.AtObservation != structure.Time {
				ids = append(ids, structure.Time)
			}
		}
		for _, id := range ids {
			if _, ok := p.q.structures.Component(id); !ok {
				p.fault(meaningless("sort", id, "«%s» no es un componente, * ni series_key.", "%q is not a component, * or series_key."))
			}
			p.q.order = append(p.q.order, sortBy{id, p.q.structures.Position(id), way == "desc"})
		}
	}
}

// State is what the question is about: what was published at its time, if it names one.
func (q *Data) State(now *cells.State) (*cells.State, error) {
	if q.AsOf.IsZero() {
		return now, nil
	}
	return now.AsOf(q.AsOf)
}
