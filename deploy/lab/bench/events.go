package bench

import (
	"context"
	"fmt"
	"strconv"

	"retorno/deploy/lab/register"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// load is what is sent: a made register with everything that goes wrong in life, but for messages that no program can
// read, because contenders do not agree on what those would have to become.
type load struct {
	messages []producer.Message
	bytes    int64 // of keys and values
	truth    *register.Truth
	copies   int // how often they are sent: see rekeyed
}

// events is how many events are sent in all.
func (l *load) events() int { return len(l.messages) * l.copies }

// makeLoad makes about so many events, in the order of sending.
func makeLoad(ctx context.Context, seed uint64, count int) (*load, error) {
	table, err := register.LoadTable(count)
	if err != nil {
		return nil, err
	}
	rates := register.RatesOf(register.Hard)
	rates.Broken = 0
	rates.Conflict = 0 // which of two contents holds depends on their hashes, which differ between copies
	made, err := register.Make(ctx, table, register.Settings{Seed: seed, Mess: register.Hard, Rates: rates})
	if err != nil {
		return nil, err
	}
	l := &load{copies: 1, truth: made.Truth(), messages: make([]producer.Message, 0, made.Counts().Events)}
	err = made.Events(func(e register.Event) error {
		l.messages = append(l.messages, producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		l.bytes += int64(len(e.Key) + len(e.Value))
		return nil
	})
	return l, err
}

// sendBatch is how many events one call of our producer takes.
const sendBatch = 20_000

// send writes all of it to the machine's topics.
func (l *load) send(ctx context.Context, m *machine) error { return l.sendCopies(ctx, m, 0) }

// sendCopies writes the copies from a number on.
func (l *load) sendCopies(ctx context.Context, m *machine, from int) error {
	w, err := producer.New(m.producer())
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	some := make([]producer.Message, 0, sendBatch)
	for n := from; n < l.copies; n++ {
		for rest := l.messages; len(rest) > 0; {
			some = append(some[:0], rest[:min(sendBatch, len(rest))]...)
			rest = rest[len(some):]
			if err := rekeyed(some, n); err != nil {
				return err
			}
			if err := w.Write(ctx, some...); err != nil {
				return fmt.Errorf("send the events: %w", err)
			}
		}
	}
	return nil
}

// rekeyed makes of the events those of other people: the n-th copy of each person and record, which differ from the
// first in the last digits of their ids, and of each number of a source. The copy of number 0 is the event itself.
func rekeyed(messages []producer.Message, n int) error {
	if n == 0 {
		return nil
	}
	for i := range messages {
		opened, err := events.Open(messages[i].Value)
		if err != nil {
			return err
		}
		r := opened.Record
		r.RecordId, r.PersonKey = anotherID(r.RecordId, n), anotherID(r.PersonKey, n)
		r.SourceSeq += uint64(n) << 24 // above what a source of a bench sends; 10,000,000,000, which is refused, comes after 596 copies
		if a := r.GetAssistance(); a != nil {
			a.RegistrationId = anotherID(a.RegistrationId, n)
		}
		value, err := events.Seal(r, opened.SentAtMs, opened.ClockOffsetMs)
		if err != nil {
			return err
		}
		messages[i].Key, messages[i].Value = []byte(events.Key(r)), value
	}
	return nil
}

// anotherID changes the last six hexadecimal digits of an id.
func anotherID(id string, n int) string {
	const digits = 6
	if len(id) < digits {
		return id
	}
	at := len(id) - digits
	last, err := strconv.ParseUint(id[at:], 16, 32)
	if err != nil {
		return id
	}
	return id[:at] + fmt.Sprintf("%0*x", digits, last^uint64(n)*0x9e3779&0xffffff)
}
