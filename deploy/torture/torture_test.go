package torture_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"retorno/deploy/command"
	"retorno/deploy/torture"
)

// consumerVariable makes this test's executable the program that it tests, so that consumers are processes of its own.
const consumerVariable = "RETORNO_TEST_CONSUMER"

func TestMain(m *testing.M) {
	if os.Getenv(consumerVariable) != "" {
		os.Exit(command.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func runOf(t *testing.T, seed uint64) torture.Config {
	return torture.Config{Seed: seed, For: 8 * time.Second, Every: 800 * time.Millisecond, Rate: 2000, Dir: t.TempDir(),
		Environ: []string{consumerVariable + "=1"}, Out: t.Output()}
}

// TestShortRuns makes a few short runs with every kind of fault; the seed of a failing one repeats its faults.
func TestShortRuns(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			report, err := torture.Run(t.Context(), runOf(t, seed))
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Print(t.Output()); err != nil {
				t.Fatal(err)
			}
			if !report.OK() {
				t.Error("what came out is not the truth")
			}
		})
	}
}

// TestF28RetentionOverrun: the partition stops, says so, and the others go on.
func TestF28RetentionOverrun(t *testing.T) {
	cfg := runOf(t, 28)
	cfg.For, cfg.Faults = 2*time.Second, []torture.Kind{torture.Retention}
	report, err := torture.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Print(t.Output()); err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Error("the partition did not stop as it should")
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	for name, cfg := range map[string]torture.Config{
		"fault":     {Faults: []torture.Kind{"earthquake"}},
		"consumers": {Consumers: 99},
		"rate":      {Rate: -1},
		"time":      {For: -time.Second},
	} {
		if _, err := torture.Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: %+v was taken", name, cfg)
		}
	}
}
