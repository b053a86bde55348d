package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go"
)

// confirmations is how often in a row a finding that stops a shard must be
// made: a single answer may be corrupted, or come from a broker that is
// catching up.
const confirmations = 3

// unwatched is for how long a log may go unread, beyond the time that a request
// may take, without being taken for another one: what is deleted while a
// request waits is answered with an error, and what is made anew and filled
// between two requests takes longer than this.
const unwatched = time.Second

// mark is a message that was read.
type mark struct {
	offset int64
	print  uint64 // its fingerprint; 0: not known
}

// fetcher reads one topic of one shard into its feed until it is ended or
// meets a stop error.
type fetcher struct {
	feed    *feed
	cluster *cluster
	cfg     Config
	metrics *metrics
	log     *slog.Logger

	topic     string
	partition int
	epoch     int

	position int64 // next to fetch
	base     int64 // where the batch that holds it begins; -1 when not known
	aligned  bool  // base is where a batch that was read has ended
	decoder  decoder
	last     mark      // the message before the position
	verify   bool      // make sure that it is still the same log
	asked    time.Time // when the last request was made

	failures     int // in a row
	findings     int // stop findings in a row
	progress     time.Time
	missingSince time.Time
}

func (f *fetcher) run(ctx context.Context) {
	f.decoder = decoder{topic: f.topic, partition: f.partition}
	f.progress, f.base = time.Now(), -1
	for ctx.Err() == nil {
		waited := time.Now()
		f.feed.waitRoom(ctx)
		// Waiting for the consumer is no stall.
		f.progress = f.progress.Add(time.Since(waited))
		err := f.once(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if f.failures > 0 {
				f.feed.troubled(f.epoch, "")
			}
			f.failures, f.findings = 0, 0
		case IsStop(err):
			f.feed.fail(f.epoch, err)
			return
		default:
			f.retry(ctx, err)
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
	res, err := f.fetch(ctx, f.position, f.cfg.FetchMaxBytes)
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	f.missingSince = time.Time{}
	f.feed.saw(f.epoch, f.position, res.LogStartOffset, res.HighWatermark)
	b, err := f.decoder.decode(res.Records, f.base, f.position)
	if len(b.messages) > 0 {
		f.accept(b)
	} else if err == nil && res.HighWatermark <= f.position {
		f.progress = time.Now()
	}
	if err != nil {
		return f.refuse(res, err)
	}
	return nil
}

// begin resolves a position such as the start of the log.
func (f *fetcher) begin(ctx context.Context) error {
	first, end, err := f.cluster.bounds(ctx, f.topic, f.partition)
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	if f.position == kafka.LastOffset {
		f.position = end
	} else {
		f.position = first
	}
	f.feed.saw(f.epoch, f.position, first, end)
	return nil
}

// findBase asks where the batch begins that holds the position. What is read
// then has to agree, so that no single answer is trusted.
func (f *fetcher) findBase(ctx context.Context) error {
	res, err := f.fetch(ctx, f.position, 1)
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	f.feed.saw(f.epoch, f.position, res.LogStartOffset, res.HighWatermark)
	if base, ok := baseOf(res.Records); ok {
		f.base = base
	} else if res.HighWatermark <= f.position {
		// Whatever is written next begins here.
		f.base = f.position
		f.progress = time.Now()
	}
	release(batches(res.Records))
	return nil
}

// fetch asks for records; the error is the network's or the broker's.
func (f *fetcher) fetch(ctx context.Context, offset int64, maxBytes int) (*kafka.FetchResponse, error) {
	f.asked = time.Now()
	client, age := f.cluster.get()
	asking, cancel := context.WithTimeout(ctx, f.cfg.MaxWait+f.cfg.RequestTimeout)
	defer cancel()
	res, err := client.Fetch(asking, &kafka.FetchRequest{
		Topic:     f.topic,
		Partition: f.partition,
		Offset:    offset,
		MinBytes:  int64(f.cfg.MinBytes),
		MaxBytes:  int64(maxBytes),
		MaxWait:   f.cfg.MaxWait,
	})
	if err == nil {
		err = res.Error
	}
	if err == nil && (res.Topic != f.topic || res.Partition != f.partition) {
		release(batches(res.Records))
		err = fmt.Errorf("%w: it is about topic %q, partition %d", errCorrupt, res.Topic, res.Partition)
	}
	if err != nil && ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || f.failures%5 == 4) {
		if rebuildErr := f.cluster.rebuild(age); rebuildErr != nil {
			return nil, errors.Join(err, rebuildErr)
		}
	}
	return res, err
}

// accept hands contiguous messages to the feed.
func (f *fetcher) accept(b *batch) {
	last := &b.messages[len(b.messages)-1]
	f.position = last.Offset + 1
	f.base, f.aligned = f.position, true
	f.last = mark{offset: last.Offset, print: last.Fingerprint()}
	f.progress = time.Now()
	f.metrics.messages.WithLabelValues(f.topic).Add(float64(len(b.messages)))
	f.metrics.bytes.WithLabelValues(f.topic).Add(float64(b.bytes))
	f.feed.put(f.epoch, b)
}

// refuse judges an answer that does not continue at the position.
func (f *fetcher) refuse(res *kafka.FetchResponse, err error) error {
	var misplaced *misplacedError
	if errors.As(err, &misplaced) {
		f.metrics.corrupt.WithLabelValues(f.topic).Inc()
		if !f.aligned {
			f.base = -1
			return err
		}
		return f.confirm(&StopError{Reason: ReasonRecreated, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"%w, where the last one read has ended: the topic was created anew", err)})
	}
	var gap *noncontiguousError
	if !errors.As(err, &gap) {
		f.metrics.corrupt.WithLabelValues(f.topic).Inc()
		return err
	}
	f.metrics.retries.WithLabelValues("noncontiguous").Inc()
	found := &GapError{Reason: ReasonGap, Topic: f.topic, Partition: f.partition, Position: gap.want, Found: gap.got}
	switch {
	case gap.control:
		found.Reason, found.Found = ReasonControl, gap.want+1
	case res.LogStartOffset > gap.want:
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
	case errors.Is(err, kafka.OffsetOutOfRange):
		return f.outOfRange(ctx, err)
	case isTopicMissing(err):
		f.metrics.retries.WithLabelValues("topic_missing").Inc()
		f.cluster.refresh()
		f.verify = true
		return f.topicMissing(ctx, err)
	case isAuth(err):
		return f.confirm(&StopError{Reason: ReasonAuth, Topic: f.topic, Partition: f.partition, Err: err})
	case isCorrupt(err):
		f.metrics.corrupt.WithLabelValues(f.topic).Inc()
		return err
	}
	// Leaders may have moved, and whoever answers next may be another cluster
	// under the same address.
	f.cluster.refresh()
	f.verify = true
	f.metrics.retries.WithLabelValues("fetch").Inc()
	return err
}

// outOfRange finds out on which side of the log the position lies.
func (f *fetcher) outOfRange(ctx context.Context, cause error) error {
	f.metrics.retries.WithLabelValues("offset").Inc()
	first, end, err := f.cluster.bounds(ctx, f.topic, f.partition)
	if err != nil {
		return err
	}
	f.feed.saw(f.epoch, f.position, first, end)
	switch {
	case f.position < first:
		return f.confirm(&GapError{Reason: ReasonRetention, Topic: f.topic, Partition: f.partition,
			Position: f.position, Found: first})
	case f.position > end:
		return f.confirm(&StopError{Reason: ReasonBeyondEnd, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"the log ends at offset %d but reading is to go on at %d: the topic was created anew or has lost acknowledged messages", end, f.position)})
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
	res, err := f.fetch(ctx, f.last.offset, 1)
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return f.markGone(ctx, err)
	}
	if err != nil {
		return f.requestFailed(ctx, err)
	}
	base, _ := baseOf(res.Records)
	look := decoder{topic: f.topic, partition: f.partition}
	b, err := look.decode(res.Records, base, f.last.offset)
	switch {
	case len(b.messages) > 0 && b.messages[0].Fingerprint() == f.last.print:
		f.verify = false
		return nil
	case len(b.messages) > 0:
		return f.confirm(&StopError{Reason: ReasonRecreated, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"the message at offset %d is not the one read there before: the topic was created anew", f.last.offset)})
	case err != nil:
		return f.refuse(res, err)
	case res.HighWatermark <= f.last.offset:
		return f.markGone(ctx, errors.New("the log ends before the last message that was read"))
	}
	return fmt.Errorf("no message at offset %d yet", f.last.offset)
}

// markGone judges a log that does not hold the last message any more.
func (f *fetcher) markGone(ctx context.Context, cause error) error {
	f.metrics.retries.WithLabelValues("offset").Inc()
	first, end, err := f.cluster.bounds(ctx, f.topic, f.partition)
	switch {
	case err != nil:
		return f.requestFailed(ctx, err)
	case f.last.offset < first:
		// Retention took it, as it may; the position will be judged.
		f.verify = false
		return nil
	case f.last.offset >= end:
		return f.confirm(&StopError{Reason: ReasonBeyondEnd, Topic: f.topic, Partition: f.partition, Err: fmt.Errorf(
			"the log ends at offset %d but was read up to %d: the topic was created anew or has lost acknowledged messages", end, f.last.offset)})
	}
	return cause
}

// retry notes the trouble and waits.
func (f *fetcher) retry(ctx context.Context, err error) {
	f.failures++
	f.feed.troubled(f.epoch, err.Error())
	f.log.Log(ctx, loud(f.failures), "stream: fetch failed, will try again", "offset", f.position, "attempt", f.failures, "error", err)
	d := f.cfg.MinBackoff << min(f.failures-1, 16)
	if d <= 0 || d > f.cfg.MaxBackoff {
		d = f.cfg.MaxBackoff
	}
	sleep(ctx, d)
}

// watchdog rebuilds the client when there is something to read and nothing comes.
func (f *fetcher) watchdog() {
	if time.Since(f.progress) < f.cfg.StallTimeout {
		return
	}
	f.progress = time.Now()
	f.metrics.stalls.WithLabelValues(f.topic).Inc()
	f.log.Warn("stream: no progress, connecting anew", "offset", f.position)
	_, age := f.cluster.get()
	if err := f.cluster.rebuild(age); err != nil {
		f.log.Error("stream: connecting anew failed", "error", err)
	}
}
