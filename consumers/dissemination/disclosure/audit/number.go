package audit

import "math/big"

// number is the arithmetic in which a tableau is kept: small while its entries fit, else large.
type number[T any] interface {
	// of returns a number, and false if it does not fit.
	of(int64) (T, bool)
	// cross returns (x*p - a*b) / d, which is always whole, and false if it does not fit.
	cross(x, p, a, b, d T) (T, bool)
	sum(a, b T) (T, bool)
	negated(a T) T
	sign(a T) int
	compare(a, b T) int
	// compareRatios compares a/b with c/d, where b and d are positive.
	compareRatios(a, b, c, d T) int
	// floor returns the largest whole number up to a/d, where d is positive, and reports whether they are equal.
	floor(a, d T) (int64, bool)
}

// limit is what entries of a small tableau stay below, so that a difference of two products fits into 64 bits.
const limit = 1 << 31

type small struct{}

func (small) of(n int64) (int64, bool) { return n, -limit < n && n < limit }

func (small) cross(x, p, a, b, d int64) (int64, bool) {
	v := (x*p - a*b) / d
	return v, -limit < v && v < limit
}

func (small) sum(a, b int64) (int64, bool) {
	v := a + b
	return v, -limit < v && v < limit
}

func (small) negated(a int64) int64 { return -a }

func (small) sign(a int64) int {
	switch {
	case a > 0:
		return 1
	case a < 0:
		return -1
	}
	return 0
}

func (n small) compare(a, b int64) int             { return n.sign(a - b) }
func (n small) compareRatios(a, b, c, d int64) int { return n.compare(a*d, c*b) }
func (small) floor(a, d int64) (int64, bool)       { return floorOf(a, d) }

func floorOf(a, d int64) (int64, bool) {
	q := a / d
	if q*d > a {
		q--
	}
	return q, q*d == a
}

// large never changes a number that it was given.
type large struct{}

func (large) of(n int64) (*big.Int, bool) { return big.NewInt(n), true }

func (large) cross(x, p, a, b, d *big.Int) (*big.Int, bool) {
	v := new(big.Int).Mul(x, p)
	if a.Sign() != 0 && b.Sign() != 0 {
		v.Sub(v, new(big.Int).Mul(a, b))
	}
	return v.Quo(v, d), true
}

func (large) sum(a, b *big.Int) (*big.Int, bool) { return new(big.Int).Add(a, b), true }
func (large) negated(a *big.Int) *big.Int        { return new(big.Int).Neg(a) }
func (large) sign(a *big.Int) int                { return a.Sign() }
func (large) compare(a, b *big.Int) int          { return a.Cmp(b) }

func (large) compareRatios(a, b, c, d *big.Int) int {
	return new(big.Int).Mul(a, d).Cmp(new(big.Int).Mul(c, b))
}

func (large) floor(a, d *big.Int) (int64, bool) {
	q, rest := new(big.Int).DivMod(a, d, new(big.Int))
	return q.Int64(), rest.Sign() == 0
}
