package attack

import "math/big"

// compare finds what two vintages of the same tables say together.
func compare(a, b *view, threshold int64) ([]Finding, error) {
	var out []Finding
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
		if !exact {
			continue
		}
		change := b.low[n] - a.low[m]
		growing = growing && change >= 0
		d.low[at], d.high[at] = change, change
		if small(change, threshold) && !(b.vintage.Revision && b.tops[n]) { // a revision may always correct the whole
			out = append(out, Finding{Vintage: b.id, Key: k, Low: change, High: change, How: Change, With: a.id})
		}
	}
	for _, s := range b.sums {
		if both, ok := d.carry(b, s); ok {
			d.sums = append(d.sums, both)
		}
	}
	found, err := d.changes(growing, threshold)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		f.With = a.id
		if small(f.Low, threshold) && small(f.High, threshold) && f.Low > 0 == (f.High > 0) {
			out = append(out, f)
		}
		if f.Low == f.High {
			out = append(out, later(a, b, f)...)
		}
	}
	return out, nil
}

// small reports whether a change is not 0 and smaller than the threshold.
func small(change, threshold int64) bool {
	return change != 0 && -threshold < change && change < threshold
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
func (v *view) changes(growing bool, threshold int64) ([]Finding, error) {
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
				if f.High = h.extreme(lp, j, -1); f.High < threshold {
					out = append(out, f)
				}
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
