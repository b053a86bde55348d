package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Query is a cell of ceniss.return_counts, or the sum of all cells that have these values.
type Query struct {
	Asked   []Field // as it was understood
	periods []calendar.Period
	codes   []Field
}

// dimensions are the coded dimensions of the cube of returns, and their lists.
var dimensions = dictionary.Counted()

// DimensionNames are the names that a query may use: kinds of periods, then dimensions.
func DimensionNames() []string {
	names := calendar.Kinds()
	for _, d := range dimensions {
		names = append(names, d.Name)
	}
	return names
}

// mostSuggested is how many codes an error offers.
const mostSuggested = 8

// ParseQuery reads pairs dimension=value, separated by commas or spaces. The error names everything that is wrong, with
// what could have been meant.
func ParseQuery(text string) (Query, error) {
	var q Query
	var wrong []error
	pairs := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		switch {
		case !found || value == "":
			wrong = append(wrong, fmt.Errorf("%q is no pair of a dimension and its value, such as exit_point=L-COR", pair))
		case slices.ContainsFunc(q.Asked, func(f Field) bool { return f.Name == name }):
			wrong = append(wrong, fmt.Errorf("%s is said twice", name))
		default:
			if err := q.add(name, value); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	if len(pairs) == 0 {
		wrong = append(wrong, errors.New("a cell needs at least one pair such as month=2016-03"))
	}
	return q, errors.Join(wrong...)
}

func (q *Query) add(name, value string) error {
	if slices.Contains(calendar.Kinds(), name) {
		p, err := calendar.ParsePeriod(value)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case p.Kind != name:
			return fmt.Errorf("%s: %s is a %s; write %s=%s", name, value, p.Kind, p.Kind, value)
		case p.First < 0 || p.Last > 65535:
			return fmt.Errorf("%s: %s lies outside the years 1970 to 2148", name, value)
		}
		q.periods = append(q.periods, p)
		q.Asked = append(q.Asked, Field{name, value})
		return nil
	}
	for _, d := range dimensions {
		if d.Name != name {
			continue
		}
		list, _ := codelists.Get(d.List)
		if !list.Has(value) {
			return fmt.Errorf("%s: %q is not in the list %s%s", name, value, d.List, offer(suggest(list, value)))
		}
		q.codes = append(q.codes, Field{name, value})
		q.Asked = append(q.Asked, Field{name, value})
		return nil
	}
	return fmt.Errorf("%q is no dimension of the counts of returns; there are %s", name, strings.Join(DimensionNames(), ", "))
}

func offer(codes []string) string {
	if len(codes) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(codes, ", ") + "?"
}

// suggest names codes that could have been meant: what importers would read it as, then codes and labels that hold
// the text or are held by it, then the first of the list.
func suggest(list *codelists.List, text string) []string {
	var all []string
	add := func(c codelists.Code, label bool) {
		if slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, c.Code+" ") }) || len(all) == mostSuggested {
			return
		}
		if label && c.LabelEN != "" {
			all = append(all, fmt.Sprintf("%s (%s)", c.Code, c.LabelEN))
			return
		}
		all = append(all, c.Code)
	}
	if code, ok := codelists.Resolve(list.Name, text); ok {
		if c, ok := list.Lookup(code); ok {
			add(c, true)
		}
	}
	key := codelists.Fold(text)
	for _, c := range list.Codes() {
		for _, of := range []string{c.Code, c.LabelES, c.LabelEN} {
			if folded := codelists.Fold(of); key != "" && folded != "" && (strings.Contains(folded, key) || strings.Contains(key, folded) && len(folded) > 2) {
				add(c, true)
			}
		}
	}
	if len(all) == 0 {
		for _, c := range list.Codes() {
			add(c, true)
		}
	}
	return all
}

// has reports whether a return is counted in the cell.
func (q *Query) has(r *reconcile.Return) bool {
	if r == nil || !r.National() {
		return false
	}
	for _, p := range q.periods {
		if !p.Contains(r.Day) {
			return false
		}
	}
	for _, c := range q.codes {
		if r.Attribute(c.Name) != c.Value {
			return false
		}
	}
	return true
}

// where is the condition on the views of ceniss, and its parameters.
func (q *Query) where() (string, []any) {
	conditions := []string{"1"}
	var values []any
	for _, p := range q.periods {
		conditions = append(conditions, "day BETWEEN toDate(?) AND toDate(?)")
		values = append(values, p.First.String(), p.Last.String())
	}
	for _, c := range q.codes {
		conditions = append(conditions, c.Name+" = ?")
		values = append(values, c.Value)
	}
	return strings.Join(conditions, " AND "), values
}
