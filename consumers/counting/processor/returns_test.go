package processor

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/consumers/counting/verify"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/schemas/events"
)

var engine *embedded.Engine

func TestMain(m *testing.M) {
	embeddedtest.Main(m, embeddedtest.Keep(&engine))
}

// fresh gives the test an empty schema. Tests of this package run one after the other.
func fresh(t *testing.T) *store.Store {
	t.Helper()
	return enginetest.Fresh(t, engine)
}

// log is a partition of both topics in memory.
type log struct {
	topics map[string][]stream.Message
	step   int // records delivered at once
}

func (l *log) add(t *testing.T, r *events.Record, sentAt time.Time) {
	t.Helper()
	value, err := events.Seal(r, sentAt.UnixMilli(), 0)
	if err != nil {
		t.Fatal(err)
	}
	l.addRaw(events.Topic(r), []byte(events.Key(r)), value)
}

func (l *log) addRaw(topic string, key, value []byte) {
	if l.topics == nil {
		l.topics = map[string][]stream.Message{}
	}
	l.topics[topic] = append(l.topics[topic], stream.Message{Topic: topic, Offset: int64(len(l.topics[topic])), Key: key, Value: value})
}

// cursor reads a log; at the end it reports errEnd once all is flushed, or at once.
type cursor struct {
	log       *log
	next      map[string]int64
	committed map[string]int64
	abrupt    bool
}

var errEnd = errors.New("end of the log")

func (c *cursor) Partition() int                                     { return 0 }
func (c *cursor) Seek(topic string, offset int64)                    { c.next[topic] = offset }
func (c *cursor) SeekAfter(topic string, offset int64, _ uint64)     { c.next[topic] = offset + 1 }
func (c *cursor) HighWatermark(topic string) int64                   { return int64(len(c.log.topics[topic])) }
func (c *cursor) Commit(_ context.Context, o map[string]int64) error { c.committed = o; return nil }

func (c *cursor) Fetch(ctx context.Context, wait time.Duration) ([]stream.Message, error) {
	for _, topic := range []string{events.TopicCentre, events.TopicCheckpoint} {
		rest := c.log.topics[topic][c.next[topic]:]
		if len(rest) > 0 {
			rest = rest[:min(len(rest), c.log.step)]
			c.next[topic] += int64(len(rest))
			return rest, nil
		}
	}
	if c.abrupt || c.flushed() {
		return nil, errEnd
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(min(wait, time.Millisecond)):
		return nil, nil
	}
}

func (c *cursor) flushed() bool {
	for topic, all := range c.log.topics {
		if c.committed[topic] < int64(len(all)) {
			return false
		}
	}
	return true
}

type letters struct{ all []deadletter.Letter }

func (l *letters) Write(_ context.Context, more []deadletter.Letter) error {
	l.all = append(l.all, more...)
	return nil
}

// countLog runs one assignment over the log to its end.
func countLog(t *testing.T, s *store.Store, l *log) *letters {
	t.Helper()
	dead := &letters{}
	c, err := New(Config{Store: s, DeadLetters: dead, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 1, FlushEvery: time.Nanosecond, Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.run(t.Context(), &cursor{log: l, next: map[string]int64{}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	return dead
}

// noDifference fails the test when the second count disagrees.
func noDifference(t *testing.T, s *store.Store) {
	t.Helper()
	report, err := verify.Once(t.Context(), s.Conn())
	if err != nil {
		t.Fatal(err)
	}
	if report.Different() != 0 {
		text, _ := json.MarshalIndent(report, "", " ")
		t.Fatalf("the verifier differs:\n%s", text)
	}
}

// rows runs a query and gives its rows as lines of tab-separated text.
func rows(t *testing.T, s *store.Store, query string) string {
	t.Helper()
	var lines []string
	result, err := s.Conn().Query(t.Context(), "SELECT toString(tuple(*)) FROM ("+query+")")
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	for result.Next() {
		var line string
		if err := result.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
