package command

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A disk that stays full ends the process with status 3 after the time that is stated; one that has room again does not.
func TestAFullDiskEndsAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := diskWatch{dir: "/srv/demo", every: fullEvery, patience: fullPatience, free: func(string) (uint64, error) {
			if at := time.Since(began); at > 40*time.Second && at < 50*time.Second {
				return fullBelow, nil // room for a while
			}
			if time.Since(began) < 20*time.Second {
				return 1 << 40, nil
			}
			return 3 << 20, nil
		}}
		err := w.run(t.Context())
		if exitStatus(err) != exitMissing || !strings.Contains(err.Error(), "/srv/demo has been full for 30s (3 MB free)") || !strings.Contains(err.Error(), "--data") {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != 79*time.Second {
			t.Errorf("it ended after %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		w.free = func(string) (uint64, error) { return 1 << 40, nil }
		if err := w.run(ctx); err != nil {
			t.Errorf("with room: %v", err)
		}
	})
	if free, err := freeRoom(t.TempDir()); err != nil || free == 0 {
		t.Errorf("%d %v", free, err)
	}
}
