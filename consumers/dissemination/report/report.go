// Package report counts tables out of ClickHouse: a published table in its own form, cell for cell (Count), and the
// short table of a period for a terminal (HalfYear).
//
// It promises that every cell is counted in ClickHouse, from the views people read, by the filter that gives the cell
// its meaning (package published), and printed from integers; no number comes from the table that is imitated, except
// the number of decimals. Microdata never leave ClickHouse: only counts are read.
// It rounds nothing for disclosure: what it prints is for the office, not for the street.
// On failure it gives the error with the table or period and returns nothing: never half a table.
package report

import (
	"context"
	"fmt"
	"io"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/schemas/tables"
)

// Conn is what a report needs of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Counted is a published table as it was counted.
type Counted struct {
	Table *tables.Table
	// Numerators and Bases belong to the cells of Table.Cells, in that order. The base is 0 for what is no share.
	Numerators, Bases []int64
}

// most is how many counts one query asks for: ClickHouse reads the returns once for all of them, and the text stays
// well below its longest query.
const most = 150

// Count counts every cell of the table: returns that are registered and whose day lies in the table's period, and
// people helped on a day of the period.
func Count(ctx context.Context, conn Conn, t *tables.Table) (*Counted, error) {
	cells := t.Cells()
	c := &Counted{Table: t, Numerators: make([]int64, len(cells)), Bases: make([]int64, len(cells))}
	var returns, people questions
	for i, cell := range cells {
		if cell.Measure.Assisted() {
			people.add(&cell.Where, &c.Numerators[i])
		} else {
			returns.add(&cell.Where, &c.Numerators[i])
		}
		if cell.Measure.Share() {
			returns.add(&cell.Base, &c.Bases[i])
		}
	}
	for part := range returns.chunks(most) {
		if err := countReturns(ctx, conn, t, part); err != nil {
			return nil, fmt.Errorf("count table %s: %w", t.ID, err)
		}
	}
	for part := range people.chunks(1) {
		if err := countPeople(ctx, conn, t, part[0]); err != nil {
			return nil, fmt.Errorf("count table %s: %w", t.ID, err)
		}
	}
	return c, nil
}

// Values are the counted numbers in printed form, in the order of Table.Cells.
func (c *Counted) Values() []string {
	values := make([]string, len(c.Numerators))
	for i, cell := range c.Table.Cells() {
		values[i] = tables.Format(cell, c.Numerators[i], c.Bases[i])
	}
	return values
}

// Differences are the cells that were counted otherwise than they are printed.
func (c *Counted) Differences() []tables.Difference {
	var all []tables.Difference
	for i, cell := range c.Table.Cells() {
		if !tables.Agrees(cell, c.Numerators[i], c.Bases[i]) {
			all = append(all, tables.Difference{Cell: cell, Counted: tables.Format(cell, c.Numerators[i], c.Bases[i])})
		}
	}
	return all
}

// Write writes the counted table in the form of the published one.
func (c *Counted) Write(w io.Writer) error { return tables.Write(w, c.Table, c.Values()) }
