// Package importer turns exports of other systems into events: comma, semicolon, tab or bar, or a sheet of an Excel workbook;
// UTF-8 with or without a byte order mark, UTF-16, Windows-1252 or an old code page; dd/mm/yyyy and ISO dates; names or codes
// of posts in many spellings; titles above the header, repeated headers and HXL tags, blank rows and totals below.
//
// What it promises:
//
//   - Each row ends in exactly one account: accepted, rejected, blank, header or note. A rejected row is handed back
//     whole, with its line, column and reason in Spanish and English; nothing of it is taken.
//   - The same rows give the same bytes. A record_id is made of the event's time and the SHA-256 of the normalised
//     content, so a second import changes nothing. Rows that are alike in everything that is kept are told apart by
//     their order (first, second …), which is part of the hash.
//   - source_seq is the number of the data row in its file, rejected rows counted. A file that has grown at its end
//     repeats the old numbers and goes on; rejected rows stand as missing in the account of sources until they are
//     mended, in the file or in the file of rejected rows, which carries source and row number along.
//   - source_id is "import-" and the name the caller gives the file; else system and the first data row's hash, so that
//     neither renaming nor re-saving nor growing changes it.
//   - Documents become person keys here, birth dates become ages, names and everything else unknown is dropped.
//
// What it never does: guess. Where a bare "M" may be man or woman, 03/04 may be March, "La Ceiba" an airport or a
// port, department 5 Cortés or Copán, it looks for proof in the file, else refuses and says which setting decides.
//
// Assumptions, all of them visible in the data: a day without a time is noon in Honduras, and of help, which follows
// arrival, the last second of the day; a two-digit year of an event
// is 20yy, of a birth the latest that is not after the event; free-text education, occupation and company that no
// synonym knows are not stated (counted in a warning). A row that is corrected after it was accepted is another record:
// the first must be voided at its source. A mended row that becomes equal to an accepted one, when imported from the
// file of rejected rows, is that same record.
//
// It holds one row at a time, and a hash of eight bytes for each distinct row (some 40 bytes of memory with the map). On failure of the sink it stops and says at which
// line; importing again completes the work.
package importer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"retorno/schemas/events"
)

// Import reads the export called name from r and gives each good row to sink as an event, in file order. Rejected rows
// go to rejected as CSV (nil: they are only counted). The file is read three times, so r should be an io.ReadSeeker;
// anything else is held in memory up to MaxBuffer.
//
// Errors: *FileError when the file as a whole cannot be read as what it is said to be, nothing having been sent;
// the error of sink, rejected or ctx otherwise. The Summary is filled as far as the work went.
func Import(ctx context.Context, cfg Config, name string, r io.Reader, sink func(*events.Envelope) error, rejected io.Writer) (Summary, error) {
	sum := Summary{File: name, Kind: cfg.Kind, System: cfg.system(), RejectedBy: map[string]int{}}
	if err := cfg.Validate(); err != nil {
		return sum, err
	}
	file, err := seekable(r, cfg.maxBuffer())
	if err != nil {
		return sum, err
	}
	file, book, err := unpacked(cfg, file)
	if err != nil {
		return sum, fmt.Errorf("%s: %w", name, err)
	}
	if book != nil {
		cfg.Delimiter, cfg.Charset = sheetDelimiter, charsetUTF8
	}
	d, err := survey(ctx, cfg, file)
	if err != nil {
		return sum, fmt.Errorf("%s: %w", name, err)
	}
	d.note(book)
	sum.Charset, sum.Delimiter, sum.Columns = cmp.Or(d.form, d.charset), string(d.delimiter), d.header.taken()
	for _, w := range d.warnings {
		sum.warn(w)
	}
	p := pass{ctx: ctx, cfg: cfg, dialect: d, sum: &sum, sink: sink, alike: map[uint64]uint32{}, taken: map[uint64]bool{}}
	if rejected != nil {
		p.rejected = newRejectedWriter(rejected, d)
	}
	err = p.run(file)
	if p.rejected != nil {
		err = errors.Join(err, p.rejected.flush())
	}
	if err != nil {
		return sum, fmt.Errorf("%s: %w", name, err)
	}
	return sum, nil
}

// seekable returns r as a thing that can be read again.
func seekable(r io.Reader, limit int64) (io.ReadSeeker, error) {
	if s, ok := r.(io.ReadSeeker); ok {
		if _, err := s.Seek(0, io.SeekStart); err == nil {
			return s, nil
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the export: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, fileError("too_large_for_a_pipe", limit)
	}
	return bytes.NewReader(b), nil
}

// pass is the last reading, in which rows become events.
type pass struct {
	ctx      context.Context
	cfg      Config
	dialect  *dialect
	sum      *Summary
	sink     func(*events.Envelope) error
	rejected *rejectedWriter

	source string            // source_id, known from the first data row on
	number uint64            // data rows so far
	alike  map[uint64]uint32 // how often a content came so far, by 64 bits of its hash
	taken  map[uint64]bool   // row numbers seen in a file of rejected rows
}

func (p *pass) run(file io.ReadSeeker) error {
	rows, err := p.dialect.open(file)
	if err != nil {
		return err
	}
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
		p.sum.Read++
		p.sum.Lines = rows.line
		if err := p.convert(row); err != nil {
			return err
		}
	}
}

// convert puts one row into its account.
func (p *pass) convert(row row) error {
	switch p.dialect.sort(row) {
	case rowBlank:
		p.sum.Blank++
		return nil
	case rowHeader:
		p.sum.Headers++
		return nil
	case rowNote:
		p.sum.Notes++
		p.sum.warn(Warning{Code: "note_skipped", Line: row.line})
		return nil
	}
	p.number++
	c := conversion{cfg: p.cfg, dialect: p.dialect, row: row}
	record := c.convert()
	if p.source == "" {
		p.source = p.sourceID(record, row)
	}
	source, seq := p.source, p.number
	if c.mended() {
		source, seq = c.origin()
		if seq != 0 && p.taken[seq] {
			c.fault("", "repeated_row_number", fmt.Sprint(seq))
		}
		p.taken[seq] = true
	}
	if p.sum.Source == "" {
		p.sum.Source = source
	}
	again := false
	if len(c.faults) == 0 {
		again = p.identify(record, source, seq)
		c.check(record)
	}
	if len(c.faults) > 0 {
		return p.reject(row, source, seq, c.faults)
	}
	if again {
		p.sum.Alike++
	}
	return p.accept(record, row, &c)
}

// identify gives the record its ids; again says that its content came before.
func (p *pass) identify(record *events.Record, source string, seq uint64) (again bool) {
	hash := contentHash(p.cfg.system(), record)
	n := p.alike[hash.short()] + 1
	p.alike[hash.short()] = n
	record.RecordId = hash.recordID(record.GetEventTimeMs(), n)
	record.Revision = 1
	record.SourceId, record.SourceSeq = source, seq
	record.SchemaVersion = events.SchemaVersion
	return n > 1
}

func (p *pass) accept(record *events.Record, row row, c *conversion) error {
	if int64(len(p.alike)) > p.cfg.maxRows() {
		return fileError("too_many_rows", p.cfg.maxRows())
	}
	if !p.cfg.DryRun {
		if err := p.sink(&events.Envelope{Record: record}); err != nil {
			return fmt.Errorf("line %d: %w", row.line, err)
		}
	}
	p.sum.Accepted++
	p.sum.linked(record)
	for _, w := range c.warnings {
		p.sum.warn(w)
	}
	return nil
}

func (p *pass) reject(row row, source string, seq uint64, faults []fault) error {
	p.sum.Rejected++
	p.sum.RejectedBy[faults[0].code]++
	if p.rejected == nil {
		return nil
	}
	if err := p.rejected.write(row, source, seq, faults); err != nil {
		return fmt.Errorf("write the rejected row of line %d: %w", row.line, err)
	}
	return nil
}
