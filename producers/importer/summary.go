package importer

import (
	"fmt"
	"slices"
	"strings"

	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// Summary is the account of one import: Read = Accepted + Rejected + Blank + Headers + Notes, always. It says nothing
// about any person.
type Summary struct {
	File      string            `json:"file"`
	Kind      string            `json:"kind"`
	System    string            `json:"system"`
	Source    string            `json:"source"` // source_id of the first data row
	Charset   string            `json:"charset"`
	Delimiter string            `json:"delimiter"`
	Columns   map[string]string `json:"columns"` // column in the file -> field
	// DateOrders are the orders in which dates of figures are read, DayFirst, MonthFirst or YearFirst, by column of the file.
	DateOrders map[string]string `json:"date_orders"`

	Lines    int `json:"lines"`
	Read     int `json:"read"`     // rows of any sort
	Accepted int `json:"accepted"` // sent as events (with DryRun: would have been)
	Rejected int `json:"rejected"`
	Blank    int `json:"blank"`
	Headers  int `json:"headers"`
	Notes    int `json:"notes"` // titles above the header; totals and sources below

	// Alike counts accepted rows that equal an earlier one in everything that is kept. They are counted as people of
	// their own; many of them suggest that the export lost columns or repeats rows.
	Alike int `json:"alike"`
	// WithoutPerson counts accepted rows that no document links to other records.
	WithoutPerson int `json:"without_person"`
	// RejectedBy counts rejected rows by the code of their first fault.
	RejectedBy map[string]int `json:"rejected_by"`
	// First and Last are the first and last local day of accepted events, "" without any.
	First string `json:"first"`
	Last  string `json:"last"`
	// Warnings are what was taken and may yet be wrong, at most MaxWarnings kinds of it.
	Warnings []Warning `json:"warnings"`
}

// MaxWarnings bounds the kinds of warnings of one import.
const MaxWarnings = 200

// Warning is one kind of thing that was taken and may yet be wrong.
type Warning struct {
	Code   string `json:"code"`
	Column string `json:"column,omitempty"`
	Found  string `json:"found,omitempty"` // a text that concerns no person
	Line   int    `json:"line"`            // of its first case
	Count  int    `json:"count"`           // rows
}

// Text says the warning in Spanish and English.
func (w Warning) Text() (es, en string) {
	es, en = say(w.Code, w.Found)
	at := fmt.Sprintf(" (%d, línea %d)", w.Count, w.Line)
	column := ""
	if w.Column != "" {
		column = w.Column + ": "
	}
	return column + es + at, column + en + strings.Replace(at, "línea", "line", 1)
}

// Reason says the code of a warning or a rejection in Spanish and English.
func (w Warning) Reason() (es, en string) { return say(w.Code, w.Found) }

func (s *Summary) warn(w Warning) {
	i := slices.IndexFunc(s.Warnings, func(o Warning) bool { return o.Code == w.Code && o.Column == w.Column && o.Found == w.Found })
	w.Count = max(w.Count, 1)
	if i >= 0 {
		s.Warnings[i].Count += w.Count
		return
	}
	if len(s.Warnings) < MaxWarnings {
		s.Warnings = append(s.Warnings, w)
	}
}

// linked notes an accepted record.
func (s *Summary) linked(r *events.Record) {
	if r.GetPersonKey() == "" {
		s.WithoutPerson++
	}
	day := calendar.DayOf(r.GetEventTimeMs()).String()
	if s.First == "" || day < s.First {
		s.First = day
	}
	s.Last = max(s.Last, day)
}
