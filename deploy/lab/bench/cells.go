package bench

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"retorno/deploy/lab/register"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// cells are counts by cell of the three cubes, as strings, so that what anybody stores can be held against them.
type cells struct {
	returns   map[register.ReturnCell]register.ReturnCount
	helps     map[register.HelpCell]int
	crossings map[register.CrossingCell]int
}

// cellsOfTruth are the cells of the returns that the register meant.
func cellsOfTruth(t *register.Truth) cells {
	return cells{t.ReturnCells(), t.HelpCells(), t.CrossingCells()}
}

// times is the same cells with so many times the counts.
func (c cells) times(n int) cells {
	all := cells{map[register.ReturnCell]register.ReturnCount{}, map[register.HelpCell]int{}, map[register.CrossingCell]int{}}
	for k, v := range c.returns {
		all.returns[k] = register.ReturnCount{Registered: n * v.Registered, Checkpoint: n * v.Checkpoint, Reconciled: n * v.Reconciled}
	}
	for k, v := range c.helps {
		all.helps[k] = n * v
	}
	for k, v := range c.crossings {
		all.crossings[k] = n * v
	}
	return all
}

// cellsOfEvents count every event once, each by what it says of itself: all that a consumer can know which neither
// takes away copies nor reconciles. Reconciled stays zero.
func cellsOfEvents(l *load) (cells, error) {
	c := cells{map[register.ReturnCell]register.ReturnCount{}, map[register.HelpCell]int{}, map[register.CrossingCell]int{}}
	var e events.Envelope
	for i := range l.messages {
		proto.Reset(&e)
		if err := proto.Unmarshal(l.messages[i].Value, &e); err != nil {
			return c, fmt.Errorf("event %d: %w", i, err)
		}
		c.count(e.GetRecord())
	}
	return c, nil
}

func (c *cells) count(r *events.Record) {
	day := calendar.DayOf(r.GetEventTimeMs()).String()
	if x := r.GetCrossing(); x != nil {
		c.crossings[register.CrossingCell{Day: day, BorderPoint: x.GetBorderPoint(), Direction: x.GetDirection(), DocumentCheck: or(x.GetDocumentCheck(), "unknown")}]++
		if x.GetReturned() {
			cell := register.ReturnCell{Day: day, Route: codelists.RouteOf(x.GetCountry(), x.GetMode()), ReturnType: or(x.GetReturnType(), "unknown"),
				EntryPoint: x.GetBorderPoint(), ExitPoint: "X-UNK", Centre: "X-NON", Sex: or(x.GetSex(), "U"), AgeGroup: ageGroupOf(x.Age)}
			n := c.returns[cell]
			n.Checkpoint++
			c.returns[cell] = n
		}
	}
	if x := r.GetRegistration(); x != nil {
		if at := x.GetArrivalTimeMs(); at != 0 {
			day = calendar.DayOf(at).String()
		}
		cell := register.ReturnCell{Day: day, Route: codelists.RouteOf(x.GetCountry(), x.GetMode()), ReturnType: or(x.GetReturnType(), "unknown"),
			EntryPoint: or(x.GetEntryPoint(), "X-UNK"), ExitPoint: or(x.GetExitPoint(), "X-UNK"), Centre: x.GetCentre(),
			Sex: or(x.GetSex(), "U"), AgeGroup: ageGroupOf(x.Age)}
		n := c.returns[cell]
		n.Registered++
		c.returns[cell] = n
	}
	if x := r.GetAssistance(); x != nil {
		c.helps[register.HelpCell{Day: day, Centre: x.GetCentre(), Kind: x.GetKind(), Sex: "U", AgeGroup: "unknown"}]++
	}
}

func or(code, unknown string) string {
	if code == "" {
		return unknown
	}
	return code
}

func ageGroupOf(age *uint32) string {
	if age == nil {
		return codelists.AgeGroupOf(-1)
	}
	return codelists.AgeGroupOf(int(*age))
}

// storedCells reads the three cubes of a database; final says to read them with FINAL, and reconciled whether the cube of
// returns has that column.
func (m *machine) storedCells(ctx context.Context, database string, ours bool) (c cells, err error) {
	final, reconciled := "", "toInt64(0)"
	if ours {
		final, reconciled = " FINAL", "toInt64(sum(reconciled))"
	}
	c.returns, err = read(ctx, m, `SELECT toString(day), route, return_type, entry_point, exit_point, centre, sex, age_group,
		toInt64(sum(registered)), toInt64(sum(checkpoint)), `+reconciled+` FROM `+database+`.return_counts`+final+` GROUP BY day, route, return_type, entry_point, exit_point, centre, sex, age_group`,
		func(scan func(...any) error) (k register.ReturnCell, n register.ReturnCount, err error) {
			var registered, checkpoint, all int64
			err = scan(&k.Day, &k.Route, &k.ReturnType, &k.EntryPoint, &k.ExitPoint, &k.Centre, &k.Sex, &k.AgeGroup, &registered, &checkpoint, &all)
			return k, register.ReturnCount{Registered: int(registered), Checkpoint: int(checkpoint), Reconciled: int(all)}, err
		})
	if err != nil {
		return c, err
	}
	c.helps, err = read(ctx, m, "SELECT toString(day), centre, kind, sex, age_group, toInt64(sum(helps)) FROM "+database+".assistance_counts"+final+" GROUP BY day, centre, kind, sex, age_group",
		func(scan func(...any) error) (k register.HelpCell, _ int, err error) {
			var n int64
			err = scan(&k.Day, &k.Centre, &k.Kind, &k.Sex, &k.AgeGroup, &n)
			return k, int(n), err
		})
	if err != nil {
		return c, err
	}
	c.crossings, err = read(ctx, m, "SELECT toString(day), border_point, direction, document_check, toInt64(sum(crossings)) FROM "+database+".crossing_counts"+final+" GROUP BY day, border_point, direction, document_check",
		func(scan func(...any) error) (k register.CrossingCell, _ int, err error) {
			var n int64
			err = scan(&k.Day, &k.BorderPoint, &k.Direction, &k.DocumentCheck, &n)
			return k, int(n), err
		})
	return c, err
}

// read reads a table of cells.
func read[C comparable, N any](ctx context.Context, m *machine, query string, row func(scan func(...any) error) (C, N, error)) (map[C]N, error) {
	rows, err := m.conn().Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[C]N{}
	for rows.Next() {
		c, n, err := row(rows.Scan)
		if err != nil {
			return nil, err
		}
		all[c] = n
	}
	return all, rows.Err()
}

// differences says in which cells of a cube two counts differ: how many, and the first of them.
func (c cells) differences(have cells) []string {
	var all []string
	all = append(all, differing("return_counts", c.returns, have.returns)...)
	all = append(all, differing("assistance_counts", c.helps, have.helps)...)
	return append(all, differing("crossing_counts", c.crossings, have.crossings)...)
}

func differing[C, N comparable](cube string, want, have map[C]N) []string {
	n, example := 0, ""
	note := func(c C, want, have N) {
		if want != have {
			n++
			example = fmt.Sprintf("%+v is %+v and should be %+v", c, have, want)
		}
	}
	for c, w := range want {
		note(c, w, have[c])
	}
	var none N
	for c, h := range have {
		if _, ok := want[c]; !ok {
			note(c, none, h)
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d of %d cells differ, such as %s", cube, n, len(want), example)}
}
