package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// HalfYear is the short table of a period, with exact counts. It is made for half-years; any period will do.
type HalfYear struct {
	Period calendar.Period
	// Registered is the population of the table and the base of its percentages. Coverage is Registered of Reconciled.
	dictionary.ReturnCounts[uint64]
	// Routes and ExitPoints break the registered returns down, the largest first, what is not stated last.
	Routes, ExitPoints []Part
}

// Part is one line of a breakdown.
type Part struct {
	Code             string
	LabelES, LabelEN string
	Returns          uint64
}

// CountHalfYear counts the short table from the cube.
func CountHalfYear(ctx context.Context, conn Conn, period calendar.Period) (*HalfYear, error) {
	h := &HalfYear{Period: period}
	rows, err := conn.Query(ctx, `SELECT route, exit_point, sum(registered), sum(checkpoint), sum(reconciled)
FROM ceniss.return_counts WHERE day BETWEEN toDate(?) AND toDate(?) GROUP BY route, exit_point`, period.First.String(), period.Last.String())
	if err != nil {
		return nil, fmt.Errorf("count %s: %w", h.name(), err)
	}
	defer func() { _ = rows.Close() }()
	routes, exits := map[string]uint64{}, map[string]uint64{}
	for rows.Next() {
		var route, exit string
		var n dictionary.ReturnCounts[uint64]
		if err := rows.Scan(&route, &exit, &n.Registered, &n.Checkpoint, &n.Reconciled); err != nil {
			return nil, fmt.Errorf("count %s: %w", h.name(), err)
		}
		h.ReturnCounts = h.Plus(n)
		routes[route] += n.Registered
		exits[exit] += n.Registered
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count %s: %w", h.name(), err)
	}
	h.Routes, h.ExitPoints = parts(routes, codelists.Route), parts(exits, codelists.BorderPoint)
	return h, nil
}

func (h *HalfYear) name() string {
	if h.Period.Label != "" {
		return h.Period.Label
	}
	return h.Period.First.String() + "/" + h.Period.Last.String()
}

// parts orders a breakdown and leaves out what is empty.
func parts(counts map[string]uint64, listName string) []Part {
	list, _ := codelists.Get(listName)
	var all []Part
	for code, n := range counts {
		if n == 0 {
			continue
		}
		p := Part{Code: code, LabelES: code, LabelEN: code, Returns: n}
		if c, ok := list.Lookup(code); ok {
			p.LabelES, p.LabelEN = c.LabelES, c.LabelEN
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Part) int {
		if unknown := a.Code == list.Unknown; unknown != (b.Code == list.Unknown) {
			if unknown {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(b.Returns, a.Returns), cmp.Compare(a.Code, b.Code))
	})
	return all
}
