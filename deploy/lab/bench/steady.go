package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"retorno/producers/producer"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// tick is how often events are sent; what falls due in between goes together.
const tick = 20 * time.Millisecond

// lookEvery is how often is looked which probes are visible. Each look is a query that takes its share of the machine.
const lookEvery = 50 * time.Millisecond

// flow is a stream of events at a steady rate.
type flow struct {
	m      *machine
	l      *load
	rate   int
	probes *probes // nil: none
	acked  atomic.Int64
}

// run sends all events, and a probe every so often.
func (f *flow) run(ctx context.Context) error {
	w, err := producer.New(f.m.producer())
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	began := time.Now()
	for sent := 0; sent < len(f.l.messages); {
		due := min(len(f.l.messages), int(time.Since(began).Seconds()*float64(f.rate)))
		some := slices.Clone(f.l.messages[sent:max(sent, due)])
		sent += len(some)
		probe := f.probes.next()
		if probe != nil {
			some = append(some, *probe)
		}
		if err := w.Write(ctx, some...); err != nil {
			return err
		}
		if probe != nil {
			f.probes.acked()
		}
		f.acked.Add(int64(len(some)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// probeDay is the day of the probes, outside the register's period, so that each has a cell of its own.
const probeDay = "2016-12-31"

// probes are events that each make a cell of their own: one route each, on one day.
type probes struct {
	mu     sync.Mutex
	routes []string
	every  time.Duration
	last   time.Time
	sent   map[string]time.Time // by route: when Kafka had acknowledged it
	seen   map[string]time.Time // when it was visible
	order  []string
}

func newProbes(every time.Duration) *probes {
	p := &probes{every: every, sent: map[string]time.Time{}, seen: map[string]time.Time{}}
	l, _ := codelists.Get(codelists.Route)
	for _, c := range l.Codes() {
		country, mode := c.Attrs["country"], c.Attrs["mode"]
		if country != "XX" && country != "HN" && mode != "unknown" && country != "" {
			p.routes = append(p.routes, c.Code)
		}
	}
	return p
}

// next is the next probe when it is due.
func (p *probes) next() *producer.Message {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.order)
	if time.Since(p.last) < p.every || n == len(p.routes) {
		return nil
	}
	p.last = time.Now()
	country, mode, _ := codelists.SplitRoute(p.routes[n])
	at := time.Date(2016, 12, 31, 18, 0, 0, 0, time.UTC).UnixMilli() // noon in Honduras
	r := &events.Record{RecordId: fmt.Sprintf("0159569e-9400-7000-8000-%012x", n+1), Revision: 1, SourceId: "L-COR-9", SourceSeq: uint64(n + 1),
		PersonKey: fmt.Sprintf("%032x", 0xbe<<40+n), EventTimeMs: at, RecordedTimeMs: at, SchemaVersion: events.SchemaVersion,
		Body: &events.Record_Crossing{Crossing: &events.Crossing{Direction: "entry", BorderPoint: "L-COR", Returned: true, Country: country, Mode: mode}}}
	value, err := events.Seal(r, at, 0)
	if err != nil {
		return nil
	}
	p.order = append(p.order, p.routes[n])
	return &producer.Message{Topic: events.Topic(r), Key: []byte(events.Key(r)), Value: value}
}

// acked notes that the latest probe is acknowledged.
func (p *probes) acked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[p.order[len(p.order)-1]] = time.Now()
}

// watch asks for the probes' cells until ctx ends.
func (p *probes) watch(ctx context.Context, m *machine) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		rows, err := m.conn().Query(ctx, "SELECT route FROM ceniss.return_counts WHERE day = '"+probeDay+"' AND reconciled = 1")
		if err != nil {
			return ended(ctx, err)
		}
		now := time.Now()
		for rows.Next() {
			var route string
			if err := rows.Scan(&route); err != nil {
				return ended(ctx, errors.Join(err, rows.Close()))
			}
			p.mu.Lock()
			if _, ok := p.seen[route]; !ok {
				p.seen[route] = now
			}
			p.mu.Unlock()
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return ended(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// ended is nil when ctx has ended, which is why there is an error.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// allSeen reports whether every probe that was sent has been visible.
func (p *probes) allSeen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seen) == len(p.order)
}

// latencies are the times from acknowledged to visible, in the order of sending, in seconds. What has not become
// visible is an error.
func (p *probes) latencies() ([]float64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []float64
	for _, route := range p.order {
		seen, ok := p.seen[route]
		if !ok {
			return nil, fmt.Errorf("the probe %s has not become visible", route)
		}
		all = append(all, max(0, seen.Sub(p.sent[route]).Seconds()))
	}
	return all, nil
}

// percentile is the smallest value that so many percent of all do not exceed.
func percentile(values []float64, percent int) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[max(0, (len(s)*percent+99)/100-1)]
}
