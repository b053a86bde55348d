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
//   - Rows are numbered by the caller (see producers/imports), rejected rows with the others: they stand as missing in the
//     account of sources until they are mended, in the file or in the file of rejected rows, which carries source and
//     number along.
//   - A file that the caller does not name is called after its system and the hash of its first good row.
//   - Documents become person keys here, birth dates become ages, names and everything else unknown is dropped. A document
//     under which rows of the file show several people, by sex or age, gives none of them a key.
//
// What it never does: guess. Where a bare "M" may be man or woman, 03/04 may be March, 15/06/14 the year 2015, "La Ceiba" an
// airport or a port, department 5 Cortés or Copán, it looks for proof in the file, else refuses and says which setting decides.
//
// Assumptions, all of them visible in the data: a day without a time is noon in Honduras, and of help, which follows
// arrival, the last second of the day; times of a column that are all midnights at another offset than Honduras's are days
// (where only many are, or all look like midnights of a zone that is not written, it asks); a
// two-digit year of an event is 20yy, of a birth the latest that is not after the event; free-text education, occupation and company that
// no synonym knows are not stated (counted in a warning). A row that is corrected after it was accepted gets another id here; whose revision
// it is, the caller says (see producers/imports).
// A mended row that becomes equal to an accepted one, when imported from the file of rejected rows, is that same record.
//
// Nothing leaves before the whole file is read: records wait in a temporary file without a name, which holds what Kafka
// will hold and nothing else. Memory is a hash of eight bytes for each distinct row (some 40 bytes with the map), and the
// faults of rejected rows.
package importer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"retorno/schemas/events"
)

// Row is one data row of a file that was read.
type Row struct {
	// Line is where it begins, from 1.
	Line int
	// Record is what it says: with its id, revision 1 and the row's number in the file, under the file's own source. Nil:
	// the row is rejected.
	Record *events.Record
	// Print tells rows of files apart whatever the settings under which they are read: 64 bits of the hash of those cells, as
	// they came, that say when, where, of which sex and age, and concern no person otherwise.
	Print uint64
	// Origin is the place that a row of a file of rejected rows had at first; else zero.
	Origin Place
}

// Place is a number in the account of a source.
type Place struct {
	Source string // source_id
	Seq    uint64 // source_seq, from 1
}

// File is an export that was read: every row in its account, nothing sent. Close it.
type File struct {
	// Summary is the account of its rows.
	Summary Summary
	// Source is the source_id for a file that is not known: "import-" and what the caller called it, else system and hash.
	Source string
	// Mended reports whether this is a file of rejected rows, each of which has its Origin.
	Mended bool

	input   io.ReadSeeker
	dialect *dialect
	spool   *spool
	refused []refusal
}

// refusal is a rejected row.
type refusal struct {
	line   int
	origin Place
	faults []fault
}

// Read reads the export called name from r. The file is read three times, so r should be an io.ReadSeeker; anything
// else is held in memory up to MaxBuffer. The caller keeps r until it closes the File.
//
// Errors: *FileError when the file as a whole cannot be read as what it is said to be; the error of r, of the temporary
// file, or of ctx. The File is not nil in any case, and its Summary filled as far as the work went.
func Read(ctx context.Context, cfg Config, name string, r io.Reader) (*File, error) {
	f := &File{Summary: Summary{File: name, Kind: cfg.Kind, System: cfg.system(), RejectedBy: map[string]int{}}}
	err := f.read(ctx, cfg, r)
	if err != nil && !errors.As(err, new(*invalidSetting)) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return f, err
}

func (f *File) read(ctx context.Context, cfg Config, r io.Reader) (err error) {
	if err := cfg.Validate(); err != nil {
		return &invalidSetting{err}
	}
	if f.input, err = seekable(r, cfg.maxBuffer()); err != nil {
		return err
	}
	var book *workbook
	if f.input, book, err = unpacked(cfg, f.input); err != nil {
		return err
	}
	if book != nil {
		cfg.Delimiter, cfg.Charset = sheetDelimiter, charsetUTF8
	}
	if f.dialect, err = survey(ctx, cfg, f.input); err != nil {
		return err
	}
	f.dialect.note(book)
	d, sum := f.dialect, &f.Summary
	sum.Charset, sum.Delimiter, sum.Columns = cmp.Or(d.form, d.charset), string(d.delimiter), d.header.taken()
	sum.DateOrders = d.dateOrders()
	for _, w := range d.warnings {
		sum.warn(w)
	}
	if f.spool, err = newSpool(); err != nil {
		return err
	}
	p := pass{ctx: ctx, cfg: cfg, file: f, alike: map[uint64]uint32{}, taken: map[Place]bool{}, people: map[uint64]*personEvidence{}}
	if err := p.run(); err != nil {
		return err
	}
	if err := p.unlink(); err != nil {
		return err
	}
	f.Mended, f.Source = d.header.rejected(), p.sourceID()
	sum.Source = f.Source
	if f.Mended && len(p.origins) > 0 {
		sum.Source = slices.Min(slices.Collect(maps.Keys(p.origins)))
	}
	return f.spool.flush()
}

// invalidSetting is an error of Config.Validate, which names what to change without the file's help.
type invalidSetting struct{ error }

func (e *invalidSetting) Unwrap() error { return e.error }

// Close removes the temporary file.
func (f *File) Close() error {
	if f.spool == nil {
		return nil
	}
	return f.spool.close()
}

// Each calls fn with every data row, in file order. An error of fn ends it and comes back with the row's line.
func (f *File) Each(ctx context.Context, fn func(Row) error) error {
	refused := f.refused
	return f.spool.each(func(line int, print uint64, record *events.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		row := Row{Line: line, Print: print, Record: record}
		switch {
		case record == nil:
			row.Origin, refused = refused[0].origin, refused[1:]
		case f.Mended:
			row.Origin = Place{record.GetSourceId(), record.GetSourceSeq()}
		default:
			record.SourceId = f.Source
		}
		if err := fn(row); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		return nil
	})
}

// WriteRejected writes the rejected rows as CSV, as they stand in the file and with their reasons. places are the places
// that they keep until they are mended, in file order.
func (f *File) WriteRejected(w io.Writer, places []Place) error {
	if len(f.refused) == 0 {
		return nil
	}
	out := newRejectedWriter(w, f.dialect)
	rows, err := f.dialect.open(f.input)
	if err != nil {
		return err
	}
	for i := 0; i < len(f.refused); {
		row, err := rows.next()
		if err != nil {
			return fmt.Errorf("read the rejected row of line %d again: %w", f.refused[i].line, err)
		}
		if row.line != f.refused[i].line {
			continue
		}
		if err := out.write(row, places[i], f.refused[i].faults); err != nil {
			return fmt.Errorf("write the rejected row of line %d: %w", row.line, err)
		}
		i++
	}
	return out.flush()
}

// Places are the places of the rejected rows, in file order, when nothing is known of the file: numbers as rows stand in it.
func (f *File) Places(ctx context.Context) ([]Place, error) {
	var places []Place
	seq := uint64(0)
	err := f.Each(ctx, func(row Row) error {
		seq++
		switch {
		case row.Record == nil && f.Mended:
			places = append(places, row.Origin)
		case row.Record == nil:
			places = append(places, Place{f.Source, seq})
		}
		return nil
	})
	return places, err
}

// Import reads the export called name as one that nothing is known of, and gives each good row to sink as an event, in
// file order. Rejected rows go to rejected as CSV (nil: they are only counted). Errors are those of Read, or of sink,
// rejected or ctx. Rows are numbered as they stand in the file.
func Import(ctx context.Context, cfg Config, name string, r io.Reader, sink func(*events.Envelope) error, rejected io.Writer) (Summary, error) {
	f, err := Read(ctx, cfg, name, r)
	if err == nil {
		err = f.deliver(ctx, cfg, sink, rejected)
	}
	return f.Summary, errors.Join(err, f.Close())
}

func (f *File) deliver(ctx context.Context, cfg Config, sink func(*events.Envelope) error, rejected io.Writer) error {
	err := f.Each(ctx, func(row Row) error {
		if row.Record == nil || cfg.DryRun {
			return nil
		}
		return sink(&events.Envelope{Record: row.Record})
	})
	if err == nil && rejected != nil {
		var places []Place
		if places, err = f.Places(ctx); err == nil {
			err = f.WriteRejected(rejected, places)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Summary.File, err)
	}
	return nil
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
