package command

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/store"
	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/lab/register"
	"retorno/producers/producer"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// abroad is a system with a broker, a store and a consumer, to which producers of other makes send.
type abroad struct {
	broker     string
	brokers    kafkaFlags
	store      *store.Store
	clickhouse string
}

func goAbroad(t *testing.T, partitions int) *abroad {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	a := &abroad{broker: broker.Addr(), brokers: kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: partitions}}
	a.store, a.clickhouse = migratedStore(t)
	producerWithTopics(t, a.brokers)
	consume(t, a.brokers, a.store)
	return a
}

// send sends records as a client of that configuration does, each where its partitioner puts it.
func (a *abroad) send(t *testing.T, records []*kgo.Record, options ...kgo.Opt) {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(a.broker)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// accounts are records, accepted, duplicate, superseded, rejected and redriven, each record once.
type accounts struct{ records, accepted, duplicate, superseded, rejected, redriven int64 }

// have waits until so many offsets are accounted for, and holds what became of the records against want. The verifier agrees.
func (a *abroad) have(t *testing.T, offsets int, want accounts) {
	t.Helper()
	awaitRead(t, a.store, uint64(offsets))
	got := a.accounted(t)
	if got != want {
		t.Errorf("after %d offsets: %+v, want %+v", offsets, got, want)
	}
	if r := try(t, "", nil, append([]string{"verify", "--once", "--clickhouse-addr=" + a.clickhouse}, a.flags()...)...); r.status != exitDone {
		t.Errorf("verify: %+v", r)
	}
}

func (a *abroad) flags() []string {
	return []string{"--kafka-brokers=" + a.broker, fmt.Sprintf("--kafka-partitions=%d", a.brokers.Partitions)}
}

// redrive sends dead letters again, and returns what the command says.
func (a *abroad) redrive(t *testing.T, args ...string) result {
	t.Helper()
	return try(t, "", nil, append(append([]string{"deadletter", "redrive"}, args...), a.flags()...)...)
}

// byCRC places keys as librdkafka does unless it is told otherwise: consistent_random, CRC-32 of the key.
func byCRC(key []byte, n int) int { return int(crc32.ChecksumIEEE(key) % uint32(n)) }

// placing makes a partitioner of a function.
func placing(where func(key []byte, n int) int) kgo.Opt {
	return kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
		return func(r *kgo.Record, n int) int { return where(r.Key, n) }
	}))
}

// TestProducersThatPlaceKeysOtherwiseArePutRight: a register comes from producers that place keys as librdkafka, as FNV
// clients, by turns, all into one partition, and as Java does, compressed in every way. What stands in another partition
// than its key's is set aside; sent again, it goes where it belongs, and the truth comes out. Sending all again changes
// nothing more.
func TestProducersThatPlaceKeysOtherwiseArePutRight(t *testing.T) {
	const partitions = 5
	a := goAbroad(t, partitions)
	made := readMade(t, "A04", register.Settings{Seed: 6})
	messages := messagesOf(t, made)
	turn := 0
	producers := []struct {
		where func(key []byte, n int) int
		codec kgo.CompressionCodec
		also  []kgo.Opt
	}{
		{byCRC, kgo.NoCompression(), nil},
		{func(key []byte, n int) int { return int(fnv(key)&0x7fffffff) % n }, kgo.GzipCompression(), nil},
		{func([]byte, int) int { turn++; return turn % partitions }, kgo.SnappyCompression(), []kgo.Opt{kgo.DisableIdempotentWrite()}},
		{func([]byte, int) int { return 3 }, kgo.Lz4Compression(), []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck())}},
		{kafka.Partition, kgo.ZstdCompression(), nil},
	}
	misfiled := 0
	for i, share := range slices.Collect(slices.Chunk(messages, len(messages)/len(producers)+1)) {
		p := producers[i]
		records := recordsOf(share)
		a.send(t, records, append(p.also, placing(p.where), kgo.ProducerBatchCompression(p.codec))...)
		for _, r := range records {
			if int(r.Partition) != kafka.Partition(r.Key, partitions) {
				misfiled++
			}
		}
	}
	if misfiled < len(messages)/2 {
		t.Fatalf("%d of %d are misfiled", misfiled, len(messages))
	}
	broken := int64(0)
	for _, n := range made.Truth().Rejected {
		broken += int64(n)
	}
	all := int64(len(messages))
	awaitRead(t, a.store, uint64(all))
	before := a.accounted(t)
	if before.records != all || before.rejected < int64(misfiled) || before.rejected > int64(misfiled)+broken {
		t.Errorf("%d are misfiled, and %d broken: %+v", misfiled, broken, before)
	}
	if r := a.redrive(t, "--all"); r.status != exitDone {
		t.Fatalf("%+v", r)
	}
	awaitRead(t, a.store, uint64(all+before.rejected))
	after := a.accounted(t)
	if after.records != all || after.rejected != broken || after.redriven != before.rejected || after.accepted+after.duplicate+after.superseded != all-broken {
		t.Errorf("sent again: %+v", after)
	}
	if got, want := cube(t, a.store), made.Truth().ReturnCells(); !maps.Equal(got, want) {
		t.Errorf("%d cells are not the %d of the truth", len(got), len(want))
	}
	a.have(t, int(all+before.rejected), after)
	if r := a.redrive(t, "--all"); r.status != exitDone {
		t.Fatalf("%+v", r)
	}
	a.have(t, int(all+2*before.rejected), after)
}

func (a *abroad) accounted(t *testing.T) (got accounts) {
	t.Helper()
	if err := a.store.Conn().QueryRow(t.Context(), `SELECT toInt64(sum(records)), toInt64(sum(accepted)), toInt64(sum(duplicate)), toInt64(sum(superseded)),
		toInt64(sum(rejected)), toInt64(sum(redriven)) FROM retorno.record_accounts`).
		Scan(&got.records, &got.accepted, &got.duplicate, &got.superseded, &got.rejected, &got.redriven); err != nil {
		t.Fatal(err)
	}
	return got
}

func fnv(key []byte) uint32 {
	h := uint32(2166136261)
	for _, b := range key {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}

func recordsOf(messages []producer.Message) []*kgo.Record {
	var all []*kgo.Record
	for _, m := range messages {
		all = append(all, &kgo.Record{Topic: m.Topic, Key: m.Key, Value: m.Value})
	}
	return all
}

// soundRecord is a crossing of that number as its key and its envelope say, for its topic and its key's partition.
func soundRecord(t *testing.T, n, partitions int) *kgo.Record {
	t.Helper()
	parsed, err := events.ParseLine([]byte(event(n)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parsed.Message(1460000001000, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{Topic: m.Topic, Key: m.Key, Value: m.Value, Partition: int32(kafka.Partition(m.Key, partitions))}
}

// TestHeadersOfOthersChangeNothing: every header that the program reads, or ever read, stands on sound records and on such
// as are set aside, as another program would write it. Each record ends in the account in which it ends without, each
// letter says what is true, and sending the letters again changes no more than for others.
func TestHeadersOfOthersChangeNothing(t *testing.T) {
	const partitions = 4
	a := goAbroad(t, partitions)
	n, want := 0, accounts{}
	var sent []*kgo.Record
	misfiled := 0
	spoof := func(headers ...kgo.RecordHeader) {
		for _, wrong := range []bool{false, true} {
			n++
			r := soundRecord(t, n, partitions)
			r.Headers = headers
			want.records++
			if wrong {
				r.Partition = (r.Partition + 1) % partitions
				want.rejected++
				misfiled++
			} else {
				want.accepted++
			}
			sent = append(sent, r)
		}
	}
	spoof()
	for _, name := range []string{"retorno-unreadable", "retorno-origin", "retorno-code", "retorno-field", "retorno-detail", "retorno-at", "retorno-time",
		"retorno-key", "retorno-header-retorno-origin", "retorno-header-retorno-redriven-from", "retorno-redriven-from", "retorno-skipped", "traceparent", ""} {
		for _, value := range []string{"", "spoof", events.TopicCheckpoint + "/0/0", "malformed", "1460000000000"} {
			spoof(kgo.RecordHeader{Key: name, Value: []byte(value)})
		}
	}
	for _, from := range []string{"/0/0", "/1/0", "/2/3", "/3/9223372036854775807", "/65536/0", "/65537/1", "/70000/5", "/4/0", "/-1/0", "/0/-1"} {
		spoof(kgo.RecordHeader{Key: "retorno-redriven-from", Value: []byte(events.TopicCheckpoint + from)})
		spoof(kgo.RecordHeader{Key: "retorno-redriven-from", Value: []byte(events.TopicCentre + from)})
		spoof(kgo.RecordHeader{Key: "retorno-redriven-from", Value: []byte("x")}, kgo.RecordHeader{Key: "retorno-redriven-from", Value: []byte(events.TopicCheckpoint + from)})
	}
	a.send(t, sent, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	a.have(t, len(sent), want)
	a.lettersAre(t, sent, partitions)
	for range 2 {
		if r := a.redrive(t, "--all"); r.status != exitDone {
			t.Fatalf("%+v", r)
		}
		n += misfiled
		want.accepted, want.rejected, want.redriven = want.records, 0, int64(misfiled)
		a.have(t, n, want)
	}
}

// lettersAre holds the dead letters against the misfiled of what was sent.
func (a *abroad) lettersAre(t *testing.T, sent []*kgo.Record, partitions int) {
	t.Helper()
	cfg, err := a.brokers.deadLetters(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	aside := map[deadletter.Origin]deadletter.Letter{}
	if err := deadletter.List(t.Context(), cfg, time.Time{}, func(l deadletter.Letter) error {
		aside[l.Origin] = l
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, r := range sent {
		if int(r.Partition) == kafka.Partition(r.Key, partitions) {
			continue
		}
		o := deadletter.Origin{Topic: r.Topic, Partition: int(r.Partition), Offset: r.Offset}
		l, there := aside[o]
		if !there || l.Code != events.CodeMisfiled || !bytes.Equal(l.Key, r.Key) || !bytes.Equal(l.Value, r.Value) || len(l.Headers) != len(r.Headers) {
			t.Errorf("%s with %v is letter %s %s with %v", o, r.Headers, l.Origin, l.Code, l.Headers)
		}
		for i := range l.Headers {
			if l.Headers[i].Key != r.Headers[i].Key || !bytes.Equal(l.Headers[i].Value, r.Headers[i].Value) {
				t.Errorf("%s: header %v is %v", o, r.Headers[i], l.Headers[i])
			}
		}
		delete(aside, o)
	}
	if len(aside) > 0 {
		t.Errorf("%d letters more than there should be", len(aside))
	}
}

// TestOddMessagesOfForeignProducers: no key, an empty one, another one, tombstones, an empty value, values of other
// formats, and the right record on the wrong topic are set aside, and come back when they are sent again: nothing is made
// up for them. A sound one among them is counted, and one sent twice is a duplicate.
func TestOddMessagesOfForeignProducers(t *testing.T) {
	const partitions = 4
	a := goAbroad(t, partitions)
	sound := soundRecord(t, 1, partitions)
	records := []*kgo.Record{sound}
	add := func(change func(*kgo.Record)) {
		r := soundRecord(t, len(records)+1, partitions)
		change(r)
		records = append(records, r)
	}
	add(func(r *kgo.Record) { r.Key = nil })
	add(func(r *kgo.Record) { r.Key = []byte{} })
	add(func(r *kgo.Record) { r.Key = []byte("other-key") })
	add(func(r *kgo.Record) { r.Key = bytes.ToUpper(append(r.Key, 'x')) })
	add(func(r *kgo.Record) {
		r.Key, r.Partition = []byte("other-key"), int32(kafka.Partition([]byte("other-key"), partitions))
	})
	add(func(r *kgo.Record) { r.Value = nil })
	add(func(r *kgo.Record) { r.Value = []byte{} })
	add(func(r *kgo.Record) { r.Value, r.Partition = nil, (r.Partition+1)%partitions })
	add(func(r *kgo.Record) { r.Key, r.Value = nil, nil })
	add(func(r *kgo.Record) { r.Value = append([]byte{0, 0, 0, 0, 7, 0}, r.Value...) })
	add(func(r *kgo.Record) { r.Value = []byte(`{"record":{"record_id":"x"}}`) })
	add(func(r *kgo.Record) { r.Topic = events.TopicCentre })
	odd := len(records) - 1
	twice := *sound
	records = append(records, &twice)
	a.send(t, records, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	want := accounts{records: int64(len(records)), accepted: 1, duplicate: 1, rejected: int64(odd)}
	a.have(t, len(records), want)
	for i := range 2 {
		if r := a.redrive(t, "--all"); r.status != exitDone || r.out != fmt.Sprintf("%d dead letters sent again\n", odd) {
			t.Fatalf("%+v", r)
		}
		want.redriven = int64(odd)
		a.have(t, len(records)+odd*(i+1), want)
	}
}

// TestLettersOfOthersAreNotSent: what another program has put among the dead letters, with headers as ours, goes to no
// topic but those of facts, and to no partition that they do not have.
func TestLettersOfOthersAreNotSent(t *testing.T) {
	const partitions = 3
	a := goAbroad(t, partitions)
	foreign := []string{"payments/0/0", "__consumer_offsets/3/1", deadletter.Topic + "/0/0", events.TopicCentre + "/3/0"}
	var records []*kgo.Record
	for _, origin := range foreign {
		records = append(records, &kgo.Record{Topic: deadletter.Topic, Value: []byte("x"), Headers: []kgo.RecordHeader{{Key: "retorno-origin", Value: []byte(origin)}}})
	}
	ours := soundRecord(t, 1, partitions)
	ours.Partition = (ours.Partition + 1) % partitions
	a.send(t, append(records, ours), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	a.have(t, 1, accounts{records: 1, rejected: 1})
	r := a.redrive(t, "--all")
	if r.status != exitNo || r.out != "1 dead letters sent again\n" || !strings.Contains(r.err, "4 letters name a place that no fact comes from") {
		t.Errorf("%+v", r)
	}
	a.have(t, 2, accounts{records: 1, accepted: 1, redriven: 1})
}

// TestMessagesThatNameEachOther: three misfiled copies of one record say of each other that they were read there first.
// None is believed, so each is accounted for; so is the one of them that is sent again.
func TestMessagesThatNameEachOther(t *testing.T) {
	const partitions = 4
	a := goAbroad(t, partitions)
	sound := soundRecord(t, 1, partitions)
	own := sound.Partition
	var records []*kgo.Record
	for i := range int32(3) {
		r := *sound
		r.Partition = (own + 1 + i) % partitions
		named := (own + 1 + (i+1)%2) % partitions // the second, the first, the second
		r.Headers = []kgo.RecordHeader{{Key: "retorno-redriven-from", Value: fmt.Appendf(nil, "%s/%d/0", r.Topic, named)}}
		records = append(records, &r)
	}
	a.send(t, records, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	a.have(t, 3, accounts{records: 3, rejected: 3})
	if r := a.redrive(t, fmt.Sprintf("%s/%d/0", sound.Topic, (own+1)%partitions)); r.status != exitDone || r.out != "1 dead letters sent again\n" {
		t.Fatalf("%+v", r)
	}
	a.have(t, 4, accounts{records: 4, accepted: 1, rejected: 3})
}
