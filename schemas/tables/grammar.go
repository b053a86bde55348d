package tables

import (
	"fmt"
	"slices"
	"strings"

	"retorno/schemas/codelists"
)

// bases are the blocks of the vocabulary.
var bases = []string{
	"total", "country", "mode", "country_mode", "return_type", "entry_point", "exit_point", "centre", "department",
	"sex", "sex_age", "age", "accompaniment", "month", "minors", "adults", "reason_pct_multi", "assisted_people",
}

// groups are the country groups that may stand for a country, beside OTHER.
var groups = []string{"CAM", "EUR", "SAM"}

const other = "OTHER"

// blockName is a block name taken apart.
type blockName struct {
	name, base string
	// country is the country prefix, age the age prefix ("minors", "adults"), byCut that it was minors_by_ or adults_by_.
	country, age string
	byCut        bool
	pct          bool
}

// expectedBlock describes block names in messages.
var expectedBlock = "[COUNTRY_][minors_|adults_|minors_by_|adults_by_]BASE[_pct], BASE being one of " + strings.Join(bases, ", ")

// parseBlock takes a block name apart; the error says what is expected of it.
func parseBlock(name string) (blockName, error) {
	b := blockName{name: name}
	rest := name
	for {
		if b.base = rest; slices.Contains(bases, rest) {
			break
		}
		if base, ok := strings.CutSuffix(rest, "_pct"); ok && slices.Contains(bases, base) {
			b.base, b.pct = base, true
			break
		}
		var err error
		if rest, err = b.prefix(rest); err != nil {
			return b, err
		}
	}
	if b.base == "reason_pct_multi" && b.pct {
		return b, fmt.Errorf("reason_pct_multi, which is a percentage already")
	}
	if b.age != "" {
		switch {
		case b.base == "minors" || b.base == "adults":
			return b, fmt.Errorf("%s without the prefix %s_: it is an age already", b.base, b.age)
		case b.base == "accompaniment" && b.age == "adults":
			return b, fmt.Errorf("accompaniment of minors: adults are not asked for it")
		}
	}
	return b, nil
}

// prefix takes one prefix off rest.
func (b *blockName) prefix(rest string) (string, error) {
	for _, age := range []string{"minors", "adults"} {
		after, ok := strings.CutPrefix(rest, age+"_")
		if !ok {
			continue
		}
		if b.age != "" {
			return "", fmt.Errorf("one restriction to an age, not %s_ after %s_", age, b.age)
		}
		b.age = age
		after, b.byCut = strings.CutPrefix(after, "by_")
		return after, nil
	}
	head, after, ok := strings.Cut(rest, "_")
	if !ok || head == "" || strings.ToUpper(head) != head {
		return "", fmt.Errorf("%s", expectedBlock)
	}
	if b.country != "" {
		return "", fmt.Errorf("one restriction to a country, not %s_ after %s_", head, b.country)
	}
	if !isCountry(head) && !slices.Contains(groups, head) {
		return "", fmt.Errorf("an ISO 3166-1 alpha-2 code or one of %s before the _, not %s", strings.Join(groups, ", "), head)
	}
	b.country = head
	return after, nil
}

// population is the filter of the block's prefixes. cut is the age from which minors_by_ and adults_by_ count adults.
func (b *blockName) population(cut int) Filter {
	var f Filter
	if b.country != "" {
		f.Countries = countries(b.country, nil)
	}
	if !b.byCut {
		cut = Adult
	}
	switch {
	case b.age == "minors", b.age == "" && b.base == "accompaniment":
		f.Ages = &Ages{0, cut - 1}
	case b.age == "adults":
		f.Ages = &Ages{cut, MaxAge}
	}
	if b.base == "reason_pct_multi" {
		f.ReasonKnown = true
	}
	return f
}

// measure is what the block's cells print.
func (b *blockName) measure() Measure {
	switch {
	case b.base == "reason_pct_multi":
		return ReasonPercent
	case b.base == "assisted_people" && b.pct:
		return AssistedPercent
	case b.base == "assisted_people":
		return AssistedPeople
	case b.pct:
		return Percent
	}
	return Returns
}

func list(name string) *codelists.List {
	l, ok := codelists.Get(name)
	if !ok {
		panic("published tables: there is no code list " + name)
	}
	return l
}

func isCountry(code string) bool {
	l := list(codelists.Country)
	return l.Has(code) && code != l.Unknown
}

// countries are the codes that a country category stands for in a block that names the categories named: an ISO code
// itself, a group its countries that the block does not name, OTHER all known ones that it does not name. Sorted.
func countries(category string, named []string) []string {
	l := list(codelists.Country)
	if l.Has(category) {
		return []string{category}
	}
	var out []string
	for _, c := range l.Codes() {
		group := codelists.CountryGroup(c.Code)
		switch {
		case c.Code == l.Unknown || slices.Contains(named, c.Code):
		case category == other && slices.Contains(groups, group) && slices.Contains(named, group):
		case category == other || category == group:
			out = append(out, c.Code)
		}
	}
	slices.Sort(out)
	return out
}
