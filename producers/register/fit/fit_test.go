package fit

import (
	"bytes"
	"strings"
	"testing"

	"retorno/schemas/published"
)

func devTable(t testing.TB, id string) *published.Table {
	t.Helper()
	table, err := published.Read(bytes.NewReader(published.Dev()), id)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// count counts a population the plain way.
func count(table *published.Table, p *Population) *published.Tally {
	tally := published.NewTally(table)
	for i := range p.Len() {
		a := p.At(i)
		tally.Add(&a, p.Assisted(i))
	}
	return tally
}

func TestDevelopmentTablesComeOut(t *testing.T) {
	sizes := map[string]int{"A02": 19725, "A04": 3411, "A14": 27086, "S01": 17315}
	for id, size := range sizes {
		for _, seed := range []uint64{0, 1, 20160630} {
			table := devTable(t, id)
			p, err := Fit(table, seed)
			if err != nil {
				t.Fatal(err)
			}
			if p.Len() != size {
				t.Errorf("%s: %d returns, want %d", id, p.Len(), size)
			}
			for _, d := range count(table, p).Differences() {
				t.Errorf("%s, seed %d, line %d: %s %s is %s, printed %s", id, seed, d.Cell.Line, d.Cell.Block, d.Cell.Category, d.Counted, d.Cell.Printed)
			}
		}
	}
}

func TestTheDefectiveTableIsRefused(t *testing.T) {
	_, err := Fit(devTable(t, "N01"), 1)
	t.Log(err)
	if err == nil || !strings.Contains(err.Error(), "10 too many") || !strings.Contains(err.Error(), "5 too many") {
		t.Fatal(err)
	}
}
