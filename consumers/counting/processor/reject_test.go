package processor

import (
	"errors"
	"math"
	"testing"

	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// TestWhatIsRejectedIsKeptAsItCame: each kind of message that cannot be counted is in the dead letters with its cause,
// origin and bytes, is in the accounts once, and does not hold up the good one behind it.
func TestWhatIsRejectedIsKeptAsItCame(t *testing.T) {
	s := fresh(t)
	when := at("2016-03-01", "10:00")
	good := crossing(1, when, back("L-COR"))
	sealed := func(r *events.Record) []byte { return sentAt(t, r, when.UnixMilli(), 0) }
	unknown := crossing(2, when, back("L-XYZ"))
	other := crossing(3, when, back("L-COR"))
	other.PersonKey = elsewhere(t)
	l := &log{step: 100}
	bad := []struct {
		topic      string
		key, value []byte
		code       string
	}{
		{events.TopicCheckpoint, nil, nil, events.CodeEmpty},
		{events.TopicCheckpoint, []byte(ana), []byte("rubbish"), events.CodeMalformed},
		{events.TopicCheckpoint, []byte(ana), sealed(unknown), events.CodeUnknownCode},
		{events.TopicCentre, []byte(ana), sealed(good), events.CodeMisfiled},
		{events.TopicCheckpoint, []byte("another person"), sealed(good), events.CodeMisfiled},
		{events.TopicCheckpoint, []byte(other.PersonKey), sealed(other), events.CodeMisfiled},
		{events.TopicCheckpoint, []byte(ana), sentAt(t, good, 4204483200_000, 0), events.CodeOutOfRange}, // in 2103
		{events.TopicCheckpoint, []byte(ana), sentAt(t, good, when.UnixMilli(), math.MinInt64), events.CodeOutOfRange},
	}
	for _, b := range bad {
		l.addRaw(b.topic, b.key, b.value)
	}
	l.addRaw(events.TopicCheckpoint, nil, []byte("a batch"))
	l.topics[events.TopicCheckpoint][len(l.topics[events.TopicCheckpoint])-1].Unreadable = "malformed"
	bad = append(bad, struct {
		topic      string
		key, value []byte
		code       string
	}{events.TopicCheckpoint, nil, []byte("a batch"), events.CodeUnreadable})
	l.add(t, good, when)

	dead := &letters{}
	c, err := New(Config{Store: s, DeadLetters: dead, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 2, FlushEvery: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.run(t.Context(), &cursor{log: l, next: map[string]int64{}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if len(dead.all) != len(bad) {
		t.Fatalf("%d dead letters, %d bad messages", len(dead.all), len(bad))
	}
	for _, b := range bad {
		found := false
		for _, d := range dead.all {
			found = found || d.Code == b.code && d.Origin.Topic == b.topic && string(d.Value) == string(b.value) && string(d.Key) == string(b.key)
		}
		if !found {
			t.Errorf("no dead letter with cause %s, its key and its bytes", b.code)
		}
	}
	a, err := s.Accounted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.Rejected != uint64(len(bad)) || a.Accepted != 1 || a.Read() != uint64(len(bad)+1) {
		t.Errorf("accounts %+v", a)
	}
	noDifference(t, s)
}

func sentAt(t *testing.T, r *events.Record, ms, clockOffsetMs int64) []byte {
	t.Helper()
	value, err := events.Seal(r, ms, clockOffsetMs)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// elsewhere is a person key that does not belong in partition 0 of two.
func elsewhere(t *testing.T) string {
	t.Helper()
	for _, key := range []string{"00000000000000000000000000000001", "00000000000000000000000000000002", "00000000000000000000000000000003", "00000000000000000000000000000004"} {
		if stream.PartitionOf([]byte(key), stream.Partitions(2)) == 1 {
			return key
		}
	}
	t.Fatal("no key of partition 1")
	return ""
}
