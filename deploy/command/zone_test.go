package command

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/calendar"
)

// inZone starts a ClickHouse of a time zone.
func inZone(t *testing.T, zone string) *embedded.Engine {
	t.Helper()
	e, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir(), Zone: zone, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(context.Background()) })
	return e
}

// TestNoNumberMovesWithTheServersZone: the same log is counted into servers of three zones. The truth comes out in each, and
// every view says the same.
func TestNoNumberMovesWithTheServersZone(t *testing.T) {
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	made := messyRegister(t, "A04", 7)
	brokers := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 2}
	writer, err := producer.New(producerWithTopics(t, brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	messages := messagesOf(t, made)
	write(t, writer, messages)
	var first map[string]string
	for _, zone := range []string{calendar.ZoneName, "UTC", "Asia/Tokyo"} {
		s := enginetest.Fresh(t, inZone(t, zone))
		leave := consume(t, brokers, s)
		awaitRead(t, s, uint64(len(messages)))
		leave()
		awaitTruth(t, s, made)
		got := views(t, s)
		if first == nil {
			first = got
		}
		for question, sums := range got {
			if sums != first[question] {
				t.Errorf("in zone %s %s comes to %s, in %s to %s", zone, question, sums, calendar.ZoneName, first[question])
			}
		}
	}
}

// views sums up each view: how many rows it has, and a hash of their text, which no order moves.
func views(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, from := range []string{
		"ceniss.returns", "ceniss.return_counts", "ceniss.assistance_counts", "ceniss.assisted", "ceniss.crossing_counts", "ceniss.source_gaps", "ceniss.coverage", "retorno.record_accounts",
		"(SELECT source, highest_seq, received, missing, first_seen, last_seen FROM ceniss.sources)",
		"(SELECT person, record_id, version, event_time, recorded_time, sent_at, arrival, toDate(arrival) FROM retorno.facts FINAL)",
	} {
		var rows, sum uint64
		if err := s.Conn().QueryRow(t.Context(), "SELECT count(), toUInt64(sum(cityHash64(toString(tuple(*))))) FROM "+from).Scan(&rows, &sum); err != nil {
			t.Fatalf("%s: %v", from, err)
		}
		if rows == 0 {
			t.Errorf("%s has no rows", from)
		}
		all[from] = fmt.Sprintf("%d rows, %016x", rows, sum)
	}
	return all
}

// TestAnotherZoneOfTheServerIsNamed: migrate and consume name the time zone of a server that is not in Honduras, and are
// silent of one that is.
func TestAnotherZoneOfTheServerIsNamed(t *testing.T) {
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	for _, zone := range []string{calendar.ZoneName, "UTC", "Asia/Tokyo", "America/Costa_Rica"} {
		e := inZone(t, zone)
		named := func(command, words string) {
			t.Helper()
			if warned := strings.Contains(words, "time zone of ClickHouse") && strings.Contains(words, "zone="+zone) && strings.Contains(words, "<timezone>"+calendar.ZoneName); warned != (zone != calendar.ZoneName) {
				t.Errorf("%s on a server in %s: %s", command, zone, words)
			}
		}
		r := try(t, "", nil, "migrate", "--clickhouse-addr="+e.Native())
		if r.status != exitDone {
			t.Fatalf("%+v", r)
		}
		named("migrate", r.err)
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		ended, ops := make(chan result, 1), freeAddress(t)
		go func() {
			ended <- tryUntil(ctx, "", nil, "consume", "--clickhouse-addr="+e.Native(), "--kafka-brokers="+broker.Addr(), "--kafka-partitions=2", "--ops-listen="+ops)
		}()
		embeddedtest.Eventually(t, "the consumer is not ready", func() bool {
			status, _ := fetch("http://" + ops + "/readyz")
			return status == http.StatusOK
		})
		cancel()
		named("consume", (<-ended).err)
	}
}
