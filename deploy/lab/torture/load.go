package torture

import (
	"context"
	"errors"
	"time"

	"retorno/deploy/lab/register"
	"retorno/producers/producer"
)

func makeLoad(ctx context.Context, cfg Config) (*register.Register, error) {
	table, err := register.LoadTable(int(float64(cfg.Rate) * cfg.For.Seconds()))
	if err != nil {
		return nil, err
	}
	return register.Make(ctx, table, register.Settings{Seed: cfg.Seed, Mess: register.Hard})
}

// tick is how often events are sent; what falls due in between goes together.
const tick = 20 * time.Millisecond

// events are those of the register, one after the other.
func (r *run) events(yield func(register.Event, error) bool) {
	var enough = errors.New("enough")
	err := r.made.Events(func(e register.Event) error {
		if !yield(e, nil) {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		yield(register.Event{}, err)
	}
}

// load sends the register until due is what has been sent and over; what could not be sent while Kafka was away follows at once.
// due is how many are to be sent by now, and whether there will be more.
func (r *run) load(ctx context.Context, due func() (n int, more bool)) error {
	for {
		n, more := due()
		var batch []producer.Message
		for ; r.sent < n && len(batch) < 5000; r.sent++ {
			e, err, ok := r.next()
			if !ok || err != nil {
				return errors.Join(err, r.sendBatch(ctx, batch))
			}
			batch = append(batch, producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		}
		if err := r.sendBatch(ctx, batch); err != nil {
			return err
		}
		if r.sent < n {
			continue
		}
		if !more {
			return nil
		}
		if err := pause(ctx, tick); err != nil {
			return err
		}
	}
}

// sendBatch sends messages, and what clocks that step make sources send once more.
func (r *run) sendBatch(ctx context.Context, batch []producer.Message) error {
	if len(batch) == 0 {
		return nil
	}
	err := r.write(ctx, r.writer, batch)
	if again := r.machine.clocks.again(batch); err == nil && len(again) > 0 {
		err = r.write(ctx, r.writer, again)
		r.report.Stepped += len(again)
	}
	return err
}

// write sends messages until they are acknowledged. A sender gives up by name when Kafka refuses, and a changed bit can
// make a refusal of anything: a sender keeps what was not acknowledged, and sends it again.
func (r *run) write(ctx context.Context, writer *producer.Writer, messages []producer.Message) error {
	for {
		err := writer.Write(ctx, messages...)
		if err == nil || len(r.machine.toKafka.SpoiltSoFar()) == 0 || ctx.Err() != nil {
			return err
		}
		r.say("sent again: %v", err)
		if err := pause(ctx, tick); err != nil {
			return err
		}
	}
}
