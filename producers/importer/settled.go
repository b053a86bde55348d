package importer

import (
	"strings"

	"retorno/schemas/codelists"
)

// settled is what the caller has said of single texts: which state nothing, and what others mean. Each holds for one
// column or, under the field "", for all.
type settled struct {
	nothing map[string]map[string]bool
	values  map[string]map[string]string
}

// settle reads Config.Missing and Config.Values for the columns of a file.
func settle(cfg Config, h *header) (settled, error) {
	s := settled{nothing: map[string]map[string]bool{}, values: map[string]map[string]string{}}
	for _, text := range cfg.Missing {
		field := ""
		if column, code, ok := strings.Cut(text, "="); ok {
			if field, ok = h.fieldNamed(cfg, column); !ok {
				return s, fileError("no_such_column", column, "missing", strings.Join(h.cells, ", "))
			}
			text = code
		}
		if s.nothing[field] == nil {
			s.nothing[field] = map[string]bool{}
		}
		s.nothing[field][settledKey(text)] = true
	}
	for key, code := range cfg.Values {
		column, text, _ := strings.Cut(key, ":")
		field, ok := h.fieldNamed(cfg, column)
		if !ok {
			return s, fileError("no_such_column", column, "value", strings.Join(h.cells, ", "))
		}
		if s.values[field] == nil {
			s.values[field] = map[string]string{}
		}
		s.values[field][settledKey(text)] = strings.TrimSpace(code)
	}
	return s, nil
}

// fieldNamed finds a field by its own name or by that of its column in the file.
func (h *header) fieldNamed(cfg Config, name string) (string, bool) {
	name = strings.TrimSpace(name)
	for i, cell := range h.cells {
		if codelists.Fold(cell) == codelists.Fold(name) && h.fields[i] != "" && h.fields[i] != ignored {
			return h.fields[i], true
		}
	}
	return name, fieldsOf(cfg.Kind)[name]
}

// settledKey is the form in which cells and settings are compared: 99,0 is 99, but S/I is not SI.
func settledKey(text string) string {
	return strings.ToUpper(plainNumber(strings.TrimSpace(text)))
}

func (s settled) missing(field, text string) bool {
	if len(s.nothing) == 0 {
		return false
	}
	key := settledKey(text)
	return s.nothing[""][key] || s.nothing[field][key]
}

// value returns what the caller says that a text means.
func (s settled) value(field, text string) (string, bool) {
	if len(s.values[field]) == 0 {
		return "", false
	}
	value, ok := s.values[field][settledKey(text)]
	return value, ok
}
