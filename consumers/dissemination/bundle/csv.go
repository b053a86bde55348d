package bundle

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"retorno/consumers/dissemination/disclosure/published"
)

// Columns that every table has behind its own.
const (
	valueColumn  = "obs_value"
	statusColumn = "obs_status"
)

// vintageColumn stands last in the tables of a revision: the vintage that the value is of.
const vintageColumn = "vintage"

// CSV writes a sorted table as its file has it. A withheld value is an empty field.
func (t Table) CSV() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out) // writes into memory, which does not fail
	_ = w.Write(t.header())
	for _, c := range t.Cells {
		value := strconv.FormatInt(c.Value, 10)
		if c.Withheld {
			value = ""
		}
		line := append(slices.Clone(c.Codes), value, t.Status(c))
		if t.revision > 0 {
			line = append(line, strconv.FormatUint(t.VintageOf(c), 10))
		}
		_ = w.Write(line)
	}
	w.Flush()
	return out.Bytes()
}

// Status is that of a cell of the table, by CL_OBS_STATUS: A, P or Q.
func (t Table) Status(c published.Cell) string {
	switch {
	case c.Withheld:
		return suppressed
	case t.Base > 1:
		return provisional
	}
	return normal
}

// VintageOf is the number of the vintage that a cell is of, in a table of a revision; 0 in any other table.
func (t Table) VintageOf(c published.Cell) uint64 {
	if t.revision == 0 || c.Of == 0 || c.Withheld {
		return t.revision
	}
	return c.Of
}

func (t Table) header() []string {
	header := append(slices.Clone(t.Columns), valueColumn, statusColumn)
	if t.revision > 0 {
		header = append(header, vintageColumn)
	}
	return header
}

// parse reads what CSV wrote into a table of which the cells are missing. The error names the line.
func (t Table) parse(body []byte) (Table, error) {
	n := len(t.Columns)
	err := lines(body, t.header(), func(fields []string) (err error) {
		c := published.Cell{Codes: slices.Clone(fields[:n])}
		status := normal
		if t.Base > 1 {
			status = provisional
		}
		switch text := fields[n]; {
		case text == "" && fields[n+1] == suppressed:
			c.Withheld = true
		case fields[n+1] != status:
			return fmt.Errorf("obs_value %q with obs_status %q", text, fields[n+1])
		default:
			if c.Value, err = strconv.ParseInt(text, 10, 64); err != nil || c.Value < 0 {
				return fmt.Errorf("obs_value %q is no count", text)
			}
		}
		if t.revision > 0 {
			if c.Of, err = strconv.ParseUint(fields[n+2], 10, 64); err != nil || c.Of == 0 || c.Of > t.revision {
				return fmt.Errorf("vintage %q is none of 1 to %d", fields[n+2], t.revision)
			}
			if c.Kept = c.Of < t.revision; !c.Kept {
				c.Of = 0
			}
		}
		t.Cells = append(t.Cells, c)
		return nil
	})
	if err == nil {
		err = t.Check()
	}
	return t, err
}

var codesHeader = []string{"column", "code", "parent", "label_es", "label_en"}

func encodeCodes(codes []Code) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(codesHeader)
	for _, c := range codes {
		_ = w.Write([]string{c.Column, c.Code, c.Parent, c.LabelES, c.LabelEN})
	}
	w.Flush()
	return out.Bytes()
}

func parseCodes(body []byte) (codes []Code, err error) {
	err = lines(body, codesHeader, func(f []string) error {
		codes = append(codes, Code{f[0], f[1], f[2], f[3], f[4]})
		return nil
	})
	return codes, err
}

// lines reads a CSV file with a known header. The error names the line.
func lines(body []byte, header []string, row func([]string) error) error {
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = len(header)
	r.ReuseRecord = true
	first, err := r.Read()
	if err != nil {
		return err
	}
	if !slices.Equal(first, header) {
		return fmt.Errorf("line 1: its columns are %q, not %q", first, header)
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = row(fields)
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}
