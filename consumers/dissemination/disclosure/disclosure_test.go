package disclosure

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundOfSmallCounts(t *testing.T) {
	want := []uint64{0, 0, 0, 0, 0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 20}
	for n, w := range want {
		if got := Round(uint64(n), 10); got != w {
			t.Errorf("Round(%d, 10) = %d, want %d", n, got, w)
		}
		if got := Round(uint64(n), 1); got != uint64(n) {
			t.Errorf("Round(%d, 1) = %d", n, got)
		}
	}
	if got := Round(27086, 10); got != 27090 {
		t.Errorf("Round(27086, 10) = %d, want 27090", got)
	}
	if got := Round(27086, 5); got != 27085 {
		t.Errorf("Round(27086, 5) = %d, want 27085", got)
	}
	if got := Round(math.MaxUint64, 10); got%10 != 0 {
		t.Errorf("Round of the largest count = %d, no multiple of 10", got)
	}
}

func TestRoundProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, base := rapid.Uint64Range(0, math.MaxUint64-20).Draw(t, "n"), rapid.Uint64Range(1, 20).Draw(t, "base")
		got := Round(n, base)
		if got%base != 0 {
			t.Fatalf("Round(%d, %d) = %d is no multiple", n, base, got)
		}
		if distance := max(got, n) - min(got, n); distance > base/2 {
			t.Fatalf("Round(%d, %d) = %d moved by %d", n, base, got, distance)
		}
		if Round(got, base) != got {
			t.Fatalf("Round(%d, %d) = %d is not stable", n, base, got)
		}
		if more := Round(n+rapid.Uint64Range(0, 10).Draw(t, "more"), base); more < got {
			t.Fatalf("a larger count than %d was rounded to %d, below %d", n, more, got)
		}
	})
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		part, whole uint64
		want        Tenths
		ok          bool
	}{
		{17064, 27086, 630, true},
		{0, 27086, 0, true},
		{27086, 27086, 1000, true},
		{27086, 33860, 800, true},
		{110, 100, 1000, true},
		{5, 0, 0, false},
		{40, 99, 0, false},
		{1, 27086, 0, true},
	} {
		if got, ok := Share(c.part, c.whole); got != c.want || ok != c.ok {
			t.Errorf("Share(%d, %d) = %v, %v; want %v, %v", c.part, c.whole, got, ok, c.want, c.ok)
		}
	}
}
