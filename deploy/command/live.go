//go:build !server

package command

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"retorno/deploy/lab/register"
)

// live types made arrivals of today until ctx ends, while the verifier goes on counting a second time.
func (d *demo) live(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.verifier.Run(ctx) })
	group.Go(func() error { return d.typeLive(ctx) })
	return group.Wait()
}

func (d *demo) typeLive(ctx context.Context) error {
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
	err = arrivals.Run(ctx, func(_ register.Event, f register.Form) error {
		return d.offices[f.Source].Type(ctx, []register.Form{f})
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
