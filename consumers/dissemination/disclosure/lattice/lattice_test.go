package lattice

import (
	"strings"
	"testing"
)

func shippedOrFail(t testing.TB) *Lattice {
	t.Helper()
	l, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTheShippedLattice(t *testing.T) {
	l := shippedOrFail(t)
	have := map[string]bool{}
	for _, table := range l.Tables {
		have[strings.TrimRight(table.ID, "abcdefghijklmnopqrstuvwxyz")] = true
	}
	for _, id := range strings.Fields("T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13") {
		if !have[id] {
			t.Errorf("there is no table %s", id)
		}
	}
	size := 0
	for _, k := range l.Cores {
		t.Logf("core of %s: %v, only %v, %d cells", k.Measure, k.Columns, k.Only, k.size())
		size += k.size()
	}
	if size == 0 || size > l.CoreLimit {
		t.Errorf("the cores have %d cells", size)
	}
}
