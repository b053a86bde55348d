package processor

import (
	"testing"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/schemas/events"
)

// TestTheVerifierSeesEveryKindOfDifference spoils one stored row at a time; the second count names the check and the
// row, and agrees again once the row is as it was.
func TestTheVerifierSeesEveryKindOfDifference(t *testing.T) {
	s := fresh(t)
	when := at("2016-06-01", "10:00")
	l := &log{step: 100}
	l.add(t, crossing(1, when, back("L-COR")), when)
	l.add(t, registration(2, when, &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR"}), when)
	help := record(3, when)
	help.Body = &events.Record_Assistance{Assistance: &events.Assistance{Centre: "CAMR-OMO", Kind: "food"}}
	l.add(t, help, when)
	countLog(t, s, l)
	noDifference(t, s)
	spoilt := map[string]string{
		"returns":           "INSERT INTO retorno.returns SELECT * REPLACE ('L-AGC' AS exit_point, version + 1 AS version) FROM retorno.returns FINAL",
		"return_counts":     "INSERT INTO retorno.return_counts SELECT * REPLACE (registered + 1 AS registered, version + 1 AS version) FROM retorno.return_counts FINAL",
		"assistance":        "INSERT INTO retorno.assistance SELECT * REPLACE (toDate('2016-06-02') AS day, version + 1 AS version) FROM retorno.assistance FINAL",
		"assistance_counts": "INSERT INTO retorno.assistance_counts SELECT * REPLACE (helps + 1 AS helps, version + 1 AS version) FROM retorno.assistance_counts FINAL",
		"crossing_counts":   "INSERT INTO retorno.crossing_counts SELECT * REPLACE (crossings + 1 AS crossings, version + 1 AS version) FROM retorno.crossing_counts FINAL",
	}
	for _, statement := range spoilt {
		exec(t, s, statement)
	}
	found := results(t, s)
	for check := range spoilt {
		if r := found[check]; r.Different != 2 || !surplusOf(r, 1) || !surplusOf(r, -1) {
			t.Errorf("%s: the spoilt row and the right one should be named: %+v", check, r)
		}
	}
	countLog(t, s, l) // a new owner mends what follows from the facts
	noDifference(t, s)
	exec(t, s, "INSERT INTO retorno.heartbeats (source_id, at, last_seq) VALUES ('L-COR-9', '2016-06-02 00:00:00', 7)")
	noDifference(t, s)
	if r := results(t, s)["sources"]; r.Rows != 2 {
		t.Errorf("what is missing is not counted again: %+v", r)
	}
	exec(t, s, "CREATE OR REPLACE VIEW ceniss.sources AS SELECT toString(source_id) AS source, toUInt64(0) AS missing FROM retorno.heartbeats")
	if r := results(t, s)["sources"]; r.Different != 2 {
		t.Errorf("a view that hides what is missing is not seen: %+v", r)
	}
	exec(t, s, "INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted) VALUES ('retorno.centre.v1', 0, 9, 5, 9, 4, 4)")
	if r := results(t, s)["ledger"]; r.Different == 0 {
		t.Error("a gap between the ledger's runs is not seen")
	}
}

func exec(t *testing.T, s *store.Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := s.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func surplusOf(r verify.Result, surplus int64) bool {
	for _, d := range r.Differences {
		if d.Surplus == surplus && d.Row != "" {
			return true
		}
	}
	return false
}

func results(t *testing.T, s *store.Store) map[string]verify.Result {
	t.Helper()
	report, err := verify.Once(t.Context(), s.Conn())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]verify.Result{}
	for _, r := range report.Results {
		all[r.Check] = r
	}
	return all
}
