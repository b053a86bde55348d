package release

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// roundedTo is the base of the values of provisional vintages: it hides how little a later one differs.
const roundedTo = 10

// Public says how the public form of a vintage is made.
type Public struct {
	Lattice *lattice.Lattice
	Key     ed25519.PrivateKey // signs the certificate
}

// facts are the returns of the period as they stand, with a checksum of which rows these are.
func (p Public) facts(ctx context.Context, conn Conn, period calendar.Period) (all []lattice.Fact, err error) {
	names := p.Lattice.Attributes()
	columns := make([]string, len(names))
	for i, name := range names {
		if columns[i] = "toString(" + name + ")"; name == "source" {
			columns[i] = "multiIf(registered AND checkpoint, 'both', registered, 'registered', 'checkpoint')"
		}
	}
	query := "SELECT person, toInt32(day), [" + strings.Join(columns, ", ") + "] FROM ceniss.returns WHERE day BETWEEN toDate(?) AND toDate(?)"
	rows, err := conn.Query(ctx, query, period.First.String(), period.Last.String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var person uuid.UUID
		var day int32
		var f lattice.Fact
		if err := rows.Scan(&person, &day, &f.Codes); err != nil {
			return nil, err
		}
		f.Person, f.Day = person, calendar.Day(day)
		all = append(all, f)
	}
	return all, rows.Err()
}

// returnsOf is which rows the returns of the period are.
func returnsOf(ctx context.Context, conn Conn, period calendar.Period) (sum uint64, err error) {
	err = conn.QueryRow(ctx, "SELECT groupBitXor(cityHash64(return_id, version)) FROM retorno.returns FINAL WHERE day BETWEEN toDate(?) AND toDate(?)",
		period.First.String(), period.Last.String()).Scan(&sum)
	return sum, err
}

// seal makes the files of the vintage out of the facts. There are none where the lattice has no table of such a period, and none
// of a revision: what changed since the final vintage would tell of those who changed it. The error is a *RefusedError when the
// tables would tell too much.
func (p *Publication) seal(public Public, period calendar.Period, facts []lattice.Fact) ([]bundle.File, error) {
	if p.Status == Revision || period.Kind != calendar.KindHalfYear {
		return nil, nil
	}
	in, err := public.Lattice.Tabulate(period, facts, p.Status == Provisional)
	if err != nil {
		return nil, err
	}
	c := p.content(public)
	var tables []published.Table
	if p.Status == Provisional {
		c.Manifest.Rounded = roundedTo
		tables = rounded(in)
		c.Certificate.Cells = cellsOf(tables)
	} else {
		r, err := plan(in)
		if errors.Is(err, suppress.ErrUnsafe) {
			return nil, &RefusedError{Period: p.Period, Reasons: []Reason{{Unsafe, err.Error(), "make the tables of the lattice coarser"}}}
		}
		if err != nil {
			return nil, err
		}
		tables = r.Tables
		c.Certificate.Cells, c.Certificate.Withheld = r.Cells, r.Withheld
		c.Certificate.Audit = bundle.Audit{Arithmetic: "exact", Programs: r.Audit.LPs, Audited: r.Audit.Audited, Determined: r.Audit.Determined, MaxLow: r.Audit.MaxLow, OwnCase: true}
		if r.Audit.Audited > 0 {
			c.Certificate.Audit.MinWidth = &r.Audit.MinWidth
		}
	}
	c.Certificate.Published = c.Certificate.Cells - c.Certificate.Withheld
	for _, t := range tables {
		es, en := public.Lattice.Title(t.ID)
		c.Tables = append(c.Tables, bundle.Table{Table: t, Title: bundle.Title{ES: es, EN: en}})
	}
	c.Codes = codesOf(public.Lattice, tables, in.Hierarchies)
	return bundle.Seal(c, public.Key)
}

// plan chooses what is withheld. Where no choice protects everybody, the last table is left out.
func plan(in *suppress.Input) (r *suppress.Release, err error) {
	for {
		r, err = suppress.Plan(in)
		if !errors.Is(err, suppress.ErrUnsafe) || len(in.Tables) < 2 {
			return r, err
		}
		in.Tables = in.Tables[:len(in.Tables)-1]
	}
}

// content is what the bundle says of the vintage beside its tables.
func (p *Publication) content(public Public) bundle.Content {
	c := bundle.Content{Lattice: public.Lattice.Text, Manifest: bundle.Manifest{Period: p.Period, Vintage: p.Vintage, Status: string(p.Status), AsOf: p.AsOf.UTC(),
		Published: p.Published.UTC(), Reason: p.Reason, Accepted: p.Accepted, MethodVersion: p.MethodVersion, Lattice: public.Lattice.Version, CodeLists: codeLists(),
		Software: p.Software, Missing: p.Missing}, Certificate: bundle.Certificate{MadeAt: p.Published.UTC()}}
	if share, ok := disclosure.Coverage(p.Registered, p.Reconciled); ok {
		percent := share.Percent()
		c.Manifest.Coverage = &percent
		if late, ok := disclosure.Share(p.Late, disclosure.Round(p.Reconciled)); ok {
			percent := late.Percent()
			c.Manifest.Late = &percent
		}
	}
	for _, at := range p.Positions {
		c.Manifest.Positions = append(c.Manifest.Positions, bundle.Position{Topic: at.Topic, Partition: at.Partition, NextOffset: at.NextOffset})
	}
	return c
}

// codesOf are the codes that stand in the tables, and those above them.
func codesOf(l *lattice.Lattice, tables []published.Table, hierarchies map[string]published.Hierarchy) (all []bundle.Code) {
	seen := map[[2]string]bool{}
	for _, t := range tables {
		for _, c := range t.Cells {
			for i, column := range t.Columns {
				for code := c.Codes[i]; code != "" && !seen[[2]string{column, code}]; code = hierarchies[column].Parent(code) {
					seen[[2]string{column, code}] = true
					es, en := l.Label(column, code)
					all = append(all, bundle.Code{Column: column, Code: code, Parent: hierarchies[column].Parent(code), LabelES: es, LabelEN: en})
				}
			}
		}
	}
	return all
}

// codeLists is a checksum of all code lists, with their labels.
func codeLists() string {
	sum := sha256.New()
	for _, list := range codelists.Lists() {
		_, _ = fmt.Fprintf(sum, "%s\n%v\n", list.Name, list.Codes())
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// rounded are the tables with values rounded to the nearest multiple of roundedTo, halves up.
func rounded(in *suppress.Input) (all []published.Table) {
	for _, t := range in.Tables {
		out := published.Table{ID: t.ID, Measure: t.Measure, Columns: t.Columns, Base: roundedTo}
		for _, c := range t.Counts {
			out.Cells = append(out.Cells, published.Cell{Codes: c.Codes, Value: (c.Value + roundedTo/2) / roundedTo * roundedTo})
		}
		all = append(all, out)
	}
	return all
}

func cellsOf(tables []published.Table) int {
	keys := map[string]bool{}
	for _, t := range tables {
		for _, c := range t.Cells {
			keys[published.Key(t.Measure, t.Columns, c.Codes)] = true
		}
	}
	return len(keys)
}

// store writes the files under the publication, which is not visible yet.
func (p *Publication) store(ctx context.Context, conn Conn, files []bundle.File) error {
	if len(files) == 0 {
		return nil
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.released_files (publication, path, body)")
	if err != nil {
		return fmt.Errorf("write the files: %w", err)
	}
	for _, f := range files {
		if err := batch.Append(p.ID, f.Path, string(f.Body)); err != nil {
			return fmt.Errorf("write the files: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("write the files: %w", err)
	}
	return nil
}
