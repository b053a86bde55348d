package stream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Reasons for which a shard stops; also the values of the metric's label.
const (
	ReasonRetention      = "retention"       // the log begins after the position
	ReasonBeyondEnd      = "beyond_end"      // the log ends before the position
	ReasonRecreated      = "recreated"       // the topic is not the one read before
	ReasonGap            = "gap"             // offsets are missing inside the log
	ReasonControl        = "control_record"  // a transactional producer wrote here
	ReasonPartitionCount = "partition_count" // partitions were added
	ReasonAssignment     = "assignment"      // the topics' partitions do not match
	ReasonTopicMissing   = "topic_missing"
	ReasonAuth           = "authentication"
	ReasonConsumer       = "consumer" // the caller's own error
)

// StopError is a failure that time does not mend. The shard stays where it is
// until a decision has been recorded.
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
	Reason    string // ReasonRetention, ReasonGap or ReasonControl
	Topic     string
	Partition int
	Position  int64 // the offset wanted
	Found     int64 // the next offset that exists
}

func (e *GapError) Error() string {
	why := "offsets are missing inside the log"
	switch e.Reason {
	case ReasonRetention:
		why = "the log begins later: retention or a deletion of records has overrun this consumer"
	case ReasonControl:
		why = "a transactional producer has written control records here, which this topic must not hold"
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
	switch r := s.StopReason(); r {
	case ReasonRetention, ReasonBeyondEnd, ReasonRecreated, ReasonGap, ReasonControl, ReasonPartitionCount,
		ReasonAssignment, ReasonTopicMissing, ReasonAuth:
		return r, true
	}
	return ReasonConsumer, true
}

// isAuth reports whether the broker refused who we are or what we may do.
func isAuth(err error) bool {
	for _, e := range []kafka.Error{
		kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState,
		kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &unknown) || errors.As(err, &host)
}

// isTopicMissing reports whether the broker, or our view of the cluster, does
// not know the topic or the partition.
func isTopicMissing(err error) bool {
	return errors.Is(err, kafka.UnknownTopicOrPartition) || errors.Is(err, kafka.UnknownTopicID) ||
		errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition)
}

// isCorrupt reports whether err comes from reading an answer, and not from the
// network, the broker or our own deadline.
func isCorrupt(err error) bool {
	var code kafka.Error
	var network net.Error
	var topic *protocol.TopicError
	var partition *protocol.TopicPartitionError
	switch {
	case errors.Is(err, kafka.InvalidMessage):
		return true
	case errors.As(err, &code), errors.As(err, &network), errors.As(err, &topic), errors.As(err, &partition),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return true
}
