package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// topicPatience is how long a broker may take until new topics have leaders.
const topicPatience = 30 * time.Second

// makeTopics makes topics with as many partitions as the fact topics have, and waits until they can be written.
func (m *machine) makeTopics(ctx context.Context, names ...string) error {
	client := &kafka.Client{Addr: kafka.TCP(m.broker.Addr())}
	request := &kafka.CreateTopicsRequest{}
	for _, name := range names {
		request.Topics = append(request.Topics, kafka.TopicConfig{Topic: name, NumPartitions: m.cfg.Partitions, ReplicationFactor: 1})
	}
	response, err := client.CreateTopics(ctx, request)
	if err != nil {
		return err
	}
	for name, err := range response.Errors {
		if err != nil {
			return fmt.Errorf("make topic %s: %w", name, err)
		}
	}
	return await(ctx, "leaders of new topics", topicPatience, func() (bool, error) {
		_, err := m.ends(ctx, names...)
		var kafkaError kafka.Error
		if errors.As(err, &kafkaError) && kafkaError.Temporary() {
			return false, nil
		}
		return err == nil, err
	})
}

// removeTopics removes every topic but Kafka's own, and waits until they are gone.
func (m *machine) removeTopics(ctx context.Context) error {
	return await(ctx, "remove the topics", topicPatience, func() (bool, error) {
		client := &kafka.Client{Addr: kafka.TCP(m.broker.Addr()), Transport: &kafka.Transport{}} // one that remembers nothing
		cluster, err := client.Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return false, err
		}
		var names []string
		for _, t := range cluster.Topics {
			if !t.Internal {
				names = append(names, t.Name)
			}
		}
		if len(names) == 0 {
			return true, nil
		}
		_, err = client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: names}) // what is being removed already is refused
		return false, err
	})
}

// ends is the sum of the offsets at the ends of topics.
func (m *machine) ends(ctx context.Context, topics ...string) (sum int64, err error) {
	client := &kafka.Client{Addr: kafka.TCP(m.broker.Addr())}
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	for _, t := range topics {
		for p := range m.cfg.Partitions {
			request.Topics[t] = append(request.Topics[t], kafka.LastOffsetOf(p))
		}
	}
	response, err := client.ListOffsets(ctx, request)
	if err != nil {
		return 0, err
	}
	for _, partitions := range response.Topics {
		for _, p := range partitions {
			if p.Error != nil {
				return 0, p.Error
			}
			sum += p.LastOffset
		}
	}
	return sum, nil
}
