package importer

import (
	"strings"
	"unicode"

	"retorno/schemas/codelists"
)

// Code lists compare letters and digits only. A text that has none of them, and a sign that changes what its letters say,
// are judged here before a list is asked.

const (
	// nothingSigns are drawn through a cell, or left of a mask, where nothing is stated: –, ..., __/__/____.
	nothingSigns = "-–—―‐‑‒−_.…·?¿/\\: "
	// ticks say yes in a column of yes and no.
	ticks = "✓✔☑✅√🗸🗹"
	// doubtSigns beside a word doubt it, deny it or send the reader to a note: México?, violencia*, ✗ salud.
	doubtSigns = "?¿*✗✘✕✖❌❎☒☐⬜≠¬~"
)

// spelt writes a sign that has one meaning in its column as a word.
func spelt(field, text string) string {
	switch sign := strings.TrimRight(text, "\uFE0E\uFE0F"); { // a program's choice between a letter and a picture
	case !wordless(sign):
	case answers(field) && strings.Trim(sign, ticks) == "":
		return "sí"
	case field == "sex" && sign == "♂":
		return "hombre"
	case field == "sex" && sign == "♀":
		return "mujer"
	}
	return text
}

// wordless reports whether a text has neither letters nor digits.
func wordless(text string) bool {
	return text != "" && strings.IndexFunc(text, isLetterOrDigit) < 0 && codelists.Fold(text) == ""
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// misleading returns the fault of a text of which its letters and digits are not all, "" for any other.
func misleading(list, text string) string {
	if !strings.ContainsAny(text, doubtSigns) {
		if wordless(text) {
			return "unknown_code"
		}
		return ""
	}
	if _, ok := codelists.Resolve(list, text); !ok || list != codelists.Answer && wordless(text) {
		return "unknown_code"
	}
	return "doubtful_code"
}
