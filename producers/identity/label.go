package identity

import (
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

var (
	// ordinal are the signs that stand for "number".
	ordinal = strings.NewReplacer("º", ".", "°", ".", "№", "No.")
	// label is the name of a document before its number: "DNI 0801…", "Pasaporte No. C123456". Short words count only with a sign
	// behind them, since numbers of passports begin with such letters.
	label = regexp.MustCompile(`(?i)^\s*(?:(?:D\.N\.I\.?|(?:DNI|CUI|DPI|DUI|RNP|IDENTIDAD|PASAPORTE|PASSPORT|DOCUMENTO|C[ÉE]DULA|N[ÚU]MERO)\b[.:]*|(?:ID|DOC|PAS|PASS|PP|N|NO|NRO|N[ÚU]M)[.:]+|#)[\s:.–-]*)+`)
	// labelled is a DNI among the words of a label, as letters and digits.
	labelled = regexp.MustCompile(`^(?:` + words + `)*(\d{12,13})(?:` + words + `)*$`)
	// nationalID is a DNI in a text.
	nationalID = regexp.MustCompile(`(?:^|\D)(\d{4})[\s.-]?(\d{4})[\s.-]?(\d{5})(?:\D|$)`)
	// dniForm is how a DNI is written, and nothing else is.
	dniForm = regexp.MustCompile(`^\s*\d{3,4}[\s.-]\d{4}[\s.-]\d{5}\s*$`)
	// figures and named are dates, which slip into the column of documents from the one beside it.
	figures = regexp.MustCompile(`^\s*(\d{1,4})[/. -](\d{1,2})[/. -](\d{1,4})(?:[T ,].*)?$`)
	named   = regexp.MustCompile(`(?i)^\s*\d{1,2}[/. -]+(?:de )?(?:ene|feb|mar|abr|may|jun|jul|ago|sep|oct|nov|dic|jan|apr|aug|dec)[a-z]*[/., -]+(?:del? )?\d{2,4}(?:[ ,].*)?$`)
)

const words = `DNI|ID|RNP|TARJETA|DE|IDENTIDAD|IDENTIFICACI[ÓO]N|C[ÉE]DULA|DOCUMENTO|DOC|NACIONAL|N[ÚU]MERO|N[ÚU]M|NRO|NO|N`

// plain reports whether a text holds figures, hyphens and blanks only, as most documents are written: it has no label, no decimals
// and one form in Unicode.
func plain(text string) bool { return strings.Trim(text, "0123456789- ") == "" }

// bare is the number without the name of its document.
func bare(text string) string {
	if plain(text) {
		return text
	}
	text = norm.NFKC.String(ordinal.Replace(text))
	if rest := text[len(label.FindString(text)):]; strings.ContainsAny(rest, "0123456789") {
		return rest
	}
	return text
}

// numberOf is the letters and digits of a number.
func numberOf(text string) string { return numberIn(bare(text)) }

// separators stand between the figures of a plain number.
var separators = strings.NewReplacer("-", "", " ", "")

// numberIn is the letters and digits of a number without the name of its document.
func numberIn(bare string) string {
	if plain(bare) {
		return separators.Replace(bare)
	}
	number := foldNumber(whole(bare))
	if p := labelled.FindStringSubmatch(number); p != nil {
		return p[1]
	}
	return number
}

// amongOthers reports whether a text holds a DNI and more than its label: another number, or the words "hijo de".
func amongOthers(text, number string) bool {
	if len(number) <= dniDigits {
		return false // nothing stands beside it
	}
	p := nationalID.FindStringSubmatch(text)
	return p != nil && possible(p[1]+p[2]+p[3])
}

// possible reports whether 13 digits may be a DNI.
func possible(number string) bool {
	year := atoi(number[4:8])
	return year >= firstYear && year <= lastYear && number[8:] != "00000" && number[8:] != "99999"
}

// isDate reports whether a text is a day of our time rather than a number.
func isDate(text, number string) bool {
	if named.MatchString(text) {
		return true
	}
	if p := figures.FindStringSubmatch(text); p != nil {
		return isDay(p[1], p[2], p[3]) || isDay(p[3], p[2], p[1]) || isDay(p[3], p[1], p[2])
	}
	return len(number) == 8 && allDigits(number) && (isDay(number[:4], number[4:6], number[6:]) || isDay(number[4:], number[2:4], number[:2]))
}

func isDay(year, month, day string) bool {
	y, m, d := atoi(year), atoi(month), atoi(day)
	if len(year) == 2 {
		y += 2000
	}
	if y < 1900 || y > 2099 || m < 1 || m > 12 || d < 1 || d > 31 || len(day) > 2 {
		return false
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Day() == d
}
