// Package lattice says which tables are published: their columns, how deep each is broken down, for which periods, and from how
// many persons on a cell may be shown. It turns facts into the cells of these tables, each with its value and its distinct
// persons, and into the equations that hold between the cells of all of them.
//
// It promises that a configuration that contradicts itself is refused with the line, the table and the columns named: a code in
// two groups or in none, a group without both languages, a table of a column that does not exist, a threshold under 3, and a
// family of tables that cannot be audited together. Cells and equations depend on the set of facts alone, not on their order. A
// cell that two tables share is one cell. It has no clock and asks nobody.
package lattice

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"retorno/schemas/calendar"
)

// Shipped is the lattice that the program comes with.
//
//go:embed lattice.yaml
var Shipped []byte

// Lattice is a configuration that holds together.
type Lattice struct {
	Version string
	Tables  []*Table
	Text    []byte // as it was read

	columns    map[string]*column
	thresholds thresholds
}

// Table is one published table.
type Table struct {
	ID        string
	ES, EN    string
	Columns   []string // in the order of the file
	Time      []Kind
	Threshold uint64 // in distinct persons
	// Provisional reports whether the table is one of provisional vintages, and of them alone.
	Provisional bool

	depths    map[string]int // 0: to the leaves
	where     map[string]string
	small     string
	sensitive string
	line      int
}

// Kind is a kind of period.
type Kind string

// Kinds of periods of tables.
const (
	Month    Kind = "M"
	Quarter  Kind = "Q"
	HalfYear Kind = "S"
	Year     Kind = "A"
)

// kinds are the calendar's words for them.
var kinds = map[Kind]string{Month: calendar.KindMonth, Quarter: calendar.KindQuarter, HalfYear: calendar.KindHalfYear, Year: calendar.KindYear}

// The file, as it is written.
type file struct {
	Version    string               `yaml:"version"`
	Thresholds thresholds           `yaml:"thresholds"`
	Columns    map[string]yaml.Node `yaml:"columns"`
	Tables     []yaml.Node          `yaml:"tables"`
}

type thresholds struct {
	Standard uint64 `yaml:"standard"`
	Minors   uint64 `yaml:"minors"`
}

type columnText struct {
	ES     string      `yaml:"es"`
	EN     string      `yaml:"en"`
	Of     string      `yaml:"of"`
	Within string      `yaml:"within"`
	Codes  []yaml.Node `yaml:"codes"`
}

type codeText struct {
	Code   string      `yaml:"code"`
	ES     string      `yaml:"es"`
	EN     string      `yaml:"en"`
	From   []string    `yaml:"from"`
	Each   bool        `yaml:"each"`
	Rest   bool        `yaml:"rest"`
	Minors bool        `yaml:"minors"`
	Parts  []yaml.Node `yaml:"parts"`
}

type tableText struct {
	ID        string            `yaml:"id"`
	ES        string            `yaml:"es"`
	EN        string            `yaml:"en"`
	Columns   yaml.Node         `yaml:"columns"`
	Time      []Kind            `yaml:"time"`
	Where     map[string]string `yaml:"where"`
	Threshold uint64            `yaml:"threshold"`
	Small     string            `yaml:"small"`
	Sensitive string            `yaml:"sensitive"`
	// Provisional is of a table that provisional vintages have, and they alone.
	Provisional bool `yaml:"provisional"`
}

// Parse reads a configuration. The error has every mistake, each with its line.
func Parse(text []byte) (*Lattice, error) {
	var f file
	if err := strict(text, &f); err != nil {
		return nil, fmt.Errorf("lattice: %w", err)
	}
	l := &Lattice{Version: f.Version, columns: map[string]*column{}, thresholds: f.Thresholds, Text: text}
	var all []error
	if f.Version == "" {
		all = append(all, errors.New("version is missing"))
	}
	if f.Thresholds.Standard < 3 || f.Thresholds.Minors < f.Thresholds.Standard {
		all = append(all, fmt.Errorf("thresholds: standard is %d and minors %d; at least 3, and minors no less than standard", f.Thresholds.Standard, f.Thresholds.Minors))
	}
	for name, node := range f.Columns {
		c, err := newColumn(name, &node, f.Thresholds)
		l.columns[name] = c
		all = append(all, err)
	}
	ids := map[string]bool{}
	for i := range f.Tables {
		t, err := l.newTable(&f.Tables[i], f.Thresholds)
		if err == nil && ids[t.ID] {
			err = fmt.Errorf("line %d: table %s stands twice", t.line, t.ID)
		}
		if err != nil {
			all = append(all, err)
			continue
		}
		ids[t.ID] = true
		l.Tables = append(l.Tables, t)
	}
	if err := errors.Join(all...); err != nil {
		return nil, fmt.Errorf("lattice: %w", err)
	}
	if core, tables := l.core(); core > MaxCore {
		return nil, fmt.Errorf("lattice: tables %v share columns in a circle, and their joint table has %d cells; at most %d can be audited: take columns out of them", tables, core, MaxCore)
	}
	return l, nil
}

// strict reads one YAML document in which nothing is unknown.
func strict(text []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("it is more than one document")
	}
	return nil
}

// decode reads a node in which nothing is unknown, and keeps its line in errors.
func decode(node *yaml.Node, into any) error {
	text, err := yaml.Marshal(node)
	if err == nil {
		err = strict(text, into)
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	return nil
}

func (l *Lattice) newTable(node *yaml.Node, least thresholds) (*Table, error) {
	var text tableText
	if err := decode(node, &text); err != nil {
		return nil, err
	}
	t := &Table{ID: text.ID, ES: text.ES, EN: text.EN, Time: text.Time, Threshold: max(text.Threshold, least.Standard), where: text.Where,
		Provisional: text.Provisional, small: text.Small, sensitive: text.Sensitive, depths: map[string]int{}, line: node.Line}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("line %d: table %s: %s", node.Line, text.ID, fmt.Sprintf(format, args...))
	}
	if text.ID == "" || text.ES == "" || text.EN == "" || len(text.Time) == 0 {
		return nil, wrong("id, es, en and time are required")
	}
	for i := 0; i+1 < len(text.Columns.Content); i += 2 {
		name := text.Columns.Content[i].Value
		var depth int
		if err := text.Columns.Content[i+1].Decode(&depth); err != nil || depth < 0 {
			return nil, wrong("column %s: depth %q is no number of levels", name, text.Columns.Content[i+1].Value)
		}
		if l.columns[name] == nil {
			return nil, wrong("there is no column %s", name)
		}
		if _, twice := t.depths[name]; twice {
			return nil, wrong("column %s stands twice", name)
		}
		t.Columns = append(t.Columns, name)
		t.depths[name] = depth
	}
	if text.Provisional && (text.Small != "" || text.Sensitive != "") {
		return nil, wrong("a provisional table is rounded: it has neither small nor sensitive")
	}
	for _, k := range t.Time {
		if kinds[k] == "" {
			return nil, wrong("time %q is none of M, Q, S and A", k)
		}
	}
	for name, code := range t.where {
		if c := l.columns[name]; c == nil || c.find(code) == nil {
			return nil, wrong("where: there is no code %s in column %s", code, name)
		}
		if _, also := t.depths[name]; also {
			return nil, wrong("column %s stands in columns and in where", name)
		}
	}
	for _, name := range []string{t.small, t.sensitive} {
		if _, ok := t.depths[name]; name != "" && !ok {
			return nil, wrong("it has no column %s", name)
		}
	}
	return t, nil
}

// Title is what a table is called in Spanish and in English; empty when there is no such table.
func (l *Lattice) Title(id string) (es, en string) {
	for _, t := range l.Tables {
		if t.ID == id {
			return t.ES, t.EN
		}
	}
	return "", ""
}

// Label is what a code of a column is called in Spanish and in English. A period is its own label.
func (l *Lattice) Label(column, code string) (es, en string) {
	c := l.columns[column]
	if c == nil {
		return code, code
	}
	if n := c.find(code); n != nil {
		return n.es, n.en
	}
	if n := c.find(strings.TrimSuffix(code, otherPart)); n != nil {
		return n.es + ", otros", n.en + ", other"
	}
	return code, code
}
