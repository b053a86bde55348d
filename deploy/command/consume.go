package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/heartbeats"
	"retorno/consumers/counting/processor"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/deploy/ops"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// factTopics are the co-partitioned topics that facts come on.
var factTopics = []string{events.TopicCheckpoint, events.TopicCentre}

// countFlags say how the consumer works.
type countFlags struct {
	Group        string        `default:"retorno" placeholder:"NAME" help:"Consumer group; its members share the partitions."`
	FlushEvery   time.Duration `default:"200ms" help:"How long a record may wait for others before it is written."`
	FlushRecords int           `default:"50000" help:"How many records are written at once at most."`
	LeaveWithin  time.Duration `default:"5s" help:"How long it may take to write what has been read before a partition goes to another process, or this one ends; what is not written by then is read again. Never more than a third of the rebalance timeout."`

	StallAfter time.Duration `default:"2m" help:"How long a partition may give no sign of life before this process logs where it hangs and ends with status 1, for its supervisor to start it again; waiting for ClickHouse or Kafka is a sign of life."`

	SessionTimeout   time.Duration `name:"kafka-session-timeout" default:"30s" help:"How long the group waits for a sign of life before it gives this process's partitions to others."`
	RebalanceTimeout time.Duration `name:"kafka-rebalance-timeout" default:"60s" help:"How long the group waits for this process when it divides the partitions again."`
	FailAfter        time.Duration `name:"kafka-fail-after" default:"1m" help:"How long a partition may not be fetched before it is shown as stopped, with the reason; it goes on by itself when the cause has gone."`
}

type consumeCommand struct {
	Kafka      kafkaFlags      `embed:"" prefix:"kafka-"`
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	countFlags
	failpoints
	OpsListen string `default:"127.0.0.1:9465" placeholder:"HOST:PORT" help:"Where /metrics, /healthz and /readyz are."`

	CPUProfile string `name:"cpuprofile" hidden:"" per:"call" placeholder:"FILE" help:"Write a CPU profile of this process there when it ends."`
}

// Help is the longer text of --help.
func (consumeCommand) Help() string {
	return helpText("Reads the events from Kafka, reconciles each person's facts into returns, and writes facts, returns, counts and the ledger to ClickHouse. Any number of these processes share the partitions; they may be killed, stopped and added at any time. The position comes from the ledger in ClickHouse. /readyz answers 200 when all that is in this process's partitions has been counted, and says what is missing until then; the partitions of a process that died are shared out again after --kafka-session-timeout. /healthz answers 503 when a partition hangs.",
		"retorno consume", "retorno consume --kafka-brokers=kafka-1:9092 --clickhouse-addr=db:9000 --ops-listen=127.0.0.1:9466")
}

// Run counts until it is told to end.
func (c *consumeCommand) Run(ctx context.Context, t *terminal) error {
	registry := ops.NewRegistry(version, "consume")
	settings, err := c.Kafka.producer(t.Log, nil)
	if err != nil {
		return err
	}
	if err := c.Kafka.ensureTopics(ctx, c.Kafka.topics(settings), registry); err != nil {
		return err
	}
	c.Kafka.ensureAgentTopics(ctx, settings)
	c.ClickHouse.inserted = c.failpoints.hook()
	s, err := c.ClickHouse.openSchema(ctx, t.Log, registry)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := warnOfZone(ctx, s, t.Log); err != nil {
		return err
	}
	registry.MustRegister(certificates(&c.Kafka, &c.ClickHouse))
	server := ops.New(registry)
	listener, _, err := ops.Listen(c.OpsListen, false)
	if err != nil {
		return Missing(err)
	}
	read, err := c.Kafka.consumer(t.Log, registry)
	if err != nil {
		return err
	}
	counting, err := newCounting(c.countFlags, read, s, t.Log, registry)
	if err != nil {
		return err
	}
	server.Ready("counting", counting.ready)
	server.Healthy("counting", counting.alive)
	return profiled(c.CPUProfile, func() error { return ops.Run(ctx, t.Log, []ops.Part{server.Part(listener), counting.part()}) })
}

// counting is the consumer process: group, counter, dead letters, and the heartbeats of agents.
type counting struct {
	reader  *stream.Consumer
	counter *processor.Processor
	letters *deadletter.Writer
	beats   *heartbeats.Taker
	log     *slog.Logger
}

func newCounting(flags countFlags, read stream.Config, s *store.Store, log *slog.Logger, registry prometheus.Registerer) (*counting, error) {
	read.Group, read.Topics = flags.Group, factTopics
	read.SessionTimeout, read.RebalanceTimeout = flags.SessionTimeout, flags.RebalanceTimeout
	read.FailAfter = flags.FailAfter
	letters, err := deadletter.New(deadletter.Config{Brokers: read.Brokers, TLS: read.TLS, SASL: read.SASL, RequestTimeout: read.RequestTimeout,
		Registerer: registry, Logger: log})
	if err != nil {
		return nil, Usage(err)
	}
	counter, err := processor.New(processor.Config{Store: s, DeadLetters: letters, Topics: factTopics, Partitions: read.Partitions,
		FlushEvery: flags.FlushEvery, FlushRecords: flags.FlushRecords, LeaveWithin: min(flags.LeaveWithin, flags.RebalanceTimeout/3), StallAfter: flags.StallAfter, Name: processName(), Logger: log, Registerer: registry})
	if err != nil {
		return nil, Usage(err)
	}
	read.Assigned = counter.Assigned
	reader, err := stream.New(read)
	if err != nil {
		return nil, Usage(err)
	}
	beats, err := heartbeats.New(heartbeats.Config{Access: kafka.Access{Brokers: read.Brokers, TLS: read.TLS, SASL: read.SASL}, Conn: s.Conn(), Logger: log, Registerer: registry})
	if err != nil {
		return nil, Usage(err)
	}
	return &counting{reader: reader, counter: counter, letters: letters, beats: beats, log: log}, nil
}

// processName tells this process from the others in the ledger.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

func (c *counting) part() ops.Part {
	return ops.Part{
		Name: "consumer",
		Run:  c.run,
		Stop: func(context.Context) error { return c.letters.Close() },
	}
}

// readyGrace is how long ago the end of a partition may have been reached: arrivals without pause are always a flush
// behind.
const readyGrace = 5 * time.Second

// ready answers nil when this process has its share of the partitions and has counted all that is in them.
func (c *counting) ready(context.Context) error { return c.caughtUp(readyGrace) }

func (c *counting) caughtUp(grace time.Duration) error {
	status := c.reader.Status()
	if !status.Member {
		return fmt.Errorf("not a member of the group: %s", status.Problem)
	}
	var why []string
	for _, s := range status.Shards {
		if s.Stopped != "" {
			why = append(why, fmt.Sprintf("partition %d is stopped: %v", s.Partition, s.Err))
			continue
		}
		why = append(why, unread(s, grace)...)
	}
	if caughtUp, behind := c.counter.CaughtUp(grace); !caughtUp {
		why = append(why, behind...)
	}
	if len(why) > 0 {
		return errors.New(strings.Join(why, "; "))
	}
	return nil
}

// unread says which topics of a partition cannot be read at present; a failure that has just begun may pass by itself.
func unread(s stream.ShardStatus, grace time.Duration) (why []string) {
	for _, t := range s.Topics {
		switch {
		case t.Trouble == "", !t.FailingSince.IsZero() && time.Since(t.FailingSince) < grace:
		case !t.FailingSince.IsZero():
			why = append(why, fmt.Sprintf("partition %d of %s has not been fetched since %s: %s", s.Partition, t.Topic,
				t.FailingSince.UTC().Format(time.RFC3339), t.Trouble))
		default:
			why = append(why, fmt.Sprintf("partition %d of %s: %s", s.Partition, t.Topic, t.Trouble))
		}
	}
	return why
}
