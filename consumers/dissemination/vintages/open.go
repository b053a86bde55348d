package vintages

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
)

// MaxOpened bounds how many vintages a Shelf keeps. Each takes some four megabytes, with its bulletin and all its forms.
const MaxOpened = 32

// Opened is a vintage that was read and checked, ready to be asked for cells. It is shared and must not be changed.
type Opened struct {
	Vintage
	Manifest bundle.Manifest
	Tables   []Table
	// Differences are the counts that a revision changes.
	Differences []published.Difference
	// Hierarchies are those of the codes, by column.
	Hierarchies map[string]published.Hierarchy
	// Codes are those of its tables, with their parents, and Lattice the rules by which these were published.
	Codes   []bundle.Code
	Lattice []byte
	labels  map[columnCode][2]string // in Spanish and in English
}

// Parent is the code that a code of a column is a part of: published.Total at the top, and "" of that.
func (o *Opened) Parent(column, code string) string { return o.Hierarchies[column].Parent(code) }

// Table is one table of an opened vintage.
type Table struct {
	bundle.Table
	// Finest has every code of each column, and reports for each whether it is finest: a parent of no other code of the table.
	Finest []map[string]bool
}

type columnCode struct{ column, code string }

// Label is what a code of a column is called in a language, "es" or "en"; the code itself where it has no label.
func (o *Opened) Label(column, code, lang string) string {
	both := o.labels[columnCode{column, code}]
	label := both[0]
	if lang == "en" {
		label = both[1]
	}
	if label == "" {
		return code
	}
	return label
}

// kept are the files of a vintage, and what became of opening them.
type kept struct {
	id    uuid.UUID
	files bundle.Files

	once   sync.Once
	opened *Opened
	err    error
}

// Open reads a vintage of the list, and checks its hashes and its signature. A vintage never changes, so what was read is kept.
func (s *Shelf) Open(ctx context.Context, v Vintage) (*Opened, error) {
	k, err := s.take(ctx, v)
	if err != nil {
		return nil, err
	}
	k.once.Do(func() {
		b, err := bundle.Open(context.WithoutCancel(ctx), k.files, nil)
		if err != nil {
			k.err = fmt.Errorf("vintage %d of %s is not what was published: %w", v.Number, v.Period, err)
			s.forget(k) // the database may be mended
			return
		}
		k.opened = opened(v, b)
	})
	return k.opened, k.err
}

// take returns the files of a vintage of the list, which are read once.
func (s *Shelf) take(ctx context.Context, v Vintage) (*kept, error) {
	if k := s.find(v.ID); k != nil {
		return k, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.takeTurn(ctx); err != nil {
		return nil, fmt.Errorf("read vintage %d of %s: %w", v.Number, v.Period, err)
	}
	defer func() { <-s.turn }()
	if k := s.find(v.ID); k != nil {
		return k, nil
	}
	k := &kept{id: v.ID, files: bundle.Files{}}
	err := s.ask(ctx, func(rows driver.Rows) error {
		var path, body string
		err := rows.Scan(&path, &body)
		k.files[path] = []byte(body)
		return err
	}, "SELECT path, body FROM ceniss.released_files WHERE publication = ?", v.ID)
	if err != nil {
		return nil, fmt.Errorf("read vintage %d of %s: %w", v.Number, v.Period, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept = append(s.kept, k); len(s.kept) > MaxOpened {
		s.kept = slices.Delete(s.kept, 0, 1)
	}
	return k, nil
}

// find returns a vintage that was read before, or nil.
func (s *Shelf) find(id uuid.UUID) *kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.kept, func(k *kept) bool { return k.id == id })
	if i < 0 {
		return nil
	}
	k := s.kept[i]
	s.kept = append(slices.Delete(s.kept, i, i+1), k)
	return k
}

func (s *Shelf) forget(k *kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(o *kept) bool { return o == k })
}

// Of is a bundle that is on no shelf, ready to be asked.
func Of(b *bundle.Bundle) *Opened {
	return opened(Vintage{Period: b.Manifest.Period, Number: b.Manifest.Vintage, Status: b.Manifest.Status, Published: b.Manifest.Published}, b)
}

// opened makes what questions need out of a bundle.
func opened(v Vintage, b *bundle.Bundle) *Opened {
	o := &Opened{Vintage: v, Manifest: b.Manifest, Differences: b.Differences, Codes: b.Codes, Lattice: b.Lattice, Hierarchies: b.Hierarchies(), labels: map[columnCode][2]string{}}
	for _, c := range b.Codes {
		o.labels[columnCode{c.Column, c.Code}] = [2]string{c.LabelES, c.LabelEN}
	}
	for _, t := range b.Tables {
		out := Table{Table: t, Finest: make([]map[string]bool, len(t.Columns))}
		for j, column := range t.Columns {
			out.Finest[j] = finest(t.Table, j, o.Hierarchies[column])
		}
		o.Tables = append(o.Tables, out)
	}
	return o
}

func finest(t published.Table, j int, parents published.Hierarchy) map[string]bool {
	codes := map[string]bool{}
	for _, c := range t.Cells {
		codes[c.Codes[j]] = true
	}
	for code := range codes {
		for above := range codes {
			if above != code && parents.Within(code, above) {
				codes[above] = false
			}
		}
	}
	return codes
}
