package torture

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protowire"

	"retorno/deploy/lab/register"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// hostileName is how the names of hostile senders begin.
const hostileName = "hostile-"

// letter is one message of a hostile sender on its way: a sound record until a trick spoils it.
type letter struct {
	record     *events.Record
	sent, off  int64 // see events.Seal
	topic      string
	partition  int
	key, value []byte
	headers    []kmsg.Header
	rnd        *rand.Rand
}

// trick is one way to be hostile, and what must become of the message.
type trick struct {
	cause  string // for which it is set aside; "": it is taken
	held   bool   // it is stored and not counted, because it lies in the future
	unseen bool   // not even its sender's number is taken: nothing that it says of itself is believed
	before func(*letter)
	after  func(*letter) // once it is sealed
}

// The bounds of times and clocks, as the schema says: the last millisecond of 2099, and 130 years.
const (
	lastMs    = 4102444799_999
	mostClock = 4102444800_000
	mostSeq   = 10_000_000_000
)

// tricks are what hostile senders try. None sends a sound record under another computer's name: no broker without a login
// for each computer can tell it from that computer's own. What is set aside for its envelope may name anybody.
var tricks = slices.Concat(
	each(trick{cause: events.CodeOutOfRange, unseen: true}, func(l *letter, ms int64) { l.sent = ms }, 4204483200_000, 0, -1, math.MinInt64, math.MaxInt64, lastMs+1),
	each(trick{cause: events.CodeOutOfRange, unseen: true}, func(l *letter, ms int64) { l.off = ms }, mostClock+1, -mostClock-1, math.MinInt64, math.MaxInt64),
	each(trick{cause: events.CodeOutOfRange, unseen: true}, func(l *letter, n uint64) { l.record.SourceSeq = n }, 0, mostSeq+1, 1<<63-1, 1<<63, 1<<64-1),
	each(trick{cause: events.CodeSchemaVersion, unseen: true}, func(l *letter, n uint32) { l.record.SchemaVersion = n }, events.SchemaVersion+1, 1<<31, 1<<32-1),
	each(trick{cause: events.CodeOutOfRange}, func(l *letter, n uint32) { l.record.Revision = n }, 0, events.MaxRevision+1, 1<<32-1),
	each(trick{cause: events.CodeOutOfRange}, func(l *letter, ms int64) { l.record.EventTimeMs = ms }, lastMs+1, math.MinInt64, math.MaxInt64),
	each(trick{}, func(l *letter, ms int64) { l.sent = ms }, lastMs),
	each(trick{}, func(l *letter, ms int64) { l.off = ms }, mostClock, -mostClock),
	each(trick{}, func(l *letter, n uint64) { l.record.SourceSeq = n }, mostSeq, mostSeq-1),
	[]trick{
		{cause: events.CodeRequired, before: func(l *letter) { l.record.SchemaVersion = 0 }},
		{before: func(l *letter) { l.record.Revision = events.MaxRevision }},
		{held: true, before: func(l *letter) { l.record.EventTimeMs = lastMs }},
		{before: func(l *letter) { l.record.SourceId += "\x1b[2J\u202e" }},
		{cause: events.CodeOutOfRange, unseen: true, before: func(l *letter) { l.record.SourceId, l.record.SourceSeq, l.sent = "L-COR-1", mostSeq/2, 4204483200_000 }},
		{cause: events.CodeEmpty, unseen: true, after: func(l *letter) { l.value = nil }},
		{cause: events.CodeTooLarge, unseen: true, after: func(l *letter) { l.value = append(l.value, make([]byte, events.MaxValueBytes)...) }},
		{cause: events.CodeMalformed, unseen: true, after: func(l *letter) { l.value = rubbish(l.rnd) }},
		{cause: events.CodeMalformed, unseen: true, after: func(l *letter) {
			l.value = append(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.BytesType), 1<<62), l.value...)
		}},
		{cause: events.CodeMisfiled, after: func(l *letter) { l.topic = events.TopicCentre }},
		{cause: events.CodeMisfiled, after: func(l *letter) { l.key = []byte(hex.EncodeToString(l.key[:16])) }},
		{cause: events.CodeMisfiled, after: func(l *letter) { l.partition = -1 - l.partition }},
		{after: func(l *letter) { l.redriven(fmt.Sprintf("%s/%d/%d", l.topic, l.partition, l.rnd.IntN(40))) }},
		{after: func(l *letter) { l.redriven(fmt.Sprintf("%s/%d/%d", l.topic, l.partition, int64(math.MaxInt64))) }},
		{after: func(l *letter) { l.redriven(string(rubbish(l.rnd))) }},
		{after: func(l *letter) { l.headers = slices.Repeat([]kmsg.Header{{Key: string(rubbish(l.rnd))}}, 500) }},
		{cause: events.CodeMalformed, unseen: true, after: func(l *letter) {
			l.value = append([]byte{0x07}, l.value...)
			l.headers = []kmsg.Header{{Key: "retorno-origin", Value: []byte(events.TopicCentre + "/0/0")}, {Key: "retorno-code", Value: nil}}
		}},
	},
)

// each is a trick with each of several numbers.
func each[N any](t trick, state func(*letter, N), numbers ...N) (all []trick) {
	for _, n := range numbers {
		t.before = func(l *letter) { state(l, n) }
		all = append(all, t)
	}
	return all
}

func (l *letter) redriven(from string) {
	l.headers = []kmsg.Header{{Key: "retorno-redriven-from", Value: []byte(from)}}
}

// rubbish is what no message begins with, and random bytes.
func rubbish(rnd *rand.Rand) []byte {
	b := make([]byte, 1+rnd.IntN(400))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	b[0] = 0x07
	return b
}

// sendHostile sends a message of each trick, and a batch of each kind that cannot be taken apart.
func (r *run) sendHostile(ctx context.Context, s step) error {
	rnd := rand.New(rand.NewPCG(s.pick, 0x686f7374696c65))
	var batches []rawBatch
	for i, t := range tricks {
		l := soundLetter(fmt.Sprintf("%s%x-%d", hostileName, s.pick>>40, i), rnd, r.cfg.Partitions)
		if t.before != nil {
			t.before(l)
		}
		if err := l.seal(); err != nil {
			return err
		}
		if t.after != nil {
			t.after(l)
		}
		if l.partition < 0 {
			if r.cfg.Partitions == 1 {
				continue // there is no wrong one
			}
			l.partition = -l.partition % r.cfg.Partitions
		}
		r.besides.expect(t, l)
		batches = append(batches, l.batch())
	}
	for _, b := range brokenBatches(rnd) {
		b.topic, b.partition = factTopics[rnd.IntN(len(factTopics))], rnd.IntN(r.cfg.Partitions)
		batches = append(batches, b)
		r.besides.rejected[events.CodeUnreadable] += b.offsets
	}
	r.besides.sent += len(batches)
	rnd.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	r.machine.background(s.String(), func() error { return r.machine.produceRaw(ctx, batches) })
	return nil
}

// soundLetter is an exit that a computer of that name saw, as it should be.
func soundLetter(source string, rnd *rand.Rand, partitions int) *letter {
	at := time.Date(2016, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli() + rnd.Int64N(90*24*3600_000)
	id := idOf(at, rnd)
	return &letter{rnd: rnd, topic: events.TopicCheckpoint, partition: kafka.Partition([]byte(id.String()), partitions), sent: at + 60_000,
		record: &events.Record{RecordId: id.String(), Revision: 1, SourceId: source, SourceSeq: 1 + rnd.Uint64N(3), SchemaVersion: events.SchemaVersion,
			EventTimeMs: at, RecordedTimeMs: at, Body: &events.Record_Crossing{Crossing: &events.Crossing{Direction: "exit", BorderPoint: "L-COR"}}}}
}

func (l *letter) seal() (err error) {
	l.key = []byte(events.Key(l.record))
	l.value, err = events.Seal(l.record, l.sent, l.off)
	return err
}

// expect notes what must become of a message.
func (b *besides) expect(t trick, l *letter) {
	b.causes[identity(l.key, l.value)] = t.cause
	if !t.unseen {
		x := register.Source{ID: l.record.SourceId, HighestSeq: l.record.SourceSeq, Missing: l.record.SourceSeq - 1}
		if x.HighestSeq == 1 {
			x.HighestContiguousSeq = 1
		}
		b.sources = append(b.sources, x)
	}
	if t.cause != "" {
		b.rejected[t.cause]++
		return
	}
	b.stored[uuid.MustParse(l.record.RecordId)] = t.held
	if !t.held {
		b.crossings[register.CrossingCell{Day: calendar.DayOf(l.record.EventTimeMs).String(), BorderPoint: "L-COR", Direction: "exit",
			DocumentCheck: unknownOf(codelists.DocumentCheck)}]++
	}
}
