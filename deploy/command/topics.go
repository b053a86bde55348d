package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

// topics says which topics there are to be. None named means all three.
func (f *kafkaFlags) topics(client producer.Config, names ...string) producer.TopicsConfig {
	return producer.TopicsConfig{Topics: names, Partitions: f.Partitions, Replication: f.Replication, MinInsyncReplicas: f.MinInsync, Client: client}
}

// openWriter makes sure of the fact topics and returns a writer to them. The caller closes it.
func (f *kafkaFlags) openWriter(ctx context.Context, log *slog.Logger, registry prometheus.Registerer) (*producer.Writer, error) {
	cfg, err := f.producer(log, registry)
	if err != nil {
		return nil, err
	}
	// Dead letters are the consumers': a sender need not have the right to them.
	if err := f.ensureTopics(ctx, f.topics(cfg, factTopics...), registry); err != nil {
		return nil, err
	}
	writer, err := producer.New(cfg)
	if err != nil {
		return nil, Usage(err)
	}
	return writer, nil
}

// ensureTopics creates the topics where they are missing, refuses a cluster whose partition count is another, and judges
// how they are set, whichever program made them.
func (f *kafkaFlags) ensureTopics(ctx context.Context, topics producer.TopicsConfig, registry prometheus.Registerer) error {
	err := f.ask(ctx, func(ctx context.Context) error { return producer.EnsureTopics(ctx, f.Brokers, topics) })
	if err != nil {
		return err
	}
	return f.judgeTopics(ctx, topics, registry)
}

// ensureAgentTopics creates the topics by which agents tell of themselves. Records are counted without them, so that a
// cluster that refuses is warned of and no more.
func (f *kafkaFlags) ensureAgentTopics(ctx context.Context, client producer.Config) {
	topics := f.topics(client, producer.AgentTopics()...)
	if err := f.ask(ctx, func(ctx context.Context) error { return producer.EnsureTopics(ctx, f.Brokers, topics) }); err != nil {
		client.Logger.Warn("the topics of agents are not as they should be", "error", err)
	}
}

// checkTopics refuses a cluster without the topics, or with another partition count. It changes nothing.
func (f *kafkaFlags) checkTopics(ctx context.Context, cfg producer.Config) error {
	return f.ask(ctx, func(ctx context.Context) error { return producer.CheckTopics(ctx, f.Brokers, f.topics(cfg)) })
}

// judgeTopics refuses topics that would lose records, and warns of those that may: in the log and in a metric.
func (f *kafkaFlags) judgeTopics(ctx context.Context, topics producer.TopicsConfig, registry prometheus.Registerer) error {
	wrong, err := producer.NewTopicSettings(registry)
	if err != nil {
		return err
	}
	var findings []producer.Finding
	err = f.ask(ctx, func(ctx context.Context) (err error) {
		findings, err = producer.JudgeTopics(ctx, f.Brokers, topics)
		return err
	})
	wrong.Show(topics.Topics, findings)
	for _, finding := range findings {
		if !finding.Refuse {
			topics.Client.Logger.Warn(finding.String())
		}
	}
	if kafka.Refused(err) {
		topics.Client.Logger.Warn("how the topics are set cannot be judged: grant the user DESCRIBE_CONFIGS on them", "error", err)
		return nil
	}
	return err
}

// ask puts a question to the cluster and gives its failure an exit status and the way out. A cluster that is just
// starting, or a connection that is cut, is asked again for a while. Each request that a question makes has a limit of its
// own, so that a cluster that answers slowly may take what time it needs.
func (f *kafkaFlags) ask(ctx context.Context, question func(context.Context) error) error {
	began := time.Now()
	err := question(ctx)
	for try := 1; ctx.Err() == nil && passing(err, try) && time.Since(began) < reachTimeout; try++ {
		select {
		case <-ctx.Done():
			return f.answered(ctx, err)
		case <-time.After(200 * time.Millisecond):
		}
		if again := question(ctx); ctx.Err() == nil {
			err = again
		}
	}
	return f.answered(ctx, err)
}

// passing reports whether the failure of a question may be another one, or none, at the next attempt.
func passing(err error, try int) bool {
	var differs *producer.TopicsError
	var settings *producer.SettingsError
	var mismatch *kafka.MismatchError
	switch {
	case err == nil, errors.As(err, &differs), errors.As(err, &settings), producer.IsStop(err), kafka.Refused(err):
		return false
	case errors.As(err, &mismatch), errors.Is(err, syscall.ECONNREFUSED): // a broker that restarts looks alike, but not for long
		return try < 10
	}
	return true
}

func (f *kafkaFlags) answered(ctx context.Context, err error) error {
	at := strings.Join(f.Brokers, ", ")
	var differs *producer.TopicsError
	var settings *producer.SettingsError
	var mismatch *kafka.MismatchError
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case errors.As(err, &differs) && differs.Missing():
		return Missing(fmt.Errorf("%w; `%s consume` makes the topics", err, program))
	case errors.As(err, &differs):
		return Usage(fmt.Errorf("%w; the setting is --kafka-partitions", err))
	case errors.As(err, &settings):
		return Usage(err)
	case kafka.Refused(err):
		return Usage(fmt.Errorf("the Kafka cluster at %s refuses: %w (%s)", at, err, kafka.Advice(err)))
	case errors.As(err, &mismatch):
		return Usage(fmt.Errorf("%w; the settings are --kafka-brokers and --kafka-tls", err))
	case producer.IsStop(err):
		return Usage(err)
	default:
		return Missing(fmt.Errorf("no Kafka cluster answers at %s: %w; %sname it with --kafka-brokers", at, err, startOne))
	}
}
