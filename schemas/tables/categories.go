package tables

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"retorno/schemas/codelists"
)

// meaning turns the categories of one block into filters.
type meaning struct {
	blockName
	// categories are all categories of the block: groups and OTHER depend on their neighbours.
	categories []string
	// cut is the age from which the block's sex_age categories count adults.
	cut int
}

// movedCut ends the sex_age categories that move the cut of their block to 21.
const movedCut = "_0_20"

// cutOf is the age from which a sex_age block with these categories counts adults.
func cutOf(categories []string) int {
	for _, c := range categories {
		if strings.HasSuffix(c, movedCut) {
			return AdultCivil
		}
	}
	return Adult
}

// where gives the condition of one category; the error says what the block expects.
func (m *meaning) where(category string) (Filter, error) {
	switch m.base {
	case "total", "assisted_people":
		return Filter{}, oneOf(category, "TOTAL")
	case "minors", "adults":
		return m.ageTotal(category)
	case "country":
		return m.country(category)
	case "country_mode":
		return m.countryMode(category)
	case "sex":
		return m.sex(category)
	case "sex_age":
		return m.sexAge(category)
	case "age":
		return age(category)
	case "month":
		if _, err := time.Parse("2006-01", category); err != nil || len(category) != len("2006-01") {
			return Filter{}, fmt.Errorf("a month such as 2016-06")
		}
		return Filter{Months: []string{category}}, nil
	case "reason_pct_multi":
		l := list(codelists.Reason)
		return Filter{Reason: category}, oneOf(category, known(l)...)
	}
	return m.coded(category)
}

// coded reads the categories of the blocks whose categories are codes of a list.
func (m *meaning) coded(category string) (Filter, error) {
	var f Filter
	var set *[]string
	var codes []string
	extra := []string{other}
	switch m.base {
	case "mode":
		set, codes, extra = &f.Modes, known(list(codelists.Mode)), nil
	case "return_type":
		set, codes, extra = &f.ReturnTypes, known(list(codelists.ReturnType)), nil
	case "accompaniment":
		set, codes, extra = &f.Accompaniments, known(list(codelists.Accompaniment)), nil
	case "entry_point":
		set, codes = &f.EntryPoints, borderPoints("entry")
	case "exit_point":
		set, codes = &f.ExitPoints, borderPoints("exit")
	case "department":
		set, codes = &f.Departments, known(list(codelists.Department))
	case "centre":
		// A person in a published table has been registered somewhere, so "not registered" is no category.
		codes = slices.DeleteFunc(known(list(codelists.Centre)), func(c string) bool { return c == "X-NON" })
		set = &f.Centres
	default:
		panic("published tables: block without categories: " + m.base)
	}
	if extra == nil {
		*set = []string{category}
		return f, oneOf(category, codes...)
	}
	if category == other {
		rest := slices.DeleteFunc(codes, func(c string) bool { return slices.Contains(m.categories, c) })
		if len(rest) == 0 {
			return f, fmt.Errorf("no OTHER: the block names every code of its list")
		}
		slices.Sort(rest)
		*set = rest
		return f, nil
	}
	unknown := "X-UNK"
	if m.base == "department" {
		unknown = "XX"
	}
	*set = []string{category}
	return f, oneOf(category, append(append(codes, unknown), extra...)...)
}

func (m *meaning) country(category string) (Filter, error) {
	if !list(codelists.Country).Has(category) && !slices.Contains(groups, category) && category != other {
		return Filter{}, fmt.Errorf("an ISO 3166-1 alpha-2 code, %s or %s", strings.Join(groups, ", "), other)
	}
	set := countries(category, m.categories)
	if len(set) == 0 {
		return Filter{}, fmt.Errorf("no %s: the block names every country of it", category)
	}
	return Filter{Countries: set}, nil
}

// countryMode reads "US", "MX air", "CAM land", "OTHER". A country alone is that country whatever the mode.
func (m *meaning) countryMode(category string) (Filter, error) {
	if category == other {
		return m.otherCountryMode()
	}
	plain := *m
	plain.categories = nil
	for _, c := range m.categories {
		head, _, _ := strings.Cut(c, " ")
		plain.categories = append(plain.categories, head)
	}
	head, mode, withMode := strings.Cut(category, " ")
	f, err := plain.country(head)
	if err != nil {
		return f, fmt.Errorf("%w, alone or with a mode after a space", err)
	}
	if withMode {
		f.Modes = []string{mode}
		return f, oneOf(mode, known(list(codelists.Mode))...)
	}
	return f, nil
}

// otherCountryMode is every return with a known country that no other category of the block selects. A category that
// cannot be read is passed over here: its own row answers for it.
func (m *meaning) otherCountryMode() (Filter, error) {
	f := Filter{Countries: countries(other, nil)}
	for _, c := range m.categories {
		if c == other {
			continue
		}
		named, err := m.countryMode(c)
		switch {
		case err != nil:
		case named.Modes != nil:
			f.Except = append(f.Except, named)
		default:
			f.Countries = slices.DeleteFunc(f.Countries, func(c string) bool { return slices.Contains(named.Countries, c) })
		}
	}
	if len(f.Countries) == 0 {
		return f, fmt.Errorf("no OTHER: the block names every country")
	}
	return f, nil
}

func (m *meaning) sex(category string) (Filter, error) {
	codes := map[string]string{"M": "M", "F": "F"}
	expected := []string{"M", "F"}
	switch m.age {
	case "minors":
		codes["boys"], codes["girls"] = "M", "F"
		expected = append(expected, "boys", "girls")
	case "adults":
		codes["men"], codes["women"] = "M", "F"
		expected = append(expected, "men", "women")
	}
	return Filter{Sexes: []string{codes[category]}}, oneOf(category, expected...)
}

func (m *meaning) sexAge(category string) (Filter, error) {
	minor, adult := &Ages{0, m.cut - 1}, &Ages{m.cut, MaxAge}
	switch category {
	case "men":
		return Filter{Sexes: []string{"M"}, Ages: adult}, nil
	case "women":
		return Filter{Sexes: []string{"F"}, Ages: adult}, nil
	case "boys", "boys" + movedCut:
		return Filter{Sexes: []string{"M"}, Ages: minor}, nil
	case "girls", "girls" + movedCut:
		return Filter{Sexes: []string{"F"}, Ages: minor}, nil
	case "minors", "minors" + movedCut:
		return Filter{Ages: minor}, nil
	}
	return Filter{}, fmt.Errorf("men, women, boys, girls or minors, the last three also ending in %s", movedCut)
}

// ageTotal reads the one category of the blocks minors and adults.
func (m *meaning) ageTotal(category string) (Filter, error) {
	if err := oneOf(category, "TOTAL", "minors", "adults"); err != nil {
		return Filter{}, err
	}
	if category == "minors" || category == "TOTAL" && m.base == "minors" {
		return Filter{Ages: &Ages{0, Adult - 1}}, nil
	}
	return Filter{Ages: &Ages{Adult, MaxAge}}, nil
}

var ageRange = regexp.MustCompile(`^(\d{1,3})(?:-(\d{1,3})|\+)$`)

func age(category string) (Filter, error) {
	switch category {
	case "minor":
		return Filter{Ages: &Ages{0, Adult - 1}}, nil
	case "adult":
		return Filter{Ages: &Ages{Adult, MaxAge}}, nil
	}
	m := ageRange.FindStringSubmatch(category)
	if m == nil {
		return Filter{}, fmt.Errorf("an age band such as 0-10 or 51+, adult or minor")
	}
	lo, _ := strconv.Atoi(m[1])
	hi := MaxAge
	if m[2] != "" {
		hi, _ = strconv.Atoi(m[2])
	}
	if lo > hi || hi > MaxAge {
		return Filter{}, fmt.Errorf("an age band that begins before it ends, up to %d years", MaxAge)
	}
	return Filter{Ages: &Ages{lo, hi}}, nil
}

// known returns the codes of a list without its unknown one.
func known(l *codelists.List) []string {
	var out []string
	for _, c := range l.Codes() {
		if c.Code != l.Unknown {
			out = append(out, c.Code)
		}
	}
	return out
}

// borderPoints returns the known border points that may stand in a direction.
func borderPoints(direction string) []string {
	return slices.DeleteFunc(known(list(codelists.BorderPoint)), func(c string) bool {
		return !codelists.ValidFor(c, direction)
	})
}

// oneOf is an error naming what is expected when category is not among it.
func oneOf(category string, expected ...string) error {
	if slices.Contains(expected, category) {
		return nil
	}
	if len(expected) == 1 {
		return fmt.Errorf("%s", expected[0])
	}
	return fmt.Errorf("one of %s", strings.Join(expected, ", "))
}
