package command

import (
	"context"
	"runtime/debug"
	"time"
)

// leaveOften gives back the memory that the garbage collector holds free, after the start and then each minute: a computer at
// a post has little.
func leaveOften(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		debug.FreeOSMemory()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
