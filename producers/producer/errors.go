package producer

import (
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"retorno/schemas/kafka"
)

// Reasons of a stop error; also the values of the metric's label.
const (
	ReasonTopic      = "topic_missing"
	ReasonPartitions = "partition_count"
	ReasonTooLarge   = "too_large"
	ReasonAuth       = "authentication"
	ReasonConfig     = "configuration"
)

var reasons = []string{ReasonTopic, ReasonPartitions, ReasonTooLarge, ReasonAuth, ReasonConfig}

// StopError is an error that trying again does not mend.
type StopError struct {
	Reason string
	Topic  string
	Err    error
}

func (e *StopError) Error() string {
	if e.Topic == "" {
		return fmt.Sprintf("publish: %v", e.Err)
	}
	return fmt.Sprintf("publish: topic %s: %v", e.Topic, e.Err)
}

func (e *StopError) Unwrap() error { return e.Err }

// IsStop reports whether err is one that trying again does not mend.
func IsStop(err error) bool {
	var stop *StopError
	return errors.As(err, &stop)
}

// classify turns a broker's or the network's error into a stop error, or
// returns it as one to retry.
func (w *Writer) classify(tp kafka.TopicPartition, b *batch, err error) error {
	if refused := w.logins.judge(tp.Topic, err); refused != nil {
		return refused
	}
	stop := func(reason string, err error) error { return &StopError{Reason: reason, Topic: tp.Topic, Err: err} }
	switch {
	case kafka.TooLarge(err):
		return stop(ReasonTooLarge, fmt.Errorf("%d bytes in %d messages: %w; max.message.bytes of the topic allows less", b.bytes, b.n, err))
	case errors.Is(err, kafkago.InvalidTopic), errors.Is(err, kafkago.InvalidRequiredAcks), errors.Is(err, kafkago.PolicyViolation),
		errors.Is(err, kafkago.InvalidTimestamp), errors.Is(err, kafkago.InvalidRecord), errors.Is(err, kafkago.UnsupportedForMessageFormat):
		return stop(ReasonConfig, err)
	}
	// Anything else may come of a view of the cluster that is out of date.
	w.topics.refresh()
	if isTopicMissing(err) {
		return w.topics.missing(w.ctx, tp.Topic, err)
	}
	return err
}

// isTopicMissing reports whether the broker, or our view of the cluster, does
// not know the topic or the partition.
func isTopicMissing(err error) bool {
	return errors.Is(err, kafkago.UnknownTopicOrPartition) ||
		errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition)
}
