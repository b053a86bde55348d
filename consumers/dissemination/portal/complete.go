package portal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"retorno/schemas/calendar"
)

// part is what is known of the returns of a month, post or centre, and what is not: exact.
type part struct {
	counts
	late    uint64 // returns whose opening record was made more than 72 hours after the arrival
	missing uint64 // records that have not arrived of the computers there
}

func (p *part) add(more part) {
	p.counts = p.counts.Plus(more.counts)
	p.late += more.late
	p.missing += more.missing
}

// site is the computers of one post or centre taken together.
type site struct {
	kind, place    string
	es, en         string // its name
	computers      int
	silent, astray int // how many of them are silent, or have a clock that is wrong
	missing, gaps  uint64
	lastSeen       time.Time
	worstOffset    time.Duration // of the most wrong clock
	unknown        bool          // it is not known where these computers stand
}

// completeness is how complete the numbers of a period are.
type completeness struct {
	months, posts, centres map[string]part
	whole                  part
	sites                  []site // in trouble first
	computers              int
	lastSeen               time.Time // latest sending of all; zero: never
}

// astray is how wrong a clock may be before it is worth a word. An hour makes events count as future.
const astray = 5 * time.Minute

// loadCompleteness reads how complete a half-year is, and what state the computers are in; without a half-year the latter only.
func (s *server) loadCompleteness(ctx context.Context, period string) (*completeness, error) {
	c := &completeness{months: map[string]part{}, posts: map[string]part{}, centres: map[string]part{}}
	if err := s.loadSites(ctx, c); err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	if period == "" {
		return c, nil
	}
	if err := s.loadCoverage(ctx, c, period); err != nil {
		return nil, fmt.Errorf("read the coverage of %s: %w", period, err)
	}
	return c, nil
}

func (s *server) loadCoverage(ctx context.Context, c *completeness, period string) error {
	rows, err := s.conn.Query(ctx, `SELECT month, centre, entry_point, registered, checkpoint, reconciled, late, missing
FROM ceniss.coverage WHERE half_year = ?`, period)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var month, centre, post string
		var p part
		if err := rows.Scan(&month, &centre, &post, &p.Registered, &p.Checkpoint, &p.Reconciled, &p.late, &p.missing); err != nil {
			return err
		}
		c.whole.add(p)
		addTo(c.months, month, p)
		// What a post's computer lacks stands under the unknown centre, and a centre's under the unknown post: it is no
		// statement about those.
		atPost, atCentre := p, p
		if post == unknownPlace && centre != unknownPlace {
			atPost.missing = 0
		}
		if centre == unknownPlace && post != unknownPlace {
			atCentre.missing = 0
		}
		addTo(c.posts, post, atPost)
		addTo(c.centres, centre, atCentre)
	}
	return rows.Err()
}

// unknownPlace is the code for a post or centre that is not known.
const unknownPlace = "X-UNK"

func addTo(all map[string]part, key string, more part) {
	sum := all[key]
	sum.add(more)
	all[key] = sum
}

// loadSites reads the state of every computer and takes those of one place together.
func (s *server) loadSites(ctx context.Context, c *completeness) error {
	rows, err := s.conn.Query(ctx, `SELECT kind, place, place_es, place_en, missing, gaps, last_seen, silent, clock_offset_seconds
FROM ceniss.sources ORDER BY source`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	at := map[[2]string]*site{}
	for rows.Next() {
		var one site
		var silent uint8
		var offset float64
		if err := rows.Scan(&one.kind, &one.place, &one.es, &one.en, &one.missing, &one.gaps, &one.lastSeen, &silent, &offset); err != nil {
			return err
		}
		one.silent, one.worstOffset = int(silent), time.Duration(offset*float64(time.Second))
		sum := at[[2]string{one.kind, one.place}]
		if sum == nil {
			sum = &site{kind: one.kind, place: one.place, es: one.es, en: one.en, unknown: one.place == unknownPlace}
			at[[2]string{one.kind, one.place}] = sum
		}
		sum.add(one)
		c.computers++
		if one.lastSeen.After(c.lastSeen) {
			c.lastSeen = one.lastSeen
		}
	}
	for _, one := range at {
		c.sites = append(c.sites, *one)
	}
	slices.SortFunc(c.sites, func(a, b site) int {
		return cmp.Or(cmp.Compare(b2i(b.silent > 0), b2i(a.silent > 0)), cmp.Compare(b2i(b.missing > 0), b2i(a.missing > 0)),
			cmp.Compare(b2i(b.astray > 0), b2i(a.astray > 0)), cmp.Compare(b2i(a.unknown), b2i(b.unknown)), cmp.Compare(a.kind, b.kind), cmp.Compare(a.place, b.place))
	})
	return rows.Err()
}

// add takes one more computer in.
func (s *site) add(one site) {
	s.computers++
	s.silent += one.silent
	s.missing += one.missing
	s.gaps += one.gaps
	if one.worstOffset.Abs() > astray {
		s.astray++
	}
	if one.worstOffset.Abs() > s.worstOffset.Abs() {
		s.worstOffset = one.worstOffset
	}
	if one.lastSeen.After(s.lastSeen) {
		s.lastSeen = one.lastSeen
	}
}

// monthsOf are the labels of the months of a period.
func monthsOf(p calendar.Period) []calendar.Period {
	var all []calendar.Period
	for m := p.First.Period(calendar.KindMonth); m.First <= p.Last; m = m.Next() {
		all = append(all, m)
	}
	return all
}
