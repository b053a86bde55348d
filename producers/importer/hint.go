package importer

import (
	"regexp"
	"strings"
)

// hintPart is one part of a form of dates as headers write it: dd, mm, aaaa, día, mes, año, %d.
const hintPart = `(d{1,2}|dia|day|m{1,3}|mes|month|a{1,4}|y{1,4}|ano|year)`

var (
	hintForm  = regexp.MustCompile(`(?:^|[^\pL])%?` + hintPart + `[\s/.\-_]+%?` + hintPart + `(?:[\s/.\-_]+%?` + hintPart + `)?(?:[^\pL]|$)`)
	hintShort = regexp.MustCompile(`(?:^|[^\pL])(dmy|mdy|ymd|ydm|dma|mda|amd|adm|ddmm(?:yy|aa){1,2}|mmdd(?:yy|aa){1,2}|(?:yy|aa){1,2}mmdd|(?:yy|aa){1,2}ddmm)(?:[^\pL]|$)`)
	noAccents = strings.NewReplacer("í", "i", "ñ", "n", "\u0301", "", "\u0303", "")
)

// yearDay is the order of headers such as aaaa-dd-mm, which no setting names.
const yearDay = "ydm"

// dateHint reads the form of dates that a header names, such as "Fecha (mm/dd/aaaa)": an order, or "". bare is the header without it.
func dateHint(header string) (order, bare string) {
	text := noAccents.Replace(strings.ToLower(header))
	if p := hintForm.FindStringSubmatchIndex(text); p != nil {
		for i := 1; i <= 3; i++ {
			if p[2*i] >= 0 {
				order += partLetter(text[p[2*i]:p[2*i+1]])
			}
		}
		order = map[string]string{"dm": DayFirst, "md": MonthFirst, DayFirst: DayFirst, MonthFirst: MonthFirst, YearFirst: YearFirst, yearDay: yearDay}[order]
		if order != "" {
			return order, strings.TrimRight(text[:p[0]], "([{ ")
		}
	}
	p := hintShort.FindStringSubmatchIndex(text)
	if p == nil {
		return "", header
	}
	for _, c := range text[p[2]:p[3]] {
		if letter := partLetter(string(c)); !strings.Contains(order, letter) {
			order += letter
		}
	}
	return order, strings.TrimRight(text[:p[0]], "([{ ")
}

// partLetter is d, m or y.
func partLetter(part string) string {
	if part[0] == 'a' {
		return "y"
	}
	return part[:1]
}
