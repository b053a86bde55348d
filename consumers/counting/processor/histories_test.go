package processor

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// history draws a few persons' records with everything that happens to records: corrections, voids, voids of voids,
// conflicts of one revision, future events mended by a later copy, copies, and bytes that are no record at all.
type history struct {
	rnd  *rand.Rand
	sent []sent
	seq  uint64
}

type sent struct {
	record *events.Record
	at     time.Time
	raw    []byte // instead of a record
	topic  string
}

func (h *history) pick(from ...string) string { return from[h.rnd.IntN(len(from))] }

func (h *history) make(persons int) {
	n := 0
	for p := range persons {
		for range 1 + h.rnd.IntN(6) {
			n++
			when := at("2016-06-28", "12:00").Add(time.Duration(h.rnd.IntN(200)) * time.Hour / 2)
			r := h.record(n, when)
			if h.rnd.IntN(8) > 0 {
				r.PersonKey = fmt.Sprintf("%032x", p)
			} else {
				r.PersonKey = ""
			}
			h.send(r, when)
		}
	}
	for range 3 {
		h.sent = append(h.sent, sent{raw: []byte{0xff, byte(h.rnd.IntN(256))}, topic: h.pick(events.TopicCentre, events.TopicCheckpoint)})
	}
}

// send sends a record and what follows of it.
func (h *history) send(r *events.Record, when time.Time) {
	h.emit(r, when)
	for revision := uint32(2); h.rnd.IntN(3) == 0; revision++ {
		next := h.like(r, when.Add(time.Duration(h.rnd.IntN(100))*time.Hour))
		next.Revision = revision
		if h.rnd.IntN(3) == 0 {
			next.VoidReason = "entered_in_error"
		}
		h.emit(next, when)
		if h.rnd.IntN(4) == 0 { // a conflict: the same revision with another content
			other := h.like(r, when)
			other.Revision = revision
			h.emit(other, when)
		}
	}
}

// like draws records until one is of the same kind, so that a correction stays on its topic.
func (h *history) like(r *events.Record, when time.Time) *events.Record {
	for {
		if next := h.record(0, when); events.Topic(next) == events.Topic(r) {
			next.RecordId, next.PersonKey = r.RecordId, r.PersonKey
			return next
		}
	}
}

func (h *history) emit(r *events.Record, when time.Time) {
	h.seq++
	r.SourceSeq = h.seq
	late := when.Add(time.Duration(h.rnd.IntN(72)) * time.Hour)
	if h.rnd.IntN(8) == 0 { // sent before it happened: held until a later copy
		h.sent = append(h.sent, sent{record: r, at: time.UnixMilli(r.EventTimeMs).Add(-2 * time.Hour)})
		if h.rnd.IntN(2) == 0 {
			return
		}
	}
	for range 1 + h.rnd.IntN(2) {
		h.sent = append(h.sent, sent{record: r, at: late.Add(100 * time.Hour)})
	}
}

func (h *history) record(n int, when time.Time) *events.Record {
	switch h.rnd.IntN(4) {
	case 0:
		age := uint32(h.rnd.IntN(90))
		return registration(n, when, &events.Registration{Centre: h.pick("CAMR-OMO", "CAMR-SPS"), ExitPoint: h.pick("", "L-COR", "L-AGC"), EntryPoint: h.pick("", "L-COR"),
			Country: h.pick("", "MX", "US"), Mode: h.pick("", "land", "air"), Sex: h.pick("", "M", "F"), Age: &age, Nationality: h.pick("", "", "HN", "GT"),
			Department: h.pick("", "HN-CR", "HN-YO"), Reasons: [][]string{nil, {"economic"}, {"violence", "economic"}}[h.rnd.IntN(3)]})
	case 1:
		return crossing(n, when, back(h.pick("L-COR", "L-AGC", "X-UNK")))
	case 2:
		return crossing(n, when, &events.Crossing{Direction: h.pick("entry", "exit"), BorderPoint: h.pick("L-COR", "L-AMA"), DocumentCheck: h.pick("", "genuine")})
	default:
		r := record(n, when)
		r.Body = &events.Record_Assistance{Assistance: &events.Assistance{Centre: "CAMR-OMO", Kind: h.pick("food", "transport")}}
		return r
	}
}

// logOf is the history as a log, in some order, in which every message is there once or more.
func (h *history) logOf(t *testing.T, rnd *rand.Rand, shuffle bool) *log {
	l := &log{step: 40 + rnd.IntN(100)}
	order := rnd.Perm(len(h.sent))
	for i := range h.sent {
		s := h.sent[i]
		copies := 1
		if shuffle {
			s = h.sent[order[i]]
			copies += rnd.IntN(2)
		}
		for range copies {
			if s.record == nil {
				l.addRaw(s.topic, nil, s.raw)
			} else {
				l.add(t, s.record, s.at)
			}
		}
	}
	return l
}

// everything are the tables that people's numbers come from, without the versions.
var everything = map[string]string{
	"returns":   "SELECT * EXCEPT (version) FROM retorno.returns FINAL",
	"counts":    "SELECT * EXCEPT (version) FROM retorno.return_counts FINAL",
	"help":      "SELECT * EXCEPT (version) FROM retorno.assistance FINAL",
	"helps":     "SELECT * EXCEPT (version) FROM retorno.assistance_counts FINAL",
	"crossings": "SELECT * EXCEPT (version) FROM retorno.crossing_counts FINAL",
	"facts":     "SELECT * EXCEPT (sent_at, topic, kafka_offset, place) FROM retorno.latest_facts",
}

// TestNumbersAreAFunctionOfTheFacts counts one history in its order, and again shuffled, with copies, in other
// batches, and with the process replaced in the middle; every table comes out the same, and the second count agrees.
func TestNumbersAreAFunctionOfTheFacts(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2016))
			h := &history{rnd: rnd}
			h.make(30)
			s := fresh(t)
			countLog(t, s, h.logOf(t, rnd, false))
			noDifference(t, s)
			want := map[string]string{}
			for name, query := range everything {
				want[name] = rows(t, s, query)
			}
			if want["returns"] == "" {
				t.Fatal("the history has no returns")
			}

			s = fresh(t)
			whole := h.logOf(t, rnd, true)
			half := &log{step: whole.step, topics: map[string][]stream.Message{}}
			for topic, messages := range whole.topics {
				half.topics[topic] = messages[:len(messages)/2]
			}
			countLog(t, s, half)
			countLog(t, s, whole)
			noDifference(t, s)
			for name, query := range everything {
				if got := rows(t, s, query); got != want[name] {
					t.Errorf("%s differ:\n%s\n\nin order:\n%s", name, got, want[name])
				}
			}
		})
	}
}
