package portal

import (
	"cmp"
	"math"
	"slices"
	"time"

	"retorno/consumers/dissemination/disclosure"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// completeView is what the template of the part on completeness is given. Counts of returns are rounded and shares are
// worked out from rounded counts; records that are missing are not known people and stand as they are.
type completeView struct {
	Bars                    []coverageBar
	Drawn                   bool // some month has a coverage that is given
	Months, Posts, Centres  []partLine
	Whole                   partLine
	Sites                   []siteLine
	Computers               int
	Silent, Lacking, Astray int    // computers that are silent, places that lack records, computers whose clock is wrong
	LastSeen, LastSeenISO   string // of all computers; "" for never
}

// partLine is a row of one of the tables. Shares are "" where they are not given.
type partLine struct {
	Name                               string
	Reconciled, Registered, Checkpoint string
	Coverage, Seen, Late               string
	Missing                            string
	Lacking, Rest                      bool
	covered                            disclosure.Tenths
	given                              bool
	size                               uint64
}

// coverageBar is a column of the picture: all of it is what is known, the filled part what is registered.
type coverageBar struct {
	X, Middle, Width float64
	Y, Height        int
	Name, Value      string
	ValueY           int
}

type siteLine struct {
	Name                    string
	Computers               int
	LastSeen, LastSeenISO   string
	Missing, Offset         string
	Silent, Lacking, Astray int // Lacking: 1 when records are missing
}

// viewComplete turns what is known of the completeness into what may be shown of it; total is the count of registered
// returns as the page shows it, which is exact when it is large.
func viewComplete(snap *snapshot, total uint64, today calendar.Day, lang string) *completeView {
	c := snap.complete
	if c == nil {
		return nil
	}
	v := &completeView{Computers: c.computers}
	if !c.lastSeen.IsZero() {
		v.LastSeen, v.LastSeenISO = moment(c.lastSeen, lang), c.lastSeen.In(calendar.Zone()).Format(time.RFC3339)
	}
	for _, one := range c.sites {
		l := siteLine{Name: both{one.es, one.en}.in(lang), Computers: one.computers, LastSeen: moment(one.lastSeen, lang),
			LastSeenISO: one.lastSeen.In(calendar.Zone()).Format(time.RFC3339), Missing: number(one.missing), Offset: offset(one.worstOffset, lang),
			Silent: one.silent, Lacking: b2i(one.missing > 0), Astray: one.astray}
		v.Silent += one.silent
		v.Astray += one.astray
		v.Lacking += l.Lacking
		v.Sites = append(v.Sites, l)
	}
	if snap.period.Label == "" {
		return v
	}
	v.Whole = newPartLine("Total", c.whole, lang)
	v.Whole.Registered = number(total)
	v.Months, v.Bars = monthCoverage(snap, today, lang)
	v.Drawn = slices.ContainsFunc(v.Bars, func(b coverageBar) bool { return b.Value != "" })
	v.Posts = partLines(c.posts, codelists.BorderPoint, 12, both{"Otros puntos", "Other points"}, lang)
	v.Centres = partLines(c.centres, codelists.Centre, 12, both{"Otros centros", "Other centres"}, lang)
	return v
}

// newPartLine makes a row. Coverage is the share of the known returns that is registered, Seen that which a post saw,
// Late that which was written down late; each from 100 known returns on.
func newPartLine(name string, p part, lang string) partLine {
	l := partLine{Name: name, Reconciled: number(disclosure.Round(p.Reconciled)), Registered: number(disclosure.Round(p.Registered)),
		Checkpoint: number(disclosure.Round(p.Checkpoint)), Missing: number(p.missing), Lacking: p.missing > 0, size: p.Reconciled}
	share := func(of uint64) string {
		if t, ok := disclosure.Coverage(of, p.Reconciled); ok {
			return percent(t, lang)
		}
		return ""
	}
	l.covered, l.given = disclosure.Coverage(p.Registered, p.Reconciled)
	l.Coverage, l.Seen, l.Late = share(p.Registered), share(p.Checkpoint), share(p.late)
	return l
}

// partLines are the largest parts, the rest summed up, and what is not stated at the end. A part that lacks records
// has a row of its own however small it is: nothing is known of whom they are about.
func partLines(parts map[string]part, list string, most int, rest both, lang string) []partLine {
	codes, _ := codelists.Get(list)
	keys := make([]string, 0, len(parts))
	for code := range parts {
		keys = append(keys, code)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if (a == codes.Unknown) != (b == codes.Unknown) {
			return cmp.Compare(b2i(a == codes.Unknown), b2i(b == codes.Unknown))
		}
		return cmp.Or(cmp.Compare(parts[b].Reconciled, parts[a].Reconciled), cmp.Compare(a, b))
	})
	var shown []partLine
	var left part
	var unknown *partLine
	for _, code := range keys {
		p := parts[code]
		line := newPartLine(label(codes, code, lang), p, lang)
		switch {
		case code == codes.Unknown:
			line.Rest = true
			unknown = &line
		case p.missing > 0, len(shown) < most && disclosure.Round(p.Reconciled) > 0:
			shown = append(shown, line)
		default:
			left.add(p)
		}
	}
	if disclosure.Round(left.Reconciled) > 0 {
		line := newPartLine(rest.in(lang), left, lang)
		line.Rest = true
		shown = append(shown, line)
	}
	if unknown != nil && (disclosure.Round(unknown.size) > 0 || unknown.Lacking) {
		shown = append(shown, *unknown)
	}
	return shown
}

// monthCoverage draws every month of the period; one that has not begun has a place and no value.
func monthCoverage(snap *snapshot, today calendar.Day, lang string) ([]partLine, []coverageBar) {
	var lines []partLine
	var bars []coverageBar
	all := monthsOf(snap.period)
	step := 100 / float64(len(all))
	for i, m := range all {
		_, month, _ := m.First.Civil()
		name := capital(months[lang][month-1])
		p := snap.complete.months[m.Label]
		line := newPartLine(name, p, lang)
		if m.First <= today || p != (part{}) {
			lines = append(lines, line)
		}
		b := coverageBar{X: round2(float64(i)*step + step*0.16), Middle: round2(float64(i)*step + step/2), Width: round2(step * 0.68),
			Y: columnsFoot, Name: name, Value: line.Coverage}
		if line.given {
			b.Height = int(math.Round(line.covered.Percent() / 100 * (columnsFoot - columnsTop)))
			b.Y = columnsFoot - b.Height
		}
		bars = append(bars, b)
	}
	return lines, bars
}
