package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"retorno/deploy/lab/apachekafka"
)

// Figure is one thing that was measured, several times.
type Figure struct {
	Unit   string    `json:"unit"`
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Runs   []float64 `json:"runs"`
	// Goal is "" where none is set; Met reports whether the median reaches it.
	Goal   string `json:"goal,omitempty"`
	Met    *bool  `json:"met,omitempty"`
	Method string `json:"method"`
}

// goal is a bound on a figure: at least, else at most or (strictly) below.
type goal struct {
	op    string
	bound float64
}

var goals = map[string]goal{
	"ratio_to_peer": {">=", 10}, "ratio_to_limit": {">=", 0.6}, "ratio_to_plain": {">=", 2},
	"visible_p99_seconds": {"<", 1}, "bytes_per_person": {"<", 200}, "restart_seconds": {"<", 20}, "verify_seconds": {"<", 300}, "verify_beside_ratio": {"<", 2},
	"cost_growth":                   {"<=", 1.1},
	"half_year_from_counts_seconds": {"<", 0.1}, "half_year_recounted_seconds": {"<", 5}, "outage_catchup_ratio": {"<", 0.05},
	"agent_start_seconds": {"<", 1}, "agent_most_memory_mb": {"<", 60}, "agent_save_ratio": {">=", 0.3}, "agent_forms_per_second": {">=", 3000},
	"agent_sent_per_second": {">=", 2000}, "agent_save_while_sending_ratio": {"<=", 2},
	"publish_ratio": {">=", 0.8}, "share_cost": {"<=", 1.1},
}

func (g goal) String() string { return fmt.Sprintf("%s %v", g.op, g.bound) }

func (g goal) met(v float64) bool {
	switch g.op {
	case ">=":
		return v >= g.bound
	case "<=":
		return v <= g.bound
	default:
		return v < g.bound
	}
}

// Machine is where it was measured.
type Machine struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	MemoryBytes uint64 `json:"memory_bytes"`
	System      string `json:"system"`
}

// Report is what was measured.
type Report struct {
	Began    time.Time
	Took     time.Duration
	Machine  Machine
	Versions map[string]string
	Seed     uint64
	Sizes    map[string]int
	Figures  map[string]*Figure
	// Beside are figures without a goal that explain the others.
	Beside map[string]*Figure
	// Tried are the settings of the peer that were tried, with what came of each.
	Tried []string
	// Faults are counts that were wrong: what they belong to does not count.
	Faults []string
	Quick  bool
}

func newReport(cfg Config) *Report {
	commit := cfg.Version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return &Report{Began: time.Now(), Machine: thisMachine(), Seed: cfg.Seed, Quick: cfg.Quick,
		Versions: map[string]string{"go": runtime.Version(), "retorno": cfg.Version, "commit": commit, "kafka": apachekafka.Version},
		Sizes:    map[string]int{"rounds": cfg.Rounds, "partitions": cfg.Partitions}, Figures: map[string]*Figure{}, Beside: map[string]*Figure{}}
}

// OK reports whether every count was right.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

func (r *Report) finish() { r.Took = time.Since(r.Began) }

// set records the runs of a figure; no runs, no figure.
func (r *Report) set(name, unit, method string, runs []float64) {
	if len(runs) == 0 {
		return
	}
	f := &Figure{Unit: unit, Median: median(runs), Min: slices.Min(runs), Max: slices.Max(runs), Runs: runs, Method: method}
	g, aimed := goals[name]
	if !aimed {
		r.Beside[name] = f
		return
	}
	met := g.met(f.Median)
	f.Goal, f.Met = g.String(), &met
	r.Figures[name] = f
}

func (r *Report) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

func median(runs []float64) float64 {
	s := slices.Sorted(slices.Values(runs))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// JSON has the median of each figure under its own name at the top, and everything about it below "figures".
func (r *Report) JSON() ([]byte, error) {
	all := map[string]any{
		"began": r.Began.UTC().Format(time.RFC3339), "took_seconds": math.Round(r.Took.Seconds()), "quick": r.Quick,
		"machine": r.Machine, "versions": r.Versions, "seed": r.Seed, "sizes": r.Sizes, "figures": r.Figures, "beside": r.Beside,
		"peer_settings_tried": r.Tried, "published": publishedByOthers(), "faults": slices.Concat([]string{}, r.Faults),
	}
	for name, f := range r.Figures {
		all[name] = f.Median
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // goals have < and > in them
	encoder.SetIndent("", "  ")
	err := encoder.Encode(all)
	return text.Bytes(), err
}

// Print writes the table.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %.1f GiB; seed %d; %s; ClickHouse %s, Apache Kafka %s, commit %s\n", r.Machine.CPU, r.Machine.Cores,
		float64(r.Machine.MemoryBytes)/(1<<30), r.Seed, r.Versions["go"], r.Versions["clickhouse"], r.Versions["kafka"], r.Versions["commit"])
	if r.Quick {
		b.WriteString("--quick: everything is small, and the times mean nothing\n")
	}
	row := func(name, middle, least, most, goal, met string) {
		fmt.Fprintf(&b, "%-40s %12s %12s %12s  %-8s %s\n", name, middle, least, most, goal, met)
	}
	row("figure", "median", "min", "max", "goal", "")
	for _, name := range Names() {
		if f := r.Figures[name]; f != nil {
			met := "not met"
			if *f.Met {
				met = "met"
			}
			row(name, number(f.Median), number(f.Min), number(f.Max), f.Goal, met)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Beside)) {
		f := r.Beside[name]
		row(name, number(f.Median), number(f.Min), number(f.Max), "", "")
	}
	for _, p := range publishedByOthers() {
		fmt.Fprintf(&b, "published by others: %s: %s (%s)\n", p.Who, p.What, p.Source)
	}
	for _, f := range r.Faults {
		fmt.Fprintf(&b, "WRONG: %s\n", f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// number has four digits that count.
func number(v float64) string {
	if math.Abs(v) >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

func thisMachine() Machine {
	m := Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), System: runtime.GOOS}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.MemoryBytes = info.Totalram * uint64(info.Unit)
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.System = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	return m
}
