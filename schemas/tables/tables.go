// Package tables reads and writes published tables: the printed numbers of a bulletin, one a row, kept as CSV in
// one form for all publishers. It says which returns every printed number counts, so that a register can be made from
// a table (deploy/lab/register/fit) and a table can be counted back out of a database (consumers/dissemination/report).
//
// It promises: every row of the asked-for table is read and understood, or the table is refused with the line, the
// column, what was found and what is expected, all faults at once; Write gives the rows back in their order.
// It never skips a row, never guesses what a block or category may mean, never does arithmetic in floating point,
// and opens no file.
// On failure: *UnknownTableError when the id is not there, *FormError with every fault of the form.
//
// Columns: table_id, system, period_start, period_end, as_of, block, category, value, status, source. Rows with the
// same table_id, block by block, break one population down over one period (both days included, Honduran dates).
//
// # Blocks
//
// A block name is a base, with prefixes that restrict its population and the suffix _pct for shares:
//
//	[COUNTRY_] [minors_ | adults_ | minors_by_ | adults_by_] BASE [_pct]
//
// COUNTRY is an ISO 3166-1 alpha-2 code or one of the groups CAM, EUR and SAM; the two prefixes may stand in either
// order. minors_ and adults_ cut at 18; minors_by_ and adults_by_ use the cut of the table's sex_age block.
// Bases: total, country, mode, country_mode, return_type, entry_point, exit_point, centre, department, sex, sex_age,
// age, accompaniment, month, minors, adults, reason_pct_multi, assisted_people.
//
// # Percentages
//
// A share is read as exact as it is printed. A count n of a base b agrees with a printed share when rounding 100 n / b
// to the printed decimals gives it; an exact tie agrees with both neighbours, because publishers round half away from
// zero and half to even alike. Format prints half away from zero, except that a tie is printed as its publisher did.
package tables

import (
	"retorno/schemas/calendar"
)

// Measure is the kind of a printed number.
type Measure int

// The measures. In a percentage the numerator are the returns (or people) of Cell.Where, the base those of Cell.Base.
const (
	// Returns counts the returns of Cell.Where.
	Returns Measure = iota + 1
	// Percent is the share of the returns of Cell.Base that are in Cell.Where.
	Percent
	// ReasonPercent is Percent with returns whose reason is known as its base: Cell.Base says so (ReasonKnown).
	// Several answers each: the shares of one block may add up to more than 100.
	ReasonPercent
	// AssistedPeople counts the distinct helped people among the returns of Cell.Where.
	AssistedPeople
	// AssistedPercent is the number of distinct helped people of Cell.Where in percent of the returns of Cell.Base.
	AssistedPercent
)

// Share reports whether the measure is a percentage.
func (m Measure) Share() bool { return m == Percent || m == ReasonPercent || m == AssistedPercent }

// Assisted reports whether the measure counts distinct helped people.
func (m Measure) Assisted() bool { return m == AssistedPeople || m == AssistedPercent }

// Table is one published table.
type Table struct {
	// ID is the table_id; System the publishing system; AsOf the publication date as printed ("2025-07").
	ID, System, AsOf string
	// First and Last are the first and the last day of the period, both included.
	First, Last calendar.Day
	// Blocks stand in the order of their first rows.
	Blocks []Block
}

// Block is one breakdown of the table's population, or of a restricted part of it.
type Block struct {
	// Name is the name as printed ("US_sex_age"); Kind its base ("sex_age").
	Name, Kind string
	// Base selects the block's population.
	Base Filter
	// Pct says that the block prints shares; Multi that a return may be in several of its cells (reasons).
	Pct, Multi bool
	// Complete says that the block names an OTHER: every return of its population is in one of its cells.
	Complete bool
	// Cells are the printed numbers, in line order.
	Cells []Cell
}

// Cell is one printed number.
type Cell struct {
	// Line is its line in the file, the header being line 1.
	Line int
	// Block and Category are the names as printed; AsOf, Status and Source the columns of these names.
	Block, Category, AsOf, Status, Source string
	// Printed is the value as printed; Units is the same number times 10^Decimals, exactly.
	Printed  string
	Units    int64
	Decimals int
	// Measure says what is counted: of the returns that Where selects, in a share of those that Base selects.
	// Whatever Where selects, Base selects too.
	Measure     Measure
	Where, Base Filter
}

// Cells returns all cells of the table in line order, pointing into it.
func (t *Table) Cells() []*Cell {
	var out []*Cell
	for i := range t.Blocks {
		for j := range t.Blocks[i].Cells {
			out = append(out, &t.Blocks[i].Cells[j])
		}
	}
	sortByLine(out)
	return out
}

// Attributes are what the vocabulary can ask about one return. A code that is not stated is "" or the unknown code of
// its list (XX, X-UNK, U, unknown): the two are the same.
type Attributes struct {
	Country, Mode, ReturnType      string
	EntryPoint, ExitPoint, Centre  string
	Department, Sex, Accompaniment string
	// Age is in completed years, -1 when not stated.
	Age int
	// Month of arrival, "2016-06".
	Month string
	// Reasons for leaving, none twice; empty when not stated.
	Reasons []string
}
