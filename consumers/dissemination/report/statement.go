package report

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"retorno/schemas/tables"
)

// question is one filter and everywhere its count is wanted: cells share bases, and often conditions.
type question struct {
	filter *tables.Filter
	into   []*int64
}

type questions struct {
	all   []question
	byKey map[string]int
}

func (q *questions) add(f *tables.Filter, into *int64) {
	if q.byKey == nil {
		q.byKey = map[string]int{}
	}
	i, ok := q.byKey[f.Key()]
	if !ok {
		i = len(q.all)
		q.byKey[f.Key()] = i
		q.all = append(q.all, question{filter: f})
	}
	q.all[i].into = append(q.all[i].into, into)
}

func (q *questions) chunks(n int) iter.Seq[[]question] { return slices.Chunk(q.all, n) }

// condition is SQL over the columns of ceniss.returns and the values bound in it. Its text is made of column names
// that stand here; whatever a table says is bound.
type condition struct {
	parts []string
	args  []any
}

// conditionOf says a filter in SQL. The view writes what is not stated as the unknown code of its list, never as an
// empty text, so a list of codes is a plain IN.
func conditionOf(f *tables.Filter) condition {
	var c condition
	for _, of := range []struct {
		column string
		codes  []string
	}{
		{"country", f.Countries}, {"mode", f.Modes}, {"return_type", f.ReturnTypes}, {"entry_point", f.EntryPoints},
		{"exit_point", f.ExitPoints}, {"centre", f.Centres}, {"department", f.Departments}, {"sex", f.Sexes},
		{"accompanied", f.Accompaniments}, {"month", f.Months},
	} {
		if of.codes != nil {
			c.and("has(?, "+of.column+")", of.codes)
		}
	}
	if f.Ages != nil {
		// An age that is not stated is NULL; it must be outside every range and not NULL itself, or NOT would keep it so.
		c.and("ifNull(age BETWEEN ? AND ?, 0)", f.Ages.Min, f.Ages.Max)
	}
	if f.Reason != "" {
		c.and("has(reasons, ?)", f.Reason)
	}
	if f.ReasonKnown {
		c.and("arrayExists(r -> r NOT IN ('', 'unknown'), reasons)")
	}
	for i := range f.Except {
		e := conditionOf(&f.Except[i])
		c.and("NOT ("+e.text()+")", e.args...)
	}
	return c
}

func (c *condition) and(text string, args ...any) {
	c.parts = append(c.parts, text)
	c.args = append(c.args, args...)
}

func (c *condition) text() string {
	if len(c.parts) == 0 {
		return "1"
	}
	return strings.Join(c.parts, " AND ")
}

// countReturns answers several questions in one reading of the returns.
func countReturns(ctx context.Context, conn Conn, t *tables.Table, part []question) error {
	var columns []string
	var args []any
	for _, q := range part {
		c := conditionOf(q.filter)
		columns = append(columns, "countIf("+c.text()+")")
		args = append(args, c.args...)
	}
	args = append(args, t.First.String(), t.Last.String())
	counts, err := numbers(ctx, conn, len(part), "SELECT "+strings.Join(columns, ",\n")+
		"\nFROM ceniss.returns WHERE registered = 1 AND day BETWEEN toDate(?) AND toDate(?)", args...)
	if err != nil {
		return fmt.Errorf("returns: %w", err)
	}
	for i, q := range part {
		for _, into := range q.into {
			*into = counts[i]
		}
	}
	return nil
}

// countPeople counts distinct people who were helped on a day of the period; with conditions, those helped under a
// registered return that satisfies them.
func countPeople(ctx context.Context, conn Conn, t *tables.Table, q question) error {
	statement := "SELECT uniqExact(person) FROM ceniss.assisted WHERE day BETWEEN toDate(?) AND toDate(?)"
	args := []any{t.First.String(), t.Last.String()}
	if !q.filter.All() {
		c := conditionOf(q.filter)
		// The view of assisted people does not say under which return; the table below it does.
		statement = "SELECT uniqExact(person) FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?)\n" +
			"AND return_id IN (SELECT return_id FROM ceniss.returns WHERE registered = 1 AND " + c.text() + ")"
		args = append(args, c.args...)
	}
	counts, err := numbers(ctx, conn, 1, statement, args...)
	if err != nil {
		return fmt.Errorf("people helped: %w", err)
	}
	for _, into := range q.into {
		*into = counts[0]
	}
	return nil
}

// numbers reads the one row of n counts that a statement gives.
func numbers(ctx context.Context, conn Conn, n int, statement string, args ...any) (_ []int64, err error) {
	rows, err := conn.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	counts, into := make([]uint64, n), make([]any, n)
	for i := range counts {
		into[i] = &counts[i]
	}
	read := 0
	for ; rows.Next(); read++ {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if read != 1 {
		return nil, fmt.Errorf("ClickHouse gave %d rows of counts, expected one", read)
	}
	out := make([]int64, n)
	for i, c := range counts {
		out[i] = int64(c)
	}
	return out, nil
}
