package importer

import (
	"context"
	"errors"
	"io"
	"strings"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// headerWithin is how many rows at the top may be titles before the row of column names.
const headerWithin = 40

// dialect is how one file is written, found out by reading all of it once before any row is believed.
type dialect struct {
	kind      string
	form      string // of a file that is no text, "" for text
	charset   string
	bom       int
	delimiter rune
	header    *header

	sexM        string                // what a bare "M" means: "M", "F" or "" when nothing proves it
	dates       map[string]dateColumn // of the fields that hold dates
	times       map[string]*timeEvidence
	departments string // numbering of departments, "" when nothing proves one
	settled     settled
	countries   map[string]*countryColumn    // how each column of countries is written
	sums        map[int]bool                 // lines with nothing but sums of what is above
	halves      map[int]bool                 // lines of short rows that go on in the next, or break off
	cleaned     map[string]map[string]string // cells of each field that were read, and what they state
	warnings    []Warning
}

// Sorts of rows.
type rowSort int

const (
	rowData rowSort = iota
	rowBlank
	rowHeader
	rowNote
)

// open returns the rows of the file from its start.
func (d *dialect) open(file io.ReadSeeker) (*rowReader, error) {
	r, err := decoded(file, d.charset, d.bom)
	if err != nil {
		return nil, err
	}
	rows := newRowReader(r, d.delimiter)
	rows.marked = d.header != nil && d.header.rejected()
	return rows, nil
}

// sort tells data from what is around it: titles above the header, the header and its repetitions, blank rows, and
// rows such as "Total: 345" or "Fuente: …".
func (d *dialect) sort(r row) rowSort {
	switch {
	case r.blank():
		return rowBlank
	case r.fault == "" && isTagRow(r):
		return rowHeader
	case r.line < d.header.line:
		return rowNote
	case r.fault == "" && d.header.same(r):
		return rowHeader
	case r.fault == "" && (d.sums[r.line] || d.isNote(r)):
		return rowNote
	}
	return rowData
}

// survey reads the file twice: its bytes for the character set, its rows for everything else.
func survey(ctx context.Context, cfg Config, file io.ReadSeeker) (*dialect, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	charset, bom, err := charsetOf(cfg, file)
	if err != nil {
		return nil, err
	}
	d := &dialect{kind: cfg.Kind, charset: charset, bom: bom}
	if err := d.findHeader(cfg, file); err != nil {
		return nil, err
	}
	if err := d.header.check(cfg); err != nil {
		return nil, err
	}
	d.warnings = d.header.warnings(cfg)
	if d.settled, err = settle(cfg, d.header); err != nil {
		return nil, err
	}
	return d, d.findProofs(ctx, cfg, file)
}

// findHeader finds delimiter and header together: the pair under which the most columns are known.
func (d *dialect) findHeader(cfg Config, file io.ReadSeeker) error {
	candidates := delimiters
	if cfg.Delimiter != 0 {
		candidates = string(cfg.Delimiter)
	}
	best, found := 0, rune(0)
	var first []string
	for _, delimiter := range candidates {
		d.delimiter = delimiter
		rows, err := d.open(file)
		if err != nil {
			return err
		}
		for n := 0; n < headerWithin; n++ {
			r, err := rows.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if r.fault != "" || codelists.Fold(r.raw) == "" {
				continue
			}
			if first == nil || len(r.cells) > len(first) {
				first = r.cells
			}
			if h, matched := newHeader(cfg, r); matched > best && matched >= min(2, len(r.cells)) {
				best, found, d.header = matched, delimiter, h
			}
		}
	}
	if d.header == nil {
		if first == nil {
			return fileError("empty")
		}
		return fileError("no_header", len(first))
	}
	d.delimiter = found
	return nil
}

// proofs is what the rows say about the file as a whole.
type proofs struct {
	cfg                      Config
	letters                  map[string]bool // letters in the sex column
	dates                    []*dateEvidence // of each column with dates
	times                    map[string]*timeEvidence
	numbersINE, numbersAlpha int // municipalities that lie where one numbering says, and not where the other does
}

func (d *dialect) findProofs(ctx context.Context, cfg Config, file io.ReadSeeker) error {
	rows, err := d.open(file)
	if err != nil {
		return err
	}
	p := newProofs(cfg, d.header)
	h := newHabits(d)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if h.shape(r) == rowData && r.fault == "" {
			p.look(d, r)
			h.look(r)
		}
	}
	h.conclude()
	return d.conclude(cfg, p)
}

func newProofs(cfg Config, h *header) *proofs {
	p := proofs{cfg: cfg, letters: map[string]bool{}, times: map[string]*timeEvidence{}}
	for _, field := range dateFields {
		if _, ok := h.at[field]; ok || cfg.assumed(field) != "" {
			name := h.column(field)
			hint, _ := dateHint(name)
			p.dates = append(p.dates, &dateEvidence{field: field, name: name, hint: hint, numbers: map[calendar.Day]int{}})
		}
	}
	for _, field := range []string{"time", "arrival_time"} {
		p.times[field] = &timeEvidence{}
	}
	return &p
}

func (p *proofs) look(d *dialect, r row) {
	cell := func(field string) string {
		if i, ok := d.header.at[field]; ok && i < len(r.cells) {
			return trimmed(r.cells[i])
		}
		return ""
	}
	if sex := strings.ToUpper(cell("sex")); len(sex) == 1 {
		p.letters[sex] = true
	}
	c := conversion{cfg: p.cfg, dialect: d, row: r}
	for _, e := range p.dates {
		if text := c.text(e.field); text != "" {
			e.look(text, r.line)
		}
	}
	for field, e := range p.times {
		e.look(c.text(field))
	}
	for _, place := range [][2]string{{"department", "municipality"}, {"destination_department", "destination_municipality"}} {
		ine, alpha, bare := departmentNumber(cell(place[0]))
		if !bare || ine == alpha {
			continue
		}
		inINE, inAlpha := liesIn(ine, cell(place[1])), liesIn(alpha, cell(place[1]))
		if inINE && !inAlpha {
			p.numbersINE++
		}
		if inAlpha && !inINE {
			p.numbersAlpha++
		}
	}
}

func liesIn(department, municipality string) bool {
	code, ok := codelists.ResolveMunicipality(department, municipality)
	return ok && code != unknownCode(codelists.Municipality)
}

func (d *dialect) conclude(cfg Config, p *proofs) error {
	d.times = p.times
	if err := d.concludeDates(cfg, p.dates); err != nil {
		return err
	}
	switch {
	case cfg.SexM != "":
		d.sexM = cfg.SexM
	case p.letters["H"] && !p.letters["F"]:
		d.sexM = "F"
	case p.letters["F"] && !p.letters["H"]:
		d.sexM = "M"
	}
	switch {
	case cfg.DepartmentNumbers != "":
		d.departments = cfg.DepartmentNumbers
	case p.numbersINE > 0 && p.numbersAlpha == 0:
		d.departments = NumbersINE
	case p.numbersAlpha > 0 && p.numbersINE == 0:
		d.departments = NumbersAlphabetical
	}
	return nil
}
