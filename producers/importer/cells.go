package importer

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"retorno/producers/reading"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// fault is one reason why a row is not taken.
type fault struct {
	column string // name of the column in the file, "" for the row as a whole
	code   string // stable reason code
	detail string // what was found
}

// conversion makes one record of one row and collects what is wrong with it.
type conversion struct {
	cfg      Config
	dialect  *dialect
	row      row
	omitted  int // cells that were left out at its end
	faults   []fault
	warnings []Warning
}

func (c *conversion) fault(field, code, detail string) {
	column := ""
	if field != "" {
		column = c.dialect.header.column(field)
	}
	c.faults = append(c.faults, fault{column: column, code: code, detail: clip(detail)})
}

func (c *conversion) warn(field, code string) {
	column := ""
	if field != "" {
		column = c.dialect.header.column(field)
	}
	c.warnings = append(c.warnings, Warning{Code: code, Column: column, Line: c.row.line})
}

// text returns the cell of a field, cleaned, or what the configuration assumes; "" when nothing is stated.
func (c *conversion) text(field string) string {
	i, ok := c.dialect.header.at[field]
	if !ok {
		return c.cfg.assumed(field)
	}
	if i >= len(c.row.cells) {
		return ""
	}
	raw := c.row.cells[i]
	cleaned, known := c.dialect.cleaned[field][raw]
	if !known {
		cleaned = c.cleaned(field, raw)
		c.dialect.keep(field, raw, cleaned)
	}
	return cleaned
}

const (
	// mostCleaned bounds the cells of one column whose cleaned text is remembered: columns of codes have few, others fill it once.
	mostCleaned = 1024
	// longestCleaned is the longest such cell, in bytes.
	longestCleaned = 64
)

// keep remembers a cleaned cell.
func (d *dialect) keep(field, raw, cleaned string) {
	if d.cleaned == nil {
		d.cleaned = map[string]map[string]string{}
	}
	if d.cleaned[field] == nil {
		d.cleaned[field] = map[string]string{}
	}
	if len(d.cleaned[field]) < mostCleaned && len(raw) <= longestCleaned {
		d.cleaned[field][raw] = cleaned
	}
}

// cleaned is what a cell of a field states, "" when nothing.
func (c *conversion) cleaned(field, raw string) string {
	text := mended(trimmed(raw))
	text = strings.TrimPrefix(text, "'") // a spreadsheet's mark of text
	if value, ok := c.dialect.settled.value(field, text); ok {
		return value
	}
	if c.dialect.notStated(field, text) {
		return ""
	}
	return spelt(field, text)
}

func (c *conversion) has(field string) bool {
	_, ok := c.dialect.header.at[field]
	return ok || c.cfg.assumed(field) != ""
}

// coded returns the code that a cell means, "" when nothing is stated; a text that means none is a fault.
func (c *conversion) coded(field, list string) string {
	text := c.text(field)
	if c.refused(field, list, text) {
		return ""
	}
	code, ok := codelists.Resolve(list, text)
	if !ok {
		c.fault(field, "unknown_code", text)
		return ""
	}
	return stated(list, code)
}

// refused makes a fault of a text whose meaning nothing proves, and of a negative number: codes have no sign.
func (c *conversion) refused(field, list, text string) bool {
	switch {
	case c.doubtful(field, list, text):
		c.fault(field, "doubtful_code", text)
	case negative(text):
		c.fault(field, "unknown_code", text)
	default:
		code := misleading(list, text)
		if code != "" {
			c.fault(field, code, text)
		}
		return code != ""
	}
	return true
}

func negative(text string) bool {
	return len(text) > 1 && text[0] == '-' && text[1] >= '0' && text[1] <= '9'
}

// soft is coded for free text: what no synonym knows is not stated, and counted.
func (c *conversion) soft(field, list string) string {
	text := c.text(field)
	code, ok := codelists.Resolve(list, text)
	if !ok || negative(text) || c.doubtful(field, list, text) || misleading(list, text) != "" {
		c.warn(field, "free_text")
		return ""
	}
	return stated(list, code)
}

// stated is code, or "" for the unknown one.
func stated(list, code string) string {
	if code == unknownCode(list) {
		return ""
	}
	return code
}

// point is coded for border points; mode decides between the airport and the port of one name.
func (c *conversion) point(field, mode string) string {
	text := c.text(field)
	if c.refused(field, codelists.BorderPoint, text) {
		return ""
	}
	code, ok := codelists.ResolvePoint(text, mode)
	if !ok {
		c.fault(field, "unknown_code", text)
		return ""
	}
	return stated(codelists.BorderPoint, code)
}

// sex reads a bare "M" as the file or the configuration proves.
func (c *conversion) sex() string {
	text := c.text("sex")
	if strings.EqualFold(text, "M") {
		if c.dialect.sexM == "" {
			c.fault("sex", "ambiguous_sex", text)
		}
		return c.dialect.sexM
	}
	return c.coded("sex", codelists.Sex)
}

// alphabetical is the modern order of the departments whose INE numbers differ: 02 to 06.
var alphabetical = map[int]string{2: "HN-CH", 3: "HN-CL", 4: "HN-CM", 5: "HN-CP", 6: "HN-CR"}

// departmentNumber reads a bare department number in both numberings.
func departmentNumber(text string) (ine, alpha string, bare bool) {
	n, ok := reading.Digits(text, 1, 2)
	if !ok {
		return "", "", false
	}
	ine, ok = codelists.DepartmentOfINE(fmt.Sprintf("%02d", n))
	if !ok {
		return "", "", false
	}
	if alpha = alphabetical[n]; alpha == "" {
		alpha = ine
	}
	return ine, alpha, true
}

func (c *conversion) department(field string) string {
	ine, alpha, bare := departmentNumber(c.text(field))
	switch {
	case !bare:
		return c.coded(field, codelists.Department)
	case ine == alpha, c.dialect.departments == NumbersINE:
		return ine
	case c.dialect.departments == NumbersAlphabetical:
		return alpha
	}
	c.fault(field, "ambiguous_department", c.text(field))
	return ""
}

// place reads a department and a municipality in it.
func (c *conversion) place(departmentField, municipalityField string) (department, municipality string) {
	department = c.department(departmentField)
	text := c.text(municipalityField)
	code, ok := codelists.ResolveMunicipality(department, text)
	ok = ok && !negative(text) && !wordless(text) && !decimal.MatchString(text) && !strings.ContainsAny(text, doubtSigns)
	switch {
	case !ok && department == "" && c.text(departmentField) != "":
		// The department is the fault; the municipality cannot be judged without it.
	case !ok && department == "":
		c.fault(municipalityField, "municipality_without_department", text)
	case !ok:
		c.fault(municipalityField, "unknown_municipality", text)
	default:
		municipality = stated(codelists.Municipality, code)
	}
	if municipality != "" && department == "" && c.text(departmentField) == "" {
		department = codelists.DepartmentOf(municipality)
	}
	return department, municipality
}

// age reads completed years, or works them out from the date of birth; nil when neither is stated.
func (c *conversion) age(on calendar.Day) *uint32 {
	stated, hasAge := c.statedAge()
	text := c.text("birth_date")
	if text == "" {
		if !hasAge {
			return nil
		}
		return &stated
	}
	birth, ok := c.date("birth_date", text, reading.NotAfter(on))
	if !ok {
		c.fault("birth_date", "bad_date", "")
		return nil
	}
	years, code := reading.AgeOf(birth.day, on, stated, hasAge)
	switch code {
	case "born_after_event":
		c.fault("birth_date", "born_after_event", "")
		return nil
	case "bad_age":
		c.fault("birth_date", "bad_age", strconv.Itoa(years))
		return nil
	case "age_contradicts_birth":
		c.fault("age", "age_contradicts_birth", fmt.Sprintf("%d, %d", stated, years))
		return nil
	}
	c.newborn(birth.day, on)
	out := uint32(years)
	return &out
}

// statedAge reads the age column: see reading.Age.
func (c *conversion) statedAge() (uint32, bool) {
	text := c.text("age")
	code, ok := codelists.Resolve(codelists.AgeGroup, text)
	if ok && code == unknownCode(codelists.AgeGroup) && !wordless(text) {
		return 0, false
	}
	age, ok := reading.Age(text)
	if !ok {
		c.fault("age", "bad_age", text)
		return 0, false
	}
	return age, true
}

// trimmed cuts blanks of every kind, and byte order marks, off a cell.
func trimmed(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B' })
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
