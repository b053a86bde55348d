package processor

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// pulse is the sign of life of one runner. It beats, through its context, at every fetch, statement and attempt
// of a letter, and again before every pause; each of these is bounded, so a runner that does not beat does not wait: it hangs.
// While a flush is on its way only who writes it is listened to: the runner reads on meanwhile.
type pulse struct {
	own, written atomic.Uint64
	flying       atomic.Bool

	// What the watchdog has seen; guarded by progress.mu.
	seen  uint64
	heard time.Time // when it was seen to have beaten
	quiet time.Duration
	told  bool
}

func (p *pulse) beat() { p.own.Add(1) }

func (p *pulse) write() { p.written.Add(1) }

func (p *pulse) beats() uint64 {
	if p.flying.Load() {
		return p.written.Load()
	}
	return p.own.Load() + p.written.Load()
}

// StallError says that a partition's goroutine hangs. Only the end of the process frees the partition.
type StallError struct {
	Partition int
	Quiet     time.Duration // how long there was no sign of life
}

func (e *StallError) Error() string {
	return fmt.Sprintf("partition %d hangs: no sign of life for %s; the process ends so that another one takes over (where it hangs is in the log before this)",
		e.Partition, e.Quiet.Round(time.Millisecond))
}

// looks is how often the watchdog looks within the limit. From three quarters of it on a runner is suspected.
const looks, suspectedAt = 16, 12

// Watch looks after the runners until ctx ends, and then returns nil. One that gave no sign of life for three quarters
// of Config.StallAfter is counted, logged with the place where it hangs, and shown by Stalled; after the whole of it
// Watch returns a *StallError. Time is counted by the watchdog's own looks, so that a process that was stopped as a
// whole, or a machine that slept, is not taken for one that hangs.
func (c *Processor) Watch(ctx context.Context) error {
	every := c.cfg.StallAfter / looks
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		suspected, stall := c.state.look(every, c.cfg.StallAfter)
		for _, partition := range suspected {
			c.metrics.stalls.Inc()
			c.cfg.Logger.Error("a partition gives no sign of life", "partition", partition, "goroutines", whereabouts(partition))
		}
		if stall != nil {
			return stall
		}
	}
}

// look compares every pulse with what it was a look ago.
func (p *progress) look(every, limit time.Duration) (suspected []int, stall error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for partition, pulse := range p.pulses {
		if beats := pulse.beats(); beats != pulse.seen {
			pulse.seen, pulse.heard, pulse.quiet, pulse.told = beats, time.Now(), 0, false
			continue
		}
		pulse.quiet += every
		if pulse.quiet >= every*suspectedAt && !pulse.told {
			pulse.told = true
			suspected = append(suspected, partition)
		}
		if pulse.quiet >= limit-every/2 {
			stall = &StallError{Partition: partition, Quiet: pulse.quiet}
		}
	}
	return suspected, stall
}

// Stalled is nil unless Watch suspects a partition to hang.
func (c *Processor) Stalled() error {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	for partition, pulse := range c.state.pulses {
		if pulse.told {
			return &StallError{Partition: partition, Quiet: pulse.quiet}
		}
	}
	return nil
}

// labelled does the work of a partition under a label by which whereabouts finds its goroutine.
func labelled(ctx context.Context, partition int, work func(context.Context)) {
	pprof.Do(ctx, pprof.Labels(partitionLabel, strconv.Itoa(partition)), work)
}

const partitionLabel = "partition"

// whereabouts are the functions and lines at which the goroutines of a partition are, innermost first; no values.
func whereabouts(partition int) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err.Error()
	}
	var all []string
	for group := range strings.SplitSeq(profile.String(), "\n\n") {
		if !strings.Contains(group, fmt.Sprintf("%q:%q", partitionLabel, strconv.Itoa(partition))) {
			continue
		}
		var frames []string
		for line := range strings.Lines(group) {
			// A frame is: #, address, function+offset, file:line.
			if f := strings.Fields(line); len(f) == 4 && f[0] == "#" {
				function, _, _ := strings.Cut(f[2], "+0x")
				frames = append(frames, function+" "+f[3][strings.LastIndexByte(f[3], '/')+1:])
			}
		}
		all = append(all, strings.Join(frames, " < "))
	}
	return strings.Join(all, "; ")
}

var (
	beatDesc    = prometheus.NewDesc("retorno_shard_beat_timestamp_seconds", "When the watchdog last saw a sign of life of the goroutine of the partition; seconds since 1970.", []string{"partition"}, nil)
	beatAgeDesc = prometheus.NewDesc("retorno_shard_beat_age_seconds", "Time since the goroutine of the partition last gave a sign of life, as the watchdog counts it.", []string{"partition"}, nil)
)

// Describe implements prometheus.Collector.
func (p *progress) Describe(ch chan<- *prometheus.Desc) {
	ch <- beatDesc
	ch <- beatAgeDesc
}

// Collect implements prometheus.Collector.
func (p *progress) Collect(ch chan<- prometheus.Metric) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for partition, pulse := range p.pulses {
		ch <- prometheus.MustNewConstMetric(beatDesc, prometheus.GaugeValue, float64(pulse.heard.UnixMilli())/1000, strconv.Itoa(partition))
		ch <- prometheus.MustNewConstMetric(beatAgeDesc, prometheus.GaugeValue, pulse.quiet.Seconds(), strconv.Itoa(partition))
	}
}
