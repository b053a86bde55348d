package heartbeats_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/heartbeats"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/agents"
	"retorno/schemas/kafka"
)

// conn leads to an engine that all tests of the package share.
var conn driver.Conn

func TestMain(m *testing.M) { embeddedtest.Main(m, enginetest.Schema(&conn)) }

// broker starts one with the topic, and returns what puts messages there.
func broker(t *testing.T) (kafka.Access, func(key, value string)) {
	t.Helper()
	b, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop() })
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.DefaultProduceTopic(agents.TopicAgents))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = agents.TopicAgents, 1, 1
	making := kmsg.NewPtrCreateTopicsRequest()
	making.Topics = append(making.Topics, topic)
	if _, err := making.RequestWith(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	return kafka.Access{Brokers: []string{b.Addr()}}, func(key, value string) {
		t.Helper()
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte(key), Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func taker(t *testing.T, access kafka.Access, c heartbeats.Conn, registry prometheus.Registerer) *heartbeats.Taker {
	t.Helper()
	taker, err := heartbeats.New(heartbeats.Config{Access: access, Conn: c, Registerer: registry, MostSources: 8})
	if err != nil {
		t.Fatal(err)
	}
	return taker
}

func text(t *testing.T, b agents.Beat) string {
	t.Helper()
	value, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

// stored are rows of the view as people see them.
func stored(t *testing.T, columns string) (all string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT toString(tuple(source, "+columns+")) FROM ceniss.sources ORDER BY source")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		all += row + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// The latest heartbeat of each source holds, by time and then by number, in whatever order several processes read them; what is none is
// refused by the field, and a heartbeat of the year 2099 does not hide those that follow.
func TestLatestHeartbeatHolds(t *testing.T) {
	if err := conn.Exec(t.Context(), "TRUNCATE TABLE retorno.heartbeats"); err != nil {
		t.Fatal(err)
	}
	access, send := broker(t)
	at := time.Now().Add(-time.Hour).UnixMilli()
	offset := int64(-1500)
	good := func(source string, minute int64, last uint64) agents.Beat {
		return agents.Beat{Source: source, Run: "r", AtMs: at + minute*60_000, LastSeq: last, Unsent: 2, OldestUnsentMs: at, ClockOffsetMs: &offset, DiskFree: 1 << 30,
			DiskLow: true, Damaged: 1, Version: "1.2.3", Secrets: map[string]string{"": "aaaa", "2016-01-01": "bbbb", "2099-01-01": "cccc"}, Lists: "1234", FormsMissing: 3, Stopped: "login"}
	}
	beats := []agents.Beat{good("L-COR-1", 1, 10), good("L-COR-1", 2, 12), good("L-COR-1", 2, 11), good("L-COR-1", 0, 90), good("L-COR-2", 5, 7), good("L-COR-3", 5, 7)}
	beats[4].Secrets, beats[5].Lists, beats[5].Stopped = map[string]string{"": "bbbc"}, "5678", ""
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(beats), func(i, j int) { beats[i], beats[j] = beats[j], beats[i] })
	for _, b := range beats {
		send(b.Source, text(t, b))
	}
	refused := hostile(t, send, good)
	registry := prometheus.NewRegistry()
	first := taker(t, access, conn, registry)
	for _, one := range []*heartbeats.Taker{first, taker(t, access, conn, nil), first} {
		if err := one.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := "('L-COR-1',12,12,2,-1.5,1073741824,1,1,'1.2.3','bbbb',0,'1234',0,3,'login')\n('L-COR-2',7,7,2,-1.5,1073741824,1,1,'1.2.3','bbbc',1,'1234',0,3,'login')\n" +
		"('L-COR-3',7,7,2,-1.5,1073741824,1,1,'1.2.3','bbbb',0,'5678',1,3,'')\n"
	columns := "missing, last_number, unsent, agent_clock_offset_seconds, disk_free_bytes, disk_low, damaged, agent_version, secret_fingerprint, foreign_secret, lists_fingerprint, foreign_lists, forms_missing, stop_reason"
	if got := stored(t, columns); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for field, n := range refused {
		if got := counted(t, registry, field); got != n {
			t.Errorf("%v are refused for %s, want %v", got, field, n)
		}
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

func counted(t *testing.T, registry *prometheus.Registry, field string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "retorno_heartbeats_refused_total" && m.GetLabel()[0].GetValue() == field {
				return m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

// hostile sends what is no heartbeat, and returns how many are wrong in which field.
func hostile(t *testing.T, send func(key, value string), good func(string, int64, uint64) agents.Beat) map[string]float64 {
	t.Helper()
	wrong := map[string]func(*agents.Beat){
		"run":     func(b *agents.Beat) { b.Run = strings.Repeat("x", 65) },
		"at_ms":   func(b *agents.Beat) { b.AtMs = time.Now().Add(2 * time.Hour).UnixMilli() },
		"unsent":  func(b *agents.Beat) { b.Unsent = b.LastSeq + 1 },
		"damaged": func(b *agents.Beat) { b.Damaged = -1 }, "version": func(b *agents.Beat) { b.Version = strings.Repeat("x", 1000) },
		"last_seq": func(b *agents.Beat) { b.LastSeq = 1 << 63 }, "oldest_unsent_ms": func(b *agents.Beat) { b.OldestUnsentMs = -1 },
		"clock_offset_ms": func(b *agents.Beat) { huge := int64(1) << 62; b.ClockOffsetMs = &huge },
		"lists":           func(b *agents.Beat) { b.Lists = strings.Repeat("x", 65) }, "forms_missing": func(b *agents.Beat) { b.FormsMissing = 1 << 40 },
		"documents_met": func(b *agents.Beat) { b.DocumentsMet = -1 }, "stopped": func(b *agents.Beat) { b.Stopped = strings.Repeat("x", 65) },
		"secrets": func(b *agents.Beat) {
			for i := range 33 {
				b.Secrets[fmt.Sprint(i)] = "x"
			}
		},
	}
	refused := map[string]float64{}
	for field, change := range wrong {
		b := good("L-COR-1", 3, 1000)
		change(&b)
		send("L-COR-1", text(t, b))
		refused[field]++
	}
	late := good("L-COR-1", 3, 1000)
	late.AtMs = 4_102_444_799_000 // 2099
	send("L-COR-1", text(t, late))
	send("L-COR-9", text(t, good("L-COR-1", 3, 1000)))
	for _, value := range []string{"", "{", "[]", `{"last_seq":-1}`, strings.Repeat(" ", agents.MaxBeatBytes) + text(t, good("L-COR-1", 3, 1000))} {
		send("L-COR-1", value)
		refused["bytes"]++
	}
	refused["at_ms"]++
	refused["source"]++
	return refused
}

// broken is a ClickHouse that does not answer at first.
type broken struct {
	heartbeats.Conn
	left int
}

func (b *broken) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	if b.left--; b.left >= 0 {
		return nil, errors.New("no answer")
	}
	return b.Conn.PrepareBatch(ctx, query, opts...)
}

// A ClickHouse that does not answer, or a topic that is missing, loses nothing: the next turn goes on.
func TestHeartbeatsGoOnAfterAFailure(t *testing.T) {
	if err := conn.Exec(t.Context(), "TRUNCATE TABLE retorno.heartbeats"); err != nil {
		t.Fatal(err)
	}
	access, send := broker(t)
	send("L-COR-1", text(t, agents.Beat{Source: "L-COR-1", Run: "r", AtMs: time.Now().UnixMilli(), LastSeq: 4}))
	one := taker(t, access, &broken{conn, 1}, nil)
	if err := one.Pass(t.Context()); err == nil {
		t.Fatal("a write that failed is no error")
	}
	if err := one.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, "last_number"); got != "('L-COR-1',4)\n" {
		t.Error(got)
	}
	none, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = none.Stop() }()
	if err := taker(t, kafka.Access{Brokers: []string{none.Addr()}}, conn, nil).Pass(t.Context()); err == nil || !strings.Contains(err.Error(), agents.TopicAgents) {
		t.Errorf("a topic that is missing: %v", err)
	}
}
