package lattice

import (
	"maps"
	"slices"
)

// MaxCore is how many cells the joint table of tables that share columns in a circle may have.
const MaxCore = 20_000

// core reduces the family of column sets as Graham, Yu and Ozsoyoglu do: a column that one table alone has is dropped, and so is
// a table whose columns another one has. Nothing is left of a decomposable family, whose tables limit each other no further than
// the equations between them (Dobra and Fienberg, PNAS 97/22, 2000). Of any other it returns the tables that are left, and how
// many cells the cross of their columns has.
func (l *Lattice) core() (cells int, tables []string) {
	edges := map[string]map[string]bool{}
	for _, t := range l.Tables {
		if t.Provisional {
			continue
		}
		edges[t.ID] = map[string]bool{}
		for _, c := range t.Columns {
			edges[t.ID][c] = true
		}
		for c := range t.where {
			edges[t.ID][c] = true
		}
	}
	for changed := true; changed; {
		changed = false
		of := map[string][]string{}
		for id, columns := range edges {
			for c := range columns {
				of[c] = append(of[c], id)
			}
		}
		for c, ids := range of {
			if len(ids) == 1 {
				delete(edges[ids[0]], c)
				changed = true
			}
		}
		for _, id := range slices.Sorted(maps.Keys(edges)) {
			if inside(edges, id) {
				delete(edges, id)
				changed = true
			}
		}
	}
	tables = slices.Sorted(maps.Keys(edges))
	columns := map[string]bool{}
	for _, id := range tables {
		maps.Copy(columns, edges[id])
	}
	if len(columns) == 0 {
		return 0, nil
	}
	cells = 1
	for _, c := range slices.Sorted(maps.Keys(columns)) {
		leaves := 0
		l.columns[c].walk(func(n *node) {
			if len(n.parts) == 0 {
				leaves++
			}
		})
		if cells *= max(leaves, 1); cells > 1<<40 {
			break
		}
	}
	return cells, tables
}

// inside reports whether another table has all columns of this one.
func inside(edges map[string]map[string]bool, id string) bool {
	for other, columns := range edges {
		if other == id {
			continue
		}
		all := true
		for c := range edges[id] {
			all = all && columns[c]
		}
		if all {
			return true
		}
	}
	return false
}
