package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"retorno/consumers/counting/explain"
	"retorno/consumers/counting/store"
	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/lab/register"
	"retorno/producers/producer"
)

func TestExplainRefusesWhatIsNoReturnAndNoCell(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "return-id|cell"},
		{"0155", "not the id of a return"},
		{"month=2016-03 rute=US-AIR", "'rute' is no dimension"},
		{"exit_point=Corinto", "did you mean L-COR (Corinto)"},
		{"month=2016-03 --limit=-1", "--limit"},
	} {
		r := try(t, "", nil, append([]string{"explain"}, strings.Fields(c.args)...)...)
		if said := strings.ReplaceAll(r.err, `"`, "'"); r.status != exitUsage || r.out != "" || !strings.Contains(said, c.want) {
			t.Errorf("explain %s: %+v, wanted %s", c.args, r, c.want)
		}
	}
}

// machineWith plays a register with everything that goes wrong through a broker into ClickHouse, and gives the flags that
// lead there.
func machineWith(t *testing.T, table string, seed uint64) (s *store.Store, made *register.Register, flags []string) {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	s, addr := migratedStore(t)
	made = messyRegister(t, table, seed)
	brokers := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 2}
	settings := producerWithTopics(t, brokers)
	writer, err := producer.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	messages := messagesOf(t, made)
	write(t, writer, messages)
	leave := consume(t, brokers, s)
	awaitRead(t, s, uint64(len(messages)))
	leave()
	return s, made, []string{"--kafka-brokers", broker.Addr(), "--kafka-partitions=2", "--clickhouse-addr", addr}
}

// TestExplainsAMessyRegister explains returns and cells of a register with everything that goes wrong. Each history ends
// where ClickHouse stands, its cells sum to the returns that are, and its copies are those of the accounts.
func TestExplainsAMessyRegister(t *testing.T) {
	const seed = 11
	t.Logf("seed %d", seed)
	s, made, flags := machineWith(t, "A04", seed)
	explained := func(args ...string) result {
		return try(t, "", nil, append(append([]string{"explain"}, args...), flags...)...)
	}
	seen := map[explain.Nature]int{}
	effects := map[explain.Effect]int{}
	for _, id := range someIDs(t, s) {
		r := explained(id, "--json")
		var answer explain.Return
		if err := json.Unmarshal([]byte(r.out), &answer); err != nil || r.status != exitDone {
			t.Fatalf("explain %s: %v, %+v", id, err, r)
		}
		for i := range answer.Persons {
			holdsTogether(t, id, &answer.Persons[i])
			for _, f := range answer.Persons[i].Facts {
				for _, c := range f.Copies {
					seen[c.Nature]++
				}
			}
			for _, c := range answer.Persons[i].History {
				for _, m := range c.Returns {
					effects[m.Effect]++
				}
			}
		}
	}
	for _, nature := range []explain.Nature{explain.First, explain.Correction, explain.Void, explain.VoidLifted, explain.Released, explain.Copy, explain.Overtaken} {
		if seen[nature] == 0 {
			t.Errorf("no copy is explained as %s: %v", nature, seen)
		}
	}
	for _, effect := range []explain.Effect{explain.Appears, explain.Vanishes, explain.Changes, explain.Renamed, explain.Merged} {
		if effects[effect] == 0 {
			t.Errorf("no return is explained as one that %s: %v", effect, effects)
		}
	}
	accounts, err := s.Accounted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cells(t, made, explained, explain.Accounts{Accepted: int64(accounts.Accepted), Duplicate: int64(accounts.Duplicate),
		Superseded: int64(accounts.Superseded), Rejected: int64(accounts.Rejected)})
	strangers(t, s, explained)
}

// someIDs are returns and records of the persons to whom the most has happened, and returns that are no more.
func someIDs(t *testing.T, s *store.Store) []string {
	t.Helper()
	var ids []string
	if err := s.Conn().QueryRow(t.Context(), `SELECT groupArray(toString(id)) FROM (
		(SELECT argMax(record_id, (revision, record_id)) AS id FROM retorno.latest_facts GROUP BY person ORDER BY sum(revision) DESC, id LIMIT 40)
		UNION ALL (SELECT return_id FROM retorno.returns WHERE is_deleted ORDER BY return_id LIMIT 20)
		UNION ALL (SELECT record_id FROM retorno.latest_facts WHERE void_reason != '' ORDER BY record_id LIMIT 20))`).Scan(&ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) < 60 {
		t.Fatalf("%d ids to explain", len(ids))
	}
	return ids
}

// holdsTogether sums the cells of a history and compares them with the returns at its end.
func holdsTogether(t *testing.T, id string, p *explain.Person) {
	t.Helper()
	if len(p.Differences) > 0 {
		t.Errorf("%s: %v", id, p.Differences)
	}
	sum, want := map[string]explain.Counts{}, map[string]explain.Counts{}
	for _, change := range p.History {
		for _, c := range change.Cells {
			if c.Table != "return_counts" {
				continue
			}
			var key string
			for _, a := range c.Codes {
				key += a.Name + "=" + a.Value + " "
			}
			n := sum[key]
			n.Registered, n.Checkpoint, n.Reconciled = n.Registered+c.By.Registered, n.Checkpoint+c.By.Checkpoint, n.Reconciled+c.By.Reconciled
			if sum[key] = n; n == (explain.Counts{}) {
				delete(sum, key)
			}
		}
	}
	for _, r := range p.Returns {
		values := map[string]string{}
		for _, a := range r.Attributes {
			values[a.Name] = a.Value
		}
		var key string
		for _, name := range []string{"day", "route", "return_type", "entry_point", "exit_point", "centre", "sex", "age_group"} {
			key += name + "=" + values[name] + " "
		}
		if !r.National {
			continue
		}
		n := want[key]
		n.Reconciled++
		if values["registered"] == "1" {
			n.Registered++
		}
		if values["checkpoint"] == "1" {
			n.Checkpoint++
		}
		want[key] = n
	}
	if !maps.Equal(sum, want) {
		t.Errorf("%s: the cells of the history sum to\n%v\nthe returns are in\n%v", id, sum, want)
	}
}

// cells explains sums of cells and holds them against the truth of the register, and the replay against the accounts.
func cells(t *testing.T, made *register.Register, explained func(...string) result, accounts explain.Accounts) {
	t.Helper()
	first, _ := made.Period()
	year, month := first.Year(), (first + 45).Month() // the whole of it and a part
	for _, query := range []map[string]string{{"year": year}, {"half_year": first.HalfYear(), "exit_point": "L-COR"}, {"month": month, "route": "MX-LAND"}, {"sex": "F", "age_group": "13-17"}} {
		var want register.ReturnCount
		for cell, n := range made.Truth().ReturnCells() {
			if within(cell, query) {
				want.Registered, want.Checkpoint, want.Reconciled = want.Registered+n.Registered, want.Checkpoint+n.Checkpoint, want.Reconciled+n.Reconciled
			}
		}
		args := []string{"--json", "--limit=0"}
		for name, value := range query {
			args = append(args, name+"="+value)
		}
		r := explained(args...)
		var total explain.Total
		if err := json.Unmarshal([]byte(r.out), &total); err != nil || r.status != exitDone {
			t.Fatalf("explain %v: %v, %+v", query, err, r)
		}
		if got := (register.ReturnCount{Registered: int(total.Counts.Registered), Checkpoint: int(total.Counts.Checkpoint), Reconciled: int(total.Counts.Reconciled)}); got != want ||
			total.Recounted != total.Counts || len(total.Returns) != want.Reconciled {
			t.Errorf("%v: %+v, recounted %+v, %d returns; the truth is %+v", query, got, total.Recounted, len(total.Returns), want)
		}
		if total.Accounts != accounts {
			t.Errorf("the replay finds %+v, the ledger %+v", total.Accounts, accounts)
		}
		if int64(len(total.Changes)) != total.In+total.Out+total.Within {
			t.Errorf("%v: %d changes of %d + %d + %d", query, len(total.Changes), total.In, total.Out, total.Within)
		}
		if query["month"] != "" && (total.In == 0 || total.Out == 0) {
			t.Errorf("%v: no correction moved anything: %d in, %d out", query, total.In, total.Out)
		}
	}
	if r := explained("year="+year, "--limit=2"); r.status != exitDone || !strings.Contains(r.out, "2 are listed") {
		t.Errorf("a limit: %+v", r)
	}
}

func within(c register.ReturnCell, query map[string]string) bool {
	is := map[string]string{"year": c.Day[:4], "month": c.Day[:7], "route": c.Route, "exit_point": c.ExitPoint, "sex": c.Sex, "age_group": c.AgeGroup,
		"half_year": c.Day[:4] + "-S" + map[bool]string{true: "1", false: "2"}[c.Day[5:7] <= "06"]}
	for name, value := range query {
		if is[name] != value {
			return false
		}
	}
	return true
}

// strangers are an id that is nowhere, and a return that was changed behind the consumers' back.
func strangers(t *testing.T, s *store.Store, explained func(...string) result) {
	t.Helper()
	if r := explained("01550000-0000-7000-8000-00000000ffff"); r.status != exitNo || r.out != "" || !strings.Contains(r.err, "unknown id") {
		t.Errorf("an unknown id: %+v", r)
	}
	var id string
	if err := s.Conn().QueryRow(t.Context(), "SELECT toString(min(return_id)) FROM retorno.returns FINAL").Scan(&id); err != nil {
		t.Fatal(err)
	}
	change := fmt.Sprintf("INSERT INTO retorno.returns SELECT * REPLACE (if(sex = 'M', 'F', 'M') AS sex, version + 1 AS version) FROM retorno.returns FINAL WHERE return_id = '%s'", id)
	if err := s.Conn().Exec(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if r := explained(id); r.status != exitNo || !strings.Contains(r.out, "ALARM") || !strings.Contains(r.out, "sex is stored as") {
		t.Errorf("a changed return: %+v", r)
	}
}
