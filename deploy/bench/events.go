package bench

import (
	"context"
	"fmt"
	"strings"

	"retorno/producers/publish"
	"retorno/producers/register"
	"retorno/schemas/published"
)

// eventsPerReturn is about how many events a register of hard mess has for each registered return.
const eventsPerReturn = 5.3

// load is what is sent: a made register with everything that goes wrong in life, but for messages that nobody can
// read, because contenders do not agree on what those would have to become.
type load struct {
	messages []publish.Message
	bytes    int64 // of keys and values
	truth    *register.Truth
}

// makeLoad makes about so many events, in the order of sending.
func makeLoad(ctx context.Context, seed uint64, events int) (*load, error) {
	table, err := published.Read(strings.NewReader(tableOf(max(20, int(float64(events)/eventsPerReturn)))), "BENCH")
	if err != nil {
		return nil, err
	}
	rates := register.RatesOf(register.Hard)
	rates.Broken = 0
	made, err := register.Make(ctx, table, register.Settings{Seed: seed, Mess: register.Hard, Rates: rates})
	if err != nil {
		return nil, err
	}
	l := &load{truth: made.Truth(), messages: make([]publish.Message, 0, made.Counts().Events)}
	err = made.Events(func(e register.Event) error {
		l.messages = append(l.messages, publish.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		l.bytes += int64(len(e.Key) + len(e.Value))
		return nil
	})
	return l, err
}

// tableOf is a made table with so many returns: its shares are round numbers near those that were published for 2016.
func tableOf(returns int) string {
	var b strings.Builder
	b.WriteString("table_id,system,period_start,period_end,as_of,block,category,value,status,source\n")
	row := func(block, category string, value int) {
		fmt.Fprintf(&b, "BENCH,made,2016-01-01,2016-06-30,2016-08,%s,%s,%d,published,made\n", block, category, value)
	}
	share := func(percent int) int { return returns * percent / 100 }
	row("total", "TOTAL", returns)
	row("country", "MX", share(60))
	row("country", "US", share(35))
	row("country", "OTHER", returns-share(60)-share(35))
	row("exit_point", "L-COR", share(63))
	return b.String()
}

// sendBatch is how many events one call of our producer takes.
const sendBatch = 20_000

// send writes all of it to the machine's topics.
func (l *load) send(ctx context.Context, m *machine) error {
	w, err := publish.New(m.producer())
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	for rest := l.messages; len(rest) > 0; {
		n := min(sendBatch, len(rest))
		if err := w.Write(ctx, rest[:n]...); err != nil {
			return fmt.Errorf("send the events: %w", err)
		}
		rest = rest[n:]
	}
	return nil
}
