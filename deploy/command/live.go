//go:build !server

package command

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"retorno/deploy/lab/register"
	"retorno/producers/producer"
)

// live sends made arrivals of today until ctx ends, while the verifier goes on counting a second time.
func (d *demo) live(ctx context.Context, writer *producer.Writer) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.verifier.Run(ctx) })
	group.Go(func() error { return d.sendLive(ctx, writer) })
	return group.Wait()
}

func (d *demo) sendLive(ctx context.Context, writer *producer.Writer) error {
	arrivals, err := d.made.Live(register.LiveSettings{ArrivalsPerMinute: d.Live})
	if d.Live == 0 || errors.Is(err, register.ErrPeriodNotOver) {
		d.t.say("no live arrivals; Ctrl-C ends it")
		<-ctx.Done()
		return nil
	}
	if err != nil {
		return err
	}
	d.t.say("live arrivals, %v a minute, dated today; Ctrl-C ends it", d.Live)
	err = arrivals.Run(ctx, func(e register.Event) error {
		return writer.Write(ctx, producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
