package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// restart has many facts counted, starts consumers on what is stored, and has the verifier count all of it again.
func (r *run) restart(ctx context.Context) (err error) {
	m, err := r.startMachine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	l, err := makeLoad(ctx, r.cfg.Seed, min(200_000, r.cfg.StoredFacts))
	if err != nil {
		return err
	}
	facts, err := r.countMany(ctx, m, l)
	if err != nil || !r.report.OK() {
		return err
	}
	want := cellsOfTruth(l.truth).times(l.copies)
	var took []float64
	var memory []float64
	for range min(r.cfg.Rounds, 2) {
		seconds, rss, err := m.restarted(ctx)
		if err != nil {
			return err
		}
		have, err := m.storedCells(ctx, "retorno", true)
		if err != nil {
			return err
		}
		if faults := want.differences(have); len(faults) > 0 {
			r.report.fault("restart_seconds: %v", faults)
			return nil
		}
		r.say("restart: %.1f s, at most %d MB", seconds, rss>>20)
		took, memory = append(took, seconds), append(memory, float64(rss))
	}
	r.report.set("restart_seconds", "s", fmt.Sprintf("from the start of a `retorno consume` process until it has written its first flush for each of the %d partitions, with %d facts stored and what follows from them; the cells must be the same afterwards", m.cfg.Partitions, facts), took)
	r.report.set("restart_most_memory_bytes", "bytes", "the most memory that the consumer process had in the runs of restart_seconds", memory)
	return r.recount(ctx, m, l, facts)
}

// countMany sends and counts as many copies of the load as make StoredFacts facts. It returns how many there are.
func (r *run) countMany(ctx context.Context, m *machine, l *load) (int64, error) {
	own := newOurs(m, l)
	for from := 0; ; from = 1 {
		if err := l.sendCopies(ctx, m, from); err != nil {
			return 0, err
		}
		if err := m.newSchema(ctx); err != nil {
			return 0, err
		}
		if _, err := own.consume(ctx); err != nil {
			return 0, err
		}
		facts, err := m.number(ctx, "(SELECT count() FROM retorno.latest_facts)")
		if err != nil {
			return 0, err
		}
		if copies := r.cfg.StoredFacts / int(max(1, facts)); from == 0 && copies > 1 {
			l.copies = copies
			continue
		}
		have, err := m.storedCells(ctx, "retorno", true)
		if err != nil {
			return 0, err
		}
		if faults := cellsOfTruth(l.truth).times(l.copies).differences(have); len(faults) > 0 {
			r.report.fault("restart_seconds, before the restart: %v", faults)
		}
		r.report.Sizes["stored_facts"] = int(facts)
		r.say("%d facts are stored", facts)
		return facts, nil
	}
}

// restarted starts a consumer and returns how long it took until each partition has its first flush.
func (m *machine) restarted(ctx context.Context) (seconds float64, rss uint64, err error) {
	before, err := m.number(ctx, "(SELECT max(epoch) FROM retorno.ledger)")
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	p, err := m.consume("ours-1")
	if err != nil {
		return 0, 0, err
	}
	err = await(ctx, "the first flush after a restart", visiblePatience, func() (bool, error) {
		if err := p.alive(); err != nil {
			return false, err
		}
		n, err := m.number(ctx, fmt.Sprintf("(SELECT uniqExact(kafka_partition) FROM retorno.ledger WHERE epoch > %d)", before))
		return n == int64(m.cfg.Partitions), err
	})
	seconds = time.Since(began).Seconds()
	err = errors.Join(err, endAll([]*process{p}))
	return seconds, p.most, err
}
