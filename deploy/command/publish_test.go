package command

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"retorno/consumers/publication"
)

func TestPublishRefusesWhatIsNoPeriod(t *testing.T) {
	if r := try(t, "", nil, "publish", "2016-13"); r.status != exitUsage || !strings.Contains(r.err, "no period") {
		t.Errorf("%+v", r)
	}
}

// TestPublishKeepsWhatIsCounted: each publication is a vintage with the numbers that the views have, and a period that
// is not over is never final.
func TestPublishKeepsWhatIsCounted(t *testing.T) {
	s, _, flags := machineWith(t, "A04", 14)
	clickhouse := strings.Join(flags[len(flags)-2:], "=")
	var year string
	var registered, reconciled uint64
	err := s.Conn().QueryRow(t.Context(), "SELECT toString(year), sum(registered), sum(reconciled) FROM ceniss.return_counts GROUP BY year ORDER BY 3 DESC LIMIT 1").Scan(&year, &registered, &reconciled)
	if err != nil || registered == 0 {
		t.Fatalf("%d registered, %v", registered, err)
	}
	r := try(t, "", nil, "publish", year, clickhouse, "--json")
	var p publication.Publication
	if err := json.Unmarshal([]byte(r.out), &p); r.status != exitDone || err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if p.Vintage != 1 || p.Registered != registered || p.Reconciled != reconciled || p.Status != publication.Provisional || len(p.Positions) == 0 {
		t.Errorf("published %+v, counted %d of %d", p, registered, reconciled)
	}
	r = try(t, "", nil, "publish", year, clickhouse, "--final")
	for _, want := range []string{"edición 2, definitiva", "vintage 2, final", fmt.Sprintf("%s registered returns of %s known", count(int64(registered)), count(int64(reconciled)))} {
		if r.status != exitDone || !strings.Contains(r.out, want) {
			t.Errorf("%+v, wanted %s", r, want)
		}
	}
	if r = try(t, "", nil, "publish", "2999", clickhouse, "--final"); r.status != exitUsage || !strings.Contains(r.err, "it ends with 2999-12-31") {
		t.Errorf("%+v", r)
	}
}
