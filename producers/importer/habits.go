package importer

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"retorno/producers/reading"
	"retorno/schemas/codelists"
)

// habits is what the survey sees of how the columns of a file are filled in: how countries are written, and which values
// come so often that they are a code or a default and not what was answered. It holds no birth date, only hashes under a
// seed of its own.
type habits struct {
	d      *dialect
	seed   maphash.Seed
	rows   int
	ages   [codelists.MaxAge + 1]tally
	births map[uint64]tally
	stated map[string]map[string]*tally // codes of each column of countries
	other  map[[2]string]tally          // code of a warning and field
	sums   sums
	apart  *apart
	differ map[int]tally // rows that differ from another in this column only
	short  row           // the last row that is short, when the row behind it may be its other half
}

// tally counts rows and remembers the first.
type tally struct{ rows, line int }

func (t tally) plus(line int) tally {
	if t.rows == 0 {
		t.line = line
	}
	t.rows++
	return t
}

const (
	// distinctBirths bounds the birth dates that are told apart; there are fewer days than that in 120 years.
	distinctBirths = 100_000
	// mostCountries bounds the texts of one column of countries.
	mostCountries = 500
)

func newHabits(d *dialect) *habits {
	d.countries, d.sums, d.halves = map[string]*countryColumn{}, map[int]bool{}, map[int]bool{}
	for field := range d.header.at {
		if fieldList(field) == codelists.Country {
			d.countries[field] = &countryColumn{}
		}
	}
	return &habits{d: d, seed: maphash.MakeSeed(), births: map[uint64]tally{}, stated: map[string]map[string]*tally{}, other: map[[2]string]tally{}, apart: newApart(d.header), differ: map[int]tally{}}
}

func (h *habits) look(r row) {
	h.rows++
	cell := func(field string) string {
		if i, ok := h.d.header.at[field]; ok && i < len(r.cells) {
			return trimmed(r.cells[i])
		}
		return ""
	}
	for field, column := range h.d.countries {
		text := spelt(field, mended(cell(field)))
		column.look(text)
		h.country(field, text, r.line)
	}
	for _, field := range dateFields {
		if text := cell(field); text != "" && placeholderDate(text) {
			h.note("placeholder_date", field, r.line)
		}
	}
	if i, found := h.apart.look(h.d.header, r); found {
		h.differ[i] = h.differ[i].plus(r.line)
	}
	h.age(cell("age"), r.line)
	if birth := cell("birth_date"); birth != "" && !h.d.notStated("birth_date", birth) {
		key := maphash.String(h.seed, birth)
		if there, known := h.births[key]; known || len(h.births) < distinctBirths {
			h.births[key] = there.plus(r.line)
		}
	}
}

func (h *habits) note(code, field string, line int) {
	h.other[[2]string{code, field}] = h.other[[2]string{code, field}].plus(line)
}

func (h *habits) age(text string, line int) {
	if text == "" || h.d.settled.missing("age", text) {
		return
	}
	if missingNumbers[plainNumber(text)] {
		h.note("missing_code", "age", line)
		return
	}
	if age, ok := reading.Digits(plainNumber(text), 1, 3); ok && age <= codelists.MaxAge {
		h.ages[age] = h.ages[age].plus(line)
	}
}

func (h *habits) country(field, text string, line int) {
	if text == "" || h.d.notStated(field, text) {
		return
	}
	seen := h.stated[field]
	if seen == nil {
		seen = map[string]*tally{}
		h.stated[field] = seen
	}
	t := seen[text]
	if t == nil {
		if len(seen) == mostCountries {
			return
		}
		t = &tally{}
		seen[text] = t
	}
	*t = t.plus(line)
}

// conclude adds what was seen to the warnings of the file, in the order of their lines.
func (h *habits) conclude() {
	var out []Warning
	add := func(code, field, found string, t tally) {
		out = append(out, Warning{Code: code, Column: h.d.header.column(field), Found: found, Line: t.line, Count: t.rows})
	}
	for key, t := range h.other {
		add(key[0], key[1], "", t)
	}
	for i, t := range h.differ {
		out = append(out, Warning{Code: "one_column_apart", Column: h.d.header.cells[i], Line: t.line, Count: t.rows})
	}
	for age := range h.ages {
		if h.piledAge(age) {
			add("piled_up", "age", strconv.Itoa(age), h.ages[age])
		}
	}
	if t := h.mostBirths(); t.rows > 0 {
		add("piled_up_births", "birth_date", "", t)
	}
	for field := range h.stated {
		if code, t := h.piledCountry(field); code != "" {
			add("piled_up", field, code, t)
		}
	}
	slices.SortFunc(out, func(a, b Warning) int {
		return cmp.Or(a.Line-b.Line, strings.Compare(a.Code, b.Code), strings.Compare(a.Column, b.Column), strings.Compare(a.Found, b.Found))
	})
	h.d.warnings = append(h.d.warnings, out...)
}

// mostBirths is the birth date that comes most, where it comes too often: 30,000 days make more than one in 500 incredible.
func (h *habits) mostBirths() (most tally) {
	const few, many = 5, 500
	for _, t := range h.births {
		if t.rows > few+h.rows/many && (t.rows > most.rows || t.rows == most.rows && t.line < most.line) {
			most = t
		}
	}
	return most
}

// piledCountry finds the country far from every route that comes most, where it comes too often: the first line of a
// drop-down list, for instance. At posts people of all nationalities cross.
func (h *habits) piledCountry(field string) (string, tally) {
	if field == "provenance" || field == "nationality" && h.d.kind == KindCheckpoint {
		return "", tally{}
	}
	counts := map[string]tally{}
	for text, t := range h.stated[field] {
		code, ok := codelists.Resolve(codelists.Country, text)
		if !ok || !farGroups[codelists.CountryGroup(code)] || usualOthers[code] {
			continue
		}
		sum := tally{rows: counts[code].rows + t.rows, line: t.line}
		if before := counts[code]; before.rows > 0 {
			sum.line = min(before.line, t.line)
		}
		counts[code] = sum
	}
	most, best := "", tally{}
	for code, t := range counts {
		if t.rows > best.rows || t.rows == best.rows && code < most {
			most, best = code, t
		}
	}
	const few, share = 5, 50
	if best.rows < few || best.rows*share < h.rows {
		return "", tally{}
	}
	return most, best
}

// farGroups are the groups of countries from which few people are returned, but for usualOthers.
var (
	farGroups   = wordSet("OTH", "EUR")
	usualOthers = wordSet("CA", "CU", "HT", "DO", "JM", "BS", "KY", "TT", "PR", "CN", "IN", "ES", "IT", "FR", "DE", "GB", "NL", "BE", "CH", "PT")
)
