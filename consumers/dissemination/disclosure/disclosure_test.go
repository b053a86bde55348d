package disclosure

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundOfSmallCounts(t *testing.T) {
	want := []uint64{0, 0, 0, 5, 5, 5, 5, 5, 10, 10, 10, 10, 10, 15}
	for n, w := range want {
		if got := Round(uint64(n)); got != w {
			t.Errorf("Round(%d) = %d, want %d", n, got, w)
		}
	}
	if got := Round(27086); got != 27085 {
		t.Errorf("Round(27086) = %d, want 27085", got)
	}
	if got := Round(math.MaxUint64); got%Base != 0 {
		t.Errorf("Round of the largest count = %d, no multiple of %d", got, Base)
	}
}

func TestRoundProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(0, math.MaxUint64-10).Draw(t, "n")
		got := Round(n)
		if got%Base != 0 {
			t.Fatalf("Round(%d) = %d is no multiple of %d", n, got, Base)
		}
		if distance := max(got, n) - min(got, n); distance > Base/2 {
			t.Fatalf("Round(%d) = %d moved by %d", n, got, distance)
		}
		if Round(got) != got {
			t.Fatalf("Round(%d) = %d is not stable", n, got)
		}
		if more := Round(n + rapid.Uint64Range(0, 10).Draw(t, "more")); more < got {
			t.Fatalf("a larger count than %d was rounded to %d, below %d", n, more, got)
		}
	})
}

// Every count that rounds to the same number must give the same share: else the share tells the count.
func TestShareAndCoverageTellNoMoreThanTheRoundedCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Uint64Range(0, 50_000).Draw(t, "whole")
		part := rapid.Uint64Range(0, 50_000).Draw(t, "part")
		a, okA := Share(part, whole)
		b, okB := Share(Round(part), whole)
		if a != b || okA != okB {
			t.Fatalf("Share(%d, %d) = %v, of the rounded part %v", part, whole, a, b)
		}
		a, okA = Coverage(part, whole)
		b, okB = Coverage(Round(part), Round(whole))
		if a != b || okA != okB {
			t.Fatalf("Coverage(%d, %d) = %v, of the rounded counts %v", part, whole, a, b)
		}
		if a < 0 || a > 1000 {
			t.Fatalf("Coverage(%d, %d) = %v", part, whole, a)
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
		{3, 4, 1000, true},
		{5, 0, 0, false},
		{1, 27086, 0, true},
	} {
		if got, ok := Share(c.part, c.whole); got != c.want || ok != c.ok {
			t.Errorf("Share(%d, %d) = %v, %v; want %v, %v", c.part, c.whole, got, ok, c.want, c.ok)
		}
	}
	if _, ok := Coverage(40, 97); ok {
		t.Error("Coverage of fewer than 100 returns was given")
	}
	if got, _ := Coverage(27086, 33860); got != 800 {
		t.Errorf("Coverage(27086, 33860) = %v, want 800", got)
	}
}
