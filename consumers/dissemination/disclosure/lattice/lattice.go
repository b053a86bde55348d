// Package lattice is the one configuration of what is published: columns with their hierarchies, tables, thresholds in distinct
// persons, and classes of releases.
//
// It promises that a lattice which loads can be published safely as far as its form goes: every hierarchy is a function (each
// code of a code list is in exactly one finest group, each level covers every code once), every group has a label in
// Spanish and in English, thresholds are 3 persons at least, and tables limit each other only through columns that they share in a
// tree, or through a core of at most CoreLimit cells that the audit holds as a whole. What is wrong is refused with file, line,
// table and column. Its only I/O is reading the file.
package lattice

import (
	"bytes"
	_ "embed" // the lattice that the program carries
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"retorno/consumers/dissemination/disclosure/published"
)

//go:embed lattice.yaml
var shipped []byte

// Lattice is a checked configuration. It does not change and may be shared.
type Lattice struct {
	Version   string    `yaml:"version"`
	CoreLimit int       `yaml:"core_limit"`
	Measures  []Measure `yaml:"measures"`
	Columns   []Column  `yaml:"columns"`
	Tables    []Table   `yaml:"tables"`
	Classes   []Class   `yaml:"classes"`
	text      []byte
	// Cores are the crosses that tables limit each other through although they are not published.
	Cores []Core `yaml:"-"`
}

// Measure is something that is counted.
type Measure struct {
	ID string `yaml:"id"`
	ES string `yaml:"es"`
	EN string `yaml:"en"`
}

// Column is an attribute by which tables are broken down.
type Column struct {
	ID        string              `yaml:"id"`
	List      string              `yaml:"list"` // the code list; without one, the codes are those that groups name
	Groups    []Group             `yaml:"groups"`
	Levels    map[string][]string `yaml:"levels"`
	Sensitive *Sensitive          `yaml:"sensitive"`
	// Joins names the code that a code joins where too few persons have it; others join the next smallest.
	Joins map[string]string `yaml:"joins"`

	// Hierarchy has the parent of each group, Label its Spanish and English label.
	Hierarchy published.Hierarchy  `yaml:"-"`
	Label     map[string][2]string `yaml:"-"`
	// Leaf is the finest group of each code of the list.
	Leaf map[string]string `yaml:"-"`
}

// Group is a code of a column, and what is in it.
type Group struct {
	Code   string              `yaml:"code"`
	ES     string              `yaml:"es"`
	EN     string              `yaml:"en"`
	In     string              `yaml:"in"`
	Of     []string            `yaml:"of"`
	Where  map[string][]string `yaml:"where"`
	Others bool                `yaml:"others"`
	// Each makes a group of each code of that list, By names the attribute that is the group it is in, Has names codes of Each lists that
	// are this group together.
	Each string   `yaml:"each"`
	By   string   `yaml:"by"`
	Has  []string `yaml:"has"`
}

// Sensitive says which groups must not be known to be all of one code.
type Sensitive struct {
	Ignored []string            `yaml:"ignored"`
	Group   map[string][]string `yaml:"group"`
}

// Table is a published cross of levels.
type Table struct {
	ID           string            `yaml:"id"`
	ES           string            `yaml:"es"`
	EN           string            `yaml:"en"`
	Measure      string            `yaml:"measure"`
	Levels       []string          `yaml:"levels"` // column.level
	Only         map[string]string `yaml:"only"`
	Time         []string          `yaml:"time"` // M, Q, S, A
	Threshold    int64             `yaml:"threshold"`
	Minors       int64             `yaml:"minors"`
	Always       []string          `yaml:"always"`
	WithoutTotal bool              `yaml:"without_total"`
	// Within names the table of the events of which this one counts the persons: see Lattice.Within.
	Within string `yaml:"within"`
}

// Class is a kind of release.
type Class struct {
	ID     string              `yaml:"id"`
	Status string              `yaml:"status"`
	Base   int64               `yaml:"base"`   // to which values are rounded; 1 is exact
	Rule   string              `yaml:"rule"`   // hold: a change of fewer persons than the threshold is not released
	Tables map[string][]string `yaml:"tables"` // and their times; without it, all
}

// Core is a cross of columns at a level each; "time" is among them. Only are columns that all its tables restrict.
type Core struct {
	Measure string
	Columns []string
	Codes   map[string][]string
	Only    map[string]string
}

// Shipped returns the lattice that the program carries.
func Shipped() (*Lattice, error) { return Parse("lattice.yaml (built in)", shipped) }

// Load reads a lattice from a file.
func Load(path string) (*Lattice, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("lattice: %w", err)
	}
	return Parse(path, text)
}

// Parse reads and checks a lattice. The error names everything that is wrong, a line each.
func Parse(file string, text []byte) (*Lattice, error) {
	l := &Lattice{text: slices.Clone(text)}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(l); err != nil {
		return nil, fmt.Errorf("lattice %s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	c := &checker{l: l, file: file}
	if err := yaml.Unmarshal(text, &c.document); err != nil {
		return nil, fmt.Errorf("lattice %s: %w", file, err)
	}
	c.check()
	return l, errors.Join(c.faults...)
}

// Column returns the column of that name.
func (l *Lattice) Column(id string) (*Column, bool) {
	for i := range l.Columns {
		if l.Columns[i].ID == id {
			return &l.Columns[i], true
		}
	}
	return nil, false
}

// level returns the column and the codes of "column.level".
func (l *Lattice) level(name string) (*Column, []string, bool) {
	id, level, _ := strings.Cut(name, ".")
	c, ok := l.Column(id)
	if !ok {
		return nil, nil, false
	}
	codes, ok := c.Levels[level]
	return c, codes, ok
}

// checker collects what is wrong with a lattice.
type checker struct {
	l        *Lattice
	file     string
	document yaml.Node
	faults   []error
}

// fault adds a fault at the line of a place in the file: names of keys and numbers of items.
func (c *checker) fault(place []any, format string, args ...any) {
	line := 0
	n := &c.document
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for _, step := range place {
		line = n.Line
		switch step := step.(type) {
		case int:
			if step < len(n.Content) {
				n = n.Content[step]
			}
		case string:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					n = n.Content[i+1]
					break
				}
			}
		}
	}
	if n.Line > 0 {
		line = n.Line
	}
	c.faults = append(c.faults, fmt.Errorf("lattice %s, line %d: %s", c.file, line, fmt.Sprintf(format, args...)))
}
