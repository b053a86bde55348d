package torture

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sort"

	"github.com/google/uuid"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/register"
)

// askTruth compares every cell, and every return, with what the register meant.
func (r *run) askTruth(ctx context.Context, s *store.Store) (Oracle, error) {
	truth := r.made.Truth()
	o := Oracle{Name: "the truth of the register"}
	t := &tally{report: r.report, oracle: &o}
	returns, err := storedReturnCells(ctx, s)
	if err != nil {
		return o, err
	}
	wanted := r.besides.returnCells(truth.ReturnCells())
	compare(t, "return_counts", wanted, returns, func(n register.ReturnCount) int { return n.Reconciled })
	helps, err := cells(ctx, s, "SELECT toString(day), centre, kind, sex, age_group, toInt64(sum(helps)) FROM retorno.assistance_counts FINAL GROUP BY ALL",
		func(scan func(...any) error) (c register.HelpCell, n int64, err error) {
			return c, n, scan(&c.Day, &c.Centre, &c.Kind, &c.Sex, &c.AgeGroup, &n)
		})
	if err != nil {
		return o, err
	}
	compare(t, "assistance_counts", added(truth.HelpCells(), r.besides.helps), helps, func(n int) int { return n })
	crossings, err := cells(ctx, s, "SELECT toString(day), border_point, direction, document_check, toInt64(sum(crossings)) FROM retorno.crossing_counts FINAL GROUP BY ALL",
		func(scan func(...any) error) (c register.CrossingCell, n int64, err error) {
			return c, n, scan(&c.Day, &c.BorderPoint, &c.Direction, &c.DocumentCheck, &n)
		})
	if err != nil {
		return o, err
	}
	compare(t, "crossing_counts", added(truth.CrossingCells(), r.besides.crossings), crossings, func(n int) int { return n })
	for _, ask := range []func(context.Context, *store.Store, *Oracle) error{r.compareReturns, r.askSources, r.askStored} {
		if err := ask(ctx, s, &o); err != nil {
			return o, err
		}
	}
	o.Asked = fmt.Sprintf("%d cells of returns, %d of helps, %d of crossings, each return and each source", len(wanted), len(helps), len(crossings))
	return o, nil
}

type tally struct {
	report *Report
	oracle *Oracle
}

// compare holds cells against the truth, and counts what is missing and what is too much.
func compare[C comparable, N comparable](t *tally, table string, want, have map[C]N, size func(N) int) {
	var faults []string
	note := func(c C, want, have N) {
		if want == have {
			return
		}
		if d := size(want) - size(have); d > 0 {
			t.report.Lost += d
		} else {
			t.report.Twice -= d
		}
		faults = append(faults, fmt.Sprintf("%s %+v: %+v, in truth %+v", table, c, have, want))
	}
	for c, n := range want {
		note(c, n, have[c])
	}
	var none N
	for c, n := range have {
		if _, ok := want[c]; !ok {
			note(c, none, n)
		}
	}
	sort.Strings(faults)
	t.oracle.Faults = append(t.oracle.Faults, faults...)
}

func storedReturnCells(ctx context.Context, s *store.Store) (map[register.ReturnCell]register.ReturnCount, error) {
	return returnCells(ctx, s, "SELECT toString(day), "+returnDimensions+" FROM retorno.return_counts FINAL GROUP BY ALL")
}

// returnDimensions are the columns of a cell of returns after its day, and its counts.
const returnDimensions = `route, return_type, entry_point, exit_point, centre, sex, age_group,
	toInt64(sum(registered)), toInt64(sum(checkpoint)), toInt64(sum(reconciled))`

// returnCells reads cells of returns; those of months have a month for their day.
func returnCells(ctx context.Context, s *store.Store, query string, args ...any) (map[register.ReturnCell]register.ReturnCount, error) {
	rows, err := s.Conn().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[register.ReturnCell]register.ReturnCount{}
	for rows.Next() {
		var c register.ReturnCell
		var registered, checkpoint, reconciled int64
		if err := rows.Scan(&c.Day, &c.Route, &c.ReturnType, &c.EntryPoint, &c.ExitPoint, &c.Centre, &c.Sex, &c.AgeGroup,
			&registered, &checkpoint, &reconciled); err != nil {
			return nil, err
		}
		all[c] = register.ReturnCount{Registered: int(registered), Checkpoint: int(checkpoint), Reconciled: int(reconciled)}
	}
	return all, rows.Err()
}

// cells reads cells with one count each.
func cells[C comparable](ctx context.Context, s *store.Store, query string, read func(scan func(...any) error) (C, int64, error)) (map[C]int, error) {
	rows, err := s.Conn().Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[C]int{}
	for rows.Next() {
		c, n, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all[c] = int(n)
	}
	return all, rows.Err()
}

// compareReturns holds each stored return against the one that the register meant.
func (r *run) compareReturns(ctx context.Context, s *store.Store, o *Oracle) error {
	want := map[uuid.UUID]register.Return{}
	for _, x := range slices.AppendSeq(slices.Clone(r.besides.returns), r.made.Truth().Returns()) {
		x.Day = 0
		if len(x.Reasons) == 0 {
			x.Reasons = []string{"unknown"}
		}
		want[x.ReturnID] = x
	}
	rows, err := s.Conn().Query(ctx, `SELECT return_id, person, toString(day), route, country, mode, return_type, entry_point, exit_point, centre,
		department, municipality, sex, toInt64(if(isNull(age), -1, assumeNotNull(age))), age_group, accompanied, reasons, nationality,
		national = 1, registered = 1, checkpoint = 1 FROM retorno.returns FINAL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var x register.Return
		var age int64
		if err := rows.Scan(&x.ReturnID, &x.Person, &x.Date, &x.Route, &x.Country, &x.Mode, &x.ReturnType, &x.EntryPoint, &x.ExitPoint, &x.Centre,
			&x.Department, &x.Municipality, &x.Sex, &age, &x.AgeGroup, &x.Accompaniment, &x.Reasons, &x.Nationality,
			&x.National, &x.Registered, &x.Checkpoint); err != nil {
			return err
		}
		x.Age = int(age)
		w, ok := want[x.ReturnID]
		switch {
		case !ok:
			o.Faults = append(o.Faults, fmt.Sprintf("return %s of %s is not in truth", x.ReturnID, x.Person))
		case !reflect.DeepEqual(w, x):
			o.Faults = append(o.Faults, fmt.Sprintf("return %+v, in truth %+v", x, w))
		}
		delete(want, x.ReturnID)
	}
	for id := range want {
		o.Faults = append(o.Faults, fmt.Sprintf("return %s is missing", id))
	}
	return rows.Err()
}
