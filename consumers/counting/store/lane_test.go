package store

import (
	"slices"
	"sync"
	"testing"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
)

// TestStagesGoOneAfterTheOther: what follows from the facts is written after them and side by side, and the ledger when all of it is stored. Each
// insert is held up until as many are under way as a lane makes at once.
func TestStagesGoOneAfterTheOther(t *testing.T) {
	migrated(t)
	var mu sync.Mutex
	var done []string
	beside, together := 0, make(chan struct{})
	s, err := Open(Config{Addr: engine.Native(), Inserted: func(table string) {
		mu.Lock()
		done = append(done, table)
		follows := table != "retorno.claims" && table != "retorno.facts" && table != "retorno.ledger"
		if follows {
			if beside++; beside == abreast {
				close(together)
			}
		}
		mu.Unlock()
		if follows {
			<-together
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	claim := claimed(t, s, 0)
	f := flushIn(claim, 7) // a return, a help and a cell
	f.HelpCell(reconcile.HelpCell{}, 1)
	f.CrossingCell(reconcile.CrossingCell{}, 1)
	f.Sending(ledger.Origin{Topic: "t", Offset: 1}, []byte("L-COR-1"), 1, 1, 0)
	if err := claim.Write(t.Context(), f, map[string]int64{"t": 10}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(done) != 8 || done[0] != "retorno.claims" || done[7] != "retorno.ledger" {
		t.Errorf("the inserts were %v", done)
	}
	want := []string{"retorno.assistance", "retorno.assistance_counts", "retorno.crossing_counts", "retorno.return_counts", "retorno.returns", "retorno.sendings"}
	if got := slices.Sorted(slices.Values(done[1:7])); !slices.Equal(got, want) {
		t.Errorf("what follows from the facts is %v", got)
	}
}
