package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/lab/torture/proxy"
	"retorno/producers/producer"
)

// machine is the system under torture.
type machine struct {
	cfg       Config
	dir       string
	temporary bool
	log       io.Writer

	engineMu sync.Mutex // held while the engine is being changed
	engine   *embedded.Engine
	native   string // the engine's address, the same after each start

	brokerMu sync.Mutex
	broker   *fakekafka.Broker
	kafka    string
	faults   []*kfake.FaultHandle // of the broker that runs now

	clocks  clocks   // of the sources
	witness *witness // of what is published

	toClickHouse, toKafka *proxy.Proxy
	consumers             []*consumer // whose places are always taken
	extra                 []*consumer // that have joined and not left

	allMu sync.Mutex
	every []*consumer // that ever was

	tasks   sync.WaitGroup // faults that last
	taskMu  sync.Mutex
	taskErr error
}

func startMachine(ctx context.Context, cfg Config) (_ *machine, err error) {
	m := &machine{cfg: cfg, dir: cfg.Dir, log: cfg.Log, witness: &witness{seen: map[uuid.UUID]*vintage{}}}
	if m.log == nil {
		m.log = io.Discard
	}
	m.log = &serialWriter{w: m.log}
	if m.dir == "" {
		if m.dir, err = os.MkdirTemp("", "retorno-torture-"); err != nil {
			return nil, err
		}
		m.temporary = true
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	if m.native, err = freeAddr(); err != nil {
		return nil, err
	}
	if err := m.startEngine(ctx); err != nil {
		return nil, err
	}
	if m.toClickHouse, err = proxy.New(false, cfg.Seed); err != nil {
		return nil, err
	}
	if m.toKafka, err = proxy.New(true, cfg.Seed); err != nil {
		return nil, err
	}
	if m.kafka, err = freeAddr(); err != nil {
		return nil, err
	}
	if err := m.startBroker(); err != nil {
		return nil, err
	}
	m.toClickHouse.Target(m.native)
	m.toKafka.Target(m.kafka)
	return m, m.prepare(ctx)
}

// prepare makes the topics and the schema.
func (m *machine) prepare(ctx context.Context) error {
	err := producer.EnsureTopics(ctx, []string{m.toKafka.Addr()}, producer.TopicsConfig{Partitions: m.cfg.Partitions,
		Client: producer.Config{Brokers: []string{m.toKafka.Addr()}}})
	if err != nil {
		return fmt.Errorf("make the topics: %w", err)
	}
	s, err := m.store()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	_, err = s.Migrate(ctx)
	return err
}

// store is ClickHouse without a proxy between.
func (m *machine) store() (*store.Store, error) {
	return store.Open(store.Config{Addr: m.native, Logger: m.cfg.Logger})
}

// writer shows its metrics in the registry; nil: nowhere.
func (m *machine) writer(in prometheus.Registerer) (*producer.Writer, error) {
	return producer.New(producer.Config{Brokers: []string{m.toKafka.Addr()}, Partitions: m.cfg.Partitions, Compression: "lz4",
		RequestTimeout: requestTimeout, MaxBackoff: maxBackoff, TopicGrace: m.cfg.For + m.cfg.Patience, Registerer: in, Logger: m.cfg.Logger})
}

func (m *machine) engineDir() string { return filepath.Join(m.dir, "engine") }

func (m *machine) startEngine(ctx context.Context) (err error) {
	m.engine, err = embedded.StartEngine(ctx, embedded.EngineConfig{Dir: m.engineDir(), Library: m.cfg.Engine, Native: m.native, Log: m.log})
	return err
}

func (m *machine) startBroker() (err error) {
	m.broker, err = fakekafka.Start(fakekafka.Config{Dir: filepath.Join(m.dir, "kafka"), Addr: m.kafka, Advertise: m.toKafka.Addr()})
	return err
}

func (m *machine) startConsumers() error {
	for i := range m.cfg.Consumers {
		c := m.newConsumer(fmt.Sprintf("consumer %d", i))
		c.start()
		m.consumers = append(m.consumers, c)
	}
	return nil
}

func (m *machine) newConsumer(name string) *consumer {
	c := &consumer{name: name, log: m.log, command: func(ops string) *exec.Cmd {
		return m.command(context.Background(), m.consumeFlags(m.toClickHouse.Addr(), "retorno", ops)...)
	}}
	m.allMu.Lock()
	defer m.allMu.Unlock()
	m.every = append(m.every, c)
	return c
}

// all are the consumers that ever were.
func (m *machine) all() []*consumer {
	m.allMu.Lock()
	defer m.allMu.Unlock()
	return slices.Clone(m.every)
}

// command is the program with these arguments, to be started; when ctx ends it is killed.
func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.cfg.Program[0], slices.Concat(m.cfg.Program[1:], args)...)
	cmd.Env = append(os.Environ(), m.cfg.Environ...)
	cmd.SysProcAttr = dieWithParent()
	return cmd
}

// reach are the flags of a process that uses Kafka and this ClickHouse, and gives neither long.
func (m *machine) reach(clickhouse string) []string {
	return []string{"--kafka-brokers=" + m.toKafka.Addr(), fmt.Sprintf("--kafka-partitions=%d", m.cfg.Partitions),
		"--kafka-request-timeout=" + requestTimeout.String(), "--clickhouse-addr=" + clickhouse, "--clickhouse-timeout=" + clickhouseTimeout.String()}
}

// consumeFlags are those of a consumer that notices everything soon.
func (m *machine) consumeFlags(clickhouse, group, ops string) []string {
	return append([]string{"consume", "--group=" + group, "--ops-listen=" + ops, "--flush-every=250ms",
		"--kafka-session-timeout=" + sessionTimeout.String(), "--kafka-rebalance-timeout=3s"}, m.reach(clickhouse)...)
}

// background makes a fault that lasts, or its end.
func (m *machine) background(what string, do func() error) {
	m.tasks.Go(func() {
		if err := do(); err != nil {
			m.taskMu.Lock()
			defer m.taskMu.Unlock()
			m.taskErr = errors.Join(m.taskErr, fmt.Errorf("%s: %w", what, err))
		}
	})
}

// heal waits for the faults that last and ends all trouble.
func (m *machine) heal(context.Context) error {
	m.tasks.Wait()
	m.toClickHouse.Heal()
	m.toKafka.Heal()
	m.brokerMu.Lock()
	for _, h := range m.faults {
		h.Remove()
	}
	m.brokerMu.Unlock()
	for _, c := range m.consumers {
		m.taskErr = errors.Join(m.taskErr, c.signal(syscall.SIGCONT))
	}
	return m.taskErr
}

// close ends everything and removes the temporary folder.
func (m *machine) close() error {
	m.tasks.Wait()
	var all []error
	for _, c := range append(m.consumers, m.extra...) {
		all = append(all, c.end(syscall.SIGKILL))
	}
	if m.broker != nil {
		all = append(all, m.broker.Stop())
	}
	for _, p := range []*proxy.Proxy{m.toClickHouse, m.toKafka} {
		if p != nil {
			all = append(all, p.Close())
		}
	}
	if m.engine != nil {
		all = append(all, m.engine.Kill())
	}
	if m.temporary && !m.cfg.Keep {
		all = append(all, os.RemoveAll(m.dir))
	}
	return errors.Join(all...)
}

// serialWriter keeps the lines of several processes apart.
type serialWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *serialWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}
