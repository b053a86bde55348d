package exact

import (
	"math"
	"math/big"
	"math/bits"
)

// rat is an exact rational number. It is a pair of machine words while they suffice and a big.Rat beyond; a small
// number is always held small, so zero is num == 0. Values are immutable. The zero value is not valid: den is 0.
type rat struct {
	num, den int64 // lowest terms, den > 0; meaningless when big is set
	big      *big.Rat
}

var (
	zero = rat{num: 0, den: 1}
	one  = rat{num: 1, den: 1}
)

func integer(n int64) rat { return rat{num: n, den: 1} }

func (a rat) toBig() *big.Rat {
	if a.big != nil {
		return a.big
	}
	return big.NewRat(a.num, a.den)
}

// small brings the result of big arithmetic back to machine words where it fits.
func small(r *big.Rat) rat {
	// MinInt64 is left out so that a number can always be negated.
	if r.Num().IsInt64() && r.Denom().IsInt64() && r.Num().Int64() != math.MinInt64 {
		return rat{num: r.Num().Int64(), den: r.Denom().Int64()}
	}
	return rat{big: r}
}

func (a rat) sign() int {
	switch {
	case a.big != nil:
		return a.big.Sign()
	case a.num > 0:
		return 1
	case a.num < 0:
		return -1
	}
	return 0
}

func (a rat) isInt() bool {
	if a.big != nil {
		return a.big.IsInt()
	}
	return a.den == 1
}

func (a rat) neg() rat {
	if a.big != nil {
		return small(new(big.Rat).Neg(a.big))
	}
	return rat{num: -a.num, den: a.den}
}

func (a rat) inv() rat {
	if a.big != nil {
		return small(new(big.Rat).Inv(a.big))
	}
	if a.num < 0 {
		return rat{num: -a.den, den: -a.num}
	}
	return rat{num: a.den, den: a.num}
}

func (a rat) add(b rat) rat {
	if a.big == nil && b.big == nil {
		if a.den == 1 && b.den == 1 {
			if s, ok := addInt(a.num, b.num); ok {
				return rat{num: s, den: 1}
			}
		} else if r, ok := addSmall(a, b); ok {
			return r
		}
	}
	return small(new(big.Rat).Add(a.toBig(), b.toBig()))
}

func addSmall(a, b rat) (rat, bool) {
	g := gcd(a.den, b.den)
	left, ok1 := mulInt(a.num, b.den/g)
	right, ok2 := mulInt(b.num, a.den/g)
	den, ok3 := mulInt(a.den, b.den/g)
	num, ok4 := addInt(left, right)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return rat{}, false
	}
	if num == 0 {
		return zero, true
	}
	g = gcd(num, den)
	return rat{num: num / g, den: den / g}, true
}

func (a rat) sub(b rat) rat { return a.add(b.neg()) }

func (a rat) mul(b rat) rat {
	if a.big == nil && b.big == nil {
		if a.den == 1 && b.den == 1 {
			if p, ok := mulInt(a.num, b.num); ok {
				return rat{num: p, den: 1}
			}
		}
		if a.num == 0 || b.num == 0 {
			return zero
		}
		g, h := gcd(a.num, b.den), gcd(b.num, a.den)
		num, ok1 := mulInt(a.num/g, b.num/h)
		den, ok2 := mulInt(a.den/h, b.den/g)
		if ok1 && ok2 {
			return rat{num: num, den: den}
		}
	}
	return small(new(big.Rat).Mul(a.toBig(), b.toBig()))
}

func (a rat) div(b rat) rat { return a.mul(b.inv()) }

func (a rat) cmp(b rat) int {
	if a.big == nil && b.big == nil {
		if a.den == b.den {
			switch {
			case a.num < b.num:
				return -1
			case a.num > b.num:
				return 1
			}
			return 0
		}
		left, ok1 := mulInt(a.num, b.den)
		right, ok2 := mulInt(b.num, a.den)
		if ok1 && ok2 {
			return integer(left).cmp(integer(right))
		}
	}
	return a.toBig().Cmp(b.toBig())
}

// floor is the largest integer that is not larger. Values of bounded variables fit into a machine word.
func (a rat) floor() int64 {
	if a.big != nil {
		q := new(big.Int).Div(a.big.Num(), a.big.Denom()) // Euclidean: floor for a positive divisor
		return q.Int64()
	}
	q := a.num / a.den
	if a.num%a.den < 0 {
		q--
	}
	return q
}

func (a rat) ceil() int64 { return -a.neg().floor() }

func addInt(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0) && s != math.MinInt64
}

func mulInt(a, b int64) (int64, bool) {
	if int64(int32(a)) == a && int64(int32(b)) == b {
		return a * b, true
	}
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return uint64(-a)
	}
	return uint64(a)
}

// gcd of the magnitudes; gcd(0, b) = b.
func gcd(a, b int64) int64 {
	x, y := magnitude(a), magnitude(b)
	if x == 1 || y == 1 {
		return 1
	}
	for y != 0 {
		x, y = y, x%y
	}
	return int64(x)
}
