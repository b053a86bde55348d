package processor

import (
	"errors"
	"testing"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// TestADeadLetterSentAgainIsAccountedOnce: what a consumer could not place is sent again, twice in vain, then to one
// that can place it, and once more. There is one record, and it is accepted.
func TestADeadLetterSentAgainIsAccountedOnce(t *testing.T) {
	s := fresh(t)
	when := at("2016-03-01", "10:00")
	r := crossing(1, when, back("L-COR"))
	r.PersonKey = elsewhere(t)
	l := &log{step: 100}
	l.add(t, r, when)
	read := func(partitions int) {
		c, err := New(Config{Store: s, DeadLetters: &letters{}, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: partitions, FlushEvery: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.run(t.Context(), &cursor{log: l, next: map[string]int64{}}); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
	}
	again := func(from string) {
		l.add(t, r, when)
		all := l.topics[events.TopicCheckpoint]
		all[len(all)-1].Headers = []stream.Header{{Key: "retorno-redriven-from", Value: []byte(from)}}
	}
	is := func(records, accepted, rejected, redriven uint64) {
		t.Helper()
		var got [4]uint64
		if err := s.Conn().QueryRow(t.Context(), "SELECT sum(records), sum(accepted), sum(rejected), sum(redriven) FROM retorno.record_accounts").
			Scan(&got[0], &got[1], &got[2], &got[3]); err != nil {
			t.Fatal(err)
		}
		if want := [4]uint64{records, accepted, rejected, redriven}; got != want {
			t.Errorf("records, accepted, rejected, redriven: %v, want %v", got, want)
		}
		noDifference(t, s)
	}
	read(2)
	is(1, 0, 1, 0)
	for range 2 {
		again(events.TopicCheckpoint + "/0/0")
		read(2)
		is(1, 0, 1, 1)
	}
	again(events.TopicCheckpoint + "/0/0")
	read(1)
	is(1, 1, 0, 1)
	again(events.TopicCheckpoint + "/0/0") // once more than was needed
	read(1)
	is(1, 1, 0, 1)
	again(events.TopicCheckpoint + "/0/9") // no earlier offset: nothing that a letter can come from
	again(events.TopicCentre + "/0/0")
	again("rubbish")
	read(1)
	is(4, 1, 0, 1)
	if a, err := s.Accounted(t.Context()); err != nil || a != (ledger.Accounts{Accepted: 1, Duplicate: 4, Rejected: 3}) {
		t.Errorf("by offsets: %+v, %v", a, err)
	}
}

// TestWhoSaysItWasSentAgainIsNotBelieved: the header stands on a message that was never set aside, on one that has other
// content than what was set aside there, on one that is rejected itself and then really sent again, and on one that was set
// aside elsewhere. Every account is what it is without the header, but for those that were set aside.
func TestWhoSaysItWasSentAgainIsNotBelieved(t *testing.T) {
	s := fresh(t)
	when := at("2016-03-01", "10:00")
	l := &log{step: 100}
	add := func(n int, person, from string) {
		r := crossing(n, when, back("L-COR"))
		if person != "" {
			r.PersonKey = person
		}
		l.add(t, r, when)
		if from != "" {
			all := l.topics[events.TopicCheckpoint]
			all[len(all)-1].Headers = []stream.Header{{Key: "retorno-redriven-from", Value: []byte(events.TopicCheckpoint + "/0/" + from)}}
		}
	}
	read := func(partitions int) {
		c, err := New(Config{Store: s, DeadLetters: &letters{}, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: partitions, FlushEvery: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.run(t.Context(), &cursor{log: l, next: map[string]int64{}}); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
	}
	is := func(want [4]int64) {
		t.Helper()
		var got [4]int64
		if err := s.Conn().QueryRow(t.Context(), "SELECT toInt64(sum(records)), toInt64(sum(accepted)), toInt64(sum(rejected)), toInt64(sum(redriven)) FROM retorno.record_accounts").
			Scan(&got[0], &got[1], &got[2], &got[3]); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("records, accepted, rejected, redriven: %v, want %v", got, want)
		}
		noDifference(t, s)
	}
	wrong := elsewhere(t)
	add(1, "", "")     // 0, accepted
	add(2, wrong, "")  // 1, rejected
	add(3, "", "0")    // 2, says it is what was accepted
	add(4, "", "1")    // 3, says it is what was rejected, and is another
	add(5, wrong, "0") // 4, rejected, and says it is what was accepted
	read(2)
	is([4]int64{5, 3, 2, 0})
	add(5, wrong, "0") // 5, what was rejected at 4, sent again: its letter repeats what it said
	add(2, wrong, "1") // 6, what was rejected at 1, sent again
	read(1)
	is([4]int64{5, 5, 0, 2})
}
