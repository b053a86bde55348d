package command

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// deleteBefore deletes the records of a partition before an offset, as retention does.
func deleteBefore(t *testing.T, broker, topic string, partition int32, offset int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis = 10_000
	of := kmsg.NewDeleteRecordsRequestTopic()
	of.Topic = topic
	at := kmsg.NewDeleteRecordsRequestTopicPartition()
	at.Partition, at.Offset = partition, offset
	of.Partitions = append(of.Partitions, at)
	request.Topics = append(request.Topics, of)
	response, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// counts runs a whole consumer process that looks at stopped partitions often, until the test ends.
func counts(t *testing.T, flags kafkaFlags, s *store.Store) {
	t.Helper()
	read, err := flags.consumer(slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	read.StopRetry = 100 * time.Millisecond
	c, err := newCounting(countFlags{Group: "retorno", StallAfter: time.Hour}, read, s, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = c.letters.Close()
	})
}

// TestPartitionsAreResolved: records that were not counted are deleted in Kafka. The partition is listed as stopped, wrong
// decisions are refused, the right one lets it read on, and what was given up is listed with who and why.
func TestPartitionsAreResolved(t *testing.T) {
	broker, err := fakekafka.Start(fakekafka.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	s, clickhouse := migratedStore(t)
	flags := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 2}
	writer, err := producer.New(producerWithTopics(t, flags))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	write(t, writer, messagesOf(t, messyRegister(t, "A04", 4))[:4000])
	deleteBefore(t, broker.Addr(), events.TopicCentre, 1, 7)
	counts(t, flags, s)
	partition := func(args ...string) result {
		return try(t, "", nil, append(append([]string{"partition"}, args...), "--kafka-brokers="+broker.Addr(), "--kafka-partitions=2", "--clickhouse-addr="+clickhouse)...)
	}
	var at standing
	embeddedtest.Await(t, "stopped partition", func() (bool, string) {
		r := partition("list", "--json")
		_ = json.Unmarshal([]byte(r.out), &at)
		return r.status == exitNo && at.Stop != nil, fmt.Sprintf("%+v", r)
	})
	if at.Partition != 1 || at.Topic != events.TopicCentre || at.Position != 0 || at.Begin != 7 || at.Stop.Reason != "retention" || at.Stop.Found != 7 {
		t.Errorf("it stands at %+v, %+v", at, at.Stop)
	}
	who := []string{"--topic=" + events.TopicCentre, "--who=Ana Paz", "--why=retention was too short"}
	resolve := func(args ...string) result {
		return partition(append(append([]string{"resolve"}, who...), args...)...)
	}
	for _, wrong := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"0", "--from-begin"}, exitNo, "has not stopped"},
		{[]string{"1", "--new-log"}, exitNo, "another reason"},
		{[]string{"1", "--skip-to=3"}, exitNo, "Kafka holds 7 to"},
		{[]string{"1", "--skip-to=99999999"}, exitNo, "Kafka holds 7 to"},
		{[]string{"1"}, exitUsage, "--from-begin"},
		{[]string{"1", "--from-begin", "--new-log"}, exitUsage, "one of"},
		{[]string{"2", "--from-begin"}, exitUsage, "there are 2"},
		{[]string{"1", "--from-begin", "--who="}, exitUsage, "must not be empty"},
	} {
		if r := resolve(wrong.args...); r.status != wrong.status || !strings.Contains(r.err, wrong.want) {
			t.Errorf("%q: %+v, want status %d and %q", wrong.args, r, wrong.status, wrong.want)
		}
	}
	if r := resolve("1", "--from-begin"); r.status != exitDone || !strings.Contains(r.out, "offset 7") {
		t.Fatalf("%+v", r)
	}
	awaitRead(t, s, 4000-7)
	embeddedtest.Await(t, "end of the stop", func() (bool, string) {
		r := partition("list")
		return r.status == exitDone, fmt.Sprintf("%+v", r)
	})
	r := partition("list")
	for _, want := range []string{"reads on", `"Ana Paz" decided`, "skip from offset 0 to 7", `"retention was too short"`} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the list lacks %q:\n%s", want, r.out)
		}
	}
	if a, err := s.Accounted(t.Context()); err != nil || a.Lost != 7 || a.Read() != 4000-7 {
		t.Errorf("accounts %+v, %v", a, err)
	}
	if found, err := verify.Once(t.Context(), s.Conn()); err != nil || found.Different() > 0 {
		t.Errorf("the second count: %+v, %v", found, err)
	}
}
