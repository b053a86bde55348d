package torture

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/ledger"
	"retorno/deploy/lab/register"
)

// Report is what a run found.
type Report struct {
	Seed   uint64
	Events int // sent
	Faults map[Kind]int
	// Stepped is how many copies were sent besides, by sources whose clocks had stepped; ClockOffset is the largest
	// offset that ClickHouse shows at the end.
	Stepped     int
	ClockOffset time.Duration
	// Besides is how many messages hot persons and hostile senders sent beside the register; Spoilt, in how many of
	// Kafka's answers a bit was changed, by what they answered.
	Besides int
	Spoilt  map[string]int
	// Loaded and Settled are when the last event was acknowledged and when all were accounted for, after the begin.
	Loaded, Settled time.Duration
	// Lost and Twice are how many returns, helps and crossings the cells lack, or hold too many.
	Lost, Twice int
	Accounts    ledger.Accounts
	Oracles     []Oracle
	// Seen are the sums of the consumers' and the producer's metrics that show faults.
	Seen map[string]float64
	// Published is how many publishers published, were killed, were refused, by the code of each reason, did not reach
	// ClickHouse or Kafka, or got an error of them. Of the Vintages that were seen, Undone are in no backup that ClickHouse was
	// restored to.
	Published        map[string]int
	Vintages, Undone int
	// Starts is how many consumer processes were started.
	Starts int

	producer *prometheus.Registry
	asked    int // how many oracles are to be asked
}

// Oracle is one question and the answer.
type Oracle struct {
	Name   string
	Asked  string   // what was compared, in numbers
	Faults []string // empty: it agrees
}

func newReport(cfg Config, made *register.Register) *Report {
	return &Report{Seed: cfg.Seed, Events: made.Counts().Events, Faults: map[Kind]int{}, Seen: map[string]float64{}, producer: prometheus.NewRegistry(), asked: 4}
}

// OK says that every oracle agrees.
func (r *Report) OK() bool {
	return len(r.Oracles) == r.asked && r.Lost == 0 && r.Twice == 0 &&
		!slices.ContainsFunc(r.Oracles, func(o Oracle) bool { return len(o.Faults) > 0 })
}

// String is the report in one line.
func (r *Report) String() string {
	total := 0
	for _, n := range r.Faults {
		total += n
	}
	return fmt.Sprintf("%d events, %d faults, lost %d, counted twice %d, all counted %s after the begin", r.Events, total, r.Lost, r.Twice, r.Settled.Round(100*time.Millisecond))
}

// mostShown is how many faults of one oracle are named.
const mostShown = 12

// Print writes the report for people; the line of what was lost and counted twice stands last.
func (r *Report) Print(w io.Writer) error {
	p := &printer{w: w}
	if after := r.Settled.Round(100 * time.Millisecond); r.Loaded > 0 {
		p.line("events: %d sent, all counted %s after the begin (%.0f a second); %d consumer processes started",
			r.Events, after, float64(r.Events)/r.Settled.Seconds(), r.Starts)
	} else { // a run of another form, in which partitions stop
		p.line("events: %d sent, judged %s after the begin; %d consumer processes started", r.Events, after, r.Starts)
	}
	p.line("accounts: %d read = %d accepted + %d duplicate + %d superseded + %d rejected",
		r.Accounts.Read(), r.Accounts.Accepted, r.Accounts.Duplicate, r.Accounts.Superseded, r.Accounts.Rejected)
	total := 0
	for _, k := range append(Kinds(), ownForm...) {
		if n := r.Faults[k]; n > 0 {
			p.line("fault %-10s %4d", k, n)
			total += n
		}
	}
	p.line("faults in all   %4d", total)
	if r.Stepped > 0 {
		p.line("clocks: %d copies sent with another clock; retorno.sendings shows one %s off", r.Stepped, r.ClockOffset)
	}
	if r.Besides > 0 {
		p.line("besides: %d messages of hot persons and hostile senders", r.Besides)
	}
	if len(r.Spoilt) > 0 {
		p.line("bits: one changed in each of so many answers: %s", listed(r.Spoilt))
	}
	if len(r.Published) > 0 {
		p.line("publishers: %s; %d vintages seen, %d of them undone by a restored backup", listed(r.Published), r.Vintages, r.Undone)
	}
	for _, name := range seen {
		if v := r.Seen[name]; v > 0 {
			p.line("metric %-44s %8.0f", name, v)
		}
	}
	for i, o := range r.Oracles {
		verdict := "agrees"
		if len(o.Faults) > 0 {
			verdict = fmt.Sprintf("DIFFERS in %d", len(o.Faults))
		}
		p.line("oracle %d, %s: %s (%s)", i+1, o.Name, verdict, o.Asked)
		for _, f := range o.Faults[:min(len(o.Faults), mostShown)] {
			p.line("  %s", f)
		}
	}
	p.line("lost %d, counted twice %d", r.Lost, r.Twice)
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// listed is numbers by their names, in one line.
func listed(counts map[string]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(words, ", ")
}
