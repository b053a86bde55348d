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

// Brief makes a publication that has taken a number give way to others after this long.
func Brief(t testing.TB, d time.Duration) {
	before := lease
	lease = d
	t.Cleanup(func() { lease = before })
}
