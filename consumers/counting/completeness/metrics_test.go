package completeness_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"retorno/consumers/counting/completeness"
	"retorno/schemas/calendar"
)

// gathered are all gauges and counters of a registry, as `name{label="value"}`.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += fmt.Sprintf("{%s=%q}", l.GetName(), l.GetValue())
			}
			switch {
			case m.GetGauge() != nil:
				all[name] = m.GetGauge().GetValue()
			case m.GetCounter() != nil:
				all[name] = m.GetCounter().GetValue()
			}
		}
	}
	return all
}

// TestMetricsAreTheTruth: what Prometheus gets is what the made computers and returns come to.
func TestMetricsAreTheTruth(t *testing.T) {
	r := random(t)
	w, returns := makeWorld(r), makeReturns(r)
	w.keep(t, r)
	keepReturns(t, returns)
	registry := prometheus.NewRegistry()
	watch, err := completeness.New(completeness.Config{Conn: conn, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	if len(gathered(t, registry)) > 3 {
		t.Error("there are figures before the first reading")
	}
	if err := watch.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := gathered(t, registry)
	want := map[string]float64{"retorno_completeness_passes_total{result=\"done\"}": 1, "retorno_completeness_passes_total{result=\"failed\"}": 0}
	sources, _ := w.truth()
	var latest int64
	for _, f := range sources {
		label := fmt.Sprintf("{source=%q}", f.source)
		want["retorno_source_missing_records"+label] = float64(f.missing)
		want["retorno_source_gaps"+label] = float64(f.gaps)
		want["retorno_source_last_seen_timestamp_seconds"+label] = float64(f.lastSeen) / 1000
		want["retorno_source_silent"+label] = float64(bit(f.silent))
		want["retorno_source_usual_pause_seconds"+label] = f.usual * 3600
		want["retorno_source_clock_offset_seconds"+label] = f.offset
		want["retorno_source_impossible_times"+label] = float64(f.lied)
		if b, ok := w.beats[f.source]; ok {
			for _, name := range []string{"unsent_records", "oldest_unsent_timestamp_seconds", "disk_free_bytes", "disk_low", "damaged", "foreign_secret", "foreign_lists", "forms_missing", "documents_met", "stopped"} {
				want["retorno_agent_"+name+label] = 0
			}
			want["retorno_agent_heartbeat_timestamp_seconds"+label] = float64(b.atMs) / 1000
		}
		latest = max(latest, f.lastSeen)
	}
	want["retorno_sources"] = float64(len(sources))
	wantMonth(want, returns, latest)
	for name, value := range want {
		if math.Abs(got[name]-value) > 1e-6 {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
		delete(got, name)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("names or texts are not as Prometheus wants them: %v %v", problems, err)
	}
	delete(got, "retorno_completeness_last_pass_timestamp_seconds")
	if len(got) > 0 {
		t.Errorf("more than there should be: %v", got)
	}
}

// wantMonth counts the returns of the latest month with returns that was over when the latest copy was sent.
func wantMonth(want map[string]float64, returns []oneReturn, latest int64) {
	running, month := calendar.DayOf(latest).Month(), ""
	for _, one := range returns {
		if m := calendar.DayOfTime(one.arrival).Month(); one.national && m < running {
			month = max(month, m)
		}
	}
	posts, centres := map[string][2]float64{}, map[string][2]float64{}
	series := map[string]float64{}
	for _, one := range returns {
		if !one.national || calendar.DayOfTime(one.arrival).Month() != month {
			continue
		}
		p, c := posts[one.post], centres[one.centre]
		posts[one.post] = [2]float64{p[0] + float64(bit(one.registered)), p[1] + 1}
		centres[one.centre] = [2]float64{c[0] + float64(bit(one.checkpoint)), c[1] + 1}
		series["registered"] += float64(bit(one.registered))
		series["checkpoint"] += float64(bit(one.checkpoint))
		series["reconciled"]++
	}
	for post, n := range posts {
		want[fmt.Sprintf("retorno_coverage_ratio{entry_point=%q}", post)] = n[0] / n[1]
	}
	for centre, n := range centres {
		want[fmt.Sprintf("retorno_checkpoint_coverage_ratio{centre=%q}", centre)] = n[0] / n[1]
	}
	for name, n := range series {
		want[fmt.Sprintf("retorno_coverage_returns{series=%q}", name)] = n
	}
	p, _ := calendar.ParsePeriod(month)
	want["retorno_coverage_month_timestamp_seconds"] = float64(p.First.Start().Unix())
}

// TestManySourcesCostFewSeries: every imported file is a source, so there is no end to them; those over the limit are one.
func TestManySourcesCostFewSeries(t *testing.T) {
	w := world{places: map[string]standing{}}
	for i := range 50 {
		source := fmt.Sprintf("import-%02d", i)
		w.sendings = append(w.sendings, sending{source, 3, began + int64(i)*1000, int64(i) * -1000})
	}
	w.sendings = append(w.sendings, sending{"(others)", 2, began + 1e6, 0})
	w.keep(t, random(t))
	registry := prometheus.NewRegistry()
	watch, err := completeness.New(completeness.Config{Conn: conn, Registerer: registry, MostSources: 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := gathered(t, registry)
	series := 0
	for name := range got {
		if strings.HasPrefix(name, "retorno_source_missing_records{") {
			series++
		}
	}
	if series != 11 || got["retorno_sources"] != 51 {
		t.Errorf("%d series of %v sources", series, got["retorno_sources"])
	}
	for name, want := range map[string]float64{
		`retorno_source_missing_records{source="import-49"}`: 2, `retorno_source_missing_records{source="(others)"}`: 40*2 + 1,
		`retorno_source_gaps{source="(others)"}`: 41, `retorno_source_clock_offset_seconds{source="(others)"}`: -39,
		`retorno_source_last_seen_timestamp_seconds{source="(others)"}`: float64(began)/1000 + 1000,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// away is a ClickHouse that answers until it is told not to.
type away struct{ gone bool }

func (a *away) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if a.gone {
		return nil, errors.New("no answer")
	}
	return conn.Query(ctx, query, args...)
}

// TestAFailedReadingLeavesTheFigures: the figures of the latest good reading stay, and the failure is counted and said.
func TestAFailedReadingLeavesTheFigures(t *testing.T) {
	w := world{sendings: []sending{{"L-COR-1", 1, began, 0}, {"L-COR-1", 4, began + 1000, 0}}}
	w.keep(t, random(t))
	registry, db := prometheus.NewRegistry(), &away{}
	var log strings.Builder
	watch, err := completeness.New(completeness.Config{Conn: db, Registerer: registry, Every: time.Millisecond, Share: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	db.gone = true
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- watch.Run(ctx) }()
	deadline := time.After(5 * time.Minute)
	for gathered(t, registry)[`retorno_completeness_passes_total{result="failed"}`] < 2 {
		select {
		case <-deadline:
			t.Fatal("no failure is counted")
		case <-time.After(time.Millisecond):
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("a watch that was told to end says %v", err)
	}
	if got := gathered(t, registry)[`retorno_source_missing_records{source="L-COR-1"}`]; got != 2 {
		t.Errorf("%v missing after a failure, want 2 as before", got)
	}
	if !strings.Contains(log.String(), "no answer") {
		t.Errorf("the cause is not said: %s", log.String())
	}
}

func TestWrongSettings(t *testing.T) {
	for name, cfg := range map[string]completeness.Config{
		"no connection": {}, "a negative pause": {Conn: conn, Every: -1}, "a share over 1": {Conn: conn, Share: 2}, "fewer than no sources": {Conn: conn, MostSources: -1},
	} {
		if _, err := completeness.New(cfg); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
