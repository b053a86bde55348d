//go:build !server

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"syscall"

	"retorno/deploy/command/screen"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/enginefetch"
	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/ops"
)

// machineFlags say how to run a broker and a ClickHouse engine on this machine.
type machineFlags struct {
	Endpoints        string `placeholder:"FILE" help:"Write the addresses there as JSON once all answer; removed at the end."`
	Engine           string `placeholder:"FILE" help:"A libchdb.so to use instead of fetching the pinned one."`
	KafkaListen      string `default:"127.0.0.1:9092" placeholder:"HOST:PORT" help:"Where the broker listens. A port that is taken is replaced by a free one."`
	ClickhouseListen string `default:"127.0.0.1:9000" placeholder:"HOST:PORT" help:"Where ClickHouse speaks its native protocol; replaced when taken."`
	HTTPListen       string `name:"clickhouse-http-listen" default:"127.0.0.1:8123" placeholder:"HOST:PORT" help:"Where ClickHouse speaks HTTP; replaced when taken."`
	Outside          bool   `name:"clickhouse-outside" help:"Let statements of ClickHouse reach files of this machine, other computers and programs: file(), url(), mysql(), remote(), ENGINE = Kafka and the like. Without it they are refused."`
	OpsListen        string `default:"127.0.0.1:9464" placeholder:"HOST:PORT" help:"Where /metrics, /healthz and /readyz are; replaced when taken."`
}

// Validate names an address that cannot be one.
func (f *machineFlags) Validate() error {
	for flag, addr := range map[string]string{
		"kafka-listen": f.KafkaListen, "clickhouse-listen": f.ClickhouseListen, "clickhouse-http-listen": f.HTTPListen, "ops-listen": f.OpsListen,
	} {
		if err := checkAddress(flag, addr); err != nil {
			return err
		}
	}
	return nil
}

// machine is a broker and an engine on this machine. Its parts fill it when they start.
type machine struct {
	flags  machineFlags
	data   string // folder of the data
	t      *terminal
	ops    *ops.Server
	engine *embedded.Engine
	broker *fakekafka.Broker
	web    net.Listener // of the ops server
}

// parts of the machine, in the order in which they start.
func (m *machine) parts() []ops.Part {
	return []ops.Part{
		{Name: "ClickHouse engine", Start: m.startEngine, Run: m.watchEngine, Stop: func(ctx context.Context) error { return m.engine.Stop(ctx) }},
		{Name: "Kafka broker", Start: m.startBroker, Stop: func(context.Context) error { return m.broker.Stop() }},
		{Name: "ops listener", Start: m.listenOps},
		// The server is made when its listener is there.
		{Name: "ops server", Run: func(ctx context.Context) error { return m.ops.Part(m.web).Run(ctx) }},
	}
}

func (m *machine) startEngine(ctx context.Context) error {
	native, err := m.free("ClickHouse", m.flags.ClickhouseListen)
	if err != nil {
		return err
	}
	http, err := m.free("ClickHouse over HTTP", m.flags.HTTPListen)
	if err != nil {
		return err
	}
	fetching := &fetchProgress{w: m.t.Err}
	m.engine, err = embedded.StartEngine(ctx, embedded.EngineConfig{
		Dir: filepath.Join(m.data, "engine"), Library: m.flags.Engine, Native: native, HTTP: http, Outside: m.flags.Outside,
		Log: &logWriter{log: m.t.Log}, Progress: fetching.show,
	})
	fetching.end()
	if err != nil {
		return explainMachine(err)
	}
	m.ops.Healthy("ClickHouse engine", func(context.Context) error { return m.engine.Err() })
	return nil
}

// watchEngine ends with the engine, should that end by itself.
func (m *machine) watchEngine(ctx context.Context) error {
	select {
	case <-m.engine.Done():
		return Missing(m.engine.Err())
	case <-ctx.Done():
		return nil
	}
}

func (m *machine) startBroker(context.Context) error {
	addr, err := m.free("Kafka", m.flags.KafkaListen)
	if err != nil {
		return err
	}
	m.broker, err = fakekafka.Start(fakekafka.Config{Dir: filepath.Join(m.data, "kafka"), Addr: addr, Log: m.t.Log})
	return explainMachine(err)
}

func (m *machine) listenOps(context.Context) error {
	listener, moved, err := ops.Listen(m.flags.OpsListen, true)
	if err != nil {
		return Missing(err)
	}
	if moved {
		m.sayMoved("metrics", m.flags.OpsListen)
	}
	m.web = listener
	return nil
}

// free returns addr, or a free port of its host when the port is taken, which it says.
func (m *machine) free(what, addr string) (string, error) {
	listener, moved, err := ops.Listen(addr, true)
	if err != nil {
		return "", Missing(fmt.Errorf("%s: %w", what, err))
	}
	if moved {
		m.sayMoved(what, addr)
		addr = listener.Addr().String()
	}
	return addr, listener.Close()
}

func (m *machine) sayMoved(what, addr string) {
	_, _ = fmt.Fprintf(m.t.Err, "%s: port %s is taken by another program; a free one is used instead\n", what, addr)
}

// endpoints are the addresses as they are in force.
func (m *machine) endpoints() endpoints {
	return endpoints{
		Kafka:            m.broker.Addr(),
		ClickHouseNative: m.engine.Native(),
		ClickHouseHTTP:   "http://" + m.engine.HTTP(),
		Metrics:          fmt.Sprintf("http://%s/metrics", m.web.Addr()),
	}
}

// explainMachine gives errors of the embedded machine their exit status and the way out.
func explainMachine(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, embedded.ErrNoEngine):
		return Missing(err)
	case errors.Is(err, embedded.ErrFolderInUse), errors.Is(err, fakekafka.ErrInUse):
		return Missing(fmt.Errorf("%w; the setting is --data", err))
	case errors.Is(err, embedded.ErrFolderUnusable):
		return Missing(fmt.Errorf("%w; name another folder with --data", err))
	case errors.Is(err, embedded.ErrAddressInUse), errors.Is(err, embedded.ErrEngineDied), errors.Is(err, syscall.EADDRINUSE):
		return Missing(err)
	default:
		return err
	}
}

// fetchProgress shows the one download of the engine.
type fetchProgress struct {
	w    io.Writer
	step string
	bar  *screen.Progress
}

func (f *fetchProgress) show(p enginefetch.Progress) {
	if p.Step != f.step {
		f.end()
		f.step = p.Step
		_, _ = fmt.Fprintf(f.w, "ClickHouse engine: %s\n", p.Step)
		f.bar = screen.NewProgress(f.w, "ClickHouse engine: "+p.Step+", bytes", p.Total)
	}
	f.bar.Set(p.Done)
}

func (f *fetchProgress) end() {
	if f.bar != nil {
		f.bar.End()
	}
}
