package exact

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestRationalAgreesWithBig: every operation gives what math/big gives, at the edge of machine words too.
func TestRationalAgreesWithBig(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) rat {
		num := rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-math.MaxInt64, math.MaxInt64)).Draw(t, "num")
		den := rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "den")
		return small(big.NewRat(num, den))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, y := a.toBig(), b.toBig()
		same := func(what string, got rat, want *big.Rat) {
			if got.toBig().Cmp(want) != 0 {
				t.Fatalf("%s of %v and %v: %v, want %v", what, x, y, got.toBig(), want)
			}
		}
		same("sum", a.add(b), new(big.Rat).Add(x, y))
		same("difference", a.sub(b), new(big.Rat).Sub(x, y))
		same("product", a.mul(b), new(big.Rat).Mul(x, y))
		if b.sign() != 0 {
			same("quotient", a.div(b), new(big.Rat).Quo(x, y))
		}
		if a.cmp(b) != x.Cmp(y) || a.sign() != x.Sign() || a.isInt() != x.IsInt() {
			t.Fatalf("order or sign of %v and %v", x, y)
		}
		if f := new(big.Int).Div(x.Num(), x.Denom()); f.IsInt64() && (a.floor() != f.Int64()) {
			t.Fatalf("floor of %v: %d", x, a.floor())
		}
		// Large intermediate numbers come back to machine words.
		if back := a.add(b).sub(b); back.big != nil && a.big == nil || back.cmp(a) != 0 {
			t.Fatalf("%v + %v - %v = %v", x, y, y, back.toBig())
		}
	})
}

// system is a small system that can also be decided by trying everything.
type system struct {
	most   []int64 // variables are between 0 and most
	sums   [][]int64
	lo, hi []int64
	// shares: variables num and base are sums.
	shares []share
}

func drawSystem(t *rapid.T) system {
	var y system
	n := rapid.IntRange(1, 5).Draw(t, "variables")
	var truth []int64 // most systems are near one that holds for these values
	for range n {
		y.most = append(y.most, rapid.Int64Range(0, 5).Draw(t, "most"))
		truth = append(truth, rapid.Int64Range(0, y.most[len(y.most)-1]).Draw(t, "truth"))
	}
	at := func(coefs []int64) (sum int64) {
		for i, c := range coefs {
			sum += c * truth[i]
		}
		return sum
	}
	for range rapid.IntRange(1, 5).Draw(t, "sums") {
		var coefs []int64
		for range n {
			coefs = append(coefs, rapid.Int64Range(-2, 3).Draw(t, "coef"))
		}
		lo := at(coefs) + rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-3, 2)).Draw(t, "lo")
		y.sums = append(y.sums, coefs)
		y.lo = append(y.lo, lo)
		y.hi = append(y.hi, lo+rapid.Int64Range(0, 3).Draw(t, "width"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "shares") {
		// The numerator is a part of the base: some of its variables.
		sh := share{lo: rapid.Int64Range(0, 100).Draw(t, "units"), scale: 100, inside: rapid.Bool().Draw(t, "inside")}
		width := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 5)).Draw(t, "width")
		base, num := make([]int64, n), make([]int64, n)
		for i := range n {
			base[i] = rapid.Int64Range(0, 1).Draw(t, "in base")
			num[i] = base[i] * rapid.Int64Range(0, 1).Draw(t, "in part")
		}
		if b := at(base); b > 0 && rapid.Bool().Draw(t, "true share") {
			sh.lo = (200*at(num)/b + 1) / 2
		}
		sh.hi = sh.lo + width
		sh.num, sh.base = Var(len(y.sums)), Var(len(y.sums)+1)
		y.sums = append(y.sums, num, base)
		y.lo = append(y.lo, 0, 0)
		y.hi = append(y.hi, 100, 100)
		y.shares = append(y.shares, sh)
	}
	return y
}

func (y *system) solver() (*Solver, []Var, []Var) {
	s := New()
	var vars, sums []Var
	for _, m := range y.most {
		vars = append(vars, s.Var(0, m))
	}
	for i, coefs := range y.sums {
		var terms []Term
		for j, c := range coefs {
			terms = append(terms, Term{vars[j], c})
		}
		sums = append(sums, s.Sum(terms))
		s.Bound(sums[i], y.lo[i], y.hi[i])
	}
	for _, sh := range y.shares {
		s.Share(sums[sh.num], sums[sh.base], sh.lo, sh.hi, 0, sh.inside)
	}
	return s, vars, sums
}

// holds reports whether values solve the system; percentages are judged by the definition.
func (y *system) holds(values []int64) bool {
	sums := make([]int64, len(y.sums))
	for i, coefs := range y.sums {
		for j, c := range coefs {
			sums[i] += c * values[j]
		}
		if sums[i] < y.lo[i] || sums[i] > y.hi[i] {
			return false
		}
	}
	for _, sh := range y.shares {
		n, b := sums[sh.num], sums[sh.base]
		// The distances from the printed numbers at both ends, doubled and times b.
		over, under := 200*n-2*sh.hi*b, 2*sh.lo*b-200*n
		switch {
		case sh.lo > 0 && b == 0:
			return false
		case sh.hi == 0 && sh.inside:
			if n != 0 {
				return false
			}
		case over > b || sh.inside && over == b && b > 0, sh.lo > 0 && (under > b || sh.inside && under == b):
			return false
		case b == 0 && sh.inside:
			return false
		}
	}
	return true
}

// each calls f with every assignment within the bounds of the variables until it returns true.
func (y *system) each(f func([]int64) bool) bool {
	values := make([]int64, len(y.most))
	for {
		if f(values) {
			return true
		}
		i := 0
		for ; i < len(values) && values[i] == y.most[i]; i++ {
			values[i] = 0
		}
		if i == len(values) {
			return false
		}
		values[i]++
	}
}

func TestFindAgreesWithTryingEverything(t *testing.T) {
	yes, no := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		y := drawSystem(t)
		s, vars, sums := y.solver()
		found, err := s.Find(100000)
		if err != nil {
			t.Fatal(err)
		}
		if want := y.each(y.holds); found != want {
			t.Fatalf("found %v, trying everything says %v: %+v", found, want, y)
		}
		if !found {
			no++
			return
		}
		yes++
		values := make([]int64, len(vars))
		read := func() []int64 {
			for i, v := range vars {
				values[i] = s.Value(v)
			}
			return values
		}
		if !y.holds(read()) {
			t.Fatalf("%v is no solution of %+v", values, y)
		}
		pullAll(t, &y, s, vars, sums, read)
	})
	t.Logf("%d with a solution, %d without", yes, no)
	if yes == 0 || no == 0 {
		t.Error("the drawn systems decide nothing")
	}
}

// pullAll pulls one sum and every variable towards drawn targets: the first must come as near as anything can, and the
// end must be a solution.
func pullAll(t *rapid.T, y *system, s *Solver, vars, sums []Var, read func() []int64) {
	target := rapid.Int64Range(-3, 15).Draw(t, "target")
	which := rapid.IntRange(0, len(sums)-1).Draw(t, "pulled")
	got := s.Pull(sums[which], target, 100000)
	if len(y.shares) == 0 {
		nearest := int64(math.MaxInt64)
		y.each(func(values []int64) bool {
			if y.holds(values) {
				var sum int64
				for j, c := range y.sums[which] {
					sum += c * values[j]
				}
				nearest = min(nearest, max(sum-target, target-sum))
			}
			return false
		})
		if far := max(got-target, target-got); far < nearest {
			t.Fatalf("pulled to %d, nearer to %d than anything can be", got, target)
		}
	}
	for _, v := range vars {
		s.Pull(v, rapid.Int64Range(0, 5).Draw(t, "target"), 100000)
		if !y.holds(read()) {
			t.Fatalf("%v after a pull is no solution of %+v", read(), y)
		}
	}
	if s.Value(sums[which]) != got {
		t.Fatalf("a pulled sum moved from %d to %d", got, s.Value(sums[which]))
	}
}

// TestLargeNumbers: coefficients and values of the size of the largest tables do not lose a unit.
func TestLargeNumbers(t *testing.T) {
	s := New()
	total := s.Var(489999, 489999)
	a, b := s.Var(0, 489999), s.Var(0, 489999)
	rest := s.Sum([]Term{{total, 1}, {a, -1}, {b, -1}})
	s.Bound(rest, 0, 0)
	s.Share(a, total, 333333333, 333333333, 6, true)
	found, err := s.Find(1000)
	if err != nil || found {
		t.Fatalf("333.333333 %% of something: %v, %v", found, err)
	}

	s = New()
	base := s.Var(1, 489999)
	n := s.Var(0, 489999)
	m := s.Var(0, 489999)
	s.Share(n, base, 33333333, 33333333, 6, true)
	s.Share(m, base, 14285714, 14285714, 6, true)
	found, err = s.Find(1000)
	if err != nil || !found {
		t.Fatalf("a third and a seventh of something: %v, %v", found, err)
	}
	if s.Value(base)%21 != 0 && s.Value(base) < 1000 {
		t.Errorf("base %d, parts %d and %d", s.Value(base), s.Value(n), s.Value(m))
	}
}

func TestBudgetIsNotAnAnswer(t *testing.T) {
	s := New()
	// Even on the left, odd on the right, and too wide for a handful of nodes.
	x, y := s.Var(0, 1<<40), s.Var(0, 1<<40)
	d := s.Sum([]Term{{x, 2}, {y, -2}})
	s.Bound(d, 1, 1)
	if _, err := s.Find(50); err != ErrUndecided {
		t.Fatal(err)
	}
}

// TestPartsLeadTheSearch: shares that only make up a whole when every one is an exact tie are found among a million
// bases, and shares that never do are refused, without trying the bases one after the other.
func TestPartsLeadTheSearch(t *testing.T) {
	for _, tt := range []struct {
		shares []int64 // in percent; half a percent of rounding each
		want   bool
	}{{[]int64{30, 30, 30, 8}, true}, {[]int64{30, 30, 30, 7}, false}, {[]int64{25, 25, 25, 27}, true}, {[]int64{25, 25, 25, 28}, false}} {
		s := New()
		base := s.Var(1, 1_000_000)
		var nums []Var
		terms := []Term{{base, -1}}
		for range tt.shares {
			nums = append(nums, s.Var(0, 1_000_000))
			terms = append(terms, Term{nums[len(nums)-1], 1})
		}
		s.Bound(s.Sum(terms), 0, 0)
		for i, u := range tt.shares {
			s.Share(nums[i], base, u, u, 0, false)
		}
		s.Parts(base, nums, true)
		found, err := s.Find(50)
		if err != nil || found != tt.want {
			t.Errorf("%v: found %v, %v", tt.shares, found, err)
		}
	}
}
