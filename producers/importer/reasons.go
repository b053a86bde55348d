package importer

import (
	"slices"
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
	specified := "" // "Otro: …" goes on in words of the person
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(answerDividers, r) }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		code, ok := oneAnswer(part)
		switch {
		case ok:
			out = append(out, code)
			if strings.ContainsAny(part, ":(") {
				specified = codeOf("reasons", code)
			}
		case specified != "" && len(codelists.Fold(part)) > 1 && !changes(specified, part): // one letter is the other half of S/I
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
		head := codeOf("reasons", text[:at])
		if head != "" && !strings.ContainsAny(text, answerDividers) && !changes(head, text[at:]) {
			return head, true
		}
	}
	return "", false
}

// denials are words that take back, or doubt, the answer beside them: "violencia (no)", "salud: descartado", "estudios (¿?)".
var denials = wordSet("no", "not", "sin", "ni", "nunca", "jamas", "tampoco", "nada", "never", "none", "without", "excepto", "salvo", "menos",
	"ninguno", "ninguna", "ningun", "negativo", "negativa", "negado", "negada", "niega", "nego", "falso", "falsa", "false", "descartado", "descartada", "descarta",
	"dudoso", "dudosa", "duda", "quiza", "quizas", "talvez", "posible", "posiblemente", "probable", "pendiente", "confirmar", "verificar", "investigar",
	"anulado", "anulada", "anterior", "antes", "error", "n", "f")

// changes reports whether a specification takes its answer back. That of "other" is free, and only a plain no does.
func changes(reason, text string) bool {
	if strings.ContainsAny(text, doubtSigns) {
		return true
	}
	if code, ok := codelists.Resolve(codelists.Answer, text); ok {
		return code != "yes" && !wordless(text)
	}
	if reason == "other" {
		return false
	}
	words := wordsOf(text)
	return slices.ContainsFunc(words, func(w string) bool { return denials[w] }) || len(words) > 1 && denials[words[0]+words[1]] ||
		len(words) == 0 && !wordless(text)
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
