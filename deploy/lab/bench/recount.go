package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"retorno/consumers/counting/verify"
	"retorno/consumers/counting/verify/wire"
)

// statementMemory is what ClickHouse may use for one statement of the verifier: a pass that needs more fails.
const statementMemory = 1 << 30

// recount has the verifier make full passes over what is stored, and sees what one costs a consumer beside it.
func (r *run) recount(ctx context.Context, m *machine, l *load, facts int64) (err error) {
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{m.engine.Native()}, ReadTimeout: visiblePatience,
		Settings: clickhouse.Settings{"max_memory_usage": statementMemory}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	verifier, err := verify.New(verify.Config{Conn: conn, Kafka: &verify.Kafka{Config: wire.Config{Brokers: []string{m.broker.Addr()}}, Partitions: m.cfg.Partitions}})
	if err != nil {
		return err
	}
	var took, cpu []float64
	for range min(r.cfg.Rounds, 2) {
		seconds, used, err := r.fullPass(ctx, m, verifier, l)
		if err != nil {
			return err
		}
		took, cpu = append(took, seconds), append(cpu, used/float64(facts)*1e6)
	}
	r.report.set("verify_seconds", "s", fmt.Sprintf("one full pass of the verifier over %d facts, from the log to the cells; ClickHouse may use 1 GiB for one of its statements, and no row may differ", facts), took)
	r.report.set("verify_cpu_microseconds_per_fact", "us", "CPU time of the verifier and of ClickHouse in the passes of verify_seconds, per fact", cpu)
	return r.besidePasses(ctx, m, l, verifier)
}

// fullPass makes one full pass and returns how long it took, and the CPU seconds of this process and of ClickHouse.
func (r *run) fullPass(ctx context.Context, m *machine, verifier *verify.Verifier, l *load) (seconds, cpu float64, err error) {
	before, err := m.usage(ctx)
	if err != nil {
		return 0, 0, err
	}
	report, err := verifier.Full(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("a full pass of the verifier: %w", err)
	}
	if n, read := report.Different(), report.Read(); n > 0 || read != uint64(l.events()) {
		r.report.fault("verify_seconds: %d rows differ, %d of %d records read", n, read, l.events())
	}
	after, err := m.usage(ctx)
	cpu = (after.engine - before.engine + after.self - before.self).Seconds()
	r.say("verify: %.1f s, CPU %.1f s", report.Took.Seconds(), cpu)
	return report.Took.Seconds(), cpu, err
}

// besidePasses counts everything that was sent from the begin, by turns alone and beside one full pass after the other,
// which in production take a twentieth of the time at most.
func (r *run) besidePasses(ctx context.Context, m *machine, l *load, verifier *verify.Verifier) error {
	own := newOurs(m, l)
	var costs []float64
	for range r.cfg.Rounds {
		if err := m.newSchema(ctx); err != nil {
			return err
		}
		alone, err := own.consume(ctx)
		if err != nil {
			return err
		}
		if err := m.newSchema(ctx); err != nil {
			return err
		}
		passing, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		passes := 0
		go func() {
			defer close(done)
			for passing.Err() == nil {
				report, err := verifier.Full(passing)
				switch {
				case passing.Err() != nil:
				case err != nil:
					r.say("a pass beside a consumer: %v", err)
				case report.Different() > 0:
					r.report.fault("verify_beside_ratio: %d rows differ", report.Different())
				default:
					passes++
				}
			}
		}()
		beside, err := own.consume(ctx)
		stop()
		<-done
		if err != nil {
			return err
		}
		costs = append(costs, beside.wall.Seconds()/alone.wall.Seconds())
		r.say("counting takes %s alone and %s beside %d passes", alone.wall.Round(time.Millisecond), beside.wall.Round(time.Millisecond), passes)
	}
	r.report.set("verify_beside_ratio", "ratio", fmt.Sprintf("time in which one `retorno consume` process counts %d events while one full pass follows the other, divided by that alone; by default passes take a twentieth of the time", l.events()), costs)
	return nil
}
