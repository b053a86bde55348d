// Package shapes reads what is published of vintages in other forms than their own tables, as a stranger would, kept in a bundle and given by a
// server: JSON-stat, HXL, Parquet, JSON; SDMX as CSV, XML and JSON of both versions; the bulletin's page and its workbooks in Excel's form and in
// OpenDocument; and of a server, what SDMX ever had, the feed's CSV and JSON, and the pages of the explorer.
//
// It promises that every count which a form gives is held against all vintages: one that no vintage publishes under the same codes is a finding,
// whether its cell is withheld, has another count, or is in no table. It shares no code with what writes these forms. A form that cannot be read
// is an error that names it. The PDF is not read: it is made of the same pages.
package shapes

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/sdmx/structure"
)

// cell is a count that a form gives.
type cell struct {
	keys  []string // of the cells of which it is the sum; mostly one
	value int64
}

// Index has what vintages publish.
type Index struct {
	names  []string
	counts []map[string]published.Cell // by key, of each vintage

	columns map[string]string // of tables, by what SDMX calls them
	order   []string          // of the dimensions of SDMX in keys
	flows   []string
}

// NewIndex makes it of all vintages that there are. It fails where the lattice of one cannot be read.
func NewIndex(all []*bundle.Bundle) (*Index, error) {
	x := &Index{columns: map[string]string{}}
	for _, b := range all {
		counts := map[string]published.Cell{}
		for _, t := range b.Tables {
			for _, c := range t.Cells {
				key := published.Key(t.Measure, t.Columns, c.Codes)
				if known, ok := counts[key]; !ok || known.Withheld {
					counts[key] = c
				}
			}
		}
		x.names, x.counts = append(x.names, b.Name()), append(x.counts, counts)
	}
	return x, x.describe(all)
}

// describe learns what SDMX calls the columns of vintages, in which order, and the dataflows.
func (x *Index) describe(all []*bundle.Bundle) error {
	byTime := slices.SortedFunc(slices.Values(all), func(a, b *bundle.Bundle) int {
		return cmp.Or(a.Manifest.Published.Compare(b.Manifest.Published), strings.Compare(a.Name(), b.Name()))
	})
	var lattices []*lattice.Lattice
	var codes []bundle.Code
	for i, b := range byTime {
		codes = append(codes, b.Codes...)
		if slices.ContainsFunc(byTime[:i], func(o *bundle.Bundle) bool { return string(o.Lattice) == string(b.Lattice) }) {
			continue
		}
		l, err := lattice.Parse(b.Name()+" "+bundle.LatticePath, b.Lattice)
		if err != nil {
			return err
		}
		lattices = append(lattices, l)
	}
	s := structure.New(lattices, codes)
	for _, d := range s.Dimensions {
		if x.order = append(x.order, d.ID); d.Column != "" {
			x.columns[d.ID] = d.Column
		}
	}
	for _, f := range s.Flows {
		x.flows = append(x.flows, f.ID)
	}
	return nil
}

// compare finds the counts of a form that no vintage publishes. of is the vintage that the form is of, or "" for that of the cell.
func (x *Index) compare(of, where string, cells []cell) (found []attack.Finding) {
	for _, c := range cells {
		if x.published(c) {
			continue
		}
		f := attack.Finding{Vintage: of, Key: strings.Join(c.keys, " + "), Low: c.value, High: c.value, How: attack.Shape, With: where}
		for i, counts := range x.counts {
			if known, ok := counts[c.keys[0]]; f.Vintage == "" && ok && known.Withheld {
				f.Vintage = x.names[i]
			}
		}
		found = append(found, f)
	}
	return found
}

// published reports whether a vintage publishes the count.
func (x *Index) published(c cell) bool {
	return slices.ContainsFunc(x.counts, func(counts map[string]published.Cell) bool {
		var sum int64
		for _, key := range c.keys {
			one, ok := counts[key]
			if !ok || one.Withheld {
				return false
			}
			sum += one.Value
		}
		return sum == c.value
	})
}

// Kept reads the forms that a bundle keeps beside its tables. A bundle that was published before there were such has none.
func (x *Index) Kept(ctx context.Context, from bundle.Source, b *bundle.Bundle) (found []attack.Finding, err error) {
	for _, f := range b.Manifest.Files {
		read, err := x.reader(f.Path, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if read == nil {
			continue
		}
		body, err := from.Read(ctx, f.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		cells, err := read(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		found = append(found, x.compare(b.Name(), f.Path, cells)...)
	}
	return found, nil
}

// reader is that of a file of a bundle; nil of one that is no other form of the tables.
func (x *Index) reader(file string, b *bundle.Bundle) (func([]byte) ([]cell, error), error) {
	suffix := path.Ext(file)
	switch name := path.Base(file); {
	case strings.HasPrefix(file, bundle.FormatsPath):
		id, suffix, _ := strings.Cut(name, ".")
		i := slices.IndexFunc(b.Tables, func(t bundle.Table) bool { return t.ID == id })
		read, known := bySuffix[suffix]
		if i < 0 || !known {
			return nil, errForm
		}
		return func(body []byte) ([]cell, error) { return read(body, &b.Tables[i]) }, nil
	case strings.HasPrefix(file, bundle.ObservationsPath) && suffix == ".csv":
		return x.readCSV, nil
	case strings.HasPrefix(file, bundle.ObservationsPath) && suffix == ".xml":
		return x.readML, nil
	case strings.HasPrefix(file, bundle.ObservationsPath):
		return nil, errForm
	case strings.HasPrefix(file, bundle.BulletinPath):
		return x.documents()[suffix], nil
	}
	return nil, nil
}
