package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"retorno/producers/producer"
)

// publishing sends the same messages through our producer and through a bare Writer of kafka-go, in turns, to topics
// of their own. Both wait for all replicas, hash keys by murmur2 and compress with lz4.
func (r *run) publishing(ctx context.Context) error {
	m, l, err := r.loaded(ctx)
	if err != nil {
		return err
	}
	topics := map[string]string{}
	for _, t := range factTopics {
		topics[t] = "publish." + t
	}
	if err := m.makeTopics(ctx, topics[factTopics[0]], topics[factTopics[1]]); err != nil {
		return err
	}
	own, bare := make([]producer.Message, len(l.messages)), make([]kafka.Message, len(l.messages))
	for i, e := range l.messages {
		own[i] = producer.Message{Topic: topics[e.Topic], Key: e.Key, Value: e.Value}
		bare[i] = kafka.Message{Topic: topics[e.Topic], Key: e.Key, Value: e.Value}
	}
	size, err := r.bestBatch(ctx, m, bare)
	if err != nil {
		return err
	}
	if _, err := ownWrite(ctx, m, own); err != nil { // the bare Writer has warmed up as well
		return err
	}
	var ratios, rates []float64
	for round := range r.cfg.Rounds {
		var took [2]time.Duration
		for i := range took {
			which := (i + round) % 2 // who begins changes
			if which == 0 {
				took[0], err = ownWrite(ctx, m, own)
			} else {
				took[1], err = bareWrite(ctx, m, bare, size)
			}
			if err != nil {
				return err
			}
		}
		rates = append(rates, float64(len(own))/took[0].Seconds())
		ratios = append(ratios, took[1].Seconds()/took[0].Seconds())
		r.say("round %d of %d: our producer %s, bare Writer %s", round+1, r.cfg.Rounds, took[0].Round(time.Millisecond), took[1].Round(time.Millisecond))
	}
	const method = "the same messages, %d in a call, RequireAll, lz4, murmur2; our producer with its default settings, kafka-go's Writer with the best BatchSize found (%d) and a BatchTimeout of 5 ms; both must have written every message"
	r.report.set("publish_ratio", "ratio", fmt.Sprintf(method, sendBatch, size), ratios)
	r.report.set("publish_events_per_second", "events/s", "our producer in the runs of publish_ratio", rates)
	return nil
}

// bestBatch is the size of batches with which the bare Writer is fastest.
func (r *run) bestBatch(ctx context.Context, m *machine, messages []kafka.Message) (best int, err error) {
	var least time.Duration
	for _, size := range []int{100, 1000, 10_000} {
		took, err := bareWrite(ctx, m, messages, size)
		if err != nil {
			return 0, err
		}
		if best == 0 || took < least {
			best, least = size, took
		}
	}
	return best, nil
}

func ownWrite(ctx context.Context, m *machine, messages []producer.Message) (time.Duration, error) {
	w, err := producer.New(m.producer())
	if err != nil {
		return 0, err
	}
	defer func() { _ = w.Close() }()
	return written(ctx, m, messages, func(some []producer.Message) error { return w.Write(ctx, some...) })
}

func bareWrite(ctx context.Context, m *machine, messages []kafka.Message, size int) (time.Duration, error) {
	w := &kafka.Writer{Addr: kafka.TCP(m.broker.Addr()), Balancer: kafka.Murmur2Balancer{Consistent: true}, RequiredAcks: kafka.RequireAll,
		Compression: kafka.Lz4, BatchSize: size, BatchBytes: 900_000, BatchTimeout: 5 * time.Millisecond}
	defer func() { _ = w.Close() }()
	return written(ctx, m, messages, func(some []kafka.Message) error { return w.WriteMessages(ctx, some...) })
}

// written times the writing of all messages and makes sure that the topics have grown by as many.
func written[M any](ctx context.Context, m *machine, messages []M, write func([]M) error) (time.Duration, error) {
	topics := []string{"publish." + factTopics[0], "publish." + factTopics[1]}
	before, err := m.ends(ctx, topics...)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for rest := messages; len(rest) > 0; {
		n := min(sendBatch, len(rest))
		if err := write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	took := time.Since(began)
	after, err := m.ends(ctx, topics...)
	if err == nil && after-before != int64(len(messages)) {
		err = fmt.Errorf("%d messages were written, and the topics have grown by %d", len(messages), after-before)
	}
	return took, err
}
