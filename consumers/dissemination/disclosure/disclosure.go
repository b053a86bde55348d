// Package disclosure makes the percentages that a vintage says of itself: its coverage, and what was written down late. Counts are made
// fit to be published by the packages below it.
//
// Both counts of a percentage are rounded first, so that it says no more than the counts beside it, or than a multiple of the base where
// there are none.
//
// It promises that the same count always gives the same number, and that a larger count never gives a smaller one. It has no clock, no I/O
// and no failures.
package disclosure

import "math"

// Base is the number to whose multiples counts are rounded of which no exact count is published. A count of fewer than half of it rounds to 0.
const Base = 10

// least is the rounded whole below which a percentage would only dress up single persons.
const least = 100

// Round gives the multiple of base nearest to n, halves up. Counts so large that their multiple does not fit are rounded down. base must be
// at least 1.
func Round(n, base uint64) uint64 {
	rest := n % base
	n -= rest
	if rest >= base-rest && rest > 0 && n <= math.MaxUint64-base {
		n += base
	}
	return n
}

// Tenths is a percentage in tenths of a percent: 630 is 63.0 %.
type Tenths int

// Percent is the percentage as a number.
func (t Tenths) Percent() float64 { return float64(t) / 10 }

// Share gives the part as a share of the whole, which contains it, to the nearest tenth of a percent, halves up. There is none of a whole below
// 100. A part that was rounded may exceed its whole; the share then stays at 100 %.
func Share(part, whole uint64) (Tenths, bool) {
	if whole < least {
		return 0, false
	}
	if part >= whole {
		return 1000, true
	}
	return Tenths(math.Floor(float64(part)/float64(whole)*1000 + 0.5)), true
}
