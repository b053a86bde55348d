package importer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"retorno/schemas/events"
)

// pass is the last reading, in which rows become records.
type pass struct {
	ctx  context.Context
	cfg  Config
	file *File

	number  uint64            // data rows so far
	alike   map[uint64]uint32 // how often a content came so far, by 64 bits of its hash
	taken   map[Place]bool    // places seen in a file of rejected rows
	origins map[string]bool   // their sources

	people map[uint64]*personEvidence // by 64 bits of their key

	name  *rowHash // content of the first good row
	ruins rowHash  // what rows say that concerns no person, while no row is good
}

func (p *pass) run() error {
	rows, err := p.file.dialect.open(p.file.input)
	if err != nil {
		return err
	}
	sum := &p.file.Summary
	for {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", rows.line, err)
		}
		sum.Read++
		sum.Lines = rows.line
		if p.cfg.Progress != nil {
			p.cfg.Progress(sum.Read)
		}
		if err := p.convert(row); err != nil {
			return err
		}
	}
}

// convert puts one row into its account.
func (p *pass) convert(row row) error {
	sum := &p.file.Summary
	switch p.file.dialect.sort(row) {
	case rowBlank:
		sum.Blank++
		return nil
	case rowHeader:
		sum.Headers++
		return nil
	case rowNote:
		sum.Notes++
		sum.warn(Warning{Code: "note_skipped", Line: row.line})
		return nil
	}
	p.number++
	c := conversion{cfg: p.cfg, dialect: p.file.dialect, row: row}
	record := c.convert()
	place := Place{"import-" + p.cfg.system(), p.number}
	var origin Place
	if c.mended() {
		origin = p.origin(&c)
		place = origin
	}
	repeated := false
	if len(c.faults) == 0 {
		repeated = p.identify(record, place)
		c.check(record)
	}
	if len(c.faults) > 0 {
		p.ruin(row)
		return p.reject(row, origin, c.faults)
	}
	if repeated {
		sum.Alike++
	}
	p.notePerson(record, &c)
	return p.accept(record, row, &c)
}

// origin is the place that a row of a file of rejected rows had.
func (p *pass) origin(c *conversion) Place {
	source, seq := c.origin()
	at := Place{source, seq}
	if seq != 0 && p.taken[at] {
		c.fault("", "repeated_row_number", fmt.Sprint(seq))
	}
	p.taken[at] = true
	if p.origins == nil {
		p.origins = map[string]bool{}
	}
	p.origins[source] = true
	return at
}

// identify gives the record its ids, and reports whether its content came before.
func (p *pass) identify(record *events.Record, at Place) (repeated bool) {
	hash := contentHash(p.cfg.system(), record)
	if p.name == nil {
		p.name = &hash
	}
	n := p.alike[hash.short()] + 1
	p.alike[hash.short()] = n
	record.RecordId = hash.recordID(record.GetEventTimeMs(), n)
	record.Revision = 1
	record.SourceId, record.SourceSeq = at.Source, at.Seq
	record.SchemaVersion = events.SchemaVersion
	return n > 1
}

func (p *pass) accept(record *events.Record, row row, c *conversion) error {
	if int64(len(p.alike)) > p.cfg.maxRows() {
		return fileError("too_many_rows", p.cfg.maxRows())
	}
	sum := &p.file.Summary
	sum.Accepted++
	sum.linked(record)
	for _, w := range c.warnings {
		sum.warn(w)
	}
	return p.file.spool.add(row.line, p.file.dialect.header.print(row), record)
}

func (p *pass) reject(row row, origin Place, faults []fault) error {
	sum := &p.file.Summary
	sum.Rejected++
	sum.RejectedBy[faults[0].code]++
	p.file.refused = append(p.file.refused, refusal{line: row.line, origin: origin, faults: faults})
	return p.file.spool.add(row.line, 0, nil)
}
