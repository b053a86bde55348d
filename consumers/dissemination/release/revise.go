package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/consumers/dissemination/revision"
	"retorno/schemas/calendar"
)

// earlier is a vintage before: the newest, or, in its chain, one that it can be compared with.
type earlier struct {
	id        uuid.UUID
	number    uint64
	method    uint8
	codeLists string
	positions []Position
	public    *bundle.Bundle   // nil where it has no public form
	all       []*bundle.Bundle // of all vintages of the period that have one
	chain     []*earlier       // the final vintage and its revisions that are public, the newest last
	events    []lattice.Data   // none where they were not kept
}

// before reads the newest vintage of the period; nil when there is none. A revision needs its chain.
func before(ctx context.Context, conn Conn, o Order) (*earlier, error) {
	var list []*earlier
	err := each(ctx, conn, `SELECT id, vintage, method_version, code_lists, topics, kafka_partitions, next_offsets, arrayResize(logs, length(topics))
		FROM ceniss.publications WHERE period = ? ORDER BY vintage`, func(rows driver.Rows) error {
		e := &earlier{}
		var topics []string
		var partitions, logs []uint16
		var next []uint64
		err := rows.Scan(&e.id, &e.number, &e.method, &e.codeLists, &topics, &partitions, &next, &logs)
		for i := range topics {
			e.positions = append(e.positions, Position{Topic: topics[i], Partition: partitions[i], NextOffset: next[i], log: logs[i]})
		}
		list = append(list, e)
		return err
	}, o.Period.Label)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	newest := list[len(list)-1]
	if newest.all, err = publicForms(ctx, conn, o.Period); err != nil {
		return nil, err
	}
	for _, e := range list {
		for _, b := range newest.all {
			if b.Manifest.Vintage == e.number {
				e.public = b
			}
		}
		inChain := o.Status == Revision && e.public != nil && e.public.Manifest.Rounded <= 1
		if !inChain && e != newest {
			continue
		}
		if e.events, err = kept(ctx, conn, e.id); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(e.events, func(d lattice.Data) bool { return len(d.Rows) > 0 }) {
			e.events = nil
		}
		if inChain && e.events != nil {
			newest.chain = append(newest.chain, e)
		}
	}
	return newest, nil
}

// publicForms are those of all vintages of a period.
func publicForms(ctx context.Context, conn Conn, period calendar.Period) (all []*bundle.Bundle, err error) {
	files := map[uuid.UUID]bundle.Files{}
	err = each(ctx, conn, "SELECT publication, path, body FROM ceniss.released_files WHERE publication IN (SELECT id FROM ceniss.publications WHERE period = ?)", func(rows driver.Rows) error {
		var of uuid.UUID
		var path, body string
		err := rows.Scan(&of, &path, &body)
		if files[of] == nil {
			files[of] = bundle.Files{}
		}
		files[of][path] = []byte(body)
		return err
	}, period.Label)
	if err != nil {
		return nil, err
	}
	for of, f := range files {
		b, err := bundle.Open(ctx, f, nil)
		if err != nil {
			return nil, fmt.Errorf("the public form of %s is not what was published: %w", of, err)
		}
		all = append(all, b)
	}
	return all, nil
}

// lattice is the one that a vintage after this one has: a revision corrects the tables of the vintage before it, by the rules of those.
func (e *earlier) lattice(o Order, configured *lattice.Lattice) (*lattice.Lattice, error) {
	if e == nil || e.public == nil || o.Status != Revision {
		return configured, nil
	}
	return lattice.Parse("of the vintage before", e.public.Lattice)
}

// changes are what the period gained and lost since the vintage before, by reason.
func (p *Publication) changes(ctx context.Context, conn Conn, e *earlier, now []lattice.Data) (map[revision.Reason][]revision.Diff, error) {
	diffs := revision.Compare(e.events, now)
	persons, records := revision.Persons(diffs)
	facts := revision.Facts{Method: e.method != uint8(p.MethodVersion), CodeSet: e.codeLists != codeLists()}
	for column, names := range map[string][]string{"person": persons, "record_id": records} {
		for part := range slices.Chunk(names, 5000) {
			if err := p.factsOf(ctx, conn, e, column, part, &facts); err != nil {
				return nil, fmt.Errorf("read why it changed: %w", err)
			}
		}
	}
	return revision.Explain(diffs, facts.Reasons(diffs)), nil
}

// factsOf reads every revision of records of these persons, or of these records.
func (p *Publication) factsOf(ctx context.Context, conn Conn, e *earlier, column string, names []string, facts *revision.Facts) error {
	return each(ctx, conn, `SELECT toString(person), toString(record_id), version, revision, void_reason != '', kafka_partition, place FROM retorno.facts
		WHERE `+column+` IN (SELECT toUUID(arrayJoin(?)))`, func(rows driver.Rows) error {
		var f revision.Fact
		var void uint8
		var partition uint16
		var place uint64
		if err := rows.Scan(&f.Person, &f.Record, &f.Version, &f.Revision, &void, &partition, &place); err != nil {
			return err
		}
		f.Void, f.Then, f.Now = void == 1, holds(e.positions, partition, place), holds(p.Positions, partition, place)
		facts.All = append(facts.All, f)
		return nil
	}, names)
}

// holds reports whether positions lie after a place.
func holds(positions []Position, partition uint16, place uint64) bool {
	at := ledger.OriginAt(place)
	i := slices.IndexFunc(positions, func(p Position) bool { return p.Topic == at.Topic && p.Partition == partition })
	return i >= 0 && logOffset{uint16(at.Log), uint64(at.Offset)}.before(logOffset{positions[i].log, positions[i].NextOffset})
}

// noteDifferences writes which cells changed since the vintage before.
func (p *Publication) noteDifferences(ctx context.Context, conn Conn, since uint64, all []published.Difference) error {
	if len(all) == 0 {
		return nil
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.published_differences (publication, since, measure, cell, before, after, late, correction, void, method, code_list, other)")
	if err != nil {
		return err
	}
	for _, d := range all {
		measure, cell, _ := strings.Cut(d.Key, "|")
		line := []any{p.ID, since, measure, cell, d.Before, d.After}
		for _, reason := range bundle.Reasons {
			line = append(line, d.By[reason])
		}
		if err := batch.Append(append(line, d.Other)...); err != nil {
			return errors.Join(err, batch.Abort())
		}
	}
	return batch.Send()
}

// revise makes the tables of a revision from those of the vintage before, and from what changed since each vintage that is public.
func (p *Publication) revise(ctx context.Context, conn Conn, c *bundle.Content, l *lattice.Lattice, class lattice.Class, e *earlier, facts []lattice.Data) (map[string]published.Hierarchy, error) {
	if e.events == nil {
		return nil, fmt.Errorf("vintage %d was published by a release that did not keep its events, so that it cannot be revised", e.number)
	}
	tables := e.tables()
	hierarchies, err := l.Joined(p.Period, tables)
	if err != nil {
		return nil, err
	}
	var since []suppress.Since
	for _, v := range e.chain {
		changes, err := p.changes(ctx, conn, v, facts)
		if err != nil {
			return nil, err
		}
		all, err := revision.Changes(l, p.Period, tables, hierarchies, changes)
		if err != nil {
			return nil, err
		}
		since = append(since, suppress.Since{Vintage: v.number, Kept: v.keptCells(), Changes: all})
	}
	r, err := suppress.Revise(tables, hierarchies, since, class.Shows(p.Period), l.Least())
	if err != nil {
		return nil, err
	}
	for i, t := range r.Tables {
		r.Tables[i] = periodFirst(t)
	}
	c.Manifest.Revises, c.Differences, c.Manifest.LeftOut = e.number, r.Differences, e.public.Manifest.LeftOut
	// It withholds what the vintage before withholds, and its counts say less of that: most of them are of that vintage.
	c.Certificate.Audit = e.public.Certificate.Audit
	if c.Certificate.Audit.Of == "" {
		c.Certificate.Audit.Of = e.public.Name()
	}
	p.cover(c, r.Tables)
	c.Certificate.Cells = cellsOf(r.Tables)
	c.Certificate.Withheld = countOf(r.Tables, func(c published.Cell) bool { return c.Withheld })
	c.Certificate.Kept = countOf(r.Tables, func(c published.Cell) bool { return c.Kept })
	c.Tables = titled(l, r.Tables)
	return hierarchies, nil
}

// tables are those of a public vintage as the lattice has them, each count with the vintage that it is of.
func (e *earlier) tables() (all []published.Table) {
	for _, t := range e.public.Tables {
		table := moved(t.Table, "time_period", len(t.Columns)-1)
		for i := range table.Cells {
			if table.Cells[i].Of == 0 {
				table.Cells[i].Of = e.number
			}
		}
		all = append(all, table)
	}
	return all
}

// keptCells are the cells, by key, of which a public vintage shows the count of an earlier one.
func (e *earlier) keptCells() map[string]bool {
	kept := map[string]bool{}
	for _, t := range e.public.Tables {
		for _, c := range t.Cells {
			if c.Kept {
				kept[published.Key(t.Measure, t.Columns, c.Codes)] = true
			}
		}
	}
	return kept
}
