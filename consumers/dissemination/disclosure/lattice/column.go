package lattice

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/schemas/codelists"
)

// sources are the codes of the one attribute without a code list: which sources know a return.
var sources = []string{"both", "registered", "checkpoint"}

// column is a tree of codes.
type column struct {
	name, es, en string
	of, within   string // attributes
	root         *node
	leaf         map[string]*node // by code of the attribute's list; and of "within", below it
}

// node is a code of a column.
type node struct {
	code, es, en string
	minors       bool
	parent       *node
	parts        []*node
	depth        int
}

// newColumn makes the tree, and checks that each code of the list is in one place.
func newColumn(name string, text *yaml.Node, least thresholds) (*column, error) {
	var t columnText
	if err := decode(text, &t); err != nil {
		return nil, err
	}
	c := &column{name: name, es: t.ES, en: t.EN, of: t.Of, within: t.Within, root: &node{code: published.Total, es: "Total", en: "Total"}, leaf: map[string]*node{}}
	codes, err := listed(t.Of)
	if err != nil {
		return nil, fmt.Errorf("line %d: column %s: %w", text.Line, name, err)
	}
	b := builder{column: c, list: codes, globs: map[string]*node{}}
	if t.ES == "" || t.EN == "" {
		b.fault(text.Line, "es and en are required")
	}
	for i := range t.Codes {
		b.add(c.root, &t.Codes[i])
	}
	b.place()
	if t.Within != "" {
		b.nest(text.Line)
	}
	seen := map[string]bool{}
	c.walk(func(n *node) {
		if seen[n.code] {
			b.fault(text.Line, "code %s stands twice", n.code)
		}
		seen[n.code] = true
	})
	return c, errors.Join(b.faults...)
}

// listed are the codes of an attribute, with their labels.
func listed(attribute string) (map[string]codelists.Code, error) {
	all := map[string]codelists.Code{}
	if attribute == "source" {
		for _, s := range sources {
			all[s] = codelists.Code{Code: s}
		}
		return all, nil
	}
	name := attribute
	switch attribute {
	case "accompanied":
		name = codelists.Accompaniment
	case "entry_point", "exit_point":
		name = codelists.BorderPoint
	}
	list, ok := codelists.Get(name)
	if !ok {
		return nil, fmt.Errorf("there is no code list of the attribute %s", attribute)
	}
	for _, code := range list.Codes() {
		all[code.Code] = code
	}
	return all, nil
}

// builder makes a column's tree.
type builder struct {
	*column
	list   map[string]codelists.Code
	globs  map[string]*node // patterns with *
	each   *node            // under which the codes go that are left, each by itself
	rest   *node            // to which the codes go that are left
	faults []error
}

func (b *builder) fault(line int, format string, args ...any) {
	b.faults = append(b.faults, fmt.Errorf("line %d: column %s: %s", line, b.name, fmt.Sprintf(format, args...)))
}

func (b *builder) add(parent *node, text *yaml.Node) {
	var t codeText
	if err := decode(text, &t); err != nil {
		b.faults = append(b.faults, err)
		return
	}
	if t.Each {
		if b.each != nil || b.rest != nil {
			b.fault(text.Line, "each and rest stand twice")
		}
		b.each = parent
		return
	}
	n := &node{code: t.Code, es: t.ES, en: t.EN, minors: t.Minors || parent.minors, parent: parent, depth: parent.depth + 1}
	if t.Code == "" || t.ES == "" || t.EN == "" {
		b.fault(text.Line, "code %q: code, es and en are required", t.Code)
	}
	if ways := btoi(len(t.From) > 0) + btoi(t.Rest) + btoi(len(t.Parts) > 0); ways != 1 {
		b.fault(text.Line, "code %s: it has one of from, rest and parts", t.Code)
	}
	parent.parts = append(parent.parts, n)
	if t.Rest {
		if b.each != nil || b.rest != nil {
			b.fault(text.Line, "each and rest stand twice")
		}
		b.rest = n
	}
	for _, code := range t.From {
		if strings.Contains(code, "*") {
			b.globs[code] = n
			continue
		}
		if _, ok := b.list[code]; !ok {
			b.fault(text.Line, "code %s: the list of %s has no code %s", t.Code, b.of, code)
		}
		if other := b.leaf[code]; other != nil {
			b.fault(text.Line, "%s is in %s and in %s", code, other.code, t.Code)
		}
		b.leaf[code] = n
	}
	for i := range t.Parts {
		b.add(n, &t.Parts[i])
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// place finds the leaf of every code of the list that is not named: by a pattern, or among those that are left.
func (b *builder) place() {
	for _, code := range slices.Sorted(maps.Keys(b.list)) {
		if b.leaf[code] != nil {
			continue
		}
		for _, glob := range slices.Sorted(maps.Keys(b.globs)) {
			if ok, err := path.Match(glob, code); err != nil || !ok {
				continue
			}
			if other := b.leaf[code]; other != nil && other != b.globs[glob] {
				b.faults = append(b.faults, fmt.Errorf("column %s: %s is in %s and in %s", b.name, code, other.code, b.globs[glob].code))
			}
			b.leaf[code] = b.globs[glob]
		}
		switch of := b.list[code]; {
		case b.leaf[code] != nil:
		case b.each != nil:
			n := &node{code: code, es: of.LabelES, en: of.LabelEN, parent: b.each, depth: b.each.depth + 1, minors: b.each.minors}
			b.each.parts = append(b.each.parts, n)
			b.leaf[code] = n
		case b.rest != nil:
			b.leaf[code] = b.rest
		default:
			b.faults = append(b.faults, fmt.Errorf("column %s: %s of the list of %s is in no code", b.name, code, b.of))
		}
	}
}

// nest puts the municipalities under their departments, and under each one for those who did not say which.
func (b *builder) nest(line int) {
	if b.of != codelists.Department || b.within != codelists.Municipality {
		b.fault(line, "only municipality can stand within department")
		return
	}
	list, _ := codelists.Get(codelists.Municipality)
	var tops []*node
	b.walk(func(n *node) {
		if len(n.parts) == 0 && n.depth > 0 {
			tops = append(tops, n)
		}
	})
	for _, n := range tops {
		b.under(n, n.code+unknownPart, "Municipio no declarado", "Municipality not stated")
	}
	for _, code := range list.Codes() {
		department := codelists.DepartmentOf(code.Code)
		if top := b.leaf[department]; top != nil { // the code of those who did not say has none
			b.leaf[nested(department, code.Code)] = b.under(top, code.Code, code.LabelES, code.LabelEN)
		}
	}
}

const (
	unknownPart = "-UNK" // of a department
	otherPart   = "-OTH" // those of a department that are too small to stand alone
)

// nested is the key of a code within another.
func nested(outer, inner string) string { return outer + "/" + inner }

func (b *builder) under(top *node, code, es, en string) *node {
	n := &node{code: code, es: es, en: en, parent: top, depth: top.depth + 1, minors: top.minors}
	top.parts = append(top.parts, n)
	return n
}

// walk visits every node, parents first.
func (c *column) walk(visit func(*node)) {
	var into func(n *node)
	into = func(n *node) {
		visit(n)
		for _, part := range n.parts {
			into(part)
		}
	}
	into(c.root)
}

// find returns the node of a code; nil when there is none.
func (c *column) find(code string) (found *node) {
	c.walk(func(n *node) {
		if n.code == code {
			found = n
		}
	})
	return found
}

// leafOf returns the leaf of a fact; nil when the list does not have its code.
func (c *column) leafOf(outer, inner string) *node {
	n := c.leaf[outer]
	if n == nil || c.within == "" {
		return n
	}
	if m := c.leaf[nested(outer, inner)]; m != nil {
		return m
	}
	for _, part := range n.parts {
		if part.code == n.code+unknownPart {
			return part
		}
	}
	return n
}
