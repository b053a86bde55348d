package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// restart stores many facts and starts a consumer.
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
	if err := l.send(ctx, m); err != nil {
		return err
	}
	own := newOurs(m, l)
	if res, err := own.run(ctx); err != nil || len(res.faults) > 0 {
		return errors.Join(err, fmt.Errorf("count what is to be multiplied: %v", res.faults))
	}
	facts, err := m.multiply(ctx, r.cfg.StoredFacts)
	if err != nil {
		return err
	}
	r.report.Sizes["stored_facts"] = int(facts)
	r.say("%d facts are stored", facts)
	want, err := m.storedCells(ctx, "retorno", true)
	if err != nil {
		return err
	}
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
	return nil
}

// multiply copies the people that are stored, with all that is derived from them, until there are so many facts. It
// returns how many there are.
func (m *machine) multiply(ctx context.Context, wanted int) (int64, error) {
	stored, err := m.number(ctx, "(SELECT count() FROM retorno.latest_facts)")
	if err != nil || stored == 0 {
		return 0, errors.Join(err, errors.New("no facts are stored"))
	}
	copies := max(1, int64(wanted)/stored)
	for _, t := range []struct {
		table string
		ids   []string
	}{{"facts", []string{"person", "record_id", "registration_id"}}, {"returns", []string{"return_id", "person"}}, {"assistance", []string{"record_id", "person", "return_id"}}} {
		var changed []string
		for _, id := range t.ids {
			// Zeros stand for none. The others differ in their last six digits.
			changed = append(changed, fmt.Sprintf("if(%[1]s = toUUID('00000000-0000-0000-0000-000000000000'), %[1]s, toUUID(concat(substring(toString(%[1]s), 1, 30), "+
				"lower(leftPad(hex(bitXor(reinterpretAsUInt32(reverse(unhex(substring(toString(%[1]s), 31, 6)))), bitAnd(copy * 10368889, 16777215))), 6, '0'))))) AS %[1]s", id))
		}
		err := m.exec(ctx, fmt.Sprintf("INSERT INTO retorno.%[1]s SELECT * EXCEPT (copy) REPLACE (%[2]s) FROM (SELECT * FROM retorno.%[1]s FINAL) AS stored CROSS JOIN (SELECT toUInt32(number + 1) AS copy FROM numbers(%[3]d)) AS copies SETTINGS max_insert_block_size = 1048576",
			t.table, strings.Join(changed, ", "), copies-1))
		if err != nil {
			return 0, err
		}
	}
	for table, counts := range map[string][]string{"return_counts": {"registered", "checkpoint", "reconciled"}, "assistance_counts": {"helps"}, "crossing_counts": {"crossings"}} {
		for i, c := range counts {
			counts[i] = fmt.Sprintf("%s * %d AS %s", c, copies, c)
		}
		err := m.exec(ctx, fmt.Sprintf("INSERT INTO retorno.%[1]s SELECT * REPLACE (%[2]s, version + 1 AS version) FROM retorno.%[1]s FINAL", table, strings.Join(counts, ", ")))
		if err != nil {
			return 0, err
		}
	}
	return m.number(ctx, "(SELECT count() FROM retorno.latest_facts)")
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
