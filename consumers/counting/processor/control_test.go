package processor

import (
	"testing"
	"time"

	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// skip adds offsets that hold no record.
func (l *log) skip(topic string, n int) {
	for range n {
		l.topics[topic] = append(l.topics[topic], stream.Message{Topic: topic, Offset: int64(len(l.topics[topic])), Skipped: true})
	}
}

// TestOffsetsWithoutARecordAreAccounted: what transactions of other producers leave in the log is in an account of its
// own, and in no other; the ledger comes to the log's end, and another process goes on from there.
func TestOffsetsWithoutARecordAreAccounted(t *testing.T) {
	s := fresh(t)
	l := &log{step: 2}
	first := time.Date(2016, 4, 25, 15, 10, 0, 0, time.UTC)
	back := func(n int) {
		l.add(t, crossing(n, first, &events.Crossing{Direction: "entry", BorderPoint: "L-COR"}), first)
	}
	back(1)
	l.skip(events.TopicCheckpoint, 3)
	back(2)
	back(2) // a copy
	l.skip(events.TopicCheckpoint, 1)
	if dead := countLog(t, s, l); len(dead.all) > 0 {
		t.Errorf("%d dead letters, the first of %s", len(dead.all), dead.all[0].Origin)
	}
	position := func(accepted, duplicate, control uint64, next int64) {
		t.Helper()
		positions, err := s.Positions(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range positions {
			if p.Topic != events.TopicCheckpoint {
				continue
			}
			if a := p.Accounts; a.Accepted != accepted || a.Duplicate != duplicate || a.Control != control || a.Span() != uint64(next) || p.NextOffset != next {
				t.Errorf("the ledger stands at %d with %+v", p.NextOffset, a)
			}
			return
		}
		t.Error("the ledger knows nothing of the topic")
	}
	position(2, 1, 4, 7)
	noDifference(t, s)
	l.skip(events.TopicCheckpoint, 1) // nothing but the end of a transaction
	countLog(t, s, l)
	position(2, 1, 5, 8)
	back(3)
	countLog(t, s, l)
	position(3, 1, 5, 9)
	noDifference(t, s)
}
