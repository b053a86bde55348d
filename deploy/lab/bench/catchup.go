package bench

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// contender is a program that takes the events from Kafka into the cubes.
type contender interface {
	name() string
	run(ctx context.Context) (result, error)
}

// catchUp lets ours, the limit, the peer and the plain consumer take the same events from Kafka, in turns.
func (r *run) catchUp(ctx context.Context) error {
	m, l, err := r.loaded(ctx)
	if err != nil {
		return err
	}
	if err := r.sendJSON(ctx, m, l); err != nil {
		return err
	}
	if err := r.fetching(ctx, m, l); err != nil {
		return err
	}
	events, err := cellsOfEvents(l)
	if err != nil {
		return err
	}
	own := newOurs(m, l)
	r.say("taking down what ours inserts")
	inserts, err := own.capture(ctx)
	if err != nil {
		return err
	}
	rows := 0
	for _, i := range inserts {
		rows += i.rows
	}
	r.report.Sizes["inserts"], r.report.Sizes["rows_inserted"] = len(inserts), rows
	away := &peer{m: m, l: l, want: events}
	if err := r.tune(ctx, away); err != nil {
		return err
	}
	if r.cfg.CPUProfile != "" {
		own.profile, err = filepath.Abs(r.cfg.CPUProfile)
		if err != nil {
			return err
		}
	}
	keeping := &peer{m: m, l: l, want: events, set: away.set}
	keeping.set.facts = true
	all := []contender{own, &limit{m: m, l: l, want: own.want, inserts: inserts}, away, keeping, &plain{m: m, l: l, want: events}}
	results, err := r.rounds(ctx, m, all)
	if err != nil {
		return err
	}
	r.compare(results, away.set)
	return nil
}

// sendJSON sends the events in the peer's other format, to topics of their own.
func (r *run) sendJSON(ctx context.Context, m *machine, l *load) error {
	if err := m.makeTopics(ctx, jsonPrefix+factTopics[0], jsonPrefix+factTopics[1]); err != nil {
		return err
	}
	j, err := l.inJSON()
	if err != nil {
		return err
	}
	return j.send(ctx, m)
}

// fetching times what the broker gives when nothing is done with it: it must not be what is measured.
func (r *run) fetching(ctx context.Context, m *machine, l *load) error {
	var rates []float64
	for range r.cfg.Rounds {
		began := time.Now()
		group, gctx := errgroup.WithContext(ctx)
		m.fetch(gctx, group)
		if err := group.Wait(); err != nil {
			return err
		}
		rates = append(rates, float64(len(l.messages))/time.Since(began).Seconds())
	}
	r.report.set("broker_events_per_second", "events/s", "Client.Fetch of every partition from its begin to its end and nothing else", rates)
	return nil
}

// tune seeks the peer's best setting: each candidate runs once, and the fastest one is what ours is compared with.
func (r *run) tune(ctx context.Context, p *peer) error {
	best, found := 0.0, setting{}
	all := candidates()
	if r.cfg.Quick {
		all = all[:2]
	}
	for _, s := range all {
		p.set = s
		res, err := p.run(ctx)
		if err == nil {
			err = p.m.clear(ctx)
		}
		if err != nil {
			return err
		}
		if len(res.faults) > 0 {
			r.say("peer, %s: wrong, %v", s, res.faults)
			r.report.Tried = append(r.report.Tried, fmt.Sprintf("%s: counts were wrong: %v", s, res.faults))
			continue
		}
		r.say("peer, %s: %.0f events/s", s, res.rate())
		r.report.Tried = append(r.report.Tried, fmt.Sprintf("%s: %.0f events/s", s, res.rate()))
		if res.rate() > best {
			best, found = res.rate(), s
		}
	}
	if p.set = found; best == 0 {
		return fmt.Errorf("the peer counted right with no setting: %q", r.report.Tried)
	}
	return nil
}

// rounds runs every contender once in each round; who begins changes.
func (r *run) rounds(ctx context.Context, m *machine, all []contender) (map[string][]result, error) {
	results := map[string][]result{}
	for round := range r.cfg.Rounds {
		for i := range all {
			c := all[(i+round)%len(all)]
			if c.name() == keepingPeer && round > 0 {
				continue // it takes long, and nothing is divided by it
			}
			res, err := c.run(ctx)
			if err == nil {
				err = m.clear(ctx) // merges that are left must not meet the next one
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name(), err)
			}
			for _, f := range res.faults {
				r.report.fault("%s: %s", c.name(), f)
			}
			results[c.name()] = append(results[c.name()], res)
			r.say("round %d of %d, %-19s %6.0f events/s in %s; CPU: own %s, ClickHouse %s, Kafka %s", round+1, r.cfg.Rounds, c.name(), res.rate(),
				res.wall.Round(10*time.Millisecond), res.cpu.Round(10*time.Millisecond), res.engine, res.broker)
		}
	}
	return results, nil
}

// compare makes the ratios, each of two runs of one round. A run whose counts are wrong gives none.
func (r *run) compare(results map[string][]result, set setting) {
	for _, name := range []string{"ours", "limit", "peer", keepingPeer, "plain"} {
		var rates []float64
		for _, res := range results[name] {
			if len(res.faults) == 0 {
				rates = append(rates, math.Round(res.rate()))
			}
		}
		var costs, merges, sorts []float64
		for _, res := range results[name] {
			costs, merges, sorts = append(costs, res.cost()), append(merges, res.perEvent(res.merge)), append(sorts, res.perEvent(res.sort))
		}
		r.report.set(name+"_cpu_microseconds_per_event", "us", "CPU time of the contender, ClickHouse and Kafka together until all is visible, for each event", costs)
		r.report.set(name+"_merge_microseconds_per_event", "us", "time for which ClickHouse's merges were busy until all is visible (MergeExecuteMilliseconds), for each event", merges)
		r.report.set(name+"_sort_microseconds_per_event", "us", "time for which ClickHouse sorted what was inserted (MergeTreeDataWriterSortingBlocksMicroseconds), for each event", sorts)
		r.report.set(name+"_events_per_second", "events/s", methods[name], rates)
	}
	for _, other := range []string{"peer", "limit", "plain"} {
		var ratios []float64
		for i, own := range results["ours"] {
			if res := results[other][i]; len(own.faults) == 0 && len(res.faults) == 0 {
				ratios = append(ratios, own.rate()/res.rate())
			}
		}
		method := "events per second of ours divided by those of the " + other + " in the same round. Ours: " + methods["ours"] + ". The " + other + ": " + methods[other]
		if other == "peer" {
			method += ". Its setting: " + set.String()
		}
		r.report.set("ratio_to_"+other, "ratio", method, ratios)
	}
}

// methods say how each contender is measured.
var methods = map[string]string{
	"ours":      "one `retorno consume` process with its default settings, from the start of the process until the ledger, which each flush writes last, accounts for every event; then every cell is held against the register's truth and the verifier must find no difference",
	"limit":     "Client.Fetch of every partition from its begin to its end beside inserts of the rows that ours inserted in a run before, with the same blocks, tables and connections, until both are done; then the cells must be the same",
	"peer":      "ClickHouse's Kafka engine with materialized views into the same three cubes, from the view that sets it going until every event is counted in the cubes; then every cell is held against a count of the events in Go. It keeps no facts, takes away no copies and reconciles nothing",
	keepingPeer: "the peer that also keeps every event in a table, as ours keeps facts; one run",
	"plain":     "kafka-go's group Reader, one message after the other decoded and appended to a batch of clickhouse-go, inserted at 10,000 rows or after one second into a table of events with materialized views into the same cubes, from the making of the Reader until the last commit; then every cell is held against a count of the events in Go",
}
