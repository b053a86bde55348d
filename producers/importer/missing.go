package importer

import (
	"strings"
	"unicode"

	"retorno/producers/reading"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// A cell can say in many ways that nothing was stated, and several of them look like codes once their punctuation is
// gone: S/I is "sin información" and not sí, N/I "no indica" and not Nicaragua. They are recognised here, before any code
// list is asked.

// nothingWords are words of programs and forms for an empty cell. NA is also Namibia and SD Sudan; no export means them.
var nothingWords = wordSet("NA", "ND", "SD", "N/A", "S/D", "N/D", "NULL", "NULO", "NIL", "NAN", "NAT", `\N`, "#N/A", "#N/D", "#NA", "#NULL!", "#¡NULO!", "UNDEFINED",
	"MISSING", "#REF!", "#¡REF!", "#VALUE!", "#¡VALOR!", "#DIV/0!", "#¡DIV/0!", "#NAME?", "#¿NOMBRE?", "#NUM!", "#¡NUM!", "VACÍO", "VACÍA", "VACÍAS", "VACIO", "VACIA", "VACIAS", "EN BLANCO", "BLANK", "EMPTY", "SIN INFO", "SIN INF", "SIN INF.", "SIN RESP.", "SI/I", "SIN DATO", "SIN DATOS", "NO DATA")

// abbreviations are the letters of N/I, S/R and the like: with their punctuation always, without it where the column has no
// such code. The value false is for those that mean something else without it.
var abbreviations = map[string]bool{
	"SI": true, "SD": true, "SE": true, "SR": true, "SN": false, "SC": false, "SO": false, "NI": true, "ND": true, "NA": true, "NC": true, "NE": true,
	"NR": true, "NS": true, "NP": true, "NSNR": true, "NSNC": true, "NRNS": true, "NSNI": true, "NCNR": true, "SINF": true, "SINFO": true,
	"SESP": true, "NESP": true, "NAPLICA": true, "SDATO": true, "SDATOS": true, "SREG": true, "NREG": true, "NDISP": true, "NDECL": true,
}

// missingNumbers state nothing where they cannot be a code: negative ones in every coded column, all of them for an age.
var missingNumbers = wordSet("-1", "-8", "-9", "-77", "-88", "-97", "-98", "-99", "-777", "-888", "-997", "-998", "-999", "-9999",
	"777", "888", "997", "998", "999", "9997", "9998", "9999")

// codeOrNothing are codes of countries that people also write for nothing, for yes and no, or for another country (CA is
// Canada and Centroamérica, CH Switzerland and Chile). They count as codes in a column that holds codes.
var codeOrNothing = wordSet("NI", "NC", "NE", "NP", "NR", "PE", "SE", "SR", "SI", "NO", "CA", "CH")

func wordSet(words ...string) map[string]bool {
	out := make(map[string]bool, len(words))
	for _, w := range words {
		out[w] = true
	}
	return out
}

// dateFields are the columns that hold a date.
var dateFields = []string{"date", "arrival_date", "recorded_date", "birth_date"}

// fieldList returns the code list of a field, "" for one that has none.
func fieldList(field string) string {
	if strings.HasPrefix(field, reasonPrefix) {
		return codelists.Answer
	}
	switch field {
	case "returned":
		return codelists.Answer
	case "provenance", "document_country":
		return codelists.Country
	}
	if a := dictionary.Get(field); a != nil && a.Type != dictionary.Age {
		return a.List
	}
	return ""
}

// answers reports whether a field is answered with yes or no.
func answers(field string) bool {
	return field == "accompanied" || fieldList(field) == codelists.Answer
}

// notStated reports whether a cell, cleaned, says in any way that nothing is stated.
func (d *dialect) notStated(field, text string) bool {
	if strings.Trim(text, nothingSigns) == "" {
		return true
	}
	if d.settled.missing(field, text) {
		return true
	}
	if first := text[0]; first == '-' || '0' <= first && first <= '9' {
		return d.missingNumber(field, text)
	}
	if fieldList(field) == "" && !wordless(text) {
		// A date or a document has no list of its own; every list knows "sin información".
		if code, ok := codelists.Resolve(codelists.AgeGroup, text); ok && code == unknownCode(codelists.AgeGroup) {
			return true
		}
	}
	const longest = 14 // of the words and abbreviations below
	if len(text) > longest {
		return false
	}
	upper := strings.ToUpper(text)
	if nothingWords[upper] || nothingWords[strings.Trim(upper, "()<>[]{} ")] {
		return true
	}
	if upper == "NONE" {
		return !knownText(field, text)
	}
	letters, marked := onlyLetters(strings.TrimFunc(upper, notLetter)) // "Sí." is yes, and "S.I." is not
	bare, known := abbreviations[letters]
	return known && (marked || bare && !knownText(field, text))
}

// missingNumber knows the numbers that stand for nothing, and dates that stand for no date.
func (d *dialect) missingNumber(field, text string) bool {
	switch {
	case field == "age":
		return missingNumbers[plainNumber(text)]
	case isDateField(field):
		return placeholderDate(text)
	case text[0] == '-' && fieldList(field) != "":
		number := plainNumber(text)
		return missingNumbers[number] && !(number == "-1" && answers(field))
	}
	return false
}

// knownText reports whether the column of a field has a meaning for a text that elsewhere states nothing.
func knownText(field, text string) bool {
	list := fieldList(field)
	if list == "" {
		return false
	}
	if list == codelists.Country && codeOrNothing[strings.ToUpper(text)] || noneIsDoubtful[field] && isNone(text) {
		return true
	}
	if answers(field) {
		list = codelists.Answer
	}
	code, ok := codelists.Resolve(list, text)
	return ok && code != unknownCode(list)
}

// noneIsDoubtful are the fields in which None, by which Python writes nothing, would also be "none of them".
var noneIsDoubtful = map[string]bool{"centre": true, "document_check": true, "occupation": true}

func isNone(text string) bool { return text == "None" || text == "NONE" }

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// onlyLetters leaves out what stands between letters; marked says that something did.
func onlyLetters(upper string) (letters string, marked bool) {
	var b strings.Builder
	for _, r := range upper {
		if !unicode.IsLetter(r) {
			marked = true
			continue
		}
		b.WriteRune(r)
	}
	return b.String(), marked
}

var numberMarks = strings.NewReplacer("−", "-", "–", "-", ",", ".")

// plainNumber writes 99,0 and 99.00 as 99, and every minus as the plain one.
func plainNumber(text string) string {
	text = numberMarks.Replace(text)
	if whole, part, ok := strings.Cut(text, "."); ok && whole != "" && strings.Trim(part, "0") == "" {
		return whole
	}
	return text
}

// doubtful reports whether a text means one code or another, or one code or nothing, and nothing in the file proves which.
// What a caller has settled is asked before.
func (c *conversion) doubtful(field, list, text string) bool {
	const longest = 8 // of "( C.A. )"
	if _, column := c.dialect.header.at[field]; !column || len(text) > longest {
		return false
	}
	switch {
	case answers(field):
		return plainNumber(text) == "-1" // Access writes yes so, others nothing
	case noneIsDoubtful[field]:
		return isNone(text)
	case list != codelists.Country:
		return false
	}
	return c.dialect.countries[field].doubts(strings.ToUpper(text))
}

// doubts reports whether a text in a column of countries, in upper case, may be another country than its code or number says.
func (k *countryColumn) doubts(upper string) bool {
	if number := strings.Trim(upper, "+() -."); isNumber(number) { // 504 is Morocco, and what one dials for Honduras
		return number != upper || k == nil || !k.numbers
	}
	l, _ := codelists.Get(codelists.Country)
	letters, marked := onlyLetters(upper)
	switch {
	case !l.Has(letters):
		return false
	case letters == "ES": // Spain, or El Salvador
		return marked || k == nil || !k.holds["SV"]
	case codeOrNothing[letters]:
		return marked || !k.areCodes()
	}
	// LA is Laos, and Los Ángeles between the names of countries; with dots no code is written at all.
	if usStates[letters] && !k.areCodes() || k != nil && k.states && (usStates[letters] || alsoStates[letters]) { // GA is Gabon, and Georgia
		return true
	}
	far := farGroups[codelists.CountryGroup(letters)]
	return far && (marked && letters != "PR" && letters != "GB" || !usualOthers[letters] && k != nil && k.names > 0 && !k.areCodes())
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// countryColumn is what a column of countries shows of how it is written.
type countryColumn struct {
	codes, names int             // cells with a code that means nothing else, and with other words
	holds        map[string]bool // codes in it
	states       bool            // it has states of the United States
	numbers      bool            // it has the number of a country that Honduras cannot do without, which nothing else means
}

// statesOnly are states of the United States whose letters are no country, usStates those whose letters are one from which few
// return, alsoStates those of other countries.
var (
	statesOnly = wordSet("TX", "NY", "FL", "NJ", "OH", "WA", "OR", "OK", "UT", "WI", "WV", "KS", "IA", "CT", "HI", "RI", "NH", "NV", "NM", "ND", "MI", "WY", "AK")
	usStates   = wordSet("AL", "AZ", "GA", "ID", "IL", "KY", "LA", "MA", "MD", "ME", "MN", "MO", "MS", "MT", "SC", "SD", "VA")
	alsoStates = wordSet("AR", "CA", "CO", "DE", "IN", "NC", "NE", "PA")
)

// usualNumbers are Honduras, the United States, Mexico, Guatemala and El Salvador in the numbers of the United Nations.
var usualNumbers = wordSet("340", "840", "484", "320", "222")

func (k *countryColumn) look(text string) {
	l, _ := codelists.Get(codelists.Country)
	upper := strings.ToUpper(text)
	switch {
	case codeOrNothing[upper] || upper == "ES" || text == "":
	case statesOnly[upper]:
		k.states = true
	case isNumber(text):
		k.numbers = k.numbers || usualNumbers[text]
	case l.Has(upper) && upper == text:
		k.codes++
		if k.holds == nil {
			k.holds = map[string]bool{}
		}
		k.holds[text] = true
	default:
		k.names++
	}
}

// areCodes reports whether the column holds codes: more of them than of words, and one of those that Honduras cannot do without.
func (k *countryColumn) areCodes() bool {
	if k == nil {
		return false
	}
	for _, usual := range []string{"HN", "US", "MX", "GT", "SV"} {
		if k.holds[usual] {
			return k.codes >= k.names
		}
	}
	return false
}

// placeholderDates are dates that programs write for none, by year, lower and higher of month and day: zero and first days of
// calendars and spreadsheets, and 11/11/1911, which is quick to type.
var placeholderDates = map[[3]int]bool{
	{1, 1, 1}: true, {1753, 1, 1}: true, {1800, 1, 1}: true, {1850, 1, 1}: true, {1899, 12, 29}: true, {1899, 12, 30}: true, {1899, 12, 31}: true,
	{1900, 0, 0}: true, {1900, 0, 1}: true, {1900, 1, 1}: true, {1901, 1, 1}: true, {1904, 1, 1}: true, {1911, 11, 11}: true,
	{2999, 12, 31}: true, {9999, 1, 1}: true, {9999, 9, 9}: true, {9999, 12, 31}: true, {9999, 99, 99}: true, {0, 0, 0}: true,
}

// placeholderDate reports whether a text is a date that stands for none, such as 01/01/1900 or 0000-00-00 00:00:00.
func placeholderDate(text string) bool {
	parts := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == 'T' })
	if len(parts) > 0 && len(parts[0]) == 8 {
		parts = []string{parts[0][:4], parts[0][4:6], parts[0][6:]}
	}
	if len(parts) == 1 {
		if day, month, year, ok := reading.Together(strings.ToLower(parts[0])); ok {
			parts = []string{day, month, year}
		}
	}
	if len(parts) < 3 {
		return len(parts) > 0 && strings.Trim(text, "0.,") == ""
	}
	var numbers [3]int
	year := -1
	for i, part := range parts[:3] {
		if month := reading.Month(strings.ToLower(part)); month != "" {
			part = month
		}
		n, ok := reading.Digits(part, 1, 4)
		if !ok {
			return false
		}
		if len(part) == 4 {
			year = i
		}
		numbers[i] = n
	}
	if numbers == [3]int{} {
		return true // in any order
	}
	if year < 0 || year == 1 {
		return false
	}
	low, high := numbers[1], numbers[2-year]
	return placeholderDates[[3]int{numbers[year], min(low, high), max(low, high)}]
}
