package importer

import (
	"strings"

	"retorno/schemas/codelists"
)

// reasons reads several answers from one cell and from the yes/no columns. A column that says no to a reason which the cell
// gives, or yes to one which the cell of the same question leaves out, makes a fault.
func (c *conversion) reasons() []string {
	list, _ := codelists.Get(codelists.Reason)
	given, joined := map[string]bool{}, c.text("reasons")
	for _, part := range c.splitAnswers(joined) {
		if c.refused("reasons", codelists.Reason, part) {
			continue
		}
		code, ok := codelists.Resolve(codelists.Reason, part)
		if !ok {
			c.fault("reasons", "unknown_code", part)
			continue
		}
		given[code] = true
	}
	var out []string
	for _, code := range list.Codes()[1:] {
		field, answer := reasonPrefix+code.Code, ""
		if c.text(field) != "" {
			answer = c.coded(field, codelists.Answer)
		}
		split := c.dialect.header.splits(field)
		if split && joined != "" && given[code.Code] != (answer == "yes") && answer != "" || answer == "no" && given[code.Code] {
			c.fault(field, "contradiction", c.text(field))
		}
		if given[code.Code] || answer == "yes" {
			out = append(out, code.Code)
		}
	}
	return out
}

// splits reports whether the column of a field is one answer of a question that has a column of its own: motivos/salud.
func (h *header) splits(field string) bool {
	i, ok := h.at[field]
	_, joined := h.at["reasons"]
	return ok && joined && h.parts[i]
}

const answerDividers = ",;/|+&\n\v"

// splitAnswers takes a cell with several answers apart; one answer may hold blanks and even "y" or "o".
func (c *conversion) splitAnswers(text string) []string {
	if text == "" {
		return nil
	}
	if code, ok := oneAnswer(text); ok {
		return []string{code}
	}
	var out []string
	specified := false // "Otro: …" goes on in words of the person
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(answerDividers, r) }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		code, ok := oneAnswer(part)
		switch {
		case ok:
			out = append(out, code)
			specified = specified || code != part && strings.ContainsAny(part, ":(")
		case specified:
		default:
			out = append(out, c.words(part)...)
		}
	}
	return out
}

// oneAnswer finds the reason that a text is, or that it names before a specification: "Otro: busca a su esposo",
// "Económicas (desempleo)".
func oneAnswer(text string) (string, bool) {
	if _, ok := codelists.Resolve(codelists.Reason, text); ok {
		return text, true
	}
	if at := strings.IndexAny(text, ":("); at > 0 {
		if head := codeOf("reasons", text[:at]); head != "" && !strings.ContainsAny(text, answerDividers) {
			return head, true
		}
	}
	return "", false
}

// words takes apart what no delimiter does: "estudios y trabajo", "Económico. Violencia" and, in an export of a form program,
// the names of answers divided by blanks.
func (c *conversion) words(part string) []string {
	dividers := []string{" y ", ". "}
	if c.dialect.header.form {
		dividers = append(dividers, " ")
	}
	for _, divider := range dividers {
		words := strings.Split(part, divider)
		all := len(words) > 1
		for _, word := range words {
			_, ok := codelists.Resolve(codelists.Reason, word)
			all = all && ok
		}
		if all {
			return words
		}
	}
	return []string{part}
}
