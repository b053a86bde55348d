package command

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"retorno/consumers/dissemination/release"
	"retorno/deploy/command/screen"
)

func TestPublishRefusesWhatIsNoPeriod(t *testing.T) {
	if r := try(t, "", nil, "publish", "2016-13"); r.status != exitUsage || !strings.Contains(r.err, "no period") {
		t.Errorf("%+v", r)
	}
}

// TestPublishKeepsWhatIsCounted: each publication is a vintage with the numbers that the views have.
func TestPublishKeepsWhatIsCounted(t *testing.T) {
	s, _, flags := machineWith(t, "A04", 14)
	if r := try(t, "", nil, append([]string{"verify", "--once"}, flags...)...); r.status != exitDone {
		t.Fatalf("%+v", r)
	}
	var year string
	var registered, reconciled uint64
	err := s.Conn().QueryRow(t.Context(), "SELECT toString(year), sum(registered), sum(reconciled) FROM ceniss.return_counts GROUP BY year ORDER BY 3 DESC LIMIT 1").Scan(&year, &registered, &reconciled)
	if err != nil || registered == 0 {
		t.Fatalf("%d registered, %v", registered, err)
	}
	publish := func(args ...string) result {
		return try(t, "", nil, append(append([]string{"publish"}, args...), flags...)...)
	}
	if r := publish(year); r.status != exitNo || !strings.Contains(r.err, "incomplete: 13 records") || !strings.Contains(r.err, "--accept-incomplete") {
		t.Fatalf("what is missing is no reason: %+v", r)
	}
	const accepted = "--accept-incomplete=the made register has gaps"
	r := publish(year, "--json", accepted)
	var p release.Publication
	if err := json.Unmarshal([]byte(r.out), &p); r.status != exitDone || err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if p.Vintage != 1 || p.Registered != registered || p.Reconciled != reconciled || p.Status != release.Provisional || len(p.Positions) == 0 {
		t.Errorf("published %+v, counted %d of %d", p, registered, reconciled)
	}
	if r := publish(year, accepted); r.status != exitNo || !strings.Contains(r.err, release.TooSoon) {
		t.Errorf("two provisional ones at once: %+v", r)
	}
	r = publish(year, "--final", accepted)
	for _, want := range []string{"edición 2, definitiva", "vintage 2, final", "the made register has gaps", fmt.Sprintf("%s registered returns of %s known", screen.Count(int64(registered)), screen.Count(int64(reconciled)))} {
		if r.status != exitDone || !strings.Contains(r.out, want) {
			t.Errorf("%+v, wanted %s", r, want)
		}
	}
}

// TestPublishRefusesWithEveryReason: while the logs are ahead, nothing is verified and the period is not over, nothing is
// published, the status is 1, and each reason is named; `verify --once` says how far the logs are ahead.
func TestPublishRefusesWithEveryReason(t *testing.T) {
	s, made, flags := machineWith(t, "A04", 14)
	settings, err := (&kafkaFlags{Brokers: []string{flags[1]}, Partitions: 2}).producer(slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := inLots(t, settings, messagesOf(t, made)[:300]); err != nil { // copies, which are not counted
		t.Fatal(err)
	}
	r := try(t, "", nil, append([]string{"publish", "2999", "--final", "--json"}, flags...)...)
	var answer struct{ Refused []release.Reason }
	if err := json.Unmarshal([]byte(r.out), &answer); r.status != exitNo || err != nil || len(answer.Refused) != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, want := range []string{"no new vintage of 2999 was made", "it ends with 2999-12-31", "no full pass of the verifier", "the ledger lacks 300 records", "retorno verify --once"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("%q is not said: %s", want, r.err)
		}
	}
	var vintages uint64
	if err := s.Conn().QueryRow(t.Context(), "SELECT count() FROM retorno.published_counts").Scan(&vintages); err != nil || vintages > 0 {
		t.Errorf("%d rows were published, %v", vintages, err)
	}
	for behind, status := range map[string]int{"": exitDone, "--behind=300": exitDone, "--behind=299": exitNo} {
		args := append([]string{"verify", "--once"}, flags...)
		if behind != "" {
			args = append(args, behind)
		}
		if r := try(t, "", nil, args...); r.status != status || !strings.Contains(r.out, "300 records of the logs were not accounted for") {
			t.Errorf("verify --once %s: %+v", behind, r)
		}
	}
	for _, wrong := range [][]string{{"--verified-within=0s"}, {"--provisional-every=-1s"}, {"--revision"}, {"--reason=late"}, {"--final", "--revision", "--reason=late"}, {"--accept-incomplete=two\nlines"}} {
		if r := try(t, "", nil, slices.Concat([]string{"publish", "2016"}, wrong, flags)...); r.status != exitUsage {
			t.Errorf("%v: %+v", wrong, r)
		}
	}
}
