package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/deploy/lab/torture/proxy"
	"retorno/schemas/events"
)

const (
	requestTimeout    = 2 * time.Second
	clickhouseTimeout = 5 * time.Second
	maxBackoff        = 500 * time.Millisecond
	// stopPatience is how long a consumer may take to come to the place where it stops itself.
	stopPatience = 4 * time.Second
)

// make makes one fault. What lasts goes on in the background.
func (m *machine) make(ctx context.Context, s step) error {
	switch s.kind {
	case Kill, Zombie, Torn, Halted:
		return m.hitConsumer(ctx, m.consumers[s.on%len(m.consumers)], s)
	case Engine, Restore:
		return m.hitEngine(ctx, s)
	case Alone:
		m.background(s.String(), func() error { return m.hitTable(ctx, s) })
	case Broker:
		return m.restartBroker(s)
	case Produce, Commit, Fetch, Outage, Letters:
		return m.hitRequests(ctx, s)
	case Storm, Scale:
		return m.changeMembers(ctx, s)
	case Clocks:
		m.clocks.step(s)
	case KafkaCut, KafkaLost, KafkaSlow, KafkaHalf, Flip, Bits:
		m.hitNetwork(ctx, m.toKafka, s)
	default:
		m.hitNetwork(ctx, m.toClickHouse, s)
	}
	return nil
}

func (m *machine) hitConsumer(ctx context.Context, c *consumer, s step) error {
	end := syscall.SIGKILL
	if s.pick>>32&1 == 1 {
		end = syscall.SIGTERM
	}
	switch s.kind {
	case Kill:
		return c.signal(syscall.SIGKILL)
	case Zombie:
		if err := c.signal(syscall.SIGSTOP); err != nil {
			return err
		}
		m.background(s.String(), func() error {
			_ = pause(ctx, s.lasts)
			return c.signal(syscall.SIGCONT)
		})
	case Torn:
		return c.again(end, fmt.Sprintf("--failpoint=kill@%s:%d", s.table(), s.n))
	case Halted:
		m.background(s.String(), func() error {
			err := waitFor(ctx, stopPatience, c.stopped)
			if err == nil {
				err = pause(ctx, s.lasts)
			}
			// One that never came to that place, because it had nothing to write, goes on as it is.
			return errors.Join(ignoreLate(err), c.signal(syscall.SIGCONT))
		})
		return c.again(end, fmt.Sprintf("--failpoint=stop@%s:%d", s.table(), s.n))
	}
	return nil
}

var errLate = errors.New("it did not happen in time")

func ignoreLate(err error) error {
	if errors.Is(err, errLate) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// waitFor waits for a condition. It rests three times as long as each look took, so that looking takes no core of its own.
func waitFor(ctx context.Context, most time.Duration, cond func() bool) error {
	for until := time.Now().Add(most); ; {
		began := time.Now()
		switch {
		case cond():
			return nil
		case time.Now().After(until):
			return errLate
		}
		if err := pause(ctx, max(10*time.Millisecond, 3*time.Since(began))); err != nil {
			return err
		}
	}
}

// hitEngine kills the engine and starts it again; Restore puts its folder back to what it is now, some time later.
func (m *machine) hitEngine(ctx context.Context, s step) error {
	backup := fmt.Sprintf("%s.backup-%d", m.engineDir(), s.at.Milliseconds())
	var vintages map[uuid.UUID]bool // in the backup
	err := m.aroundEngine(ctx, func() error {
		if s.kind != Restore {
			return nil
		}
		vintages = m.witness.known()
		return os.CopyFS(backup, os.DirFS(m.engineDir()))
	})
	if err != nil || s.kind != Restore {
		return err
	}
	m.background(s.String(), func() error {
		_ = pause(ctx, s.lasts)
		return m.aroundEngine(context.WithoutCancel(ctx), func() error {
			if err := os.RemoveAll(m.engineDir()); err != nil {
				return err
			}
			m.witness.restored(vintages)
			return os.Rename(backup, m.engineDir())
		})
	})
	return nil
}

// aroundEngine kills the engine, does something while it is away, and starts it again.
func (m *machine) aroundEngine(ctx context.Context, do func() error) error {
	m.engineMu.Lock()
	defer m.engineMu.Unlock()
	m.look(ctx)
	if err := m.engine.Kill(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return m.startEngine(ctx)
}

func (m *machine) restartBroker(step) error {
	m.brokerMu.Lock()
	defer m.brokerMu.Unlock()
	if err := m.broker.Stop(); err != nil {
		return err
	}
	m.faults = nil
	return m.startBroker()
}

// hitRequests makes the broker refuse requests. A request that times out at the broker may have been done all the same.
func (m *machine) hitRequests(ctx context.Context, s step) error {
	m.brokerMu.Lock()
	defer m.brokerMu.Unlock()
	choose := func(errs ...*kerr.Error) *kerr.Error { return errs[s.pick%uint64(len(errs))] }
	fault := kfake.Fault{Count: int(s.n)}
	switch s.kind {
	case Produce:
		fault.Keys = []kmsg.Key{kmsg.Produce}
		fault.Err = choose(kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.NotLeaderForPartition, kerr.UnknownServerError)
	case Commit:
		fault.Keys = []kmsg.Key{kmsg.OffsetCommit}
		fault.Err = choose(kerr.RequestTimedOut, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.RebalanceInProgress)
	case Fetch:
		fault.Keys = []kmsg.Key{kmsg.Fetch}
		fault.Err = choose(kerr.NotLeaderForPartition, kerr.UnknownServerError, kerr.KafkaStorageError, kerr.UnknownTopicOrPartition)
	case Outage:
		fault = kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: []string{events.TopicCheckpoint, events.TopicCentre}[s.pick>>32&1], Count: -1,
			Err: choose(kerr.KafkaStorageError, kerr.UnknownServerError, kerr.TopicAuthorizationFailed, kerr.CorruptMessage)}
	case Letters:
		fault = kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: events.TopicDeadLetter, Count: -1,
			Err: choose(kerr.UnknownTopicOrPartition, kerr.TopicAuthorizationFailed, kerr.NotEnoughReplicas)}
	}
	handle := m.broker.Cluster().Fault(fault)
	m.faults = append(m.faults, handle)
	if s.kind != Letters && s.kind != Outage {
		return nil
	}
	m.background(s.String(), func() error {
		_ = pause(ctx, s.lasts)
		m.brokerMu.Lock()
		defer m.brokerMu.Unlock()
		handle.Remove()
		return nil
	})
	return nil
}

// changeMembers lets consumers join and leave: several times in a row (Storm), or one for good (Scale).
func (m *machine) changeMembers(ctx context.Context, s step) error {
	if s.kind == Scale {
		if n := len(m.extra); n > 0 {
			leaving := m.extra[n-1]
			m.extra = m.extra[:n-1]
			m.background("a consumer leaves", func() error { return leaving.end(syscall.SIGTERM) })
			return nil
		}
		m.extra = append(m.extra, m.join())
		return nil
	}
	m.background(s.String(), func() error {
		var all []error
		for range s.n {
			c := m.join()
			_ = pause(ctx, time.Second)
			all = append(all, c.end(syscall.SIGTERM))
		}
		return errors.Join(all...)
	})
	return nil
}

func (m *machine) join() *consumer {
	c := m.newConsumer(fmt.Sprintf("consumer +%d", len(m.all())))
	c.start()
	return c
}

func (m *machine) hitNetwork(ctx context.Context, p *proxy.Proxy, s step) {
	t := proxy.Trouble{}
	endAll := false
	switch s.kind {
	case Cut, KafkaCut:
		t.Cut, t.Budget = true, s.n
	case Lost, KafkaLost:
		t.Swallow = true
	case Slow, KafkaSlow:
		t.Delay = 5*time.Millisecond + time.Duration(s.pick%100)*time.Millisecond
	case HalfOpen, KafkaHalf:
		t.Hang = true
	case Refuse:
		t.Refuse, endAll = true, true
	case Exception:
		t.Exception = s.code()
	case Flip:
		p.Flip(s.n)
		return
	case Bits:
		p.Spoil(s.n)
		return
	}
	p.Set(t, endAll)
	m.background(s.String(), func() error {
		_ = pause(ctx, s.lasts)
		// What was lost, hung or was answered wrongly ends; what was only slow goes on.
		p.Set(proxy.Trouble{}, s.kind != Slow && s.kind != KafkaSlow && s.kind != Cut && s.kind != KafkaCut)
		return nil
	})
}

// hitTable puts one table back to what it was some time ago, or takes one of its parts, and kills all consumers: a
// takeover has to notice. Whatever is left of the table when ClickHouse goes away meanwhile is as good a damage.
func (m *machine) hitTable(ctx context.Context, s step) error {
	db, err := m.store()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	table, held := s.table(), fmt.Sprintf("retorno.held_%d", s.at.Milliseconds())
	_ = db.Conn().Exec(ctx, fmt.Sprintf("CREATE OR REPLACE TABLE %s ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM %s", held, table))
	if err := pause(ctx, s.lasts); err != nil {
		return nil // the run is over
	}
	m.witness.damaged()
	if s.pick>>33&1 == 0 {
		_ = db.Conn().Exec(ctx, "TRUNCATE TABLE "+table)
		_ = db.Conn().Exec(ctx, fmt.Sprintf("INSERT INTO %s SELECT * FROM %s", table, held))
	} else {
		var part string
		_ = db.Conn().QueryRow(ctx, "SELECT name FROM system.parts WHERE active AND concat(database, '.', table) = ? ORDER BY cityHash64(name, ?) LIMIT 1", table, s.pick).Scan(&part)
		_ = db.Conn().Exec(ctx, fmt.Sprintf("ALTER TABLE %s DROP PART '%s'", table, part))
	}
	m.allMu.Lock()
	defer m.allMu.Unlock()
	for _, c := range m.every {
		_ = c.signal(syscall.SIGKILL) // one that is not running begins with a takeover anyway
	}
	return nil
}
