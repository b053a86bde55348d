package release

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/audit"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/consumers/dissemination/typst"
	"retorno/schemas/codelists"
)

// Public says how the public form of a vintage is made.
type Public struct {
	Lattice *lattice.Lattice
	Key     ed25519.PrivateKey // signs the certificate
	// Known are counts that others publish; an attacker has them too.
	Known []attack.Known
	PDF   *typst.Program // makes the bulletin's PDF; nil: it has none
}

// public makes the content of the public form out of the facts. There is none but for half-years, whose tables the lattice has, and none of a
// revision of a vintage that has none.
func (p *Publication) public(ctx context.Context, conn Conn, public Public, o Order, e *earlier, facts []lattice.Data) (*bundle.Content, error) {
	if !o.Public() || o.Status == Revision && e.public == nil {
		return nil, nil
	}
	class, ok := public.Lattice.Class(string(p.Status))
	if !ok {
		return nil, fmt.Errorf("the lattice has no class of %s releases", p.Status)
	}
	c := p.content(public)
	var hierarchies map[string]published.Hierarchy
	var err error
	if o.Status == Revision {
		hierarchies, err = p.revise(ctx, conn, &c, public.Lattice, class, e, facts)
	} else {
		hierarchies, err = p.tabulate(&c, public.Lattice, class, facts)
	}
	if err != nil {
		return nil, err
	}
	c.Certificate.Published = c.Certificate.Cells - c.Certificate.Withheld
	var tables []published.Table
	for _, t := range c.Tables {
		tables = append(tables, t.Table)
	}
	c.Codes = bundle.CodesOf(tables, hierarchies, public.Lattice.Label)
	return &c, p.attacked(&c, public, e)
}

// seal gives the public form its number and its moment, signs it, and stores its files.
func (p *Publication) seal(ctx context.Context, conn Conn, c *bundle.Content, public Public) error {
	if c == nil {
		return nil
	}
	c.Manifest.Vintage, c.Manifest.Published, c.Certificate.MadeAt = p.Vintage, p.Published.UTC(), p.Published.UTC()
	now := bundle.Bundle{Manifest: c.Manifest}
	c.Certificate.Attack.Vintages = append(c.Certificate.Attack.Vintages, now.Name())
	draft, err := bundle.NewDraft(*c)
	if err != nil {
		return err
	}
	more, err := companions(ctx, conn, draft, public.PDF)
	if err != nil {
		return err
	}
	files, err := draft.Seal(more, public.Key)
	if err != nil {
		return err
	}
	return p.store(ctx, conn, files)
}

// keys notes who signs this vintage, and who signed the one before if that was another.
func (p *Publication) keys(public Public, o Order, e *earlier) {
	if !o.Public() {
		return
	}
	p.Key = bundle.Fingerprint(public.Key.Public().(ed25519.PublicKey))
	if e == nil || len(e.all) == 0 {
		return
	}
	newest := slices.MaxFunc(e.all, func(a, b *bundle.Bundle) int { return cmp.Compare(a.Manifest.Vintage, b.Manifest.Vintage) })
	if newest.Certificate.Key != p.Key {
		p.KeyBefore = newest.Certificate.Key
	}
}

// tabulate makes the tables of a vintage that does not revise another.
func (p *Publication) tabulate(c *bundle.Content, l *lattice.Lattice, class lattice.Class, facts []lattice.Data) (map[string]published.Hierarchy, error) {
	in, err := l.Tabulate(p.Period, facts...)
	if err != nil {
		return nil, err
	}
	// A provisional vintage shows nothing that the final one would withhold: what is rounded says that a count is small, too.
	r, leftOut, err := plan(in)
	if err != nil {
		return nil, err
	}
	r.Tables = l.Within(r.Tables)
	tables := class.Select(r.Tables, p.Period)
	leftOut = slices.DeleteFunc(leftOut, func(id string) bool { return !class.Has(id) })
	c.Manifest.LeftOut, p.LeftOut = leftOut, leftOut
	if class.Base > 1 {
		c.Manifest.Rounded = class.Base
		if tables, err = rounded(tables, r.Hierarchies, l, class.Base); err != nil {
			return nil, err
		}
	} else if c.Certificate.Audit, err = audited(l, p.Period, tables, r.Hierarchies); err != nil {
		return nil, err
	}
	p.cover(c, r.Tables)
	c.Certificate.Cells = cellsOf(tables)
	c.Certificate.Withheld = countOf(tables, func(c published.Cell) bool { return c.Withheld })
	for _, core := range in.Cores {
		cells := 1
		for _, codes := range core.Codes {
			cells *= len(codes)
		}
		c.Certificate.Audit.Core += cells
	}
	for i, t := range tables {
		tables[i] = periodFirst(t)
	}
	c.Tables = titled(l, tables)
	return r.Hierarchies, nil
}

// titled gives tables their names.
func titled(l *lattice.Lattice, tables []published.Table) (all []bundle.Table) {
	for _, t := range tables {
		es, en := l.Title(t.ID)
		all = append(all, bundle.Table{Table: t, Title: bundle.Title{ES: es, EN: en}})
	}
	return all
}

// periodFirst puts the column of the period before the others, where people look for it.
func periodFirst(t published.Table) published.Table { return moved(t, "time_period", 0) }

// moved puts a column at a place.
func moved(t published.Table, column string, to int) published.Table {
	at := slices.Index(t.Columns, column)
	move := func(all []string) []string {
		return slices.Insert(slices.Delete(slices.Clone(all), at, at+1), to, all[at])
	}
	t.Cells = slices.Clone(t.Cells)
	for i, c := range t.Cells {
		t.Cells[i].Codes = move(c.Codes)
	}
	t.Columns = move(t.Columns)
	return t
}

// audited audits tables as they are published, as everyone can repeat it: lines that were left out are no part of it.
func audited(l *lattice.Lattice, period string, tables []published.Table, hierarchies map[string]published.Hierarchy) (bundle.Audit, error) {
	in, err := l.Published(period, tables, hierarchies)
	if err != nil {
		return bundle.Audit{}, err
	}
	r, err := suppress.Repeat(in)
	if err != nil {
		return bundle.Audit{}, err
	}
	if !r.Accepted() {
		return bundle.Audit{}, fmt.Errorf("the audit of the tables as they are published refuses %d cells", len(r.Faults))
	}
	return auditOf(r), nil
}

// auditOf is what the certificate says of an audit.
func auditOf(r *audit.Report) bundle.Audit {
	a := bundle.Audit{Arithmetic: "exact", Programs: r.LPs, Audited: r.Audited, Determined: r.Determined, MaxLow: r.MaxLow, JointWith: []string{}, OwnCase: true}
	if r.Audited > 0 {
		a.MinWidth = &r.MinWidth
	}
	return a
}

// content is what the bundle says of the vintage beside its tables.
func (p *Publication) content(public Public) bundle.Content {
	c := bundle.Content{Lattice: public.Lattice.Text(), Manifest: bundle.Manifest{Period: p.Period, Status: string(p.Status), AsOf: p.AsOf.UTC(),
		Reason: p.Reason, Accepted: p.Accepted, MethodVersion: p.MethodVersion, Lattice: public.Lattice.Version, CodeLists: codeLists(),
		Software: p.Software, NextRelease: p.Next, Missing: p.Missing}, Certificate: bundle.Certificate{}}
	for _, at := range p.Positions {
		c.Manifest.Positions = append(c.Manifest.Positions, bundle.Position{Topic: at.Topic, Partition: at.Partition, NextOffset: at.NextOffset})
	}
	return c
}

// codeLists is a checksum of all code lists, with their labels.
func codeLists() string {
	sum := sha256.New()
	for _, list := range codelists.Lists() {
		_, _ = fmt.Fprintf(sum, "%s\n%v\n", list.Name, list.Codes())
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// cellsOf is how many different cells tables have.
func cellsOf(tables []published.Table) int {
	return countOf(tables, func(published.Cell) bool { return true })
}

// countOf is how many different cells tables have that are such.
func countOf(tables []published.Table, such func(published.Cell) bool) int {
	keys := map[string]bool{}
	for _, t := range tables {
		for _, c := range t.Cells {
			if such(c) {
				keys[published.Key(t.Measure, t.Columns, c.Codes)] = true
			}
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
