// Package published holds the form of what is public: tables of cells, and the hierarchies of codes by which cells are sums of
// others. The code that protects tables and the code that attacks them share this form and nothing else. It promises that two cells
// have the same Key exactly if they count the same, in whichever tables they stand. It has no I/O.
//
// A table is one CSV file: one column for each of Columns, then value (empty for a withheld cell) and status (Q for a withheld
// cell); in a revision, then the number of the vintage that the value is of. A hierarchy is one CSV file of code and parent.
package published

import (
	"fmt"
	"slices"
	"strings"
)

// Total is the code of a sum over all codes of a column (SDMX: _T). It is the root of every hierarchy.
const Total = "_T"

// Table is one published table.
type Table struct {
	// ID names the table, such as "T5".
	ID string
	// Measure is what is counted: cells of different measures are never the same.
	Measure string
	// Columns are the names of the columns of codes. A column that is not named is summed over.
	Columns []string
	Cells   []Cell
	// Base, if over 1, says that values are rounded to the nearest multiple of it, halves up.
	Base int64
}

// Cell is one line of a table.
type Cell struct {
	// Codes has one code for each column of the table.
	Codes []string
	// Value is the count. It is 0 for a withheld cell.
	Value    int64
	Withheld bool
	// Kept says that the value is that of an earlier vintage: the count may have changed since, by too few persons to say.
	Kept bool
	// Of is the number of the vintage that the value is of; 0: of the one that the table is in.
	Of uint64
}

// Share is a published percentage: of a base, so many have the codes.
type Share struct {
	Measure string
	Columns []string
	// Codes are of the part, Base of the whole; both in the order of Columns.
	Codes, Base []string
	// Value is the percentage times Scale: 630 at scale 10 is 63.0 %.
	Value, Scale int64
}

// Difference is a count that a revision changes. By has the amount of each reason that is named; what is not named is Other.
type Difference struct {
	Key           string // of the cell
	Before, After int64
	By            map[string]int64
	Other         int64
}

// Vintage is everything that was published of a period at one moment.
type Vintage struct {
	ID string
	// Provisional vintages must be rounded.
	Provisional bool
	// Revision vintages correct an earlier one.
	Revision bool
	Tables   []Table
	Shares   []Share
	// Hierarchies are those of the codes of its tables, by column: vintages join codes differently.
	Hierarchies map[string]Hierarchy
}

// Hierarchy says of which code each code of a column is a part; codes that are parts of no other are parts of Total.
type Hierarchy map[string]string

// Parts returns the codes right below one, sorted.
func (h Hierarchy) Parts(of string) (parts []string) {
	for code := range h {
		if h.Parent(code) == of {
			parts = append(parts, code)
		}
	}
	slices.Sort(parts)
	return parts
}

// Parent returns the code of which code is a part, and "" for Total.
func (h Hierarchy) Parent(code string) string {
	if code == Total {
		return ""
	}
	if p := h[code]; p != "" {
		return p
	}
	return Total
}

// Within reports whether code is above, or a part of it, or a part of a part.
func (h Hierarchy) Within(code, above string) bool {
	for steps := 0; code != "" && steps <= len(h)+1; steps++ {
		if code == above {
			return true
		}
		code = h.Parent(code)
	}
	return false
}

// Key names what a cell counts: the measure, and the columns that are not summed over with their codes, by name.
func Key(measure string, columns, codes []string) string {
	parts := make([]string, 0, len(columns))
	for i, c := range columns {
		if codes[i] != Total {
			parts = append(parts, c+"="+codes[i])
		}
	}
	slices.Sort(parts)
	return measure + "|" + strings.Join(parts, "|")
}

// Check returns an error that names the first line of the table that cannot be read.
func (t *Table) Check() error {
	seen := map[string]bool{}
	for i, c := range t.Cells {
		if len(c.Codes) != len(t.Columns) {
			return fmt.Errorf("table %s, cell %d: %d codes for %d columns", t.ID, i+1, len(c.Codes), len(t.Columns))
		}
		k := strings.Join(c.Codes, "|")
		if seen[k] {
			return fmt.Errorf("table %s, cell %d: %s stands there twice", t.ID, i+1, k)
		}
		if seen[k] = true; c.Value < 0 {
			return fmt.Errorf("table %s, cell %d (%s): %d is no count", t.ID, i+1, k, c.Value)
		}
	}
	return nil
}
