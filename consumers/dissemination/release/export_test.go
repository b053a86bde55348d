package release

import (
	"testing"
	"time"
)

// Impatient makes publications wait for this long.
func Impatient(t testing.TB, d time.Duration) {
	before := patience
	patience = d
	t.Cleanup(func() { patience = before })
}
