// Package bench measures how fast the pipeline is, beside what else one could do on the same machine: the limit (fetch
// and columnar insert of the same bytes and rows with nothing in between), the peer (ClickHouse's own Kafka engine)
// and the plain consumer that most people would write.
//
// It promises that all contenders get the same made events from the same Apache Kafka into the same ClickHouse engine,
// that runs of contenders are interleaved so that a slow hour of the machine meets all of them, that every figure is
// a median with its least and its largest run beside it, and that a run counts only when what stands in ClickHouse at
// its end is what can be known of it: for ours the truth of the register and the verifier's second count, for the peer
// and the plain consumer every event counted once, cell by cell. It never tunes a contender other than by what is named in
// the method of its figure, and never leaves a process behind. When a count is wrong the figure has none and says why;
// when something cannot be measured at all, Run fails.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"retorno/deploy/lab/apachekafka"
)

// a section measures some figures, beside each other.
type section struct {
	name    string
	figures []string
	measure func(*run, context.Context) error
	loaded  bool // uses the machine on which the events are
}

func sections() []section {
	return []section{
		{"visible", []string{"visible_p99_seconds"}, (*run).visibility, false}, // first: what was deleted before it makes the disk slow
		{"catchup", []string{"ratio_to_peer", "ratio_to_limit", "ratio_to_plain"}, (*run).catchUp, true},
		{"publish", []string{"publish_ratio"}, (*run).publishing, true},
		{"share", []string{"share_cost"}, (*run).sharing, true},
		{"outage", []string{"outage_catchup_ratio"}, (*run).outage, false},
		{"growth", []string{"cost_growth"}, (*run).growth, false},
		{"state", []string{"bytes_per_person"}, (*run).state, false},
		{"restart", []string{"restart_seconds", "verify_seconds", "verify_beside_ratio"}, (*run).restart, false},
		{"agent", []string{"agent_start_seconds", "agent_most_memory_mb", "agent_save_ratio", "agent_forms_per_second", "agent_sent_per_second", "agent_save_while_sending_ratio"}, (*run).agent, false},
		{"halfyear", []string{"half_year_from_counts_seconds", "half_year_recounted_seconds"}, (*run).halfYear, false},
	}
}

// Names are the figures that can be measured, in the order of the table.
func Names() []string {
	var all []string
	for _, s := range sections() {
		all = append(all, s.figures...)
	}
	return all
}

// run is one run of the benchmark.
type run struct {
	cfg    Config
	dir    string
	report *Report

	broker  *apachekafka.Server // nil: not started
	machine *machine            // with the events in its topics; nil: not started
	load    *load
}

// Run measures what the configuration names. The error says that something could not be measured; counts that are
// wrong are in the report.
func Run(ctx context.Context, cfg Config) (report *Report, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	dir, err := os.MkdirTemp(cfg.Dir, "retorno-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &run{cfg: cfg, dir: dir, report: newReport(cfg)}
	defer func() {
		if err = errors.Join(err, r.unload()); r.broker != nil {
			err = errors.Join(err, r.broker.Stop())
		}
	}()
	for _, s := range sections() {
		if !wanted(cfg.Only, s) {
			continue
		}
		if !s.loaded {
			if err := r.unload(); err != nil {
				return r.report, err
			}
		}
		began := time.Now()
		if err := s.measure(r, ctx); err != nil {
			return r.report, fmt.Errorf("%s: %w", strings.Join(s.figures, ", "), err)
		}
		r.say("%s: took %s", s.name, time.Since(began).Round(time.Second))
	}
	r.report.finish()
	return r.report, nil
}

func wanted(only []string, s section) bool {
	return len(only) == 0 || slices.Contains(only, s.name) || slices.ContainsFunc(s.figures, func(f string) bool { return slices.Contains(only, f) })
}

// loaded is a machine with the events in its topics, the same for all sections that follow each other.
func (r *run) loaded(ctx context.Context) (_ *machine, _ *load, err error) {
	if r.machine != nil {
		return r.machine, r.load, nil
	}
	if r.machine, err = r.startMachine(ctx); err != nil {
		return nil, nil, err
	}
	if r.load, err = makeLoad(ctx, r.cfg.Seed, r.cfg.Events); err != nil {
		return nil, nil, err
	}
	r.report.Sizes["events"], r.report.Sizes["event_bytes"] = len(r.load.messages), int(r.load.bytes)
	r.say("%d made events, %d MB; sending them to Apache Kafka", len(r.load.messages), r.load.bytes>>20)
	return r.machine, r.load, r.load.send(ctx, r.machine)
}

// unload ends that machine.
func (r *run) unload() error {
	m := r.machine
	r.machine, r.load = nil, nil
	if m == nil {
		return nil
	}
	return m.stop()
}

// say tells how far it is.
func (r *run) say(format string, args ...any) {
	if r.cfg.Out != nil {
		_, _ = fmt.Fprintf(r.cfg.Out, "bench: "+format+"\n", args...)
	}
}
