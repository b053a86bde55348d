package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/tables"
)

// small is a table that makes a register of a few hundred events.
const small = `table_id,system,period_start,period_end,as_of,block,category,value,status,source
T1,TEST,2016-01-01,2016-06-30,2016-08,total,TOTAL,100,published,a test
T1,TEST,2016-01-01,2016-06-30,2016-08,exit_point_pct,L-COR,63,published,a test
T2,TEST,2016-01-01,2016-06-30,2016-08,total,TOTAL,100,published,a test
T2,TEST,2016-01-01,2016-06-30,2016-08,sex,M,60,published,a test
T2,TEST,2016-01-01,2016-06-30,2016-08,sex,F,50,published,a test
T3,TEST,2016-01-01,2016-06-30,2016-08,shoe_size,43,100,published,a test
`

// What register writes, send sends: every line, the broken records of a hard register included.
func TestRegisterGoesThroughSend(t *testing.T) {
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	table := writeFile(t, "tables.csv", small)
	truth := filepath.Join(t.TempDir(), "truth.json")
	made := try(t, "", nil, "register", "--table", table, "--id=T1", "--mess=hard", "--seed=7", "--truth", truth)
	if made.status != exitDone {
		t.Fatal(made.err)
	}
	var expected struct {
		Events     int            `json:"events"`
		Rejected   map[string]int `json:"rejected"`
		Registered int            `json:"registered_in_period"`
	}
	text, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &expected); err != nil || expected.Registered != 100 || len(expected.Rejected) == 0 {
		t.Errorf("truth: %v %+v", err, expected)
	}
	lines := strings.Count(made.out, "\n")
	if lines != expected.Events {
		t.Errorf("%d lines, the truth says %d events", lines, expected.Events)
	}
	if again := try(t, "", nil, "register", "--table", table, "--id=T1", "--mess=hard", "--seed=7"); again.out != made.out {
		t.Error("the same table, seed and mess gave other bytes")
	}
	sent := try(t, made.out, nil, "send", "-", "--json", "--kafka-brokers", broker.Addr(), "--kafka-partitions=3")
	var result sendResult
	if err := json.Unmarshal([]byte(sent.out), &result); err != nil || sent.status != exitDone || result.Sent != int64(lines) {
		t.Errorf("%v %+v", err, sent)
	}
}

func TestTablesThatCannotBeMadeAreRefused(t *testing.T) {
	table := writeFile(t, "tables.csv", small)
	for _, c := range []struct {
		name   string
		status int
		want   []string
		args   []string
	}{
		{"contradiction", exitNo, []string{"T2", "sex", "total"}, []string{"--table", table, "--id=T2"}},
		{"unknown block", exitUsage, []string{"shoe_size", "line 7"}, []string{"--table", table, "--id=T3"}},
		{"unknown id", exitUsage, []string{"nonsense", "T1, T2, T3"}, []string{"--table", table, "--id=nonsense"}},
		{"no such file", exitUsage, []string{"/no/such.csv"}, []string{"--table", "/no/such.csv", "--id=T1"}},
		{"no table", exitUsage, []string{"line 1"}, []string{"--table", writeFile(t, "x.csv", "hello\n"), "--id=T1"}},
		{"a program", exitUsage, []string{"line 1", "(917504 bytes)"}, []string{"--table", writeFile(t, "x.bin", strings.Repeat("\x00\xff\x7fELF\x01", 1<<17)), "--id=T1"}},
		{"unknown mess", exitUsage, []string{"'hard'"}, []string{"--table", table, "--id=T1", "--mess=wild"}},
		{"truth nowhere", exitMissing, []string{"/no/such/truth.json"}, []string{"--table", table, "--id=T1", "--truth=/no/such/truth.json"}},
	} {
		r := try(t, "", nil, append([]string{"register"}, c.args...)...)
		if r.status != c.status || r.out != "" || len(r.err) > 2000 {
			t.Errorf("%s: status %d, stdout %d bytes, %s", c.name, r.status, len(r.out), r.err)
		}
		for _, w := range c.want {
			if !strings.Contains(r.err, w) {
				t.Errorf("%s: %q lacks %q", c.name, r.err, w)
			}
		}
	}
}

func TestRegisterKnowsTheProgramsOwnTables(t *testing.T) {
	r := try(t, "", nil, "register", "--id=nonsense")
	if r.status != exitUsage || !strings.Contains(r.err, tables.DemoTable) {
		t.Errorf("%+v", r)
	}
}
