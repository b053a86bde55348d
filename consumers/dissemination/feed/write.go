package feed

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"time"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/dissemination/disclosure"
	"retorno/consumers/dissemination/response"
	"retorno/schemas/calendar"
)

// provisional is the status of every count until a vintage of it is published (SDMX CL_OBS_STATUS, code P).
const provisional = "P"

// writeCSV writes the table as RFC 4180 has it: a header row, lines that end in CR LF. The columns are
// period, then each dimension with the label of its code (periods have none), then series, obs_status and returns.
func writeCSV(t Table) response.Representation {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	header := []string{"period"}
	for _, d := range t.Query.By {
		if header = append(header, d.ID); d.List != "" {
			header = append(header, d.ID+"_label")
		}
	}
	// Writing to memory does not fail; were it to, Flush and Error below would have to be asked.
	_ = w.Write(append(header, "series", "obs_status", "returns"))
	for _, row := range t.Rows {
		line := []string{t.Query.Period.Label}
		for i, d := range t.Query.By {
			if line = append(line, row.Codes[i]); d.List != "" {
				line = append(line, d.label(row.Codes[i], t.Query.Lang))
			}
		}
		_ = w.Write(append(line, t.Query.Series.ID, provisional, strconv.FormatUint(row.Returns, 10)))
	}
	w.Flush()
	return response.Representation{Type: "text/csv; charset=utf-8; header=present", Body: b.Bytes()}
}

// text is one sentence in both languages.
type text struct {
	ES string `json:"es"`
	EN string `json:"en"`
}

type document struct {
	Title      text              `json:"title"`
	Period     documentPeriod    `json:"period"`
	Series     documentTerm      `json:"series"`
	Dimensions []documentTerm    `json:"dimensions"`
	Unit       text              `json:"unit"`
	Status     documentTerm      `json:"status"`
	AsOf       *string           `json:"as_of"`
	Method     int               `json:"method_version"`
	Rounding   documentRounding  `json:"rounding"`
	Total      uint64            `json:"total"`
	Base       documentBase      `json:"base"`
	Coverage   *float64          `json:"coverage_percent"`
	Defined    map[string]text   `json:"definitions"`
	Source     text              `json:"source"`
	Links      map[string]string `json:"links"`
	Rows       []documentRow     `json:"rows"`
}

type documentPeriod struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	First string `json:"first_day"`
	Last  string `json:"last_day"`
}

type documentTerm struct {
	ID string `json:"id"`
	text
}

type documentRounding struct {
	Base int  `json:"base"`
	Rule text `json:"rule"`
}

type documentBase struct {
	Registered uint64 `json:"registered"`
	Reconciled uint64 `json:"reconciled"`
}

// documentRow is an object whose members stand in the order of the columns.
type documentRow struct {
	by   []Dimension
	row  Row
	lang string
}

// MarshalJSON writes code and label of each dimension, then the count.
func (r documentRow) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, d := range r.by {
		members := [][2]string{{d.ID, r.row.Codes[i]}}
		if d.List != "" {
			members = append(members, [2]string{d.ID + "_label", d.label(r.row.Codes[i], r.lang)})
		}
		for _, member := range members {
			value, err := json.Marshal(member[1])
			if err != nil {
				return nil, err
			}
			b.WriteString(`"` + member[0] + `":`)
			b.Write(value)
			b.WriteByte(',')
		}
	}
	b.WriteString(`"returns":` + strconv.FormatUint(r.row.Returns, 10) + "}")
	return b.Bytes(), nil
}

// writeJSON writes the table with all that is needed to read it.
func writeJSON(t Table) response.Representation {
	q := t.Query
	d := document{
		Title:      title(q),
		Period:     documentPeriod{q.Period.Label, q.Period.Kind, q.Period.First.String(), q.Period.Last.String()},
		Series:     documentTerm{q.Series.ID, text{q.Series.ES, q.Series.EN}},
		Dimensions: []documentTerm{},
		Unit:       text{"retornos", "returns"},
		Status:     documentTerm{provisional, text{"provisional", "provisional"}},
		AsOf:       asOf(t.Flushed),
		Method:     reconcile.MethodVersion,
		Rounding:   documentRounding{disclosure.Base, roundingRule},
		Total:      t.Total,
		Base:       documentBase{t.Registered, t.Reconciled},
		Defined:    definitions,
		Source:     source,
		Links:      map[string]string{"self": PathJSON + "?" + q.Canonical(), "csv": PathCSV + "?" + q.Canonical(), "documentation": DocumentationPath},
		Rows:       []documentRow{},
	}
	if c, ok := disclosure.Coverage(t.Registered, t.Reconciled); ok {
		percent := c.Percent()
		d.Coverage = &percent
	}
	for _, by := range q.By {
		d.Dimensions = append(d.Dimensions, documentTerm{by.ID, text{by.ES, by.EN}})
	}
	for _, row := range t.Rows {
		d.Rows = append(d.Rows, documentRow{q.By, row, q.Lang})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil { // strings, numbers and lists of them always marshal
		panic(err)
	}
	return response.Representation{Type: "application/json", Body: b.Bytes()}
}

// asOf is the Honduran day on which facts last came in. Not the second: that would change the answer, and its ETag,
// while no number changes.
func asOf(flushed time.Time) *string {
	if flushed.IsZero() {
		return nil
	}
	day := calendar.DayOf(flushed.UnixMilli()).String()
	return &day
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }

// links is the Link header (RFC 8288): the one address of this question, its other format, and what it all means.
func links(q Query) string {
	return `<` + PathCSV + "?" + q.Canonical() + `>; rel="alternate"; type="text/csv", <` +
		PathJSON + "?" + q.Canonical() + `>; rel="alternate"; type="application/json", <` + DocumentationPath + `>; rel="describedby"; type="text/html"`
}
