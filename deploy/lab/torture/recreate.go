package torture

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/consumers/counting/verify"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

// Recreate (F29) is a run of its own, because it stops partitions by design: a topic is deleted and made again, while
// consumers read it or, with an odd seed, while there are none. A consumer that goes on where the old one was read must stop, say
// so, and change nothing that was counted.
const Recreate Kind = "recreate"

// ownForm are the kinds that make runs of another form, each by itself.
var ownForm = []Kind{Retention, Recreate}

// form is the kind that makes this run one of another form; empty: an ordinary run.
func (c Config) form() Kind {
	if len(c.Faults) == 1 && slices.Contains(ownForm, c.Faults[0]) {
		return c.Faults[0]
	}
	return ""
}

// recreate counts the first half of the register and makes one topic again. The second half of that topic's events goes into
// the new one at once; that of the other topic follows when all have stopped. While there are no consumers the first half
// goes there too, so that the new one reaches everywhere beyond where the old one was read.
func (r *run) recreate(ctx context.Context) error {
	total := r.made.Counts().Events
	if err := r.send(ctx, 0, total/2); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	counted, err := r.machine.ends(ctx)
	if err != nil {
		return err
	}
	s, err := r.machine.store()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	before, err := fingerprints(ctx, s)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(r.cfg.Seed, 29))
	hit := rnd.IntN(len(factTopics))
	topic, other := factTopics[hit], factTopics[1-hit]
	r.say("recreate: %s is deleted and made again after everything so far was counted", topic)
	from, away := total/2, []*consumer(nil)
	if r.cfg.Seed%2 == 1 {
		from, away = 0, r.machine.consumers
		for _, c := range away {
			if err := c.end(syscall.SIGTERM); err != nil {
				return err
			}
		}
	}
	if err := r.machine.makeAnew(ctx, topic); err != nil {
		return err
	}
	r.report.Faults[Recreate]++
	if err := r.send(ctx, from, total, topic); err != nil {
		return err
	}
	for _, c := range away {
		c.start()
	}
	stopped := r.askStops(ctx, topic, counted)
	if err := r.send(ctx, total/2, total, other); err != nil {
		return err
	}
	return r.judgeRecreate(ctx, s, stopped, before)
}

// askStops asks whether each partition that was read of the topic stops and says why, and whether its consumer is no
// longer ready. Which reason is found depends on how far the new topic was when it was looked at.
func (r *run) askStops(ctx context.Context, topic string, counted map[kafka.TopicPartition]int64) Oracle {
	o := Oracle{Name: "the partitions stop and say why"}
	why := map[string]int{}
	n := 0
	for p := range r.cfg.Partitions {
		if counted[kafka.TopicPartition{Topic: topic, Partition: p}] == 0 {
			continue // nothing was read that could be another one now
		}
		n++
		var reason string
		var by *consumer
		err := waitFor(ctx, r.cfg.Patience, func() bool { reason, by = r.stopOf(ctx, p); return by != nil })
		if err != nil {
			o.Faults = append(o.Faults, fmt.Sprintf("partition %d: no consumer says that it stopped: %v", p, err))
			continue
		}
		why[reason]++
		if err := waitFor(ctx, r.cfg.Patience, func() bool { return unready(ctx, by.address()) }); err != nil {
			o.Faults = append(o.Faults, fmt.Sprintf("partition %d: /readyz of %s says that all is well: %v", p, by.name, err))
		}
	}
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		reasons = append(reasons, fmt.Sprintf("%s %d", reason, why[reason]))
	}
	o.Asked = fmt.Sprintf("retorno_stream_stopped and /readyz for %d partitions of %s: %s", n, topic, strings.Join(reasons, ", "))
	return o
}

// stopOf is who shows a partition as stopped by another log, and for which reason; nil: none does.
func (r *run) stopOf(ctx context.Context, partition int) (string, *consumer) {
	for _, c := range r.machine.consumers {
		for _, reason := range []string{stream.ReasonRecreated, stream.ReasonBeyondEnd} {
			if addr := c.address(); addr != "" && stoppedFor(ctx, addr, partition, reason) {
				return reason, c
			}
		}
	}
	return "", nil
}

// unready reports whether a process says that it is not ready.
func unready(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusServiceUnavailable
}

// judgeRecreate asks whether everything that was counted still is, with all that was sent since left alone. The facts
// cannot be held against a log that no longer exists, so the verifier counts from ClickHouse.
func (r *run) judgeRecreate(ctx context.Context, s *store.Store, stopped Oracle, before map[string]string) error {
	ledger, err := r.askRuns(ctx, s)
	if err != nil {
		return err
	}
	verifier := Oracle{Name: "the verifier, from ClickHouse alone"}
	pass, err := verify.Once(ctx, s.Conn())
	if err != nil {
		return err
	}
	verifier.add(pass)
	after, err := fingerprints(ctx, s)
	if err != nil {
		return err
	}
	same := Oracle{Name: "what was counted does not change", Asked: fmt.Sprintf("checksums of %d tables", len(before))}
	for _, t := range replayed {
		if before[t.table] != after[t.table] {
			same.Faults = append(same.Faults, fmt.Sprintf("%s: %s, and was %s", t.table, after[t.table], before[t.table]))
		}
	}
	r.report.Accounts, err = s.Accounted(ctx)
	r.report.Oracles = []Oracle{stopped, same, ledger, verifier}
	r.report.Settled = time.Since(r.began)
	return err
}

// fingerprints are the checksums and numbers of rows of the tables that a replay gives again.
func fingerprints(ctx context.Context, s *store.Store) (map[string]string, error) {
	all := map[string]string{}
	for _, t := range replayed {
		sum, n, err := fingerprint(ctx, s, t.rows)
		if err != nil {
			return nil, err
		}
		all[t.table] = fmt.Sprintf("%d rows, checksum %016x", n, sum)
	}
	return all, nil
}

// makeAnew deletes a topic and makes it again with as many partitions.
func (m *machine) makeAnew(ctx context.Context, topic string) error {
	brokers := []string{m.toKafka.Addr()}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.TimeoutMillis, request.TopicNames = 10_000, []string{topic}
	named := kmsg.NewDeleteTopicsRequestTopic()
	named.Topic = kmsg.StringPtr(topic)
	request.Topics = append(request.Topics, named)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("delete %s: %w", topic, err)
	}
	if err := kerr.ErrorForCode(response.Topics[0].ErrorCode); err != nil {
		return fmt.Errorf("delete %s: %w", topic, err)
	}
	return producer.EnsureTopics(ctx, brokers, producer.TopicsConfig{Partitions: m.cfg.Partitions, Client: producer.Config{Brokers: brokers}})
}
