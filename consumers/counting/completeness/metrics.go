package completeness

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// others is the name under which the computers over the limit are summed up, and one that calls itself so.
const others = "(others)"

// metrics shows the latest snapshot whole: what is not in it any more is not shown any more.
type metrics struct {
	most    int
	passes  *prometheus.CounterVec
	seconds prometheus.Histogram
	last    prometheus.Gauge

	missing, gaps, lastSeen, silent, pause, offset, impossible, linked, contradicting *prometheus.Desc
	known, coverage, checkpoint, returns, month                                       *prometheus.Desc
	agents                                                                            []*prometheus.Desc

	mu    sync.Mutex
	snap  *Snapshot        // nil: nothing was read yet
	links map[string]Links // nil: nothing was read yet
}

func newMetrics(registerer prometheus.Registerer, most int) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("retorno_"+name, help, labels, nil)
	}
	const over = " Computers beyond the limit are summed up as \"" + others + "\"."
	m := &metrics{most: most,
		passes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_completeness_passes_total", Help: "Readings of the completeness, by result: done, failed."}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "retorno_completeness_pass_seconds", Help: "Time of one reading of the completeness.", Buckets: prometheus.ExponentialBuckets(0.05, 2, 12)}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "retorno_completeness_last_pass_timestamp_seconds", Help: "When the completeness was last read; seconds since 1970."}),
		missing:       desc("source_missing_records", "Records of a computer that have not arrived although later ones have, or its agent tells of them."+over, "source"),
		gaps:          desc("source_gaps", "Stretches of missing numbers of a computer."+over, "source"),
		lastSeen:      desc("source_last_seen_timestamp_seconds", "When a computer last sent, broker time; seconds since 1970."+over, "source"),
		silent:        desc("source_silent", "1: at the latest sending of all, the computer had been silent for more than 24 hours and more than twice its usual pause. Of several: how many."+over, "source"),
		pause:         desc("source_usual_pause_seconds", "99th percentile of the pauses between hours in which a computer sent. Of several: the longest."+over, "source"),
		offset:        desc("source_clock_offset_seconds", "How far the clock of a computer was ahead at its last sending; negative: behind. Of several: the most wrong one."+over, "source"),
		impossible:    desc("source_impossible_times", "Numbers of a computer whose time of sending cannot be: more than an hour after what was read last, or before 2000."+over, "source"),
		linked:        desc("source_linked_records", "Records of a computer that have a person key."+over, "source"),
		contradicting: desc("source_contradicting_records", "Records of a computer whose person key has records of different people: they differ in sex, or by more years of age than lie between them."+over, "source"),
		known:         desc("sources", "Computers of which something has arrived."),
		coverage:      desc("coverage_ratio", "Share of the returns of the latest month that is over which are registered at a centre, by the post where they came back in.", "entry_point"),
		checkpoint:    desc("checkpoint_coverage_ratio", "Share of the returns of the latest month that is over which a post saw, by the centre that registered them.", "centre"),
		returns:       desc("coverage_returns", "Returns of the latest month that is over, by series: registered, checkpoint, reconciled.", "series"),
		agents:        agentDescs(),
		month:         desc("coverage_month_timestamp_seconds", "When the latest month that is over began; seconds since 1970."),
	}
	m.passes.WithLabelValues("done")
	m.passes.WithLabelValues("failed")
	if registerer != nil {
		registerer.MustRegister(m.passes, m.seconds, m.last, m)
	}
	return m
}

func (m *metrics) show(s Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.snap = &s
}

func (m *metrics) showLinks(links map[string]Links) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.links = links
}

// Describe names the metrics of the snapshot, whatever is in it.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range append([]*prometheus.Desc{m.missing, m.gaps, m.lastSeen, m.silent, m.pause, m.offset, m.impossible, m.linked, m.contradicting, m.known, m.coverage, m.checkpoint, m.returns, m.month}, m.agents...) {
		to <- d
	}
}

// Collect shows the latest snapshot; nothing before the first.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	snap, links := m.snap, m.links
	m.mu.Unlock()
	if snap == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(m.known, float64(len(snap.Sources)))
	for _, s := range folded(snap.Sources, links, m.most) {
		gauge(m.missing, float64(s.Missing), s.Name)
		gauge(m.gaps, float64(s.Gaps), s.Name)
		gauge(m.lastSeen, seconds(s.LastSeen), s.Name)
		gauge(m.silent, float64(s.silent), s.Name)
		gauge(m.pause, s.UsualPause.Seconds(), s.Name)
		gauge(m.offset, s.ClockOffset.Seconds(), s.Name)
		gauge(m.impossible, float64(s.ImpossibleTimes), s.Name)
		if !s.Agent.Heartbeat.IsZero() {
			for i, g := range agentGauges {
				gauge(m.agents[i], g.of(s.Agent), s.Name)
			}
		}
		if links != nil {
			gauge(m.linked, float64(s.Linked), s.Name)
			gauge(m.contradicting, float64(s.Contradicting), s.Name)
		}
	}
	if snap.Month.Label == "" {
		return
	}
	gauge(m.month, seconds(snap.Month.First.Start()))
	gauge(m.returns, float64(snap.Total.Registered), "registered")
	gauge(m.returns, float64(snap.Total.Checkpoint), "checkpoint")
	gauge(m.returns, float64(snap.Total.Reconciled), "reconciled")
	for post, c := range snap.Posts {
		gauge(m.coverage, share(c.Registered, c.Reconciled), post)
	}
	for centre, c := range snap.Centres {
		gauge(m.checkpoint, share(c.Checkpoint, c.Reconciled), centre)
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// shown is a source as the metrics have it, or several as one.
type shown struct {
	Source
	Links
	silent int
}

// folded keeps the computers with an agent and then those that were heard last, and sums up the rest: what is long silent
// for good, as the files that were imported once, gives way first.
func folded(all []Source, links map[string]Links, most int) []shown {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Source) int {
		return cmp.Or(b.Agent.Heartbeat.Compare(a.Agent.Heartbeat), b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.Name, b.Name))
	})
	var out []shown
	var rest *shown
	for _, s := range all {
		one := shown{Source: s, Links: links[s.Name]}
		if s.Silent {
			one.silent = 1
		}
		switch {
		case len(out) < most && s.Name != others:
			out = append(out, one)
		case rest == nil:
			one.Name = others
			rest = &one
		default:
			rest.add(one)
		}
	}
	if rest != nil {
		out = append(out, *rest)
	}
	return out
}

// add sums another source up into this one.
func (s *shown) add(more shown) {
	s.Missing += more.Missing
	s.Gaps += more.Gaps
	s.ImpossibleTimes += more.ImpossibleTimes
	s.Linked += more.Linked
	s.Contradicting += more.Contradicting
	s.Agent = s.Agent.plus(more.Agent)
	s.silent += more.silent
	s.UsualPause = max(s.UsualPause, more.UsualPause)
	if more.LastSeen.After(s.LastSeen) {
		s.LastSeen = more.LastSeen
	}
	if more.ClockOffset.Abs() > s.ClockOffset.Abs() {
		s.ClockOffset = more.ClockOffset
	}
}
