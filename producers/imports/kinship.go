package imports

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"retorno/producers/importer"
)

// row is a good row of the file: the id that its record would get, and what makes it alike to others.
type row struct {
	id uuid.UUID
	traits
	source string // of a file of rejected rows: where the row stood at first
}

// rows are the file's good rows, in its order.
type rows []row

// prints are the prints of the file's good rows.
type prints map[uint64]bool

func (p *Plan) rows(ctx context.Context) (rows, prints, error) {
	out, printed := make(rows, 0, p.file.Summary.Accepted), prints{}
	err := p.file.Each(ctx, func(row importer.Row) error {
		if row.Record == nil {
			return nil
		}
		id, err := uuid.Parse(row.Record.GetRecordId())
		out, printed[row.Print] = append(out, newRow(id, row)), true
		return err
	})
	p.prints = smallest(slices.Collect(maps.Keys(printed)))
	p.shape = out.shape()
	return out, printed, err
}

func newRow(id uuid.UUID, r importer.Row) row { return row{id, traitsOf(r.Record), r.Origin.Source} }

func smallest(of []uint64) []uint64 {
	slices.Sort(of)
	return of[:min(len(of), mostPrints)]
}

const (
	// mostPrints is how many prints of a file are kept.
	mostPrints = 64
	// samePrints is the share of them from which on a file is taken for the same one.
	samePrints = 0.8
)

// among is how many of the prints that an import kept stand in the file, as a share; 0 where it kept few.
func (all prints) among(kept []uint64) float64 {
	const few = 3 // rows without a time may be alike in what is printed
	if len(kept) < few {
		return 0
	}
	n := 0
	for _, print := range kept {
		if all[print] {
			n++
		}
	}
	return float64(n) / float64(len(kept))
}

// kinship is how a file and an earlier import compare.
type kinship struct {
	h      *history
	same   int // records that both have
	within int // records that count and lie within the file's days
	absent int // of those, the ones that the file lacks
	like   int // of those, the ones with a row in the file that is like them and no record of the import
	prints float64
	alike  int       // records that are those of the file but for one group of cells, in every row
	but    [2]string // what that group is called, in Spanish and English
}

func (p *Plan) compare(rows rows, h *history) kinship {
	k := kinship{h: h}
	free := map[dated]int{} // rows that the import lacks, by likeness
	for i, found := range match(rows, h, map[string]*history{h.Source: h}).found {
		if found != nil {
			k.same++
		} else {
			free[rows[i].like()]++
		}
	}
	for _, s := range h.records {
		if s.void || !p.during(s) {
			continue
		}
		if k.within++; s.inFile {
			continue
		}
		k.absent++
		if like := s.like(); free[like] > 0 {
			free[like]--
			k.like++
		}
	}
	if k.absent > 0 || k.within == 0 {
		k.recast(rows)
	}
	return k
}

// kin weighs a kinship against that of another import: rows that are the same count twice.
func (k kinship) kin() int { return 2*k.same + max(k.like, k.alike-k.same) }

// during reports whether a record lies on a day from the first of the file's to its last.
func (p *Plan) during(s *state) bool {
	day := s.day.String()
	return p.file.Summary.First <= day && day <= p.file.Summary.Last
}

// question asks what a file is to the import that it repeats, and tells what it would do in the place of that one. The error is a
// *ReplacesError, or that of the cluster.
func (p *Plan) question(ctx context.Context, k kinship, rows rows, before map[string]*history) error {
	e := &ReplacesError{Import: k.h.Import, Same: k.same, Like: k.like, Absent: k.absent, New: len(rows) - k.same, First: p.file.Summary.First, Last: p.file.Summary.Last}
	if k.alike > 0 && !k.related(len(rows)) {
		e.Like, e.But = max(0, k.alike-k.same), k.but
		e.Absent = max(e.Absent, e.Like)
	}
	if err := p.place(ctx, match(rows, k.h, before), k.h, before, Options{Replace: k.h.Source}); err != nil {
		return err
	}
	e.Revised, e.Voided, e.OtherDays = p.Revised, p.Voided, p.OtherDays
	return e
}

// related reports whether the file repeats the import or corrects it: of the smaller one of both four fifths of the rows
// stand in the other, unchanged or changed in some cell, or of the larger one half. Fewer may be alike by chance. So
// does a file whose rows were the same before they were read under other settings.
func (k kinship) related(rows int) bool {
	both := k.same + k.like
	return k.prints > samePrints && k.h.Counted > 0 || both > 0 && (5*both >= 4*min(max(k.within, k.same), rows) || 2*both >= max(k.within, rows))
}
