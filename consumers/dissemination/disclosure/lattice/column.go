package lattice

import (
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/schemas/codelists"
)

// column works out hierarchy, labels and leaves of a column, and checks that each is a function.
func (c *checker) column(i int) {
	col := &c.l.Columns[i]
	at := []any{"columns", i}
	col.Hierarchy, col.Label, col.Leaf = published.Hierarchy{}, map[string][2]string{}, map[string]string{}
	if col.List != "" {
		if _, ok := codelists.Get(col.List); !ok {
			c.fault(at, "column %s: there is no code list %s", col.ID, col.List)
			return
		}
	}
	made := map[string][]string{} // the groups of each "each"
	instead := map[string]string{}
	for j, g := range col.Groups {
		place := append(slices.Clone(at), "groups", j)
		if g.Each != "" {
			made[g.Each] = c.each(col, g, instead, place)
			continue
		}
		c.group(col, g, place)
		for _, code := range g.Has {
			instead[code] = g.Code
		}
	}
	c.place(col, at)
	for j, g := range col.Groups {
		if p := col.Hierarchy[g.Code]; g.Each == "" && p != published.Total && col.Label[p] == [2]string{} {
			c.fault(append(slices.Clone(at), "groups", j), "column %s: group %s is in %s, which is no group", col.ID, g.Code, p)
		}
	}
	for code, with := range col.Joins {
		if col.Hierarchy[code] == "" || col.Hierarchy[code] != col.Hierarchy[with] {
			c.fault(append(slices.Clone(at), "joins"), "column %s: %s cannot join %s; both must be groups in the same group", col.ID, code, with)
		}
	}
	for name, codes := range col.Levels {
		var all []string
		for _, code := range codes {
			if groups, ok := made[code]; ok {
				all = append(all, groups...)
			} else {
				all = append(all, code)
			}
		}
		col.Levels[name] = all
		c.level(col, name, append(slices.Clone(at), "levels", name))
	}
}

// group adds one group.
func (c *checker) group(col *Column, g Group, place []any) {
	switch {
	case g.Code == "" || g.Code == published.Total:
		c.fault(place, "column %s: a group needs a code of its own", col.ID)
	case col.Hierarchy[g.Code] != "":
		c.fault(place, "column %s: group %s stands there twice, in %s and in %s", col.ID, g.Code, col.Hierarchy[g.Code], parentOf(g))
	case g.ES == "" || g.EN == "":
		c.fault(place, "column %s: group %s needs a label in Spanish (es) and in English (en)", col.ID, g.Code)
	}
	col.Hierarchy[g.Code], col.Label[g.Code] = parentOf(g), [2]string{g.ES, g.EN}
}

func parentOf(g Group) string {
	if g.In == "" {
		return published.Total
	}
	return g.In
}

// each makes a group of each code of a list, and returns them in order.
func (c *checker) each(col *Column, g Group, instead map[string]string, place []any) []string {
	list, ok := codelists.Get(g.Each)
	if !ok {
		c.fault(place, "column %s: there is no code list %s", col.ID, g.Each)
		return nil
	}
	var out []string
	add := func(code, parent string, label [2]string) {
		if col.Hierarchy[code] == "" {
			col.Hierarchy[code], col.Label[code] = parent, label
		}
		if !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	for _, code := range list.Codes() {
		group, parent := code.Code, published.Total
		if other, ok := instead[group]; ok {
			group = other
		}
		if g.By != "" {
			if parent = code.Attrs[g.By]; instead[parent] != "" {
				parent = instead[parent]
			}
			if parent == "" {
				parent = published.Total
			} else {
				// Whose finer code is not stated has a group of their own in each coarser one.
				add(parent+"-XX", parent, [2]string{col.Label[parent][0] + ": no declarado", col.Label[parent][1] + ": not stated"})
			}
		}
		add(group, parent, [2]string{code.LabelES, code.LabelEN})
		if g.Each == col.List {
			col.Leaf[code.Code] = group
		}
	}
	for code, parent := range col.Hierarchy {
		if g.By != "" && slices.Contains(out, code) && code == parent+"-XX" {
			col.Leaf[code] = code
		}
	}
	return out
}

// place puts each code of the list into its finest group.
func (c *checker) place(col *Column, at []any) {
	var codes []codelists.Code
	if list, ok := codelists.Get(col.List); ok {
		codes = list.Codes()
		for j, g := range col.Groups {
			for _, code := range g.Of {
				if !list.Has(code) {
					c.fault(append(slices.Clone(at), "groups", j), "column %s: group %s names code %s, which code list %s does not have", col.ID, g.Code, code, col.List)
				}
			}
		}
	} else {
		for _, g := range col.Groups {
			for _, code := range g.Of {
				codes = append(codes, codelists.Code{Code: code})
			}
		}
	}
	for _, code := range codes {
		others := ""
		for j, g := range col.Groups {
			if g.Others {
				others = g.Code
			}
			if !g.takes(code) {
				continue
			}
			if was, ok := col.Leaf[code.Code]; ok && was != g.Code {
				c.fault(append(slices.Clone(at), "groups", j), "column %s: code %s is in two groups, %s and %s", col.ID, code.Code, was, g.Code)
			}
			col.Leaf[code.Code] = g.Code
		}
		if col.Leaf[code.Code] == "" && others != "" {
			col.Leaf[code.Code] = others
		}
		if col.Leaf[code.Code] == "" {
			c.fault(at, "column %s: code %s is in no group", col.ID, code.Code)
		}
	}
}

// takes reports whether a code is in the group by name or by attributes.
func (g Group) takes(code codelists.Code) bool {
	if slices.Contains(g.Of, code.Code) {
		return true
	}
	for attr, values := range g.Where {
		if !slices.Contains(values, code.Attrs[attr]) {
			return false
		}
	}
	return len(g.Where) > 0
}

// level checks that a level has each finest group exactly once.
func (c *checker) level(col *Column, name string, place []any) {
	codes := col.Levels[name]
	for _, code := range codes {
		if col.Hierarchy[code] == "" {
			c.fault(place, "column %s, level %s: %s is no group", col.ID, name, code)
			return
		}
	}
	seen := map[string]bool{}
	for _, leaf := range col.Leaf {
		if seen[leaf] {
			continue
		}
		seen[leaf] = true
		n := 0
		for _, code := range codes {
			if col.Hierarchy.Within(leaf, code) {
				n++
			}
		}
		if n != 1 {
			c.fault(place, "column %s, level %s: group %s is in %d of its codes; it must be in one", col.ID, name, leaf, n)
		}
	}
}
