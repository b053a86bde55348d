package feed

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"retorno/consumers/dissemination/response"
	"retorno/schemas/calendar"
)

// Query is a question that was understood.
type Query struct {
	Period calendar.Period
	By     []Dimension // in the order of columns, whatever order they were asked in
	Series Series
	Lang   string // "es" or "en"
	// Vintage is the number of the vintage that is to answer; 0: the newest. AsOf, a day or a moment as it was written, asks for the
	// newest that was published by then; "": by now.
	Vintage uint64
	AsOf    string
	BOM     bool      // a CSV begins with a byte order mark
	before  time.Time // what AsOf comes to: the vintage was published before that
}

// Fault is one thing that is wrong with a question.
type Fault struct {
	Parameter string   `json:"parameter"` // its name as it was sent; "" when the whole query string is meant
	Found     string   `json:"found"`     // the part of the value that is wrong, cut to a readable length
	Allowed   []string `json:"allowed"`   // values or forms that would have been right
	ES        string   `json:"detail_es"`
	EN        string   `json:"detail_en"`
}

// maxQuery is the longest query string that is looked at, in bytes. The longest that makes sense has under 150.
const maxQuery = 2000

var (
	parameters  = []string{"period", "by", "series", "lang", "vintage", "asOf", "bom"}
	languages   = []string{"es", "en"}
	boms        = []string{"0", "1"}
	momentForms = []string{"2016-08-01", "2016-08-01T12:00:00Z"}
	periodForms = []string{"2016-S1", "2016-Q1", "2016-01"} // of what is published; others are understood
)

// ParseQuery reads the query string of an address. Either it is right as a whole, or every fault is named.
func ParseQuery(raw string) (Query, []Fault) {
	if len(raw) > maxQuery {
		return Query{}, []Fault{{"", response.Short(raw), parameters,
			fmt.Sprintf("La consulta mide %d bytes; no debe pasar de %d.", len(raw), maxQuery),
			fmt.Sprintf("The query string has %d bytes; it must not exceed %d.", len(raw), maxQuery)}}
	}
	values, err := url.ParseQuery(raw)
	if err != nil || !utf8.ValidString(raw) {
		return Query{}, []Fault{{"", response.Short(raw), parameters,
			"La consulta no se puede leer: escriba nombre=valor, separados por &, en UTF-8 y con los % bien formados.",
			"The query string cannot be read: write name=value, separated by &, in UTF-8 and with well-formed % escapes."}}
	}
	faults := namesOf(values)
	q := Query{Lang: languages[0], Series: series[0]}
	var fault *Fault
	if q.Period, fault = periodOf(values); fault != nil {
		faults = append(faults, *fault)
	}
	var more []Fault
	q.By, more = byOf(values.Get("by"))
	faults = append(faults, more...)
	if id, ok := first(values, "series"); ok {
		i := slices.IndexFunc(series, func(s Series) bool { return s.ID == id })
		if i < 0 {
			faults = append(faults, unknownValue("series", id, seriesIDs()))
		} else {
			q.Series = series[i]
		}
	}
	if lang, ok := first(values, "lang"); ok {
		if q.Lang = lang; !slices.Contains(languages, lang) {
			faults = append(faults, unknownValue("lang", lang, languages))
		}
	}
	if bom, ok := first(values, "bom"); ok {
		if q.BOM = bom == boms[1]; !slices.Contains(boms, bom) {
			faults = append(faults, unknownValue("bom", bom, boms))
		}
	}
	faults = append(faults, q.pin(values)...)
	if len(faults) > 0 {
		return Query{}, faults
	}
	return q, nil
}

// namesOf finds parameters that do not exist or stand twice, in the order of their names.
func namesOf(values url.Values) []Fault {
	var faults []Fault
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(parameters, name) {
			faults = append(faults, Fault{response.Short(name), response.Short(values.Get(name)), parameters,
				fmt.Sprintf("No existe el parámetro «%s».", response.Short(name)),
				fmt.Sprintf("There is no parameter %q.", response.Short(name))})
			continue
		}
		if n := len(values[name]); n > 1 {
			faults = append(faults, Fault{name, response.Short(strings.Join(values[name], " & ")), []string{name + "=…"},
				fmt.Sprintf("El parámetro «%s» aparece %d veces; escríbalo una sola vez.", name, n),
				fmt.Sprintf("The parameter %q stands %d times; write it once.", name, n)})
		}
	}
	return faults
}

func periodOf(values url.Values) (calendar.Period, *Fault) {
	text, ok := first(values, "period")
	if !ok {
		return calendar.Period{}, &Fault{"period", "", periodForms,
			"Falta el periodo: semestre, trimestre o mes.",
			"The period is missing: a half-year, quarter or month."}
	}
	p, err := calendar.ParsePeriod(text)
	if err != nil || !stored(p) {
		return calendar.Period{}, &Fault{"period", response.Short(text), periodForms,
			fmt.Sprintf("«%s» no es un periodo: escriba un semestre, trimestre o mes entre 1970 y 2148.", response.Short(text)),
			fmt.Sprintf("%q is not a period: write a half-year, quarter or month from 1970 to 2148.", response.Short(text))}
	}
	return p, nil
}

// stored reports whether days of a period can be in the database: days 0 to 65535 since 1970-01-01.
func stored(p calendar.Period) bool { return p.First >= 0 && p.Last <= 65535 }

func byOf(text string) ([]Dimension, []Fault) {
	if text == "" {
		return nil, nil
	}
	var faults []Fault
	var asked []string
	for _, id := range strings.Split(text, ",") {
		switch {
		case !slices.ContainsFunc(dimensions, func(d Dimension) bool { return d.ID == id }):
			faults = append(faults, unknownValue("by", id, dimensionIDs()))
		case slices.Contains(asked, id):
			faults = append(faults, Fault{"by", id, dimensionIDs(),
				fmt.Sprintf("«%s» aparece dos veces en by.", id), fmt.Sprintf("%q stands twice in by.", id)})
		default:
			asked = append(asked, id)
		}
		if len(faults) > 4 {
			break // enough to see what is wrong
		}
	}
	if len(asked) > MaxDimensions {
		faults = append(faults, Fault{"by", response.Short(text), dimensionIDs(),
			fmt.Sprintf("by nombra %d columnas; se dan como máximo %d a la vez.", len(asked), MaxDimensions),
			fmt.Sprintf("by names %d columns; at most %d are given at once.", len(asked), MaxDimensions)})
	}
	var by []Dimension
	for _, d := range dimensions {
		if slices.Contains(asked, d.ID) {
			by = append(by, d)
		}
	}
	return by, faults
}

// pin reads which vintage is asked for.
func (q *Query) pin(values url.Values) (faults []Fault) {
	number, numbered := first(values, "vintage")
	if numbered {
		n, err := strconv.ParseUint(number, 10, 64)
		if q.Vintage = n; err != nil || n == 0 || strconv.FormatUint(n, 10) != number {
			faults = append(faults, Fault{"vintage", response.Short(number), []string{"1"},
				fmt.Sprintf("«%s» no es el número de una edición.", response.Short(number)), fmt.Sprintf("%q is not the number of a vintage.", response.Short(number))})
		}
	}
	text, dated := first(values, "asOf")
	if !dated {
		return faults
	}
	if numbered {
		faults = append(faults, Fault{"asOf", response.Short(text), []string{"vintage=…", "asOf=…"},
			"Pida vintage o asOf, no ambos.", "Ask for vintage or for asOf, not for both."})
	}
	q.AsOf = text
	if day, err := calendar.ParseDay(text); err == nil {
		q.before = (day + 1).Start()
	} else if at, err := time.Parse(time.RFC3339, text); err == nil {
		q.before = at.Add(time.Nanosecond)
	} else {
		faults = append(faults, Fault{"asOf", response.Short(text), momentForms,
			fmt.Sprintf("«%s» no es un día ni un momento (RFC 3339).", response.Short(text)), fmt.Sprintf("%q is neither a day nor a moment (RFC 3339).", response.Short(text))})
	}
	return faults
}

// Canonical is the query string that means the same: every parameter said, in one order. Equal questions have equal ones.
func (q Query) Canonical() string {
	by := make([]string, len(q.By))
	for i, d := range q.By {
		by[i] = d.ID
	}
	text := "period=" + url.QueryEscape(q.Period.Label)
	if len(by) > 0 {
		text += "&by=" + strings.Join(by, ",")
	}
	text += "&series=" + q.Series.ID + "&lang=" + q.Lang
	if q.Vintage > 0 {
		text += "&vintage=" + strconv.FormatUint(q.Vintage, 10)
	}
	if q.AsOf != "" {
		text += "&asOf=" + url.QueryEscape(q.AsOf)
	}
	if q.BOM {
		text += "&bom=1"
	}
	return text
}

func first(values url.Values, name string) (string, bool) {
	all, ok := values[name]
	if !ok {
		return "", false
	}
	return all[0], true
}

func unknownValue(parameter, found string, allowed []string) Fault {
	return Fault{parameter, response.Short(found), allowed,
		fmt.Sprintf("%s no conoce el valor «%s».", parameter, response.Short(found)),
		fmt.Sprintf("%s does not know the value %q.", parameter, response.Short(found))}
}

// bomOfJSON is the fault of a question that wants a byte order mark before JSON, which may have none (RFC 8259).
func bomOfJSON() Fault {
	return Fault{"bom", "1", boms[:1], "JSON no lleva marca de orden de bytes: pida bom=1 del CSV.", "JSON has no byte order mark: ask for bom=1 of the CSV."}
}

func dimensionIDs() []string {
	var all []string
	for _, d := range Dimensions() {
		all = append(all, d.ID)
	}
	return all
}

func seriesIDs() []string {
	all := make([]string, len(series))
	for i, s := range series {
		all[i] = s.ID
	}
	return all
}
