package codelists

import "strings"

// abbreviations are the short forms of words in names of places. S. is San or Santa; only one of them makes a name.
var abbreviations = map[string][]string{
	"sta": {"santa"}, "sto": {"santo"}, "sn": {"san"}, "s": {"san", "santa"}, "pto": {"puerto"}, "nva": {"nueva"}, "nvo": {"nuevo"},
	"fco": {"francisco"}, "fsco": {"francisco"}, "frco": {"francisco"}, "ma": {"maria"}, "ant": {"antonio"}, "nte": {"norte"}, "mcos": {"marcos"},
}

// articles open names of places, and are left out in speech: Ceiba, Progreso.
var articles = []string{"la", "el", "las", "los"}

// spellings are the keys of the full forms that a shortened name may stand for, without the name as it is written.
func spellings(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '.' || r == ',' || r == '\u00a0' || r == '-' })
	forms := []string{""}
	short := false
	for _, word := range words {
		full, known := abbreviations[fold(word)]
		if !known {
			full = []string{word}
		}
		short = short || known
		var longer []string
		for _, form := range forms {
			for _, f := range full {
				longer = append(longer, form+fold(f))
			}
		}
		const most = 8 // of a name with several single letters
		forms = longer[:min(len(longer), most)]
	}
	if !short {
		return nil
	}
	return forms
}

// only finds the one code that keys stand for; two codes are none.
func only(keys []string, find func(string) (string, bool)) (code string, ok bool) {
	for _, key := range keys {
		found, known := find(key)
		if !known || found == "" {
			continue
		}
		if ok && found != code {
			return "", false
		}
		code, ok = found, true
	}
	return code, ok
}

// municipalityNamed finds a municipality of a department by its name, an everyday or a shortened one, with or without its
// article and the name of the department behind it.
func municipalityNamed(department, text string) (string, bool) {
	if department == "" {
		return "", false
	}
	find := func(key string) (string, bool) {
		code := municipalityNames[department+"/"+key]
		return code, code != ""
	}
	key := fold(text)
	if _, named := municipalityNames[department+"/"+key]; named {
		return find(key)
	}
	keys := append([]string{key}, spellings(text)...)
	if code, ok := only(keys, find); ok {
		return code, true
	}
	of, _ := byName[Department].Lookup(department)
	if name := fold(of.LabelES); strings.HasSuffix(key, name) && key != name {
		if code, ok := find(strings.TrimSuffix(key, name)); ok {
			return code, true
		}
	}
	return only(withArticles(keys), find)
}

// withArticles adds an article to each key, or takes it away.
func withArticles(keys []string) []string {
	var out []string
	for _, key := range keys {
		for _, article := range articles {
			out = append(out, article+key)
			if rest, ok := strings.CutPrefix(key, article); ok {
				out = append(out, rest)
			}
		}
	}
	return out
}
