package attack

import (
	"math/big"
	"slices"
)

// compare finds what two vintages of the same tables say together.
func compare(a, b *view) ([]Finding, error) {
	var out []Finding
	a, b = a.narrowed(), b.narrowed()
	d := &view{id: b.id, index: map[string]int{}}
	growing := true
	for n, k := range b.keys {
		m, ok := a.index[k]
		if !ok {
			continue
		}
		at := d.cell(k)
		exact := a.low[m] == a.high[m] && b.low[n] == b.high[n]
		d.withheld[at] = !exact
		low, high := less(b.low[n], a.high[m]), less(b.high[n], a.low[m])
		if exact {
			growing = growing && low >= 0
			d.low[at], d.high[at] = low, high
		}
		if b.little(k, low, high) && !(b.vintage.Revision && b.tops[n]) { // a revision may always correct the whole
			out = append(out, Finding{Vintage: b.id, Key: k, Low: low, High: high, How: Change, With: a.id})
		}
	}
	for _, s := range b.sums {
		if both, ok := d.carry(b, s); ok {
			d.sums = append(d.sums, both)
		}
	}
	found, err := d.changes(growing)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		f.With = a.id
		if b.little(f.Key, f.Low, f.High) {
			out = append(out, f)
		}
		if f.Low == f.High {
			out = append(out, later(a, b, f)...)
		}
	}
	return out, nil
}

// little reports whether a change within bounds is not 0 and by fewer than the threshold.
func (v *view) little(key string, low, high int64) bool {
	threshold := v.threshold(key)
	return 0 < low && high < threshold || -threshold < low && high < 0
}

// less is a bound of a count less a bound of another, of which either may be without limit.
func less(x, y int64) int64 {
	switch {
	case x == unlimited:
		return unlimited
	case y == unlimited:
		return -unlimited
	}
	return x - y
}

// narrowed is the view with the bounds that follow from each sum by itself, one after the other.
func (v *view) narrowed() *view {
	out := *v
	out.low, out.high = slices.Clone(v.low), slices.Clone(v.high)
	for grown, rounds := true, 0; grown && rounds < 20; rounds++ {
		grown = false
		for _, s := range out.sums {
			grown = out.narrow(s) || grown
		}
	}
	return &out
}

// narrow narrows the cells of a sum, and reports whether it did.
func (v *view) narrow(s sum) bool {
	var low, high int64
	open := 0 // parts without limit
	for _, c := range s.parts {
		low += v.low[c]
		if v.high[c] == unlimited {
			open++
		} else {
			high += v.high[c]
		}
	}
	grown := v.low[s.whole] < low
	v.low[s.whole] = max(v.low[s.whole], low)
	if open == 0 && high < v.high[s.whole] {
		v.high[s.whole], grown = high, true
	}
	for _, c := range s.parts {
		if others := low - v.low[c]; v.high[s.whole] != unlimited && v.high[s.whole]-others < v.high[c] {
			v.high[c], grown = v.high[s.whole]-others, true
			return grown // the sums above have changed
		}
		if open > 1 || open == 1 && v.high[c] != unlimited {
			continue
		}
		others := high
		if v.high[c] != unlimited {
			others -= v.high[c]
		}
		if least := v.low[s.whole] - others; least > v.low[c] {
			v.low[c], grown = least, true
			return grown
		}
	}
	return grown
}

// carry brings a sum of one vintage into the view of the changes, if all of its cells are in both.
func (v *view) carry(from *view, s sum) (sum, bool) {
	out := sum{}
	for _, c := range append([]int{s.whole}, s.parts...) {
		at, ok := v.index[from.keys[c]]
		if !ok {
			return out, false
		}
		out.parts = append(out.parts, at)
	}
	out.whole, out.parts = out.parts[0], out.parts[1:]
	return out, true
}

// changes finds changes of cells that are not exactly known in both vintages: by elimination, and, if no known cell became smaller, by
// linear programs that suppose that none did.
func (v *view) changes(growing bool) ([]Finding, error) {
	var out []Finding
	for _, p := range v.parts() {
		_, values := eliminate(p.equations())
		var lp *program
		var err error
		if growing && len(p.cells) <= mostCells {
			if lp, err = p.program(); err != nil {
				growing, lp = false, nil // some unknown cell became smaller
			}
		}
		h := &hunt{p: p}
		for j, c := range p.cells {
			f := Finding{Vintage: v.id, Key: v.keys[c], How: Change}
			if x := values[j]; x != nil && x.IsInt() {
				f.Low, f.High = x.Num().Int64(), x.Num().Int64()
				out = append(out, f)
			} else if lp != nil {
				if h.can(func(s []*big.Rat) bool { return s[j].Sign() == 0 }) {
					f.Low = 0
				} else {
					f.Low = h.extreme(lp, j, 1)
				}
				f.High = h.extreme(lp, j, -1)
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// later finds a withheld cell that the other vintage publishes, given that its change is known.
func later(a, b *view, change Finding) []Finding {
	m, n := a.index[change.Key], b.index[change.Key]
	switch {
	case a.withheld[m] && b.low[n] == b.high[n]:
		v := b.low[n] - change.Low
		return []Finding{{Vintage: a.id, Key: change.Key, Low: v, High: v, How: Later, With: b.id}}
	case b.withheld[n] && a.low[m] == a.high[m]:
		v := a.low[m] + change.Low
		return []Finding{{Vintage: b.id, Key: change.Key, Low: v, High: v, How: Later, With: a.id}}
	}
	return nil
}
