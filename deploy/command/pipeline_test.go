package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/consumers/dissemination/report"
	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/lab/register"
	"retorno/producers/producer"
	"retorno/schemas/tables"
)

// TestPipelineOnBothBrokers plays a table with everything that goes wrong through each broker into ClickHouse. Two
// consumers share the work; one joins when some of it is done, and the other leaves before the end. Every cell of the
// truth comes out, on the embedded broker and on Apache Kafka.
func TestPipelineOnBothBrokers(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		broker, err := fakekafka.Start(fakekafka.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = broker.Stop() })
		pipeline(t, broker.Addr())
	})
	t.Run("Apache Kafka", func(t *testing.T) {
		server, err := apachekafka.Start(t.Context(), apachekafka.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Stop() })
		pipeline(t, server.Addr())
	})
}

func pipeline(t *testing.T, broker string) {
	s, _ := migratedStore(t)
	made := messyRegister(t, "A04", 4)
	flags := kafkaFlags{Brokers: []string{broker}, Partitions: 4}
	settings := producerWithTopics(t, flags)
	writer, err := producer.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	messages := messagesOf(t, made)
	third := len(messages) / 3

	leave := consume(t, flags, s)
	write(t, writer, messages[:third])
	awaitRead(t, s, uint64(third))
	consume(t, flags, s)
	write(t, writer, messages[third:2*third])
	awaitRead(t, s, uint64(third+third/2))
	leave()
	write(t, writer, messages[2*third:])
	awaitRead(t, s, uint64(len(messages)))
	awaitTruth(t, s, made)
}

// engine is shared by the tests that take turns with its database; those of commands that start one have their own.
var engine *embedded.Engine

// programVariable makes this test's executable the program that it tests, so that an agent is a process of its own.
const programVariable = "RETORNO_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		_ = os.Unsetenv(programVariable)
		os.Exit(Main(os.Args[1:]))
	}
	embeddedtest.Main(m, embeddedtest.Keep(&engine))
}

// migratedStore is an empty schema, and the address of its engine.
func migratedStore(t *testing.T) (s *store.Store, addr string) {
	t.Helper()
	return enginetest.Fresh(t, engine), engine.Native()
}

// messyRegister is a register with everything that goes wrong, made from a published table.
func messyRegister(t *testing.T, id string, seed uint64) *register.Register {
	t.Helper()
	return readMade(t, id, register.Settings{Seed: seed, Mess: register.Hard})
}

// readMade makes a register from one of the program's tables.
func readMade(t *testing.T, id string, settings register.Settings) *register.Register {
	t.Helper()
	table, err := tables.Read(strings.NewReader(string(tables.Dev())), id)
	if err != nil {
		t.Fatal(err)
	}
	made, err := register.Make(t.Context(), table, settings)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// producerWithTopics says how to reach the broker, once it has the topics.
func producerWithTopics(t *testing.T, flags kafkaFlags) producer.Config {
	t.Helper()
	settings, err := flags.producer(slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := flags.ensureTopics(t.Context(), flags.topics(settings), nil); err != nil {
		t.Fatal(err)
	}
	return settings
}

func messagesOf(t *testing.T, made *register.Register) []producer.Message {
	t.Helper()
	var all []producer.Message
	if err := made.Events(func(e register.Event) error {
		all = append(all, producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func write(t *testing.T, writer *producer.Writer, messages []producer.Message) {
	t.Helper()
	if err := writer.Write(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
}

// consume starts one consumer and gives what ends it in order.
func consume(t *testing.T, flags kafkaFlags, s *store.Store) (leave func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("RETORNO_DEBUG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	read, err := flags.consumer(log, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCounting(countFlags{Group: "retorno"}, read, s, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.reader.Run(ctx, c.counter.Run) }()
	left := false
	leave = func() {
		if left {
			return
		}
		left = true
		cancel()
		if err := errors.Join(<-ended, c.letters.Close()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(leave)
	return leave
}

// patience bounds every wait of these tests.
const patience = 5 * time.Minute

func awaitRead(t *testing.T, s *store.Store, want uint64) {
	t.Helper()
	embeddedtest.Await(t, "account of every record", func() (bool, string) {
		a, err := s.Accounted(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return a.Read() >= want, fmt.Sprintf("%d of %d", a.Read(), want)
	})
}

// awaitTruth holds what is stored against the truth of the register: the printed table, every cell of the cube, every
// account, and the second count.
func awaitTruth(t *testing.T, s *store.Store, made *register.Register) {
	t.Helper()
	truth := made.Truth()
	counted, err := report.Count(t.Context(), s.Conn(), made.Table())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range counted.Differences() {
		t.Errorf("table %s: %v", made.Table().ID, d)
	}
	want := truth.ReturnCells()
	got := cube(t, s)
	for cell, n := range want {
		if got[cell] != n {
			t.Errorf("cell %+v: %+v, the truth is %+v", cell, got[cell], n)
		}
	}
	for cell, n := range got {
		if _, ok := want[cell]; !ok {
			t.Errorf("cell %+v: %+v, which the truth does not have", cell, n)
		}
	}
	a, err := s.Accounted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rejected := 0
	for _, n := range truth.Rejected {
		rejected += n
	}
	if a.Read() != uint64(truth.Events) || a.Rejected != uint64(rejected) {
		t.Errorf("accounts %+v: %d events were sent, %d of them broken", a, truth.Events, rejected)
	}
	found, err := verify.Once(t.Context(), s.Conn())
	if err != nil {
		t.Fatal(err)
	}
	if n := found.Different(); n > 0 {
		t.Errorf("the second count disagrees on %d rows: %+v", n, found)
	}
}

func cube(t *testing.T, s *store.Store) map[register.ReturnCell]register.ReturnCount {
	t.Helper()
	rows, err := s.Conn().Query(t.Context(), `SELECT toString(day), route, return_type, entry_point, exit_point, centre, sex, age_group,
		sum(registered), sum(checkpoint), sum(reconciled) FROM ceniss.return_counts GROUP BY ALL`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[register.ReturnCell]register.ReturnCount{}
	for rows.Next() {
		var c register.ReturnCell
		var registered, checkpoint, reconciled uint64
		if err := rows.Scan(&c.Day, &c.Route, &c.ReturnType, &c.EntryPoint, &c.ExitPoint, &c.Centre, &c.Sex, &c.AgeGroup, &registered, &checkpoint, &reconciled); err != nil {
			t.Fatal(err)
		}
		all[c] = register.ReturnCount{Registered: int(registered), Checkpoint: int(checkpoint), Reconciled: int(reconciled)}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
