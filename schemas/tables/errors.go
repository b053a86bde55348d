package tables

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnknownTable is what errors.Is finds in the error for an id that the file does not hold.
var ErrUnknownTable = errors.New("no such table")

// UnknownTableError names the id that was asked for and the ids that there are, in file order.
type UnknownTableError struct {
	ID  string
	IDs []string
}

func (e *UnknownTableError) Error() string {
	if len(e.IDs) == 0 {
		return fmt.Sprintf("no such table: %q; the file holds no table at all", e.ID)
	}
	return fmt.Sprintf("no such table: %q; the file holds %s", e.ID, strings.Join(e.IDs, ", "))
}

// Is makes errors.Is(err, ErrUnknownTable) true.
func (e *UnknownTableError) Is(target error) bool { return target == ErrUnknownTable }

// Fault is one thing that cannot be read.
type Fault struct {
	// Line is the line in the file (the header is line 1); Column the column's name, or "row".
	Line   int
	Column string
	// Found is what stands there; Expected says what may.
	Found, Expected string
}

func (f Fault) Error() string {
	return fmt.Sprintf("line %d, %s: found %s, expected %s", f.Line, f.Column, quoted(f.Found), f.Expected)
}

// quoted writes a text that came from a file, and of a long one the begin alone: what is no table may be anything.
func quoted(text string) string {
	const most = 80 // bytes
	if len(text) <= most {
		return strconv.Quote(text)
	}
	return fmt.Sprintf("%q… (%d bytes)", text[:most], len(text))
}

// mostFaults is how many faults a message lists.
const mostFaults = 20

// FormError holds all faults of a table, or of the file that should hold it, in line order.
type FormError struct {
	// ID is the table; "" when the file as a whole is not in the form.
	ID     string
	Faults []Fault
}

func (e *FormError) Error() string {
	what := "the file of tables cannot be read"
	if e.ID != "" {
		what = fmt.Sprintf("table %s cannot be read", e.ID)
	}
	lines := make([]string, 0, len(e.Faults)+1)
	lines = append(lines, what+":")
	for i, f := range e.Faults {
		if i == mostFaults {
			lines = append(lines, fmt.Sprintf("  and %d more", len(e.Faults)-i))
			break
		}
		lines = append(lines, "  "+f.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the faults to errors.As.
func (e *FormError) Unwrap() []error {
	out := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		out[i] = f
	}
	return out
}
