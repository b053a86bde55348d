package suppress

import (
	"math/bits"
	"slices"
)

// prime is the Mersenne prime 2^61 - 1. Elimination modulo it finds every cell that is exactly computable in rational numbers, but
// for a chance of about one in 10^18; the audit, which is exact, has the last word.
const prime = 1<<61 - 1

func mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	v := (lo & prime) + (lo>>61 | hi<<3)
	if v = (v & prime) + v>>61; v >= prime {
		v -= prime
	}
	return v
}

func inverse(a uint64) uint64 {
	out := uint64(1)
	for e := uint64(prime - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			out = mul(out, a)
		}
		a = mul(a, a)
	}
	return out
}

// line is a sparse row: coefficients by cell.
type line map[int]uint64

// subtract takes factor times other from the row.
func (l line) subtract(factor uint64, other line) {
	for c, v := range other {
		if x := (l[c] + prime - mul(factor, v)) % prime; x == 0 {
			delete(l, c)
		} else {
			l[c] = x
		}
	}
}

// computable returns the withheld cells that follow from published ones by addition and subtraction alone, in order.
func (f *frame) computable() []int {
	rows := map[int]line{}  // by pivot, reduced
	uses := map[int][]int{} // the pivots of rows that may have a cell
	for _, e := range f.Equations {
		row := line{}
		for _, p := range e.Parts {
			if f.Cells[p].Withheld {
				row[p] = 1
			}
		}
		if f.Cells[e.Total].Withheld {
			row[e.Total] = prime - 1
		}
		for _, c := range sortedKeys(row) {
			if other := rows[c]; other != nil && row[c] != 0 {
				row.subtract(row[c], other)
			}
		}
		if len(row) == 0 {
			continue
		}
		pivot := sortedKeys(row)[0]
		scale := inverse(row[pivot])
		for c := range row {
			row[c] = mul(row[c], scale)
		}
		for _, p := range uses[pivot] {
			if factor := rows[p][pivot]; factor != 0 {
				rows[p].subtract(factor, row)
				for c := range row {
					uses[c] = append(uses[c], p)
				}
			}
		}
		rows[pivot] = row
		for c := range row {
			uses[c] = append(uses[c], pivot)
		}
	}
	var out []int
	for pivot, row := range rows {
		if len(row) == 1 && f.Cells[pivot].Threshold > 0 {
			out = append(out, pivot)
		}
	}
	slices.Sort(out)
	return out
}

func sortedKeys(l line) []int {
	keys := make([]int, 0, len(l))
	for c := range l {
		keys = append(keys, c)
	}
	slices.Sort(keys)
	return keys
}
