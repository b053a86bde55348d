package importer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"retorno/schemas/codelists"
)

// Programs for forms name a column by its place in the form: group/question, and question/answer for each answer of a question
// that takes several. The last part of such a path is the column's name, when no other column has that name by itself.

// formColumns are the columns that KoboToolbox, ODK and their kin add by themselves.
var formColumns = wordSet("_id", "_uuid", "_index", "_submission_time", "_submitted_by", "__version__", "_xform_id_string", "instanceid", "meta/instanceid", "meta-instanceid",
	"key", "submissiondate", "formhub/uuid", "deviceid", "simid", "subscriberid", "start", "end", "today")

func fromForm(r row) bool {
	for _, cell := range r.cells {
		if formColumns[strings.ToLower(trimmed(cell))] {
			return true
		}
	}
	return false
}

// pathMarks divide the parts of a path; a name with blanks is a path only where it has a slash or brackets.
const pathMarks = "/[.:-"

// followPaths gives the columns that no list knows by their whole name the field of their last part.
func (h *header) followPaths(cfg Config) {
	whole := map[string]bool{}
	for _, field := range h.fields {
		whole[field] = true
	}
	for i, name := range h.cells {
		if h.fields[i] != "" {
			continue
		}
		if formColumns[strings.ToLower(name)] {
			h.fields[i] = ignored
			continue
		}
		if field := answerColumn(cfg, name); field != "" {
			h.fields[i], h.parts[i], h.form = field, true, true
			continue
		}
		if field := lastPart(cfg, name); !whole[field] {
			h.fields[i] = field
		}
	}
}

// answerColumn finds the yes/no column of one reason: motivos/economico, Motivos [Económicas], g_mot/motivos/economico.
func answerColumn(cfg Config, name string) string {
	for at, r := range name {
		if !strings.ContainsRune(pathMarks+"_", r) {
			continue
		}
		question, answer := name[:at], strings.TrimRight(name[at+1:], "] ")
		if field := fieldOf(cfg, question); field != "reasons" && lastPart(cfg, question) != "reasons" {
			continue
		}
		if code := codeOf("reasons", answer); code != "" {
			return reasonPrefix + code
		}
	}
	return ""
}

// lastPart finds the field of the last part of a path, "" where the name is none.
func lastPart(cfg Config, name string) string {
	marks := "/"
	if strings.IndexFunc(name, unicode.IsSpace) < 0 {
		marks = pathMarks
	}
	at := strings.LastIndexAny(name, marks)
	if at <= 0 || at == len(name)-1 || ofOthers(name[:at]) {
		return ""
	}
	return fieldOf(cfg, strings.TrimRight(name[at+1:], "]"))
}

// otherPeople are words in the name of a group that asks about another person than the one who is returned.
var otherPeople = wordSet("padre", "madre", "padres", "hijo", "hija", "hijos", "acompanante", "acompanantes", "familiar", "familiares", "familia", "tutor", "contacto", "conyuge", "pareja",
	"esposo", "esposa", "hermano", "hermana", "entrevistador", "encuestador", "responsable", "emergencia", "parent", "mother", "father", "child", "children", "contact", "spouse", "interviewer")

func ofOthers(group string) bool {
	for _, word := range wordsOf(group) {
		if otherPeople[word] {
			return true
		}
	}
	return false
}

// setField returns what Config.Columns says of a column: of its name, or of its name and place among those of that name,
// Sexo#2.
func (h *header) setField(cfg Config, i int) (string, bool) {
	for text, field := range cfg.Columns {
		if codelists.Fold(text) == h.folded[i] {
			return field, true
		}
		if name, n, ok := numbered(text); ok && codelists.Fold(name) == h.folded[i] && h.place(i) == n {
			return field, true
		}
	}
	return "", false
}

// names reports whether a setting's text names a column.
func (h *header) names(text string) bool {
	for i := range h.folded {
		if _, ok := h.setField(Config{Columns: map[string]string{text: ignored}}, i); ok {
			return true
		}
	}
	return false
}

// numbered takes Sexo#2 apart.
func numbered(text string) (name string, n int, ok bool) {
	name, number, ok := strings.Cut(text, "#")
	n, err := strconv.Atoi(number)
	return name, n, ok && err == nil && name != ""
}

// place counts the columns up to i that have its name.
func (h *header) place(i int) int {
	n := 0
	for _, folded := range h.folded[:i+1] {
		if folded == h.folded[i] {
			n++
		}
	}
	return n
}

// checkNames refuses two columns of one field, and a setting for a name that two columns have, or none.
func (h *header) checkNames(cfg Config) error {
	for _, text := range slices.Sorted(maps.Keys(cfg.Columns)) {
		if !h.names(text) {
			return fileError("no_such_column", text, "column", strings.Join(h.cells, ", "))
		}
		last := -1
		for i, folded := range h.folded {
			if folded == codelists.Fold(text) {
				last = i
			}
		}
		if last >= 0 && h.place(last) > 1 && h.folded[last] != "" {
			return fileError("column_twice", h.cells[last], h.place(last), text, text)
		}
	}
	for i, field := range h.fields {
		if field == "" || field == ignored || h.at[field] == i {
			continue
		}
		first := h.cells[h.at[field]]
		drop := h.cells[i]
		if n := h.place(i); n > 1 {
			drop = fmt.Sprintf("%s#%d", drop, n)
		}
		return fileError("two_columns", first, h.cells[i], field, drop)
	}
	return nil
}
