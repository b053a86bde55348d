// Package vintagestest writes made vintages into a database, for tests of what is served of them.
package vintagestest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// What the half-years are of that Publish makes.
const (
	Registered = 27_086
	Reconciled = 33_868
	Corinto    = 17_064 // of the registered ones
	rare       = 3      // of the registered ones, those who came in by El Amatillo: too few to be told
	Late       = 240    // registered returns that a revision adds, all of them by Corinto
)

// Coverage and LatePercent are the percentages of every made vintage.
const (
	Coverage    = 80.0
	LatePercent = 2.4
)

// Vintage is one to be made.
type Vintage struct {
	Period    string // a half-year
	Number    uint64
	Status    string // provisional, final, or revision of a final one with the number before
	Published time.Time
	Manifest  func(*bundle.Manifest) // changes it before it is sealed; nil: nothing
}

// Publish makes the public form of a vintage with the lattice of the program, and writes it with its rows.
func Publish(ctx context.Context, conn driver.Conn, v Vintage) error {
	files, err := Files(v)
	if err != nil {
		return err
	}
	return Write(ctx, conn, v, files)
}

// Write writes files as the public form of a vintage, with its rows.
func Write(ctx context.Context, conn driver.Conn, v Vintage, files []bundle.File) error {
	id := uuid.New()
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.released_files (publication, path, body)")
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := batch.Append(id, f.Path, string(f.Body)); err != nil {
			return err
		}
	}
	if err := batch.Send(); err != nil {
		return err
	}
	if err := conn.Exec(ctx, "INSERT INTO retorno.vintages (period, vintage, publication, claimed_at) VALUES (?, ?, ?, now64(3))", v.Period, v.Number, id); err != nil {
		return err
	}
	return conn.Exec(ctx, `INSERT INTO retorno.publications (id, period, as_of, published_at, status, registered, reconciled)
		VALUES (?, ?, fromUnixTimestamp64Milli(?), fromUnixTimestamp64Milli(?), ?, ?, ?)`, id, v.Period, v.Published.UnixMilli(), v.Published.UnixMilli(), v.Status, Registered, Reconciled)
}

// Files are those of the public form of a vintage.
func Files(v Vintage) ([]bundle.File, error) {
	l, err := lattice.Shipped()
	if err != nil {
		return nil, err
	}
	class, ok := l.Class(v.Status)
	if !ok {
		return nil, fmt.Errorf("the lattice has no class of %s releases", v.Status)
	}
	coverage, late := Coverage, LatePercent
	c := bundle.Content{Lattice: l.Text(), Manifest: bundle.Manifest{Period: v.Period, Vintage: v.Number, Status: v.Status, AsOf: v.Published.Add(-time.Hour).UTC(),
		Published: v.Published.UTC(), MethodVersion: 1, Lattice: l.Version, Software: "test", Coverage: &coverage, Late: &late}}
	if v.Manifest != nil {
		v.Manifest(&c.Manifest)
	}
	tables, hierarchies, err := planned(l, v.Period)
	if err != nil {
		return nil, err
	}
	if v.Status != "revision" {
		tables = class.Select(tables, v.Period)
	}
	if class.Base > 1 {
		c.Manifest.Rounded = class.Base
		tables = suppress.Rounded(tables, class.Base)
	}
	if v.Status == "revision" {
		if tables, c.Differences, err = revised(l, class, v, tables, hierarchies); err != nil {
			return nil, err
		}
		c.Manifest.Revises = v.Number - 1
	}
	for _, t := range tables {
		es, en := l.Title(t.ID)
		c.Tables = append(c.Tables, bundle.Table{Table: t, Title: bundle.Title{ES: es, EN: en}})
	}
	c.Codes = bundle.CodesOf(tables, hierarchies, l.Label)
	return bundle.Seal(c, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
}

// plans are what was planned of half-years: it is the same for each vintage of one, and takes most of the time.
var plans struct {
	sync.Mutex
	of map[string]*suppress.Release
}

// planned are the protected tables of a made half-year, which the caller may change.
func planned(l *lattice.Lattice, halfYear string) (tables []published.Table, hierarchies map[string]published.Hierarchy, err error) {
	plans.Lock()
	defer plans.Unlock()
	r := plans.of[halfYear]
	if r == nil {
		came := returns(halfYear)
		in, err := l.Tabulate(halfYear, append([]lattice.Data{came}, helps(came)...)...)
		if err != nil {
			return nil, nil, err
		}
		if r, err = suppress.Plan(in); err != nil {
			return nil, nil, err
		}
		if plans.of == nil {
			plans.of = map[string]*suppress.Release{}
		}
		plans.of[halfYear] = r
	}
	for _, t := range r.Tables {
		t.Cells = slices.Clone(t.Cells)
		tables = append(tables, t)
	}
	return tables, r.Hierarchies, nil
}

// revised are the tables with the late returns, and what that changes.
func revised(l *lattice.Lattice, class lattice.Class, v Vintage, tables []published.Table, hierarchies map[string]published.Hierarchy) ([]published.Table, []published.Difference, error) {
	late := returns(v.Period)
	late.Rows = late.Rows[rare : rare+Late]
	for i := range late.Rows {
		late.Rows[i].Person += " late"
	}
	others := helps(lattice.Data{}) // of which none came late
	added, err := l.Tabulate(v.Period, append(others, late)...)
	if err != nil {
		return nil, nil, err
	}
	joined, err := l.Joined(v.Period, tables)
	if err != nil {
		return nil, nil, err
	}
	persons, err := l.Changed(tables, joined, late, lattice.Data{Measure: late.Measure, Columns: late.Columns})
	if err != nil {
		return nil, nil, err
	}
	late.Rows = nil
	removed, err := l.Tabulate(v.Period, append(others, late)...)
	if err != nil {
		return nil, nil, err
	}
	for i := range tables {
		for j := range tables[i].Cells {
			tables[i].Cells[j].Of = v.Number - 1
		}
	}
	r, err := suppress.Revise(tables, hierarchies, []suppress.Since{{Vintage: v.Number - 1, Changes: []suppress.Change{{Reason: "late", Added: added, Removed: removed, Persons: persons}}}}, class.Shows(v.Period), l.Least())
	if err != nil {
		return nil, nil, err
	}
	return r.Tables, r.Differences, nil
}

// returns are the returns of a made half-year, each of another person.
func returns(halfYear string) lattice.Data {
	d := lattice.Data{Measure: "returns", Columns: []string{"source", "route", "exit_point", "sex", "age", "accompanied", "residence", "entry_point", "centre", "return_type"}}
	period, _ := calendar.ParsePeriod(halfYear)
	var months []string
	for m := period.First.Period(calendar.KindMonth); m.First <= period.Last; m = m.Next() {
		months = append(months, m.Label)
	}
	list, _ := codelists.Get(codelists.Municipality)
	var towns []string
	for _, c := range list.Codes() {
		if c.Attrs["department"] != "" {
			towns = append(towns, c.Code)
		}
	}
	routes := []string{"MX-LAND", "US-AIR", "MX-LAND", "US-AIR", "MX-LAND", "US-AIR", "MX-LAND", "US-AIR", "GT-LAND", "MX-AIR", "SV-LAND"}
	ages := []string{"21-30", "31-40", "21-30", "41-50", "18-20", "51+", "13-17", "0-5", "7-10", "11", "21-30", "31-40"}
	entries := []string{"L-COR", "A-SAP", "L-COR", "A-SAP", "L-AGC"}
	for i := range Reconciled {
		source, exit, centre := "both", exitOf(i), []string{"CAMR-OMO", "CAMR-SPS"}[i/5%2]
		switch {
		case i >= Registered:
			source, exit, centre = "post_only", "X-UNK", "X-NON"
		case i%20 == 3:
			source = "registered_only"
		}
		entry := entries[i/2%len(entries)]
		if i < rare {
			entry = "L-AMA"
		}
		accompanied, age := "unknown", ages[i/7%len(ages)]
		if age == "13-17" || age == "0-5" || age == "7-10" || age == "11" {
			accompanied = []string{"accompanied", "unaccompanied"}[i/84%2]
		}
		d.Rows = append(d.Rows, lattice.Row{Person: fmt.Sprint(i), Month: months[i/11%len(months)], Codes: []string{source, routes[i/3%len(routes)], exit,
			map[bool]string{true: "F", false: "M"}[i%7 == 0], age, accompanied, towns[i*31%len(towns)], entry, centre,
			[]string{"deported", "deported", "assisted"}[i/13%3]}})
	}
	return d
}

// exitOf is where the i-th registered return left.
func exitOf(i int) string {
	for _, part := range []struct {
		code string
		n    int
	}{{"L-COR", Corinto}, {"L-AGC", 3916}, {"L-FLO", 1824}, {"L-AMA", 1300}, {"L-GUA", 300}, {"X-BLD", 800}, {"L-POY", 100}} {
		if i -= part.n; i < 0 {
			return part.code
		}
	}
	return "X-UNK"
}
