package command

import (
	"context"
	"fmt"
)

// say tells a person what is going on; it is no result.
func (t *terminal) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.Err, format+"\n", args...)
}

// live sends made arrivals of today until ctx ends, while the verifier goes on counting a second time.
func (d *demo) live(ctx context.Context) error {
	verified := make(chan error, 1)
	go func() { verified <- d.verifier.Run(ctx) }()
	<-ctx.Done()
	var err error
	if ctx.Err() != nil {
		err = nil
	}
	<-verified
	return err
}
