//go:build !server

package command

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/completeness"
	"retorno/consumers/counting/storage"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/deploy/clickhouse"
	"retorno/deploy/lab/register"
	"retorno/deploy/ops"
	"retorno/schemas/tables"
)

type demoCommand struct {
	machineFlags
	webFlags   `embed:""`
	Data       string  `placeholder:"DIR" help:"Folder of the data, kept and found again at the next start; without it a temporary one, removed at the end."`
	Exit       bool    `per:"call" help:"End after the table; status 0 only when every played event is accounted for and the verifier found no difference."`
	Seed       uint64  `default:"1" placeholder:"N" help:"Seed of the made register: the same table and seed give the same events."`
	Mess       string  `enum:"none,everyday,hard" default:"everyday" help:"How messy the events are: ${enum}."`
	Table      string  `placeholder:"FILE" help:"Published tables to make the register from; without it those that this program carries."`
	ID         string  `name:"id" default:"A14" placeholder:"ID" help:"Which table of the file."`
	Out        string  `placeholder:"FILE" help:"Write the counted table there, in the form of the published one."`
	Partitions int     `name:"kafka-partitions" default:"12" placeholder:"N" help:"Partitions of each of the two fact topics."`
	Live       float64 `default:"60" placeholder:"N" help:"Live arrivals a minute after the table; 0: none."`
	Listen     string  `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the pages and the feed are; replaced when taken."`
}

// Help is the longer text of --help.
func (demoCommand) Help() string {
	return helpText("Runs the whole system on this machine: a Kafka broker, a ClickHouse, the consumer, the verifier and the web. It makes a register from a published table (without --table: 27,086 returned people registered in the first half of 2016), plays its events through all of it, prints the table as ClickHouse counts it, the accounts of every record, and what the verifier says, and goes on with live arrivals until Ctrl-C.\n\nStatus 1: the table contradicts itself, or a count differs. Status 3 also when the disk of the data has been full for 30 s.",
		"retorno demo", "retorno demo --exit --seed=7 --mess=hard", "retorno demo --exit --table=tables.csv --id=A02 --out=counted.csv", "retorno demo --data=/srv/demo --endpoints=endpoints.json")
}

// Validate names what cannot be.
func (c *demoCommand) Validate() error {
	if c.Partitions < 1 {
		return fmt.Errorf("--kafka-partitions %d: must be 1 or more", c.Partitions)
	}
	if c.Live < 0 {
		return fmt.Errorf("--live %v: must not be negative", c.Live)
	}
	return checkAll(checkAddress("listen", c.Listen), c.machineFlags.Validate(), c.webFlags.check())
}

// Run plays the table.
func (c *demoCommand) Run(ctx context.Context, t *terminal) (err error) {
	if !t.Stated("log-level") { // the show is for people; what goes wrong is still said
		t.Log = newLogger(t.Err, "warn", "text")
	}
	table, err := readTable(c.Table, c.ID)
	if err != nil {
		return err
	}
	t.say("register: making the events of table %s, seed %d, mess %s", table.ID, c.Seed, c.Mess)
	made, err := makeRegister(ctx, table, c.Seed, c.Mess)
	if err != nil {
		return err
	}
	data := c.Data
	if data == "" {
		if data, err = os.MkdirTemp("", "retorno-demo-"); err != nil {
			return Missing(err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	}
	d := &demo{demoCommand: c, t: t, made: made, data: data, registry: ops.NewRegistry(version, "demo")}
	d.machine = &machine{flags: c.machineFlags, data: data, t: t, ops: ops.New(d.registry)}
	err = ops.Run(ctx, t.Log, d.parts())
	if err == nil && c.Exit && !d.concluded.Load() {
		return No(errors.New("interrupted before the table was counted and verified"))
	}
	return err
}

func makeRegister(ctx context.Context, table *tables.Table, seed uint64, mess string) (*register.Register, error) {
	level, err := register.ParseLevel(mess)
	if err != nil {
		return nil, Usage(err)
	}
	made, err := register.Make(ctx, table, register.Settings{Seed: seed, Mess: level})
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, explainTable(err)
	}
	return made, nil
}

// demo is the whole system on one machine. Its parts fill it when they start.
type demo struct {
	*demoCommand
	t         *terminal
	made      *register.Register
	data      string
	registry  *prometheus.Registry
	machine   *machine
	kafka     kafkaFlags
	store     *store.Store
	published *store.Store // as the user who may read what was published and nothing else
	counting  *counting
	verifier  *verify.Verifier
	watch     *completeness.Watch
	storage   *storage.Watch
	web       net.Listener
	played    bool        // before, into the same folder
	concluded atomic.Bool // the table came out, the verifier agrees, and the half-year is published
}

func (d *demo) parts() []ops.Part {
	forget := func(context.Context) error {
		if d.Endpoints == "" {
			return nil
		}
		return removeEndpoints(d.Endpoints)
	}
	parts := []ops.Part{{Name: "endpoints file", Start: forget, Stop: forget}, diskPart(d.data)}
	parts = append(parts, d.machine.parts()...)
	return append(parts,
		ops.Part{Name: "schema", Start: d.openStore, Stop: func(context.Context) error { return errors.Join(d.store.Close(), d.published.Close()) }},
		ops.Part{Name: "played before", Start: d.checkFolder},
		ops.Part{Name: "consumer", Start: d.startCounting,
			Run:  func(ctx context.Context) error { return d.counting.part().Run(ctx) },
			Stop: func(ctx context.Context) error { return d.counting.part().Stop(ctx) }},
		ops.Part{Name: "completeness", Run: func(ctx context.Context) error { return d.watch.Run(ctx) }},
		ops.Part{Name: "storage", Run: func(ctx context.Context) error { return d.storage.Run(ctx) }},
		ops.Part{Name: "web", Start: d.listen, Run: func(ctx context.Context) error {
			web := d.part(d.web, d.published, d.machine.ops, d.t.Log, d.registry)
			if err := web.Start(ctx); err != nil {
				return err
			}
			return web.Run(ctx)
		}},
		ops.Part{Name: "addresses", Start: d.announce},
		ops.Part{Name: "play", Run: d.play, Finite: d.Exit},
	)
}

func (d *demo) openStore(ctx context.Context) error {
	flags := clickhouseFlags{Addr: d.machine.engine.Native(), User: "default"}
	s, err := flags.open(ctx, d.t.Log, d.registry)
	if err != nil {
		return err
	}
	d.store = s
	if _, err = s.Migrate(ctx); err != nil {
		return errors.Join(err, s.Close())
	}
	reader := clickhouseFlags{Addr: flags.Addr, User: clickhouse.PublicRole}
	if d.published, err = reader.openPublished(ctx, d.t.Log, nil); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// startCounting makes the topics and the consumer.
func (d *demo) startCounting(ctx context.Context) error {
	d.kafka = kafkaFlags{Brokers: []string{d.machine.broker.Addr()}, Partitions: d.Partitions}
	settings, err := d.kafka.producer(d.t.Log, nil)
	if err != nil {
		return err
	}
	if err := d.kafka.ensureTopics(ctx, d.kafka.topics(settings), nil); err != nil {
		return err
	}
	d.kafka.ensureAgentTopics(ctx, settings)
	read, err := d.kafka.consumer(d.t.Log, d.registry)
	if err != nil {
		return err
	}
	d.counting, err = newCounting(countFlags{Group: "retorno"}, read, d.store, d.t.Log, d.registry)
	if err != nil {
		return err
	}
	kafka, err := d.kafka.log()
	if err != nil {
		return err
	}
	d.verifier, err = verify.New(verify.Config{Conn: d.store.Conn(), Kafka: kafka, AtOnce: 2, Logger: d.t.Log, Registerer: d.registry})
	if err != nil {
		return err
	}
	d.watch, err = completeness.New(completeness.Config{Conn: d.store.Conn(), Logger: d.t.Log, Registerer: d.registry})
	if err != nil {
		return err
	}
	d.storage, err = storage.New(storage.Config{Conn: d.store.Conn(), Logger: d.t.Log, Registerer: d.registry})
	if err != nil {
		return err
	}
	d.machine.ops.Ready("counting", d.counting.ready)
	d.machine.ops.Healthy("counting", d.counting.alive)
	d.machine.ops.Ready("played register", func(context.Context) error {
		if !d.concluded.Load() {
			return errors.New("the register is still being played, verified and published")
		}
		return nil
	})
	return nil
}

func (d *demo) listen(context.Context) error {
	listener, moved, err := ops.Listen(d.Listen, true)
	if err != nil {
		return Missing(err)
	}
	if moved {
		d.machine.sayMoved("web", d.Listen)
	}
	d.web = listener
	return nil
}

func (d *demo) announce(context.Context) error {
	e := d.machine.endpoints()
	e.Web = fmt.Sprintf("http://%s", d.web.Addr())
	if err := e.print(d.t.Err); err != nil {
		return err
	}
	if d.Endpoints == "" {
		return nil
	}
	return e.write(d.Endpoints)
}

// stampName is the file that says which register a data folder holds.
const stampName = "played.txt"

// checkFolder refuses a folder that holds the events of another register: the counts would be of both.
func (d *demo) checkFolder(context.Context) error {
	printed := sha256.New()
	for _, c := range d.made.Table().Cells() {
		_, _ = fmt.Fprintln(printed, c.Block, c.Category, c.Printed) // a hash takes everything
	}
	stamp := fmt.Sprintf("table %s of %s, whose numbers have the SHA-256 %.8x, seed %d, mess %s, %d partitions\n",
		d.made.Table().ID, tableName(d.Table), printed.Sum(nil), d.Seed, d.Mess, d.Partitions)
	path := filepath.Join(d.data, stampName)
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return os.WriteFile(path, []byte(stamp), 0o644)
	case err != nil:
		return err
	case string(old) != stamp:
		return Usage(fmt.Errorf("the folder %s holds another register: %sremove it, or name another one with --data", d.data, old))
	}
	return nil
}
