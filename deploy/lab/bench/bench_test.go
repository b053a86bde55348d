package bench_test

import (
	"encoding/json"
	"os"
	"testing"

	"retorno/deploy/command"
	"retorno/deploy/lab/bench"
)

// consumerVariable makes this test's executable the program that it tests, so that consumers are processes of its own.
const consumerVariable = "RETORNO_TEST_CONSUMER"

func TestMain(m *testing.M) {
	if os.Getenv(consumerVariable) != "" {
		os.Exit(command.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// TestQuick measures everything in small: each figure is there, has a median between its least and its largest run and
// a method, and every count was right.
func TestQuick(t *testing.T) {
	report, err := bench.Run(t.Context(), bench.Config{Seed: 5, Quick: true, Dir: t.TempDir(), Environ: []string{consumerVariable + "=1"}, Out: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Errorf("counts were wrong: %q", report.Faults)
	}
	if err := report.Print(t.Output()); err != nil {
		t.Fatal(err)
	}
	text, err := report.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range bench.Names() {
		var short float64
		if err := json.Unmarshal(all[name], &short); err != nil {
			t.Errorf("%s at the top: %v", name, err)
		}
		f := report.Figures[name]
		if f == nil || len(f.Runs) == 0 || f.Min > f.Median || f.Median > f.Max || f.Median <= 0 || f.Median != short || f.Method == "" || f.Goal == "" {
			t.Errorf("%s: %+v, and %v at the top", name, f, short)
		}
	}
	for _, name := range []string{"machine", "versions", "seed", "sizes", "figures"} {
		if len(all[name]) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestWrongSettings: what cannot be measured is named before anything is started.
func TestWrongSettings(t *testing.T) {
	for name, cfg := range map[string]bench.Config{
		"unknown figure": {Only: []string{"speed"}}, "no events": {Events: 3}, "too many rounds": {Rounds: 1000}, "partitions": {Partitions: -1},
	} {
		if _, err := bench.Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
