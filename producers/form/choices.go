package form

import (
	"slices"
	"strings"
	"sync"

	"retorno/schemas/codelists"
)

// Choice is one code of a list as a form offers it.
type Choice struct {
	Code string `json:"code"`
	// ES and EN are what the form shows: short, and unlike every other label of its list.
	ES string `json:"es"`
	EN string `json:"en"`
	// Keys are the texts that find it, folded: labels, code, synonyms.
	Keys []string `json:"keys"`
	// Likely reports whether the code was used at this office lately, is plausible for the mode, or is a usual country.
	Likely bool `json:"likely,omitempty"`

	words []string // later words of the labels, folded, each with what follows it
}

// Label is what a form in that language shows.
func (c Choice) Label(english bool) string {
	if english {
		return c.EN
	}
	return c.ES
}

// Use is what is known of an office when it offers choices.
type Use struct {
	// Mode is that of the arrival, a code of the list mode, or "".
	Mode string
	// Lately says how often this office used each code lately, by list; a few times make a code a likely one.
	Lately map[string]map[string]int
}

// often is how many uses make a code likely: one wrong choice does not bring itself to the top.
const often = 3

// choices are those of each list in the order of the list, the unknown one last.
var choices = sync.OnceValue(func() map[string][]Choice {
	all := map[string][]Choice{}
	for _, l := range codelists.Lists() {
		codes := l.Codes()
		for _, c := range append(codes[1:], codes[0]) {
			all[l.Name] = append(all[l.Name], choiceOf(l, c))
		}
	}
	return all
})

func choiceOf(l *codelists.List, c codelists.Code) Choice {
	out := Choice{Code: c.Code, ES: c.LabelES, EN: c.LabelEN, Keys: l.Spellings(c.Code)}
	if short := c.Attrs["short_es"]; short != "" && l.Name == codelists.Country {
		out.ES, out.EN = short, c.Attrs["short_en"]
	}
	if l.Name == codelists.Municipality && c.Attrs["department"] != "" {
		departments, _ := codelists.Get(codelists.Department)
		d, _ := departments.Lookup(c.Attrs["department"])
		out.ES, out.EN = out.ES+", "+d.LabelES, out.EN+", "+d.LabelEN
	}
	out.words = append(laterWords(out.ES), laterWords(out.EN)...)
	own := []string{codelists.Fold(out.ES), codelists.Fold(out.EN), codelists.Fold(c.Code)}
	out.Keys = append(own, slices.DeleteFunc(out.Keys, func(key string) bool { return slices.Contains(own, key) })...)
	return out
}

func laterWords(label string) []string {
	var out []string
	for i, r := range label {
		if r == ' ' || r == '(' {
			out = append(out, codelists.Fold(label[i+1:]))
		}
	}
	return out
}

// Choices are those of a list in the order in which the office offers them: used here lately, then plausible for the mode of the
// arrival, then the rest, each in the order of the list. The slice is the caller's.
func Choices(list string, use Use) []Choice {
	if list == "means" {
		return slices.Clone(Means)
	}
	out := slices.Clone(choices()[list])
	rank := make(map[string]int, len(out))
	for i := range out {
		c := &out[i]
		n := use.Lately[list][c.Code]
		switch {
		case n >= often && !unstated(list, c.Code):
			rank[c.Code] = -n
		case plausible(list, c.Code, use.Mode):
			rank[c.Code] = 1
		case list == codelists.Country && usual[c.Code]:
			rank[c.Code] = 2
		case unstated(list, c.Code):
			rank[c.Code] = 4
		default:
			rank[c.Code] = 3
		}
		c.Likely = rank[c.Code] <= 2
	}
	slices.SortStableFunc(out, func(a, b Choice) int { return rank[a.Code] - rank[b.Code] })
	return out
}

func unstated(list, code string) bool {
	l, ok := codelists.Get(list)
	return ok && code == l.Unknown
}

// usual are the countries from which people are returned to Honduras day by day. Everything else is asked back once: the published
// series show Estonia and Micronesia beside Estados Unidos, Guam beside Guatemala.
var usual = map[string]bool{
	"US": true, "MX": true, "GT": true, "BZ": true, "SV": true, "NI": true, "CR": true, "PA": true, "ES": true, "CU": true, "DO": true, "CO": true, "CA": true,
}

// plausible reports whether a code is likely for a mode: of a country that people are returned from and that way, of a border
// point of that sort.
func plausible(list, code, mode string) bool {
	switch list {
	case codelists.Country:
		return usual[code] && codelists.PlausibleRoute(code, mode)
	case codelists.BorderPoint:
		points, _ := codelists.Get(list)
		return mode != "" && points.Attr(code, "kind") == mode
	}
	return false
}

// How a choice is found, best first.
const (
	byLabel = iota // the typed text is the label
	byStart        // a label begins with it
	byWord         // a later word of a label does
	byKey          // the code or a synonym does
	notFound
)

func (c *Choice) foundBy(key string) int {
	begins := func(k string) bool { return strings.HasPrefix(k, key) }
	switch {
	case c.Keys[0] == key || c.Keys[1] == key:
		return byLabel
	case begins(c.Keys[0]) || begins(c.Keys[1]):
		return byStart
	case slices.ContainsFunc(c.words, begins):
		return byWord
	case slices.ContainsFunc(c.Keys[2:], begins):
		return byKey
	}
	return notFound
}

// Match are the choices that a typed text finds, best first: a label that is the text; then the likely ones, then the others, of each those
// whose label begins with it, those in which a later word does, and those of which the code or a synonym does, in the order of the choices. sure
// reports whether the first one may be shown as chosen: m is Mujer and Masculino, and is no answer.
func Match(choices []Choice, typed string) (found []Choice, sure bool) {
	key := codelists.Fold(typed)
	if key == "" {
		return nil, false
	}
	var ranked [2 * notFound][]Choice
	for _, c := range choices {
		by := c.foundBy(key)
		switch {
		case by == notFound:
			continue
		case by != byLabel && !c.Likely:
			by += notFound
		}
		ranked[by] = append(ranked[by], c)
	}
	found = slices.Concat(ranked[:]...)
	return found, len(found) > 0 && !(key == "m" && isSex(found[0]))
}

// isSex reports whether a choice is one of the two sexes.
func isSex(c Choice) bool { return c.ES == "Hombre" || c.ES == "Mujer" }

// Resolve finds the code that a text means where no list can be shown: a code as it is written, a label, a synonym, or the beginning of
// one, when the choice shown first is the only one, or the only likely one that is found as well. Else ok is false, and near are the
// choices to ask about, at most five.
func Resolve(list, text string, use Use) (code string, near []Choice, ok bool) {
	l, known := codelists.Get(list)
	text = strings.TrimSpace(text)
	if !known || text == "" {
		return "", nil, known
	}
	if l.Has(text) {
		return text, nil, true
	}
	key := codelists.Fold(text)
	if code := labelled()[list][key]; code != "" {
		return code, nil, true
	}
	found, sure := Match(Choices(list, use), text)
	if len(found) == 0 {
		code, ok = codelists.Resolve(list, text)
		return code, nil, ok
	}
	first := found[0]
	one := len(found) == 1 || first.Likely && (!found[1].Likely || first.foundBy(key) < found[1].foundBy(key))
	if resolved, exact := codelists.Resolve(list, text); exact && resolved == first.Code {
		one = true
	}
	if sure && one {
		return first.Code, nil, true
	}
	return "", found[:min(len(found), 5)], false
}

// labelled are the codes by their labels, folded.
var labelled = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for list, codes := range choices() {
		all[list] = map[string]string{}
		for _, c := range codes {
			all[list][c.Keys[0]], all[list][c.Keys[1]] = c.Code, c.Code
		}
	}
	return all
})
