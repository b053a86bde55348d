// Package disclosure makes the percentages that a vintage says of itself: its coverage, and what was written down late. Counts are made
// fit to be published by the packages below it.
//
// Both counts of a percentage are rounded to base 5 first, so that it does not say whether one particular person is in them.
//
// It promises that the same count always gives the same number, and that a larger count never gives a smaller one. It has no clock, no I/O
// and no failures.
package disclosure

import "math"

// Base is the number of which every rounded count is a multiple.
const Base = 5

// Round gives the multiple of Base nearest to n; Base is odd, so there is never a tie. Counts so large that their
// multiple does not fit are rounded down.
func Round(n uint64) uint64 {
	rest := n % Base
	n -= rest
	if rest > Base/2 && n <= math.MaxUint64-Base {
		n += Base
	}
	return n
}

// Tenths is a percentage in tenths of a percent: 630 is 63.0 %.
type Tenths int

// Percent is the percentage as a number.
func (t Tenths) Percent() float64 { return float64(t) / 10 }

// Share gives the rounded part as a share of whole, to the nearest tenth of a percent, halves up. The part is rounded
// here so that no caller can print a share that is finer than the count beside it. Without a whole there is no share.
// A rounded part may exceed a small whole; the share then stays at 100 %.
func Share(part, whole uint64) (Tenths, bool) {
	if whole == 0 {
		return 0, false
	}
	rounded := Round(part)
	if rounded >= whole {
		return 1000, true
	}
	return Tenths(math.Floor(float64(rounded)/float64(whole)*1000 + 0.5)), true
}

// Coverage gives the share of reconciled returns that are registered, from the two rounded counts. Below 100 rounded
// returns a percentage would only dress up single persons, and there is none.
func Coverage(registered, reconciled uint64) (Tenths, bool) {
	whole := Round(reconciled)
	if whole < 100 {
		return 0, false
	}
	return Share(registered, whole)
}
