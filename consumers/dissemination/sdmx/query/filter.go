package query

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/schemas/calendar"
)

// Limits of one question: more is no question of a person or a program that knows the data.
const (
	maxKeys  = 200
	maxTests = 500
)

// key is one key of a path: the codes that each dimension may have; nil: any.
type key [][]string

func (p *parser) keys(text string) {
	if text == "" || text == "all" || text == "*" {
		return
	}
	dimensions := len(p.q.structures.Dimensions)
	all := strings.Split(text, ",")
	if len(all) > maxKeys {
		p.fault(wrong("key", text, "Son demasiadas claves: «%s».", "These are too many keys: %q."))
		return
	}
	for _, one := range all {
		parts := strings.Split(one, ".")
		if len(parts) > dimensions {
			p.fault(meaningless("key", one, "La clave «%s» tiene más partes que dimensiones hay: "+strconv.Itoa(dimensions)+".", "The key %q has more parts than there are dimensions: "+strconv.Itoa(dimensions)+"."))
			continue
		}
		k := make(key, len(parts))
		for i, part := range parts {
			if part != "" && part != "*" {
				k[i] = strings.Split(part, "+")
			}
		}
		p.q.keys = append(p.q.keys, k)
	}
}

func (k key) takes(o *cells.Observation) bool {
	for i, codes := range k {
		if codes != nil && !slices.Contains(codes, o.Key[i]) {
			return false
		}
	}
	return true
}

// filter is what one component must be: one of some sets of tests, each of which holds as a whole (REST 2.2, parameter c).
type filter struct {
	component string
	at        int // place in the key; -1 of what is no dimension of it
	any       [][]test
}

// test compares a component with a value.
type test struct {
	op, value string
	period    calendar.Period // of the value, if the component is the time
	number    float64         // of the value, if the component is the observed value
}

var operators = []string{"eq", "ne", "lt", "le", "gt", "ge", "co", "nc", "sw", "ew"}

// components reads c[COMPONENT]=…
func (p *parser) components() {
	tests := 0
	for _, name := range sortedNames(p.values) {
		id, ok := strings.CutPrefix(name, "c[")
		if !ok {
			continue
		}
		id, ok = strings.CutSuffix(id, "]")
		if _, known := p.q.structures.Component(id); !ok || !known {
			p.fault(meaningless(name, id, "«%s» no es un componente de la estructura.", "%q is not a component of the structure."))
			continue
		}
		for _, text := range p.values[name] {
			f := filter{component: id, at: p.q.structures.Position(id)}
			for _, alternative := range strings.Split(text, ",") {
				// A plus sign that was not escaped arrives as a space; no value has one.
				parts := strings.FieldsFunc(alternative, func(r rune) bool { return r == '+' || r == ' ' })
				var all []test
				for _, part := range parts {
					tests++
					all = append(all, p.test(name, id, part))
				}
				f.any = append(f.any, all)
			}
			p.q.filters = append(p.q.filters, f)
		}
	}
	if tests > maxTests {
		p.fault(wrong("c", strconv.Itoa(tests), "Son demasiados valores: %s.", "These are too many values: %s."))
	}
}

func sortedNames(values map[string][]string) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *parser) test(name, component, part string) (t test) {
	op, value, ok := strings.Cut(part, ":")
	if !ok || !slices.Contains(operators, op) {
		op, value = "eq", part
	}
	t = test{op: op, value: value}
	var err error
	if compared := slices.Contains(operators[2:6], op); component == structure.Time && compared {
		if t.period, err = parsePeriod(value); err != nil {
			p.fault(wrong(name, value, "«%s» no es un período: escriba 2016, 2016-S1, 2016-Q1, 2016-01 o un día.", "%q is not a period: write 2016, 2016-S1, 2016-Q1, 2016-01 or a day."))
		}
	} else if component == structure.Value && (compared || op == "eq" || op == "ne") {
		if t.number, err = strconv.ParseFloat(value, 64); err != nil {
			p.fault(wrong(name, value, "«%s» no es un número.", "%q is not a number."))
		}
	}
	return t
}

func (f filter) takes(o *cells.Observation) bool {
	return slices.ContainsFunc(f.any, func(all []test) bool {
		return !slices.ContainsFunc(all, func(t test) bool { return !f.holds(t, o) })
	})
}

// holds reports whether a test holds. A value that is not there passes none.
func (f filter) holds(t test, o *cells.Observation) bool {
	var text string
	if f.at >= 0 {
		text = o.Key[f.at]
	} else {
		text = o.Value(f.component)
	}
	if text == "" {
		return false
	}
	switch t.op {
	case "co":
		return strings.Contains(text, t.value)
	case "nc":
		return !strings.Contains(text, t.value)
	case "sw":
		return strings.HasPrefix(text, t.value)
	case "ew":
		return strings.HasSuffix(text, t.value)
	}
	switch f.component {
	case structure.Time:
		return t.holdsOf(o.Period)
	case structure.Value:
		return compared(t.op, cmp.Compare(float64(o.Count), t.number))
	}
	return compared(t.op, strings.Compare(text, t.value))
}

// holdsOf compares periods: one is after another where it begins after the other ends (REST 2.2, startPeriod of REST 1.5).
func (t test) holdsOf(p calendar.Period) bool {
	switch t.op {
	case "ge":
		return p.First >= t.period.First
	case "le":
		return p.Last <= t.period.Last
	case "gt":
		return p.First > t.period.Last
	case "lt":
		return p.Last < t.period.First
	}
	return compared(t.op, strings.Compare(p.Label, t.value))
}

func compared(op string, c int) bool {
	switch op {
	case "ne":
		return c != 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	case "gt":
		return c > 0
	case "ge":
		return c >= 0
	}
	return c == 0
}
