package imports

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"retorno/producers/importer"
	"retorno/schemas/calendar"
)

// rows are the ids of the file's good rows, with what makes them alike to others.
type rows map[uuid.UUID]traits

// prints are the prints of the file's good rows.
type prints map[uint64]bool

func (p *Plan) rows(ctx context.Context) (rows, prints, error) {
	out, printed := rows{}, prints{}
	err := p.file.Each(ctx, func(row importer.Row) error {
		if row.Record == nil {
			return nil
		}
		id, err := uuid.Parse(row.Record.GetRecordId())
		out[id], printed[row.Print] = traitsOf(row.Record), true
		return err
	})
	p.prints = smallest(slices.Collect(maps.Keys(printed)))
	p.shape = out.shape()
	return out, printed, err
}

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
	alike  int // records that are those of the file but for one group of cells, in every row
	but    int // that group, one of groups
}

func (p *Plan) compare(rows rows, h *history) kinship {
	k := kinship{h: h}
	free := map[uint64]int{} // rows that the import lacks, by likeness
	for id, like := range rows {
		if s := h.records[id]; s != nil {
			s.inFile = true
			k.same++
		} else {
			free[like.like]++
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
		if free[s.like] > 0 {
			free[s.like]--
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

// question asks what a file is to the import that it repeats.
func (p *Plan) question(k kinship, rows int) *ReplacesError {
	e := &ReplacesError{Import: k.h.Import, Same: k.same, Like: k.like, Absent: k.absent, New: rows - k.same, First: p.file.Summary.First, Last: p.file.Summary.Last}
	if k.alike > 0 && !k.related(rows) {
		e.Like, e.But = max(0, k.alike-k.same), groups[k.but].name
		e.Absent = max(e.Absent, e.Like)
	}
	for _, s := range k.h.records {
		if s.void || s.inFile {
			continue
		}
		if e.Voided++; !p.during(s) {
			e.OtherDays++
		}
	}
	return e
}

// related reports whether the file repeats the import or corrects it: of the smaller one of both four fifths of the rows
// stand in the other, unchanged or changed in some cell, or of the larger one half. Fewer may be alike by chance. So
// does a file whose rows were the same before they were read under other settings.
func (k kinship) related(rows int) bool {
	both := k.same + k.like
	return k.prints > samePrints && k.h.Counted > 0 || both > 0 && (5*both >= 4*min(max(k.within, k.same), rows) || 2*both >= max(k.within, rows))
}

// dated is a trait on a day.
type dated struct {
	day  calendar.Day
	mark uint64
}

// shape are the smallest prints of the rows that stand apart from all others, with their days counted from the file's first:
// by them the file is known whose days were all moved. None where most rows are like others, as files of different people
// then are, too.
func (r rows) shape() []uint64 {
	first, _ := r.span()
	count := map[uint64]int{}
	for _, t := range r {
		count[t.shape(first)]++
	}
	var out []uint64
	for print, n := range count {
		if n == 1 {
			out = append(out, print)
		}
	}
	if 2*len(out) < len(r) {
		return nil
	}
	return smallest(out)
}

func (t traits) shape(first calendar.Day) uint64 {
	return t.without[moved] ^ uint64(t.day-first)*0x9E3779B97F4A7C15
}

// shapes are the prints that shape chooses from.
func (r rows) shapes() prints {
	first, _ := r.span()
	out := prints{}
	for _, t := range r {
		out[t.shape(first)] = true
	}
	return out
}

// span are the first and last day.
func (r rows) span() (first, last calendar.Day) {
	begun := false
	for _, t := range r {
		if !begun {
			first, last, begun = t.day, t.day, true
		}
		first, last = min(first, t.day), max(last, t.day)
	}
	return first, last
}

// recast looks whether the file is the import with one group of cells otherwise in every row.
func (k *kinship) recast(file rows) {
	counted := rows{}
	for id, s := range k.h.records {
		if !s.void {
			counted[id] = s.traits
		}
	}
	first, last := file.span()
	from, to := counted.span()
	for group := range groups {
		shifts, all := []calendar.Day{0}, counted
		if group == moved {
			shifts = []calendar.Day{from - first, to - last}
		} else {
			all = counted.during(first, last)
		}
		for _, shift := range shifts {
			if n := alike(file, all, group, shift); n > k.alike {
				k.alike, k.but = n, group
			}
		}
	}
}

func (r rows) during(first, last calendar.Day) rows {
	out := rows{}
	for id, t := range r {
		if first <= t.day && t.day <= last {
			out[id] = t
		}
	}
	return out
}

// alike is how many rows of a file are those of an import but for a group, with days that lie so many days before; 0 where
// it may be by chance. It is none where four fifths of the fewer rows are alike and half of the more, but rows of the next days
// are so, too: a column that says little makes rows of different people alike.
func alike(file, counted rows, group int, shift calendar.Day) int {
	const few = 3
	times, next := map[dated]int{}, map[calendar.Day]calendar.Day{}
	for _, t := range file {
		times[dated{t.day, t.without[group]}]++
		next[t.day] = t.day
	}
	days, most := slices.Sorted(maps.Keys(next)), few // rows that say the same prove nothing
	if len(days) == 1 {
		most = 1
	}
	match := func(later int) (n int) {
		for i, day := range days {
			next[day] = days[(i+later)%len(days)]
		}
		left := map[dated]int{}
		for at, n := range times {
			if n <= most {
				left[at] = n
			}
		}
		for _, t := range counted {
			day, held := next[t.day-shift]
			if at := (dated{day, t.without[group]}); held && left[at] > 0 {
				left[at]--
				n++
			}
		}
		return n
	}
	n, fewer, more := match(0), min(len(file), len(counted)), max(len(file), len(counted))
	if n < few || 5*n < 4*fewer || 2*n < more || len(days) > 1 && 2*max(match(1), match(len(days)-1)) > n {
		return 0
	}
	return n
}
