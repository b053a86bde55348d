package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
)

// confirmations is how often in a row a finding that stops a shard must be
// made: a single answer may be corrupted, or come from a broker that is
// catching up.
const confirmations = 3

// unwatched is for how long a log may go unread, beyond the time that a request
// may take, without being taken for another one: what is deleted while a
// request waits is answered with an error, and what is made again and filled
// between two requests takes longer than this.
const unwatched = time.Second

// mark is a message that was read.
type mark struct {
	offset int64
	print  uint64 // its fingerprint; 0: not known
}

// fetcher reads one topic of one shard into its queue until it is ended or
// meets a stop error. It has a connection of its own, so that it waits for no
// other, and no broker that does not answer holds up more than its own partitions.
type fetcher struct {
	queue   *queue
	cluster *cluster
	cfg     *Config
	metrics *metrics
	log     *slog.Logger

	topic     string
	partition int
	epoch     int

	conn     *kafka.Conn // to the partition's leader, or nil
	position int64       // next to fetch
	base     int64       // where the batch that holds it begins; -1 when not known
	aligned  bool        // base is where a batch that was read has ended
	decoder  decoder
	last     mark      // the message before the position
	verify   bool      // make sure that it is still the same log
	asked    time.Time // when the last request was made

	failures     int // in a row
	findings     int // stop findings in a row
	progress     time.Time
	missingSince time.Time
}

func newFetcher(f *queue) *fetcher {
	c := f.shard.c
	return &fetcher{queue: f, cluster: c.cluster, cfg: &c.cfg, metrics: c.metrics,
		log:   c.log.With("topic", f.topic, "partition", f.shard.partition),
		topic: f.topic, partition: f.shard.partition, epoch: f.epoch, position: f.start, last: f.last,
		decoder:  decoder{topic: f.topic, partition: f.shard.partition},
		progress: time.Now(), base: -1}
}

func (f *fetcher) run(ctx context.Context) {
	defer f.hangUp()
	for ctx.Err() == nil {
		waited := time.Now()
		f.queue.waitRoom(ctx)
		// Waiting for the consumer is neither a stall nor a failure.
		f.progress = f.progress.Add(time.Since(waited))
		f.queue.waited(f.epoch, time.Since(waited))
		err := f.once(ctx)
		if err != nil && ctx.Err() == nil && !IsStop(err) {
			err = f.failed(ctx, err)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			f.queue.fail(f.epoch, err)
			return
		}
		f.watchdog()
	}
}

// once makes one request and hands on what it brought.
func (f *fetcher) once(ctx context.Context) error {
	if f.position < 0 {
		return f.begin(ctx)
	}
	if time.Since(f.asked) > f.cfg.MaxWait+unwatched {
		f.verify = true
	}
	if f.verify {
		if err := f.sameLog(ctx); err != nil {
			return err
		}
	}
	if f.base < 0 {
		return f.findBase(ctx)
	}
	a, err := f.fetch(ctx, f.position, f.cfg.FetchMaxBytes)
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	f.missingSince = time.Time{}
	b, err := f.decoder.decode(a, f.base, f.position)
	if len(b.messages) > 0 {
		f.accept(b)
	} else if err == nil && a.stable <= f.position {
		f.progress = time.Now()
	}
	if err != nil {
		return f.refuse(a, err)
	}
	f.fetched(a)
	return nil
}

// fetched notes that an answer was good.
func (f *fetcher) fetched(a *partitionData) {
	f.failures, f.findings = 0, 0
	waiting := ""
	if a.stable <= f.position && f.position < a.high {
		waiting = fmt.Sprintf("a transaction of another producer that begins at offset %d is still open", a.stable)
	}
	f.queue.fetched(f.epoch, waiting)
}

// begin resolves a position such as the start of the log.
func (f *fetcher) begin(ctx context.Context) error {
	first, end, err := f.cluster.bounds(ctx, f.topic, f.partition, committed)
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	if f.position == kafkago.LastOffset {
		f.position = end
	} else {
		f.position = first
	}
	f.queue.begun(f.epoch, f.position)
	return nil
}

// findBase asks where the batch begins that holds the position. What is read
// then has to agree, so that no single answer is trusted.
func (f *fetcher) findBase(ctx context.Context) error {
	a, err := f.fetch(ctx, f.position, 1)
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	base, ok, err := baseOf(a)
	switch {
	case err != nil:
		return f.refuse(a, err)
	case ok:
		f.base = base
	case a.stable == f.position:
		// Whatever is written next begins here.
		f.base = f.position
		f.progress = time.Now()
	}
	return nil
}

// fetch asks for records; the error is the network's or the broker's.
func (f *fetcher) fetch(ctx context.Context, offset int64, maxBytes int) (*partitionData, error) {
	f.asked = time.Now()
	if f.conn == nil {
		var err error
		if f.conn, err = f.cluster.connect(ctx, f.topic, f.partition); err != nil {
			return nil, err
		}
	}
	asking, cancel := context.WithTimeout(ctx, f.cfg.MaxWait+f.cfg.RequestTimeout)
	defer cancel()
	a, err := fetch(asking, f.conn, f.topic, f.partition, offset, f.cfg, maxBytes)
	if err != nil {
		// Whatever failed, another connection to the present leader is a new begin.
		f.hangUp()
		return nil, err
	}
	f.queue.saw(a.low, a.high)
	return a, nil
}

func (f *fetcher) hangUp() {
	if f.conn != nil {
		f.conn.Close()
		f.conn = nil
	}
}

// accept hands contiguous messages to the queue.
func (f *fetcher) accept(b *batch) {
	last := &b.messages[len(b.messages)-1]
	f.position = last.Offset + 1
	f.base, f.aligned = f.position, true
	f.last = mark{offset: last.Offset, print: last.Fingerprint()}
	f.progress = time.Now()
	f.metrics.messages.WithLabelValues(f.topic).Add(float64(len(b.messages)))
	f.metrics.bytes.WithLabelValues(f.topic).Add(float64(b.bytes))
	f.metrics.skipped.WithLabelValues(f.topic).Add(float64(b.skipped))
	f.queue.put(f.epoch, b)
}

// refuse judges an answer that does not continue at the position.
func (f *fetcher) refuse(a *partitionData, err error) error {
	var misplaced *misplacedError
	if errors.As(err, &misplaced) {
		f.metrics.corrupt.WithLabelValues(f.topic).Inc()
		if !f.aligned {
			f.base = -1
			return err
		}
		return f.confirm(&StopError{Reason: ReasonRecreated, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"%w, where the last one read has ended: the topic was made again", err)})
	}
	var gap *noncontiguousError
	if !errors.As(err, &gap) {
		f.metrics.corrupt.WithLabelValues(f.topic).Inc()
		return err
	}
	f.metrics.retried(retryNoncontiguous)
	found := &GapError{Reason: ReasonGap, Topic: f.topic, Partition: f.partition, Position: gap.want, Found: gap.got}
	if a.low > gap.want {
		found.Reason = ReasonRetention
	}
	return f.confirm(found)
}

// confirm returns finding once it has been made often enough.
func (f *fetcher) confirm(finding error) error {
	if f.findings++; f.findings >= confirmations {
		return finding
	}
	return errors.New("to be confirmed: " + finding.Error()) // not wrapped: it is no stop yet
}

// requestFailed judges an error of the network or the broker.
func (f *fetcher) requestFailed(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, kafkago.OffsetOutOfRange):
		return f.outOfRange(ctx, err)
	case isTopicMissing(err):
		f.metrics.retried(retryTopicMissing)
		f.verify = true
		return f.topicMissing(ctx, err)
	case errors.Is(err, kafka.ErrCorrupt):
		f.metrics.corrupt.WithLabelValues(f.topic).Inc()
		return err
	}
	// Leaders may have moved, and the next broker that answers may belong to another cluster
	// under the same address.
	f.verify = true
	f.metrics.retried(retryFetch)
	return err
}

// outOfRange finds out on which side of the log the position lies.
func (f *fetcher) outOfRange(ctx context.Context, cause error) error {
	f.metrics.retried(retryOffset)
	first, end, err := f.cluster.bounds(ctx, f.topic, f.partition, uncommitted)
	if err != nil {
		return err
	}
	f.queue.saw(first, end)
	switch {
	case f.position < first:
		return f.confirm(&GapError{Reason: ReasonRetention, Topic: f.topic, Partition: f.partition,
			Position: f.position, Found: first})
	case f.position > end:
		return f.confirm(&StopError{Reason: ReasonBeyondEnd, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"the log ends at offset %d but reading is to go on at %d: the topic was made again or has lost acknowledged messages", end, f.position)})
	}
	// The log did not reach the position a moment ago, and does now: it may be another one that is being filled.
	f.verify = true
	return cause
}

// topicMissing waits for the topic for a while before it stops the shard.
func (f *fetcher) topicMissing(ctx context.Context, cause error) error {
	counts, err := f.cluster.partitionCounts(ctx, []string{f.topic})
	if err != nil || counts[f.topic] > 0 {
		// A cluster out of reach also looks like one without topics.
		return errors.Join(cause, err)
	}
	if f.missingSince.IsZero() {
		f.missingSince = time.Now()
	}
	if time.Since(f.missingSince) < f.cfg.TopicGrace {
		return cause
	}
	return &StopError{Reason: ReasonTopicMissing, Topic: f.topic, Partition: f.partition,
		Err: fmt.Errorf("the topic does not exist any more: %w", cause)}
}

// sameLog looks whether the last message that was read is still there. In a
// topic that was deleted and filled again it is another one, or none.
func (f *fetcher) sameLog(ctx context.Context) error {
	if f.last.print == 0 {
		f.verify = false
		return nil
	}
	a, err := f.fetch(ctx, f.last.offset, 1)
	if errors.Is(err, kafkago.OffsetOutOfRange) {
		return f.markGone(ctx, err)
	}
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	base, _, err := baseOf(a)
	if err != nil {
		return f.refuse(a, err)
	}
	look := decoder{topic: f.topic, partition: f.partition}
	b, err := look.decode(a, base, f.last.offset)
	switch {
	case len(b.messages) > 0 && b.messages[0].Fingerprint() == f.last.print:
		f.verify = false
		return nil
	case len(b.messages) > 0:
		return f.confirm(&StopError{Reason: ReasonRecreated, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"the message at offset %d is not the one read there before: the topic was made again", f.last.offset)})
	case err != nil:
		return f.refuse(a, err)
	case a.high <= f.last.offset:
		return f.markGone(ctx, errors.New("the log ends before the last message that was read"))
	}
	return fmt.Errorf("no message at offset %d yet", f.last.offset)
}

// markGone judges a log that does not hold the last message any more.
func (f *fetcher) markGone(ctx context.Context, cause error) error {
	f.metrics.retried(retryOffset)
	first, end, err := f.cluster.bounds(ctx, f.topic, f.partition, uncommitted)
	switch {
	case err != nil:
		return f.requestFailed(ctx, err)
	case f.last.offset < first:
		// Retention took it, as it may; the position will be judged.
		f.verify = false
		return nil
	case f.last.offset >= end:
		return f.confirm(&StopError{Reason: ReasonBeyondEnd, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"the log ends at offset %d but was read up to %d: the topic was made again or has lost acknowledged messages", end, f.last.offset)})
	}
	return cause
}

// failed notes a failure and waits before another attempt. When none has been good for long, it returns the stop that
// the failure has become.
func (f *fetcher) failed(ctx context.Context, err error) error {
	f.failures++
	since := f.queue.failed(f.epoch, err.Error())
	f.log.Log(ctx, kafka.AttemptLevel(f.failures, slog.LevelWarn), "stream: fetch failed, will try again", "offset", f.position, "attempt", f.failures, "error", err)
	if lasted := time.Since(since); lasted >= f.cfg.FailAfter {
		reason, look := lasting(err)
		return &StopError{Reason: reason, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"nothing could be read at offset %d for %s, last because of: %w (look at: %s)", f.position, lasted.Round(time.Second), err, look)}
	}
	d := f.cfg.MinBackoff << min(f.failures-1, 16)
	if d <= 0 || d > f.cfg.MaxBackoff {
		d = f.cfg.MaxBackoff
	}
	sleep(ctx, d)
	return nil
}

// watchdog connects again when there is something to read and nothing comes.
func (f *fetcher) watchdog() {
	if time.Since(f.progress) < f.cfg.StallTimeout {
		return
	}
	f.progress = time.Now()
	f.metrics.stalls.WithLabelValues(f.topic).Inc()
	f.log.Warn("stream: no progress, connecting again", "offset", f.position)
	f.hangUp()
}
