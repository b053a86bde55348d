package published

import (
	"errors"
	"fmt"
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
	return fmt.Sprintf("line %d, %s: found %q, expected %s", f.Line, f.Column, f.Found, f.Expected)
}

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
	for _, f := range e.Faults {
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
