package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"retorno/deploy/ops"
)

// A full disk stops a write wherever it is, and everything waits for the room to come back. The process that owns the
// folder says so, and after fullPatience gives up: a caller must not wait for its end for ever.
const (
	fullBelow    = 16 << 20         // bytes that are free on a disk that counts as full
	fullPatience = 30 * time.Second // how long it may be full
	fullEvery    = time.Second      // how often it is asked
)

// diskPart ends the process with status 3 when the disk of a folder has been full for fullPatience.
func diskPart(dir string) ops.Part {
	w := diskWatch{dir: dir, free: freeRoom, every: fullEvery, patience: fullPatience}
	return ops.Part{Name: "disk", Run: w.run}
}

type diskWatch struct {
	dir             string
	free            func(dir string) (bytes uint64, err error)
	every, patience time.Duration
}

func (w diskWatch) run(ctx context.Context) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for full := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		free, err := w.free(w.dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			full = 0 // nothing has been written yet
		case err != nil:
			return Missing(fmt.Errorf("the disk of the folder %s: %w", w.dir, err))
		case free >= fullBelow:
			full = 0
		default:
			full += w.every
		}
		if full >= w.patience {
			return Missing(fmt.Errorf("the disk of the folder %s has been full for %s (%d MB free): make room, or name another folder with --data", w.dir, w.patience, free>>20))
		}
	}
}

// freeRoom is what is free on the disk of a folder.
func freeRoom(dir string) (uint64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, err
	}
	return disk.Bavail * uint64(disk.Bsize), nil
}
