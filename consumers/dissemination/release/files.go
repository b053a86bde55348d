package release

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure"
	"retorno/consumers/dissemination/disclosure/audit"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// Public says how the public form of a vintage is made.
type Public struct {
	Lattice *lattice.Lattice
	Key     ed25519.PrivateKey // signs the certificate
}

// measure is one thing that is counted, and where its events are.
type measure struct {
	id      string
	columns []string // of the lattice
	query   string   // person, month and codes of the events from one day to another
}

// measures are everything that is released. People are counted once: by all helps that they had, or by those of a kind. A
// crossing is without a person, so each counts as a person of its own.
var measures = []measure{
	{"returns", []string{"source", "route", "exit_point", "sex", "age", "accompanied", "residence", "entry_point", "centre", "return_type"},
		`SELECT toString(person), month, [multiIf(registered AND checkpoint, 'both', registered, 'registered_only', 'post_only'), route, exit_point, sex, age_group,
			accompanied, municipality, entry_point, centre, return_type, department] FROM ceniss.returns WHERE day BETWEEN toDate(?) AND toDate(?)`},
	{"helps", []string{"kind", "centre"},
		"SELECT toString(person), formatDateTime(day, '%Y-%m'), [toString(kind), toString(centre)] FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?)"},
	{"people", []string{"sex", "age"},
		`SELECT toString(person), formatDateTime(min(day), '%Y-%m'), [argMax(toString(sex), (day, record_id)), argMax(toString(age_group), (day, record_id))]
			FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?) GROUP BY person`},
	{"people_by_kind", []string{"kind"},
		"SELECT toString(person), formatDateTime(min(day), '%Y-%m'), [toString(kind)] FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?) GROUP BY person, kind"},
	{"crossings", []string{"result", "post"},
		`SELECT concat('crossing ', toString(rowNumberInAllBlocks())), month, [document_check, border_point] FROM ceniss.crossing_counts
			ARRAY JOIN range(crossings) AS each WHERE day BETWEEN toDate(?) AND toDate(?)`},
}

// facts are the events of the period as they stand.
func (p Public) facts(ctx context.Context, conn Conn, period calendar.Period) (all []lattice.Data, err error) {
	for _, m := range measures {
		d := lattice.Data{Measure: m.id, Columns: m.columns}
		rows, err := conn.Query(ctx, m.query, period.First.String(), period.Last.String())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.id, err)
		}
		err = p.read(rows, &d)
		if err = errors.Join(err, rows.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", m.id, err)
		}
		all = append(all, d)
	}
	return all, nil
}

func (p Public) read(rows driver.Rows, d *lattice.Data) error {
	residence := slices.Index(d.Columns, "residence")
	for rows.Next() {
		var r lattice.Row
		if err := rows.Scan(&r.Person, &r.Month, &r.Codes); err != nil {
			return err
		}
		if residence >= 0 {
			last := len(r.Codes) - 1 // the department
			r.Codes[residence] = p.Lattice.CodeWithin("residence", r.Codes[residence], r.Codes[last])
			r.Codes = r.Codes[:last]
		}
		d.Rows = append(d.Rows, r)
	}
	return rows.Err()
}

// rowsOf is which rows the facts of the period are.
func rowsOf(ctx context.Context, conn Conn, period calendar.Period) (sum uint64, err error) {
	first, last := period.First.String(), period.Last.String()
	err = conn.QueryRow(ctx, `SELECT groupBitXor(sum) FROM
		(
			SELECT groupBitXor(cityHash64(return_id, version)) AS sum FROM retorno.returns FINAL WHERE day BETWEEN toDate(?) AND toDate(?)
			UNION ALL SELECT groupBitXor(cityHash64(record_id, version)) FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?)
			UNION ALL SELECT groupBitXor(cityHash64(day, border_point, direction, document_check, version)) FROM retorno.crossing_counts FINAL WHERE day BETWEEN toDate(?) AND toDate(?)
		)`, first, last, first, last, first, last).Scan(&sum)
	return sum, err
}

// seal makes the files of the vintage out of the facts. There are none but for half-years, whose tables the lattice has, and none
// of a revision.
func (p *Publication) seal(public Public, o Order, facts []lattice.Data) ([]bundle.File, error) {
	if !o.Public() {
		return nil, nil
	}
	in, err := public.Lattice.Tabulate(p.Period, facts...)
	if err != nil {
		return nil, err
	}
	c := p.content(public)
	class, ok := public.Lattice.Class(string(p.Status))
	if !ok {
		return nil, fmt.Errorf("the lattice has no class of %s releases", p.Status)
	}
	in.Tables = class.Select(in.Tables, p.Period)
	var tables []published.Table
	hierarchies := in.Hierarchies
	if class.Base > 1 {
		c.Manifest.Rounded = class.Base
		tables = in.Rounded(class.Base)
		c.Certificate.Cells = cellsOf(tables)
	} else {
		r, leftOut, err := plan(in)
		if err != nil {
			return nil, err
		}
		tables, hierarchies, c.Manifest.LeftOut, p.LeftOut = r.Tables, r.Hierarchies, leftOut, leftOut
		c.Certificate.Cells, c.Certificate.Withheld, c.Certificate.Audit = r.Cells, r.Withheld, auditOf(r.Audit)
	}
	c.Certificate.Published = c.Certificate.Cells - c.Certificate.Withheld
	for _, core := range in.Cores {
		cells := 1
		for _, codes := range core.Codes {
			cells *= len(codes)
		}
		c.Certificate.Audit.Core += cells
	}
	for _, t := range tables {
		es, en := public.Lattice.Title(t.ID)
		c.Tables = append(c.Tables, bundle.Table{Table: periodFirst(t), Title: bundle.Title{ES: es, EN: en}})
	}
	c.Codes = bundle.CodesOf(tables, hierarchies, public.Lattice.Label)
	return bundle.Seal(c, public.Key)
}

// periodFirst puts the column of the period before the others, where people look for it.
func periodFirst(t published.Table) published.Table {
	at := slices.Index(t.Columns, "time_period")
	front := func(all []string) []string {
		return slices.Concat([]string{all[at]}, all[:at], all[at+1:])
	}
	t.Cells = slices.Clone(t.Cells)
	for i, c := range t.Cells {
		t.Cells[i].Codes = front(c.Codes)
	}
	t.Columns = front(t.Columns)
	return t
}

// plan chooses what is withheld. Where no choice protects everybody, the last table is left out; so few may have returned that no
// table is left.
func plan(in *suppress.Input) (r *suppress.Release, leftOut []string, err error) {
	for len(in.Tables) > 0 {
		if r, err = suppress.Plan(in); !errors.Is(err, suppress.ErrUnsafe) {
			return r, leftOut, err
		}
		last := len(in.Tables) - 1
		leftOut = append(leftOut, in.Tables[last].ID)
		in.Tables = in.Tables[:last]
	}
	return &suppress.Release{Audit: &audit.Report{}, Hierarchies: in.Hierarchies}, leftOut, nil
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
	c := bundle.Content{Lattice: public.Lattice.Text(), Manifest: bundle.Manifest{Period: p.Period, Vintage: p.Vintage, Status: string(p.Status), AsOf: p.AsOf.UTC(),
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

// codeLists is a checksum of all code lists, with their labels.
func codeLists() string {
	sum := sha256.New()
	for _, list := range codelists.Lists() {
		_, _ = fmt.Fprintf(sum, "%s\n%v\n", list.Name, list.Codes())
	}
	return hex.EncodeToString(sum.Sum(nil))
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
