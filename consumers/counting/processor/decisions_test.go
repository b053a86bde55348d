package processor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// decide records a decision about partition 0.
func decide(t *testing.T, s *store.Store, d store.Decision) {
	t.Helper()
	d.ID, d.Who, d.Why, d.At = uuid.New(), "Ana Paz", "a test", time.Now()
	if err := s.Decide(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// samples is how many values a histogram has.
func samples(t *testing.T, r *prometheus.Registry, name string) uint64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	return 0
}

// TestAStopKeepsItsState: a partition that has stopped is looked at again without being taken over again, and reads on by
// itself when the cause is gone.
func TestAStopKeepsItsState(t *testing.T) {
	part, whole := messy(t, 3)
	want := truthOf(t, whole)
	s := fresh(t)
	c, registry := consumer(t, s, &letters{})
	for range 3 {
		if err := c.run(t.Context(), &stopping{cursor: cursor{log: part, next: map[string]int64{}}}); !stream.IsStop(err) {
			t.Fatalf("it ended with %v", err)
		}
	}
	if err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if n := samples(t, registry, "retorno_takeover_seconds"); n != 1 {
		t.Errorf("it was taken over %d times", n)
	}
	isTrue(t, s, whole, want)
}

// without is a log without the records of a topic in a range of offsets: those that come later keep their offsets.
func without(t *testing.T, l *log, topic string, from, to int64) *log {
	t.Helper()
	rest := &log{step: l.step, topics: map[string][]stream.Message{}}
	for name, messages := range l.topics {
		for _, m := range messages {
			if name != topic || m.Offset < from || m.Offset >= to {
				m.Offset = int64(len(rest.topics[name]))
				rest.topics[name] = append(rest.topics[name], m)
			}
		}
	}
	return rest
}

// TestADecisionToSkip: retention has deleted records that were not counted. The partition stops until it is decided where
// reading goes on; what is given up is in the ledger, in the metrics, and in no number.
func TestADecisionToSkip(t *testing.T) {
	part, whole := messy(t, 21)
	topic := events.TopicCentre
	position := int64(len(part.topics[topic]))
	begin := position + 4
	// What is left without the records that are given up.
	want := truthOf(t, without(t, whole, topic, position, begin))
	s := fresh(t)
	countLog(t, s, part)
	c, registry := consumer(t, s, &letters{})
	trim := func() *trimmed {
		return &trimmed{cursor: cursor{log: whole, next: map[string]int64{}}, starts: map[string]int64{topic: begin}}
	}
	var gap *stream.GapError
	if err := c.run(t.Context(), trim()); !errors.As(err, &gap) || gap.Position != position {
		t.Fatalf("it ended with %v", err)
	}
	decide(t, s, store.Decision{Topic: topic, Position: position - 1, Action: store.Skip, To: begin}) // of another place
	if err := c.run(t.Context(), trim()); !errors.As(err, &gap) {
		t.Fatalf("it ended with %v", err)
	}
	decide(t, s, store.Decision{Topic: topic, Position: position, Action: store.Skip, To: begin})
	last := &scraped{cursor: trim().cursor, scrape: func() {
		if got := counter(t, registry, "retorno_offsets_lost_total"); got != 4 {
			t.Errorf("%v offsets are lost in the metrics", got)
		}
	}}
	if err := c.run(t.Context(), last); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	for range 2 { // and the next owner comes to the same
		for name, got := range tables(t, s) {
			if got != want[name] && name != "accounts" {
				t.Errorf("%s differ:\n%s\n\nin truth:\n%s", name, got, want[name])
			}
		}
		noDifference(t, s)
		a, err := s.Accounted(t.Context())
		if err != nil || a.Lost != 4 || a.Span() != uint64(len(whole.topics[topic])+len(whole.topics[events.TopicCheckpoint])) {
			t.Errorf("accounts %+v, %v", a, err)
		}
		if got := rows(t, s, "SELECT sum(lost), countIf(lost > 0), minIf(month, lost > 0) BETWEEN '2016-01' AND '2016-12' FROM ceniss.coverage"); got != "(4,1,1)" {
			t.Errorf("the coverage says %s", got)
		}
		next, metrics := consumer(t, s, &letters{})
		if err := next.run(t.Context(), trim()); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
		if n := counter(t, metrics, "retorno_store_shortfalls_total"); n != 0 {
			t.Errorf("%v shortfalls", n)
		}
	}
}

// TestWhatIsStoredOfSkippedOffsetsStays: ClickHouse has lost some facts, and Kafka no longer holds their records. By
// decision the others stay counted, and those are lost.
func TestWhatIsStoredOfSkippedOffsetsStays(t *testing.T) {
	_, whole := messy(t, 22)
	topic := events.TopicCheckpoint
	s := fresh(t)
	countLog(t, s, whole)
	exec(t, s, "ALTER TABLE retorno.facts DELETE WHERE topic = '"+topic+"' AND kafka_offset IN (0, 2) SETTINGS mutations_sync = 2")
	gone := rows(t, s, "SELECT count() FROM retorno.facts FINAL WHERE topic = '"+topic+"'")
	end := int64(len(whole.topics[topic]))
	run := func() (*prometheus.Registry, error) {
		c, registry := consumer(t, s, &letters{})
		return registry, c.run(t.Context(), &trimmed{cursor: cursor{log: whole, next: map[string]int64{}}, starts: map[string]int64{topic: end}})
	}
	if _, err := run(); !stream.IsStop(err) {
		t.Fatalf("it ended with %v", err)
	}
	decide(t, s, store.Decision{Topic: topic, Position: 0, Action: store.Skip, To: end})
	for range 2 {
		if _, err := run(); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
		noDifference(t, s)
		if got := rows(t, s, "SELECT sum(accepted), sum(lost) + sum(accepted) FROM retorno.accounts WHERE topic = '"+topic+"'"); got != fmt.Sprintf("(%s,%d)", gone[1:len(gone)-1], end) {
			t.Errorf("accepted, and lost with it: %s; %s facts of %d offsets are stored", got, gone, end)
		}
	}
	if registry, _ := run(); counter(t, registry, "retorno_store_shortfalls_total") != 0 {
		t.Error("it does not add up from then on")
	}
}

// TestATopicAcceptedAsMadeAgain: the old log's facts stay, the new log is read from its begin, and neither is taken for
// the other.
func TestATopicAcceptedAsMadeAgain(t *testing.T) {
	part, whole := messy(t, 23)
	want := truthOf(t, whole)
	s := fresh(t)
	countLog(t, s, part)
	// Both topics are made again, and hold what was not counted yet.
	second := &log{step: 7, topics: map[string][]stream.Message{}}
	for topic, messages := range whole.topics {
		for i, m := range messages[len(part.topics[topic]):] {
			m.Offset = int64(i)
			second.topics[topic] = append(second.topics[topic], m)
		}
		decide(t, s, store.Decision{Topic: topic, Position: int64(len(part.topics[topic])), Action: store.NewLog})
	}
	for range 2 {
		countLog(t, s, second)
		for name, got := range tables(t, s) {
			if got != want[name] && name != "accounts" {
				t.Errorf("%s differ:\n%s\n\nin truth:\n%s", name, got, want[name])
			}
		}
		noDifference(t, s)
		if a, err := s.Accounted(t.Context()); err != nil || a.Lost != 0 || a.Read() != uint64(len(whole.topics[events.TopicCentre])+len(whole.topics[events.TopicCheckpoint])) {
			t.Errorf("accounts %+v, %v", a, err)
		}
	}
	// Facts of the old log that are gone cannot be read again.
	exec(t, s, "ALTER TABLE retorno.facts DELETE WHERE kafka_offset = 1 AND bitShiftRight(place, 49) = 0 SETTINGS mutations_sync = 2")
	c, _ := consumer(t, s, &letters{})
	if err := c.run(t.Context(), &cursor{log: second, next: map[string]int64{}}); !stream.IsStop(err) {
		t.Errorf("it ended with %v", err)
	}
}

// TestStopsAreWrittenDown: what a process knows of stopped partitions, others read in ClickHouse, until they read on.
func TestStopsAreWrittenDown(t *testing.T) {
	s := fresh(t)
	c, _ := consumer(t, s, &letters{})
	kept, known := map[int]store.Stop{}, map[int]bool{}
	keep := func(shards ...stream.ShardStatus) []store.Stop {
		t.Helper()
		if err := c.keepStops(t.Context(), stream.Status{Member: true, Shards: shards}, kept, known); err != nil {
			t.Fatal(err)
		}
		all, err := s.Stops(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	well := stream.ShardStatus{Partition: 0, Topics: []stream.TopicStatus{{Topic: events.TopicCentre, Position: 7, HighWatermark: 7}}}
	gap := &stream.GapError{Reason: stream.ReasonRetention, Topic: events.TopicCentre, Partition: 1, Position: 5, Found: 9}
	stopped := stream.ShardStatus{Partition: 1, Stopped: stream.ReasonRetention, Err: gap}
	if all := keep(well); len(all) != 0 {
		t.Errorf("stops %+v", all)
	}
	all := keep(well, stopped)
	if len(all) != 1 || all[0].Partition != 1 || all[0].Topic != events.TopicCentre || all[0].Position != 5 || all[0].Found != 9 || all[0].Detail != gap.Error() {
		t.Fatalf("stops %+v", all)
	}
	since := all[0].Since
	// Another process gets the partition, and finds the same; then it reads on.
	kept, known = map[int]store.Stop{}, map[int]bool{}
	looking := stream.ShardStatus{Partition: 1, Topics: []stream.TopicStatus{{Topic: events.TopicCentre, Position: 5, HighWatermark: -1}}}
	if all = keep(looking); len(all) != 1 {
		t.Errorf("before the log is known: %+v", all)
	}
	if all = keep(stopped); len(all) != 1 || !all[0].Since.Equal(since) {
		t.Errorf("stopped since %v: %+v", since, all)
	}
	reading := stream.ShardStatus{Partition: 1, Topics: []stream.TopicStatus{{Topic: events.TopicCentre, Position: 9, HighWatermark: 9}}}
	if all = keep(reading); len(all) != 0 {
		t.Errorf("it reads on: %+v", all)
	}
}

// trimmed is a log whose topics begin later.
type trimmed struct {
	cursor
	starts map[string]int64
}

func (c *trimmed) Fetch(ctx context.Context, wait time.Duration) ([]stream.Message, error) {
	topics := []string{events.TopicCentre, events.TopicCheckpoint}
	slices.Sort(topics)
	for _, topic := range topics {
		if next := c.next[topic]; next < c.starts[topic] {
			return nil, &stream.GapError{Reason: stream.ReasonRetention, Topic: topic, Position: next, Found: c.starts[topic]}
		}
	}
	return c.cursor.Fetch(ctx, wait)
}
