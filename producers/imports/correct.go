package imports

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"retorno/producers/importer"
	"retorno/schemas/events"
)

const (
	// mostBetween is how many rows without a record, or records without a row, may stand between two neighbours so that they are compared.
	mostBetween = 8
	// mostDiffer is how many cells a correction changes where nothing but the place in the file tells whose row it is,
	// and cellsEach of how many that are stated one may differ.
	mostDiffer, cellsEach = 2, 4
)

// correction pairs rows that no record says with records that no row says, where the row is the record's after a correction of
// some cells. It never pairs a row with a record of another person key or kind: a revision stays where its record is.
type correction struct {
	*matching
	h      *history
	gone   []*state // records that count and that the file lacks, by place
	record map[int]*state
}

// correct pairs in this sequence, and one to one: a row that says what its record said before it was corrected; the only row of a
// person key with the only record of it; rows with records that stand between the same two neighbours and differ in few cells.
func (p *Plan) correct(ctx context.Context, m *matching, h *history, o Options) (map[int]*state, error) {
	c := &correction{matching: m, h: h, record: map[int]*state{}}
	for _, s := range h.records {
		if !s.void && !s.inFile && (!o.OwnDays || p.during(s)) {
			c.gone = append(c.gone, s)
		}
	}
	slices.SortFunc(c.gone, byPlace)
	c.byID()
	c.byPerson()
	return c.record, p.between(ctx, c)
}

func (c *correction) pair(i int, s *state) {
	s.inFile, c.record[i] = true, s
}

// open are the rows without a record, in the file's order, and the records without a row, in theirs.
func (c *correction) open() (rows []int, gone []*state) {
	for i, s := range c.found {
		if s == nil && c.record[i] == nil {
			rows = append(rows, i)
		}
	}
	return rows, slices.DeleteFunc(slices.Clone(c.gone), func(s *state) bool { return s.inFile })
}

func (c *correction) byID() {
	gone := map[uuid.UUID]*state{}
	for _, s := range c.gone {
		gone[s.id] = s
	}
	rows, _ := c.open()
	for _, i := range rows {
		if s := gone[c.rows[i].id]; s != nil && s.person() == c.rows[i].person() {
			c.pair(i, s)
		}
	}
}

// person is whose record of which kind.
type person struct {
	key  uint64
	kind byte
}

func (t *traits) person() person { return person{t.said[partKey], t.kind} }

func (c *correction) byPerson() {
	type of struct {
		rows []int
		gone []*state
	}
	people := map[person]*of{}
	rows, gone := c.open()
	for _, s := range gone {
		if s.linked {
			if people[s.person()] == nil {
				people[s.person()] = &of{}
			}
			people[s.person()].gone = append(people[s.person()].gone, s)
		}
	}
	for _, i := range rows {
		if of := people[c.rows[i].person()]; of != nil {
			of.rows = append(of.rows, i)
		}
	}
	for _, of := range people {
		if len(of.rows) == 1 && len(of.gone) == 1 {
			c.pair(of.rows[0], of.gone[0])
		}
	}
}

// gap is what stands between two neighbours: rows in the file, records in the import.
type gap struct {
	rows []int
	gone []*state
}

// gaps are those that hold both, and few of each. Neighbours are rows that have a record of the import, and stand next to each other
// in the import, too, in whichever direction: a file may be sorted the other way round.
func (c *correction) gaps() (all []gap) {
	rank, between := c.ranks()
	last := len(rank)
	if last == 0 {
		return nil
	}
	before, run := 0, []int(nil) // the neighbour before; 0: the file's beginning
	end := func(after int) {     // 0: the file's end
		if at, ok := gapOf(before, after, last); ok && len(run) > 0 && len(run) <= mostBetween {
			if gone := between[at]; len(gone) > 0 && len(gone) <= mostBetween {
				all = append(all, gap{run, gone})
			}
		}
		before, run = after, nil
	}
	for i := range c.rows {
		s := c.found[i]
		if s == nil {
			s = c.record[i]
		}
		switch {
		case s == nil:
			run = append(run, i)
		case rank[s] > 0:
			end(rank[s])
		}
	}
	end(0)
	return all
}

// ranks are, from 1, the records that rows have, by place, and the ones without a row by how many of those come before them.
func (c *correction) ranks() (rank map[*state]int, between map[int][]*state) {
	var counted []*state
	for _, s := range c.h.records {
		if !s.void {
			counted = append(counted, s)
		}
	}
	slices.SortFunc(counted, byPlace)
	rank, between = map[*state]int{}, map[int][]*state{}
	for _, s := range counted {
		if s.inFile {
			rank[s] = len(rank) + 1
		} else {
			between[len(rank)] = append(between[len(rank)], s)
		}
	}
	return rank, between
}

// gapOf is how many neighbours come before the gap between two; 0 stands for the file's beginning or end.
func gapOf(before, after, last int) (int, bool) {
	switch {
	case before == 0:
		if after == 1 {
			return 0, true
		}
		return last, after == last // newest first
	case after == 0:
		if before == last {
			return last, true
		}
		return 0, before == 1
	case before-after == 1 || after-before == 1:
		return min(before, after), true
	}
	return 0, false
}

// between pairs the rows of gaps with records that differ in few cells, where a row has one such record and that one no other such row.
func (p *Plan) between(ctx context.Context, c *correction) error {
	if rows, gone := c.open(); len(rows) == 0 || len(gone) == 0 {
		return nil
	}
	gaps := c.gaps()
	if len(gaps) == 0 {
		return nil
	}
	rows, err := p.recordsOf(ctx, gaps)
	if err != nil {
		return err
	}
	gone, err := p.cluster.recordsOf(ctx, c.h, gaps)
	if err != nil {
		return err
	}
	for _, g := range gaps {
		g.gone = slices.DeleteFunc(g.gone, func(s *state) bool { return gone[s.id] == nil })
		only := func(i int) (one *state) { // the only record that is near to a row
			for _, s := range g.gone {
				if near(rows[i], gone[s.id]) {
					if one != nil {
						return nil
					}
					one = s
				}
			}
			return one
		}
		for _, i := range g.rows {
			s := only(i)
			if s != nil && !slices.ContainsFunc(g.rows, func(other int) bool { return other != i && near(rows[other], gone[s.id]) }) {
				c.pair(i, s)
			}
		}
	}
	return nil
}

// recordsOf are the records that the rows of gaps would make, by row.
func (p *Plan) recordsOf(ctx context.Context, gaps []gap) (map[int]*events.Record, error) {
	out := map[int]*events.Record{}
	for _, g := range gaps {
		for _, i := range g.rows {
			out[i] = nil
		}
	}
	i := -1
	err := p.file.Each(ctx, func(row importer.Row) error {
		if row.Record == nil {
			return nil
		}
		i++
		if _, wanted := out[i]; wanted {
			out[i] = row.Record
		}
		return nil
	})
	return out, err
}

// recordsOf are the records of gaps as they count, from the logs.
func (c *Cluster) recordsOf(ctx context.Context, h *history, gaps []gap) (map[uuid.UUID]*events.Record, error) {
	wanted, out := map[string]*state{}, map[uuid.UUID]*events.Record{}
	for _, g := range gaps {
		for _, s := range g.gone {
			wanted[s.id.String()] = s
		}
	}
	for _, span := range merged(h.Spans) {
		err := c.read(ctx, topic(h.Kind), span, func(r *events.Record) error {
			if s := wanted[r.GetRecordId()]; s != nil && r.GetSourceId() == h.Source && r.GetRevision() == s.revision {
				out[s.id] = r
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// near reports whether two records of one person key and kind differ in few cells, and in one at most of time, sex and age: where
// two of these differ it may be another person. A municipality and its department are one cell.
func near(a, b *events.Record) bool {
	if a.GetPersonKey() != b.GetPersonKey() || kindOf(a) != kindOf(b) {
		return false
	}
	fields, stated := importer.Differ(a, b)
	cells, person := map[string]bool{}, 0
	for _, field := range fields {
		switch field {
		case "event_time_ms", "sex", "age":
			person++
		}
		cells[strings.Replace(field, "municipality", "department", 1)] = true
	}
	return person <= 1 && len(cells) <= mostDiffer && cellsEach*len(cells) <= stated
}
