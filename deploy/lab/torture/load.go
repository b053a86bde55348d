package torture

import (
	"context"
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

// load sends the register evenly over the run's time; what could not be sent while Kafka was away follows at once.
func (r *run) load(ctx context.Context) error {
	writer, err := r.machine.writer(r.report.producer)
	if err != nil {
		return err
	}
	defer func() { _ = writer.Close() }()
	total := r.made.Counts().Events
	var batch []producer.Message
	sent := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := r.write(ctx, writer, batch)
		sent += len(batch)
		if again := r.machine.clocks.again(batch); err == nil && len(again) > 0 {
			err = r.write(ctx, writer, again)
			r.report.Stepped += len(again)
		}
		batch = batch[:0]
		return err
	}
	due := func() int { return int(float64(total) * min(1, float64(time.Since(r.began))/float64(r.cfg.For))) }
	err = r.made.Events(func(e register.Event) error {
		for sent+len(batch) >= due() {
			if err := flush(); err != nil {
				return err
			}
			if err := pause(ctx, tick); err != nil {
				return err
			}
		}
		batch = append(batch, producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		if len(batch) >= 5000 {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
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
