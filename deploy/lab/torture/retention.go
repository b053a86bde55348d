package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/register"
	"retorno/producers/producer"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// Retention (F28) is a run of its own, because it stops a partition by design: records that were not counted are
// deleted. The partition must stop where it is, say so, and wait for a decision; all others must go on.
const Retention Kind = "retention"

// retain counts the first half of the register, ends the consumers, sends the second half, deletes some of it in one
// partition, and starts the consumers again.
func (r *run) retain(ctx context.Context) error {
	half := r.made.Counts().Events / 2
	if err := r.send(ctx, 0, half); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	for _, c := range r.machine.consumers {
		if err := c.end(syscall.SIGTERM); err != nil {
			return err
		}
	}
	counted, err := r.machine.ends(ctx)
	if err != nil {
		return err
	}
	if err := r.send(ctx, half, r.made.Counts().Events); err != nil {
		return err
	}
	ends, err := r.machine.ends(ctx)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(r.cfg.Seed, 28))
	hit := kafka.TopicPartition{Topic: events.TopicCentre, Partition: rnd.IntN(r.cfg.Partitions)}
	before := counted[hit] + 1 + rnd.Int64N(max(1, ends[hit]-counted[hit]-1))
	r.say("retention: %s, partition %d: counted to %d of %d, deleted before %d", hit.Topic, hit.Partition, counted[hit], ends[hit], before)
	if err := r.machine.deleteRecords(ctx, hit, before); err != nil {
		return err
	}
	r.report.Faults[Retention]++
	for _, c := range r.machine.consumers {
		c.start()
	}
	return r.judgeRetention(ctx, hit, counted, ends)
}

// judgeRetention asks whether the partition stopped, and nothing else did.
func (r *run) judgeRetention(ctx context.Context, hit kafka.TopicPartition, counted, ends map[kafka.TopicPartition]int64) error {
	s, err := r.machine.store()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	others := map[kafka.TopicPartition]int64{}
	for p, end := range ends {
		if p.Partition != hit.Partition {
			others[p] = end
		}
	}
	if err := awaitAccounts(ctx, s, others, r.cfg.Patience); err != nil {
		return fmt.Errorf("the other partitions: %w", err)
	}
	stopped := Oracle{Name: "the partition stops and says why", Asked: fmt.Sprintf("retorno_stream_stopped of partition %d", hit.Partition)}
	said := func() bool {
		for _, c := range r.machine.consumers {
			if addr := c.address(); addr != "" && stoppedFor(ctx, addr, hit.Partition, "retention") {
				return true
			}
		}
		return false
	}
	if err := waitFor(ctx, r.cfg.Patience, said); err != nil {
		stopped.Faults = append(stopped.Faults, fmt.Sprintf("no consumer says so: %v", err))
	}
	passed := Oracle{Name: "nothing is passed over", Asked: fmt.Sprintf("the ledger of %s, partition %d", hit.Topic, hit.Partition)}
	positions, err := s.Positions(ctx, hit.Partition)
	if err != nil {
		return err
	}
	for _, p := range positions {
		if p.Topic == hit.Topic && p.NextOffset != counted[hit] {
			passed.Faults = append(passed.Faults, fmt.Sprintf("it stands at %d, and was to stay at %d", p.NextOffset, counted[hit]))
		}
	}
	verifier, err := r.askVerifier(ctx, s)
	if err != nil {
		return err
	}
	ledger, err := r.askRuns(ctx, s)
	if err != nil {
		return err
	}
	r.report.Accounts, err = s.Accounted(ctx)
	r.report.Oracles = []Oracle{stopped, passed, ledger, verifier}
	r.report.Settled = time.Since(r.began)
	return err
}

// askRuns asks whether the ledger's runs follow one another, wherever they end.
func (r *run) askRuns(ctx context.Context, s *store.Store) (Oracle, error) {
	o := Oracle{Name: "accounts without gap or overlap"}
	at, n, err := runsOf(ctx, s, &o)
	o.Asked = fmt.Sprintf("%d runs in %d partitions", n, len(at))
	return o, err
}

// send sends the events of the register from one number up to another, those of the topics that are named, or all.
func (r *run) send(ctx context.Context, from, until int, topics ...string) error {
	r.report.producer = prometheus.NewRegistry() // of this writer
	writer, err := r.machine.writer(r.report.producer)
	if err != nil {
		return err
	}
	var batch []producer.Message
	n := 0
	err = r.made.Events(func(e register.Event) error {
		if n++; n <= from || n > until || len(topics) > 0 && !slices.Contains(topics, e.Topic) {
			return nil
		}
		batch = append(batch, producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		return nil
	})
	if err == nil {
		err = writer.Write(ctx, batch...)
	}
	return errors.Join(err, writer.Close())
}

func (m *machine) deleteRecords(ctx context.Context, p kafka.TopicPartition, before int64) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(m.toKafka.Addr()))
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis = 10_000
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = p.Topic
	partition := kmsg.NewDeleteRecordsRequestTopicPartition()
	partition.Partition, partition.Offset = int32(p.Partition), before
	topic.Partitions = append(topic.Partitions, partition)
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("delete records: %w", err)
	}
	return kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
}
