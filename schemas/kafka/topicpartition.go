package kafka

import (
	"fmt"
	"strconv"
	"strings"
)

// TopicPartition names one partition of one topic.
type TopicPartition struct {
	Topic     string
	Partition int
}

func (p TopicPartition) String() string {
	return fmt.Sprintf("%s, partition %d", p.Topic, p.Partition)
}

// MarshalText writes TOPIC/PARTITION, as keys of JSON objects need it.
func (p TopicPartition) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s/%d", p.Topic, p.Partition), nil
}

// UnmarshalText reads what MarshalText writes. The error is for a partition that is no number.
func (p *TopicPartition) UnmarshalText(text []byte) (err error) {
	topic, partition, _ := strings.Cut(string(text), "/")
	p.Topic = topic
	p.Partition, err = strconv.Atoi(partition)
	return err
}
