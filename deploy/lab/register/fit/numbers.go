package fit

import (
	"math/bits"
	"slices"
	"strconv"
)

// mul128 multiplies two numbers that are not negative.
func mul128(a, b int64) (hi, lo uint64) { return bits.Mul64(uint64(a), uint64(b)) }

// div128 divides by a positive number that is larger than hi, rounding to the nearest.
func div128(hi, lo uint64, by int64) int64 {
	lo, carry := bits.Add64(lo, uint64(by)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(by))
	return int64(q)
}

// grouped writes a number with separators: 41,242.
func grouped(n int64) string {
	if n < 0 {
		return "-" + grouped(-n)
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// reasonIndex is the position of a reason in space.reasons, -1 when it is none.
func reasonIndex(s *space, code string) int { return slices.Index(s.reasons, code) }
