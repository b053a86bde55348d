package form

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"retorno/producers/identity"
	"retorno/producers/reading"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// person reads document or slip, and what is told about the person; nationality is a code or "". The key is "" without either, and
// when the document is a fault.
func (r *reader) person(nationality string) (key string) {
	r.out.Identity.Names, r.out.Identity.Surnames = r.text("names"), r.text("surnames")
	r.paper()
	d, ok := r.document(nationality)
	if !ok || d.Number == "" {
		return ""
	}
	secret, known := identity.Secret{}, false
	if r.around.Office.Secret != nil {
		secret, known = r.around.Office.Secret(r.on)
	}
	if !known {
		r.fault("document_number", "no_secret", r.on.String())
		return ""
	}
	key, err := secret.Key(d)
	var fault *identity.FaultError
	switch {
	case errors.As(err, &fault):
		field := "document_number"
		if d.Type == identity.Folio {
			field = "folio"
		}
		r.fault(field, string(fault.Fault), "")
		return ""
	case err != nil:
		r.fault("document_number", "no_secret", r.on.String())
		return ""
	}
	r.out.Identity.Country, r.out.Identity.Type, r.out.Identity.Number = d.Country, d.Type, d.Number
	r.seen(d, key)
	return key
}

// paper reads the number of the paper form. One that another record has, or that is void, is a fault; one that was not received is asked about.
func (r *reader) paper() {
	r.out.Identity.Form = r.text("form_number")
	if r.out.Identity.Form == "" || r.around.Paper == nil {
		return
	}
	switch code, found := r.around.Paper(r.out.Identity.Form); code {
	case "":
	case "form_not_received":
		r.doubt("form_number", code, "")
	default:
		r.fault("form_number", code, found)
	}
}

// seen asks about a document that is odd, and about a person who was here before.
func (r *reader) seen(d identity.Document, key string) {
	birthYear := 0
	if r.out.Identity.Birth != "" {
		birthYear, _, _ = r.birth.Civil()
	}
	for _, w := range identity.Warnings(d, birthYear) {
		r.doubt("document_number", string(w), "")
	}
	if r.around.Found != nil && d.Type != identity.Folio {
		if code, found := r.around.Found(d); code != "" {
			r.doubt("document_number", code, found)
		}
	}
	if r.around.Before == nil && r.around.Today != nil && r.around.Today(key) {
		r.doubt("document_number", "same_document_today", "")
	}
}

// document is that of the form: the number typed, else the slip.
func (r *reader) document(nationality string) (identity.Document, bool) {
	number, slip := r.text("document_number"), r.text("folio")
	if number == "" {
		if slip == "" {
			return identity.Document{}, true
		}
		written, ok := identity.ParseSlip(slip)
		if !ok {
			r.fault("folio", string(identity.FaultSlip), "")
			return identity.Document{}, false
		}
		r.out.Identity.Folio = written
		return identity.Document{Type: identity.Folio, Number: written}, true
	}
	if written, ok := identity.ParseSlip(number); ok { // a centre reads it off the slip
		r.out.Identity.Folio = written
		return identity.Document{Type: identity.Folio, Number: written}, true
	}
	country := r.code("document_country", codelists.Country)
	d := identity.Document{Country: country, Type: r.documentType(number, country), Number: number}
	if d.Country == "" && d.Type != identity.NationalID {
		d.Country = nationality
	}
	return d, true
}

// DocumentOf is the document or slip that the fields of a form state; false when they state none that can be read.
func DocumentOf(fields url.Values) (identity.Document, bool) {
	r := &reader{fields: fields}
	d, ok := r.document(r.code("nationality", codelists.Country))
	return d, ok && d.Number != "" && len(r.out.Faults) == 0
}

// documentType is the type as it is stated; else that of a number like a DNI, and of other numbers a passport.
func (r *reader) documentType(number, country string) string {
	if text := r.text("document_type"); text != "" {
		if t, ok := identity.TypeOf(text); ok {
			return t
		}
		r.fault("document_type", string(identity.FaultType), text)
		return ""
	}
	if strings.ContainsFunc(number, func(c rune) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }) && !identity.LikeDNI(number, country) {
		return identity.Passport
	}
	return identity.NationalID
}

// age is that on the day of the event or arrival: stated, or worked out from the birth, which is the more precise one.
func (r *reader) age() *uint32 {
	text, born := r.text("age"), r.text("birth_date")
	stated, hasStated := uint32(0), false
	if text != "" {
		if stated, hasStated = reading.Age(text); !hasStated {
			r.fault("age", "bad_age", text)
			return nil
		}
	}
	if born == "" {
		if !hasStated {
			return nil
		}
		return &stated
	}
	birth, ok := ReadBirth(born, r.on)
	if !ok {
		r.fault("birth_date", "bad_date", "")
		return nil
	}
	r.birth, r.out.Identity.Birth = birth, birth.String()
	years, code := reading.AgeOf(birth, r.on, stated, hasStated)
	switch code {
	case "born_after_event", "bad_age":
		r.fault("birth_date", code, "")
		return nil
	case "age_contradicts_birth":
		r.doubt("age", "age_against_birth", fmt.Sprintf("%d, %d", stated, years))
	}
	out := uint32(years)
	return &out
}

// sex reads the sex; m alone is none.
func (r *reader) sex() string {
	if r.text("sex") == "m" {
		r.fault("sex", "ambiguous_sex", "m")
		return ""
	}
	return r.code("sex", codelists.Sex)
}

// rare asks about a country from which people are seldom returned, unless this office chose it lately.
func (r *reader) rare(field, code string) {
	if code != "" && code != "HN" && !usual[code] && r.around.Use.Lately[codelists.Country][code] < often {
		countries, _ := codelists.Get(codelists.Country)
		c, _ := countries.Lookup(code)
		r.doubt(field, "rare_country", c.LabelES)
	}
}

// ReadBirth reads a birth date as people type it: day first, with or without separators, a year of two digits the latest one that is not
// after the day of the event.
func ReadBirth(text string, on calendar.Day) (calendar.Day, bool) {
	if day, ok := reading.Date(parted(text), reading.DayFirst, reading.NotAfter(on)); ok {
		return day, true
	}
	return reading.Date(text, reading.DayFirst, reading.NotAfter(on))
}

// parted puts separators into figures that stand together: 170981, 17091981. Eight figures that begin with a year stay.
func parted(text string) string {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789") != "" || len(text) != 6 && len(text) != 8 {
		return text
	}
	day, _ := strconv.Atoi(text[:2])
	month, _ := strconv.Atoi(text[2:4])
	if len(text) == 8 && (day > 31 || month > 12 || month == 0 || day == 0) {
		return text
	}
	return text[:2] + "/" + text[2:4] + "/" + text[4:]
}
