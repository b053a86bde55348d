package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/embedded"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// engineMemory is what ClickHouse may use: bench gives it more than a demo does.
const engineMemory = 6 << 30

var factTopics = []string{events.TopicCheckpoint, events.TopicCentre}

// machine is a ClickHouse engine and an Apache Kafka, each a process of its own.
type machine struct {
	cfg    Config
	dir    string
	broker *apachekafka.Server
	engine *embedded.Engine
	store  *store.Store
}

// startMachine starts both, with the schema and with empty fact topics and no others.
func (r *run) startMachine(ctx context.Context) (_ *machine, err error) {
	m, err := r.startStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.stop())
		}
	}()
	if err := r.startBroker(ctx); err != nil {
		return nil, err
	}
	m.broker = r.broker
	if err := m.removeTopics(ctx); err != nil {
		return nil, err
	}
	if err := producer.EnsureTopics(ctx, []string{m.broker.Addr()}, producer.TopicsConfig{Partitions: r.cfg.Partitions, Client: m.producer()}); err != nil {
		return nil, fmt.Errorf("make the topics: %w", err)
	}
	return m, nil
}

// startBroker starts Apache Kafka, once: it takes seconds.
func (r *run) startBroker(ctx context.Context) (err error) {
	if r.broker != nil {
		return nil
	}
	dir := filepath.Join(r.dir, "kafka")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	r.broker, err = apachekafka.Start(ctx, apachekafka.Config{Dir: dir, Log: r.cfg.Log})
	return err
}

// startStore starts ClickHouse alone, with the schema.
func (r *run) startStore(ctx context.Context) (_ *machine, err error) {
	m := &machine{cfg: r.cfg}
	if m.dir, err = os.MkdirTemp(r.dir, "machine-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.stop())
		}
	}()
	if m.engine, err = m.startEngine(ctx, ""); err != nil {
		return nil, err
	}
	r.report.Versions["clickhouse"] = m.engine.Version()
	m.store, err = store.Open(store.Config{Addr: m.engine.Native(), QueryTimeout: 10 * time.Minute, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return m, m.newSchema(ctx)
}

// startEngine starts ClickHouse on the machine's folder, at an address that is free when native is empty.
func (m *machine) startEngine(ctx context.Context, native string) (*embedded.Engine, error) {
	return embedded.StartEngine(ctx, embedded.EngineConfig{Dir: filepath.Join(m.dir, "engine"), Library: m.cfg.Engine, Native: native, Outside: true, // a peer reads Kafka by itself
		MemoryLimit: engineMemory, Log: m.cfg.Log})
}

func (m *machine) producer() producer.Config {
	return producer.Config{Brokers: []string{m.broker.Addr()}, Partitions: m.cfg.Partitions, Compression: "lz4"}
}

func (m *machine) conn() driver.Conn { return m.store.Conn() }

// clear drops every database that a contender may have filled.
func (m *machine) clear(ctx context.Context) error {
	var all []string
	for _, name := range []string{"ceniss", "retorno", "peer", "plain"} {
		all = append(all, "DROP DATABASE IF EXISTS "+name+" SYNC")
	}
	return m.exec(ctx, all...)
}

// newSchema makes the pipeline's databases again, empty.
func (m *machine) newSchema(ctx context.Context) error {
	if err := m.clear(ctx); err != nil {
		return err
	}
	_, err := m.store.Migrate(ctx)
	return err
}

func (m *machine) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if err := m.conn().Exec(ctx, s); err != nil {
			return fmt.Errorf("%.60s …: %w", s, err)
		}
	}
	return nil
}

// number is the one number that a query answers.
func (m *machine) number(ctx context.Context, query string) (n int64, err error) {
	err = m.conn().QueryRow(ctx, "SELECT toInt64("+query+")").Scan(&n)
	return n, err
}

// stop ends ClickHouse and removes its data; Kafka stays.
func (m *machine) stop() error {
	var all []error
	if m.store != nil {
		all = append(all, m.store.Close())
	}
	if m.engine != nil {
		all = append(all, m.engine.Kill())
	}
	return errors.Join(append(all, os.RemoveAll(m.dir))...)
}

// cpuOf is the CPU time that a process has used; zero where the system does not tell.
func cpuOf(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The fields follow the name, which stands in parentheses and may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, f := range fields[11:13] { // user and system time, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100)
}

// await asks every so often until done says so.
func await(ctx context.Context, what string, patience time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s: %w", what, patience, ctx.Err())
		case <-tick.C:
		}
	}
}

// pollEvery is how often is asked whether something is visible, of every contender alike.
const pollEvery = 100 * time.Millisecond
