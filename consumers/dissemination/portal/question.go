package portal

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"retorno/schemas/calendar"
)

// allPeriods asks for every half-year, each of its newest vintage.
const allPeriods = "all"

// maxQuery is the longest query string that the explorer looks at, in bytes.
const maxQuery = 2000

// question is what an address of the explorer asks: some cells of one table.
type question struct {
	table  string
	period string            // a half-year, or allPeriods; "": the latest half-year that has the table
	number uint64            // of the vintage; 0: the newest
	codes  map[string]string // by column, the code that cells must have
	page   int               // of the rows, from 1
}

// parseQuestion reads an address. Which columns there are shows only when the table is open.
func parseQuestion(table, raw string) (question, []both) {
	q := question{table: table, codes: map[string]string{}, page: 1}
	if len(raw) > maxQuery {
		return q, []both{{"La consulta es demasiado larga.", "The query string is too long."}}
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, []both{{"La consulta no se puede leer.", "The query string cannot be read."}}
	}
	var faults []both
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values.Get(name)
		if len(values[name]) > 1 {
			faults = append(faults, both{fmt.Sprintf("El parámetro «%s» aparece varias veces.", short(name)), fmt.Sprintf("The parameter %q stands several times.", short(name))})
		}
		if value == "" { // a field of the form that was left open
			continue
		}
		if fault, ok := q.set(name, value); !ok {
			faults = append(faults, fault)
		}
	}
	if q.number > 0 && (q.period == "" || q.period == allPeriods) {
		faults = append(faults, both{"Con vintage, diga también de qué semestre: period=2016-S1.", "With vintage, name its half-year too: period=2016-S1."})
	}
	return q, faults
}

// set takes one parameter. A name that is none of the explorer's is that of a column.
func (q *question) set(name, value string) (both, bool) {
	fault := func(m both) (both, bool) { return m, false }
	switch name {
	case "lang":
		if value != "es" && value != "en" {
			return fault(wrongLang.detail)
		}
	case "period":
		if p, err := calendar.ParsePeriod(value); value != allPeriods && (err != nil || p.Kind != calendar.KindHalfYear) {
			return fault(both{fmt.Sprintf("period «%s» no es un semestre: escríbalo como 2016-S1, o all para todos.", short(value)), fmt.Sprintf("period %q is not a half-year: write it as 2016-S1, or all for every one.", short(value))})
		}
		q.period = value
	case "vintage":
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil || n == 0 {
			return fault(both{fmt.Sprintf("«%s» no es el número de una edición.", short(value)), fmt.Sprintf("%q is not the number of a vintage.", short(value))})
		}
		q.number = n
	case "page":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return fault(both{fmt.Sprintf("«%s» no es el número de una página.", short(value)), fmt.Sprintf("%q is not the number of a page.", short(value))})
		}
		q.page = n
	default:
		q.codes[name] = value
	}
	return both{}, true
}

// address is where the question is asked, in a language: equal questions have one address.
func (q question) address(lang string) string {
	values := url.Values{}
	for column, code := range q.codes {
		values.Set(column, code)
	}
	if q.period != "" {
		values.Set("period", q.period)
	}
	if q.number > 0 {
		values.Set("vintage", strconv.FormatUint(q.number, 10))
	}
	if q.page > 1 {
		values.Set("page", strconv.Itoa(q.page))
	}
	values.Set("lang", lang)
	return explorePath + "/" + url.PathEscape(q.table) + "?" + values.Encode()
}

// of is the same question of one vintage, from its first page.
func (q question) of(period string, number uint64) question {
	q.period, q.number, q.page = period, number, 1
	return q
}

// short cuts what a client sent to what fits a message.
func short(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}
