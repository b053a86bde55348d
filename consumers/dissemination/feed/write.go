package feed

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"time"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// Statuses of counts (SDMX CL_OBS_STATUS, version 2.2).
var (
	normal      = documentTerm{"A", text{"definitivo", "final"}}
	provisional = documentTerm{"P", text{"provisional", "provisional"}}
	withheld    = documentTerm{"Q", text{"no se da", "withheld"}}
)

// status is that of every count of the table that is given.
func (t Table) status() documentTerm {
	if t.Rounded() {
		return provisional
	}
	return normal
}

// cell writes the status and the count of a row. A withheld count is empty.
func (t Table) cell(r Row) (status, count string) {
	if r.Withheld {
		return withheld.ID, ""
	}
	return t.status().ID, strconv.FormatInt(r.Returns, 10)
}

// name is what the vintage is called: 2016-S1/1.
func (t Table) name() string { return t.nameOf(t.From.Number) }

// nameOf is what the vintage of that number is called.
func (t Table) nameOf(number uint64) string {
	return t.From.Period + "/" + strconv.FormatUint(number, 10)
}

// writeCSV writes the table as RFC 4180 has it: a header row, lines that end in CR LF. The columns are
// period, then each dimension with the label of its code (periods have none), then series, obs_status, returns and vintage. With a
// byte order mark before them spreadsheets read the accents, and other programs a strange first column: only who asks gets it.
func writeCSV(t Table) response.Representation {
	var b bytes.Buffer
	if t.Query.BOM {
		b.WriteString("\ufeff")
	}
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	header := []string{"period"}
	for _, d := range t.Query.By {
		if header = append(header, d.ID); d.Kind == "" {
			header = append(header, d.ID+"_label")
		}
	}
	// Writing to memory does not fail; were it to, Flush and Error below would have to be asked.
	_ = w.Write(append(header, "series", "obs_status", "returns", "vintage"))
	for _, row := range t.Rows {
		line := []string{t.Query.Period.Label}
		for i, d := range t.Query.By {
			if line = append(line, row.Codes[i]); d.Kind == "" {
				line = append(line, t.From.Label(d.Column, row.Codes[i], t.Query.Lang))
			}
		}
		status, count := t.cell(row)
		_ = w.Write(append(line, t.Query.Series.ID, status, count, t.nameOf(row.Of)))
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
	Vintage    string            `json:"vintage"`
	Release    string            `json:"vintage_status"` // provisional, final
	Status     documentTerm      `json:"status"`
	AsOf       string            `json:"as_of"`
	Published  string            `json:"published_at"`
	Method     int               `json:"method_version"`
	Rounding   *documentRounding `json:"rounding,omitempty"` // only where counts are rounded
	Total      *int64            `json:"total"`
	Base       documentBase      `json:"base"`
	Coverage   *float64          `json:"coverage_percent"`
	Late       *float64          `json:"late_percent"`
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
	Base int64 `json:"base"`
	Rule text  `json:"rule"`
}

type documentBase struct {
	Registered *int64 `json:"registered"`
	Reconciled *int64 `json:"reconciled"`
}

// documentRow is an object whose members stand in the order of the columns.
type documentRow struct {
	of  Table
	row Row
}

// MarshalJSON writes code and label of each dimension, then the status and the count, which is null when it is withheld; and the vintage
// that the count is of, where that is an earlier one.
func (r documentRow) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, d := range r.of.Query.By {
		members := [][2]string{{d.ID, r.row.Codes[i]}}
		if d.Kind == "" {
			members = append(members, [2]string{d.ID + "_label", r.of.From.Label(d.Column, r.row.Codes[i], r.of.Query.Lang)})
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
	status, count := r.of.cell(r.row)
	if count == "" {
		count = "null"
	}
	b.WriteString(`"obs_status":"` + status + `","returns":` + count)
	if r.row.Of != r.of.From.Number {
		b.WriteString(`,"vintage":"` + r.of.nameOf(r.row.Of) + `"`)
	}
	b.WriteString("}")
	return b.Bytes(), nil
}

// writeJSON writes the table with all that is needed to read it.
func writeJSON(t Table) response.Representation {
	q, m := t.Query, t.From.Manifest
	d := document{
		Title:      title(q),
		Period:     documentPeriod{q.Period.Label, q.Period.Kind, q.Period.First.String(), q.Period.Last.String()},
		Series:     documentTerm{q.Series.ID, text{q.Series.ES, q.Series.EN}},
		Dimensions: []documentTerm{},
		Unit:       text{"retornos", "returns"},
		Vintage:    t.name(),
		Release:    m.Status,
		Status:     t.status(),
		AsOf:       moment(m.AsOf),
		Published:  moment(t.From.Published),
		Method:     m.MethodVersion,
		Total:      Total(t.From, q, q.Series),
		Base:       documentBase{Total(t.From, q, Registered), Total(t.From, q, Reconciled)},
		Coverage:   m.Coverage,
		Late:       m.Late,
		Defined:    definitions,
		Source:     source,
		Links: map[string]string{"self": PathJSON + "?" + q.Canonical(), "csv": PathCSV + "?" + q.Canonical(), "documentation": DocumentationPath,
			"vintage": vintages.Address(t.From.Period, t.From.Number)},
		Rows: []documentRow{},
	}
	if t.Rounded() {
		d.Rounding = &documentRounding{m.Rounded, roundingRule(m.Rounded)}
	}
	for _, by := range q.By {
		d.Dimensions = append(d.Dimensions, documentTerm{by.ID, text{by.ES, by.EN}})
	}
	for _, row := range t.Rows {
		d.Rows = append(d.Rows, documentRow{t, row})
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

// moment writes a time on the clocks of Honduras, to the second.
func moment(t time.Time) string { return t.In(calendar.Zone()).Format(time.RFC3339) }

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }

// links is the Link header (RFC 8288): the one address of this question, its other format, what it is taken from, and what it all
// means.
func links(t Table) string {
	json := t.Query
	json.BOM = false
	return `<` + PathCSV + "?" + t.Query.Canonical() + `>; rel="alternate"; type="text/csv", <` + PathJSON + "?" + json.Canonical() + `>; rel="alternate"; type="application/json", <` +
		vintages.Address(t.From.Period, t.From.Number) + `>; rel="via"; type="application/json", <` + DocumentationPath + `>; rel="describedby"; type="text/html"`
}
