package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
)

// Reasons for which a shard stops; also the values of the metric's label.
const (
	// A decision is to be recorded about these.
	ReasonRetention      = "retention"       // the log begins after the position
	ReasonBeyondEnd      = "beyond_end"      // the log ends before the position
	ReasonRecreated      = "recreated"       // the topic is not the one read before
	ReasonGap            = "gap"             // offsets are missing inside the log
	ReasonPartitionCount = "partition_count" // partitions were added
	ReasonAssignment     = "assignment"      // the topics' partitions do not match
	ReasonTopicMissing   = "topic_missing"
	ReasonConsumer       = "consumer" // the caller's own error

	// These go by themselves once their cause is mended: fetching has failed for Config.FailAfter.
	ReasonAuth        = "authentication" // the broker refuses the login, or the rights are missing
	ReasonUnreachable = "unreachable"    // the leader of the partition does not answer
	ReasonRefused     = "refused"        // the broker answers with another error each time
	ReasonDamaged     = "damaged"        // the batch at the position does not match its checksum, or no answer holds together
	ReasonFormat      = "message_format" // the batch at the position is of a format that is not read
	ReasonTooLarge    = "too_large"      // the answer is larger than what is accepted
)

var reasons = []string{ReasonRetention, ReasonBeyondEnd, ReasonRecreated, ReasonGap, ReasonPartitionCount, ReasonAssignment, ReasonTopicMissing,
	ReasonConsumer, ReasonAuth, ReasonUnreachable, ReasonRefused, ReasonDamaged, ReasonFormat, ReasonTooLarge}

// StopError is a failure that another attempt does not mend. The shard stays where it is until its cause has gone or a
// decision has been recorded.
type StopError struct {
	Reason    string
	Topic     string // empty when it concerns no single topic
	Partition int    // negative when it concerns all
	Err       error
}

func (e *StopError) Error() string {
	switch {
	case e.Topic == "":
		return fmt.Sprintf("stream: %v", e.Err)
	case e.Partition < 0:
		return fmt.Sprintf("stream: topic %s: %v", e.Topic, e.Err)
	}
	return fmt.Sprintf("stream: topic %s, partition %d: %v", e.Topic, e.Partition, e.Err)
}

func (e *StopError) Unwrap() error { return e.Err }

// StopReason returns the reason, which makes the error a stop error.
func (e *StopError) StopReason() string { return e.Reason }

// Stop makes err a stop error of the caller's own.
func Stop(err error) error {
	return &StopError{Reason: ReasonConsumer, Partition: -1, Err: err}
}

// GapError says that messages between the position and what the log holds are
// gone. It is a stop error.
type GapError struct {
	Reason    string // ReasonRetention or ReasonGap
	Topic     string
	Partition int
	Position  int64 // the offset wanted
	Found     int64 // the next offset that exists
}

func (e *GapError) Error() string {
	why := "offsets are missing inside the log, as after compaction"
	if e.Reason == ReasonRetention {
		why = "the log begins later: retention or a deletion of records has overrun this consumer"
	}
	return fmt.Sprintf("stream: topic %s, partition %d: offsets %d to %d cannot be read: %s; decide and record what to do about them",
		e.Topic, e.Partition, e.Position, e.Found-1, why)
}

// StopReason returns the reason, which makes the error a stop error.
func (e *GapError) StopReason() string { return e.Reason }

// IsStop reports whether err, or one that it wraps, is a stop error.
func IsStop(err error) bool {
	_, ok := stopReason(err)
	return ok
}

// stopReason returns the bounded reason of a stop error.
func stopReason(err error) (string, bool) {
	var s interface {
		error
		StopReason() string
	}
	if !errors.As(err, &s) {
		return "", false
	}
	if r := s.StopReason(); slices.Contains(reasons, r) {
		return r, true
	}
	return ReasonConsumer, true
}

// lasting is the stop that a failure of fetching becomes when it lasts: its reason, and what to look at.
func lasting(err error) (reason, look string) {
	var code kafkago.Error
	var large *kafka.SizeError
	var mismatch *kafka.MismatchError
	switch {
	case kafka.Refused(err):
		return ReasonAuth, kafka.Advice(err)
	case errors.As(err, &mismatch):
		return ReasonUnreachable, "check the port and whether it speaks TLS"
	case errors.As(err, &large):
		return ReasonTooLarge, "a batch, or an answer that is none; the topic's max.message.bytes says how large one may be"
	case errors.Is(err, errFormat):
		return ReasonFormat, "have the records written again by a producer of this age, or record that they are left out"
	case errors.Is(err, kafka.ErrCorrupt):
		return ReasonDamaged, "the brokers' disks and network; a replica may hold the batch whole: have it lead the partition"
	case errors.Is(err, kafkago.LeaderNotAvailable), !errors.As(err, &code) && isNetwork(err):
		return ReasonUnreachable, "whether the broker that leads this partition can be reached from here"
	}
	return ReasonRefused, "the broker's own log"
}

// isNetwork reports whether err comes from connecting or from a connection, and not from what was said over it.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}
