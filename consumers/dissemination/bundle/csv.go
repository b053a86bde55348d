package bundle

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Columns that every table has beside its own.
const (
	periodColumn = "time_period"
	valueColumn  = "obs_value"
	statusColumn = "obs_status"
)

// encode writes a sorted table. A withheld value is an empty field.
func (t Table) encode() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out) // writes into memory, which does not fail
	_ = w.Write(t.header())
	for _, r := range t.Rows {
		value := ""
		if r.Status != Suppressed {
			value = strconv.FormatUint(r.Value, 10)
		}
		_ = w.Write(append(append([]string{r.Period}, r.Codes...), value, string(r.Status)))
	}
	w.Flush()
	return out.Bytes()
}

func (t Table) header() []string {
	return append(append([]string{periodColumn}, t.Columns...), valueColumn, statusColumn)
}

// parse reads what encode wrote into a table of which the rows are missing. The error names the line.
func (t Table) parse(body []byte) (Table, error) {
	n := len(t.Columns)
	err := lines(body, t.header(), func(fields []string) error {
		r := Row{Period: fields[0], Codes: slices.Clone(fields[1 : 1+n]), Status: Status(fields[2+n])}
		if text := fields[1+n]; r.Status != Suppressed || text != "" {
			var err error
			if r.Value, err = strconv.ParseUint(text, 10, 64); err != nil {
				return fmt.Errorf("obs_value %q is no count", text)
			}
		}
		if r.Status == Suppressed && r.Value > 0 {
			return errors.New("a withheld cell has a value")
		}
		t.Rows = append(t.Rows, r)
		return nil
	})
	if err == nil {
		err = t.check()
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
