package processor

import (
	"testing"

	"retorno/consumers/dissemination/release"
)

// TestAQuietTakeoverIsInTheLedger: who takes a partition over and finds nothing to count says so in the ledger. Else a
// publication, which waits for the first flush of each taker, would wait for as long as the partition is quiet.
func TestAQuietTakeoverIsInTheLedger(t *testing.T) {
	s := fresh(t)
	l, _ := someReturns(t)
	for range 3 { // the first counts all, the others find nothing
		countLog(t, s, l)
		claimed := rows(t, s, "SELECT max(epoch) FROM retorno.claims")
		if accounted := rows(t, s, "SELECT max(epoch) FROM retorno.accounts"); claimed != accounted {
			t.Fatalf("claimed is epoch %s, in the ledger is %s", claimed, accounted)
		}
	}
	if p := take(t, s.Conn(), gateOf(t, s, l), release.Provisional, at("2016-08-01", "09:00")); p.Reconciled != 3 {
		t.Errorf("%d returns are published, want 3", p.Reconciled)
	}
}
