package torture_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"retorno/deploy/command"
	"retorno/deploy/lab/torture"
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

// agrees makes a run, and fails the test unless every oracle agrees.
func agrees(t *testing.T, cfg torture.Config) *torture.Report {
	t.Helper()
	report, err := torture.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Print(t.Output()); err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Error("the oracles do not agree")
	}
	return report
}

// TestShortRuns makes a few short runs with every kind of fault; the seed of a failing one repeats its faults.
func TestShortRuns(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			agrees(t, runOf(t, seed))
		})
	}
}

// TestF28RetentionOverrun: the partition stops, says so, and the others go on.
func TestF28RetentionOverrun(t *testing.T) {
	cfg := runOf(t, 28)
	cfg.For, cfg.Faults = 2*time.Second, []torture.Kind{torture.Retention}
	agrees(t, cfg)
}

// TestSendersThatErrAndLie: what sources with wrong clocks send once more (F23), what one person's very many facts come to
// (F12, F13), and what hostile senders get set aside, held or counted (F15) is as it was meant, while bits of Kafka's answers
// change on the way (F27).
func TestSendersThatErrAndLie(t *testing.T) {
	cfg := runOf(t, 58)
	cfg.For, cfg.Every, cfg.Rate = 3*time.Second, 300*time.Millisecond, 1500
	cfg.Faults = []torture.Kind{torture.Clocks, torture.Hot, torture.Hostile, torture.Bits}
	report := agrees(t, cfg)
	for _, kind := range cfg.Faults {
		if report.Faults[kind] == 0 {
			t.Errorf("%s was not drawn", kind)
		}
	}
	if report.Stepped == 0 || report.ClockOffset < 24*time.Hour || report.Accounts.Read() < uint64(report.Events+report.Stepped+report.Besides) {
		t.Errorf("%d events, %d copies with other clocks and %d messages besides sent, %d read; the largest offset seen is %s",
			report.Events, report.Stepped, report.Besides, report.Accounts.Read(), report.ClockOffset)
	}
	if report.Besides < 1000 || len(report.Spoilt) < 3 {
		t.Errorf("%d messages besides; spoilt were answers to %v", report.Besides, report.Spoilt)
	}
}

// TestF29TopicMadeAnew: each partition that was read stops and says so, and what was counted stays as it is.
func TestF29TopicMadeAnew(t *testing.T) {
	for name, seed := range map[string]uint64{"under readers": 28, "without readers": 29} {
		t.Run(name, func(t *testing.T) {
			cfg := runOf(t, seed)
			cfg.For, cfg.Faults = 2*time.Second, []torture.Kind{torture.Recreate}
			agrees(t, cfg)
		})
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	for name, cfg := range map[string]torture.Config{
		"fault":     {Faults: []torture.Kind{"earthquake"}},
		"alone":     {Faults: []torture.Kind{torture.Recreate, torture.Kill}},
		"consumers": {Consumers: 99},
		"rate":      {Rate: -1},
		"time":      {For: -time.Second},
	} {
		if _, err := torture.Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: %+v was taken", name, cfg)
		}
	}
}
