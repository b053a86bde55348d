package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"retorno/schemas/kafka"
	"retorno/schemas/kafka/compression"
)

const (
	// fetchBytes is how much one answer brings; a larger first batch comes whole all the same.
	fetchBytes = 4 << 20
	maxWait    = 500 * time.Millisecond

	readCommitted = 1

	// Times that a broker understands as the first offset of a log and the one after its last.
	earliest, latest = -2, -1
)

var errOther = errors.New("the answer is about something else")

// options are the client's settings. The error is for settings that cannot work.
func options(cfg Config) ([]kgo.Opt, error) {
	access := kafka.Access{Brokers: cfg.Brokers, TLS: cfg.TLS, SASL: cfg.SASL, Silence: cfg.RequestTimeout}
	if err := access.Validate(); err != nil {
		return nil, err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...),
		kgo.ClientID("retorno-verify"),
		kgo.Dialer(access.DialUnguarded),
		kgo.RequestTimeoutOverhead(cfg.RequestTimeout),
		kgo.RequestRetries(len(cfg.Brokers)), // each is asked
		kgo.RetryBackoffFn(func(int) time.Duration { return firstPause }),
		kgo.BrokerMaxReadBytes(kafka.MaxFetchAnswer),
		kgo.MaxDecompressBatchBytes(compression.Limit),
		kgo.DisableClientMetrics(),
	}
	if cfg.SASL != nil {
		options = append(options, kgo.SASL(login(cfg.SASL)))
	}
	return options, kgo.ValidateOpts(options...)
}

// login proves who we are, with the password as it is at that moment.
func login(s *kafka.SASL) sasl.Mechanism {
	scrams := func(context.Context) (scram.Auth, error) {
		password, err := s.ReadPassword()
		return scram.Auth{User: s.User, Pass: password}, err
	}
	switch s.Mechanism {
	case "SCRAM-SHA-256":
		return scram.Sha256(scrams)
	case "SCRAM-SHA-512":
		return scram.Sha512(scrams)
	}
	return plain.Plain(func(context.Context) (plain.Auth, error) {
		password, err := s.ReadPassword()
		return plain.Auth{User: s.User, Pass: password}, err
	})
}

// pauses ends a client that a broker has told to pause for longer than it may be silent. No checksum covers an answer's
// field that says so, and the client would wait for days.
type pauses struct {
	limit  time.Duration
	client *kgo.Client
}

// OnNewClient implements kgo.HookNewClient.
func (p *pauses) OnNewClient(c *kgo.Client) { p.client = c }

// OnBrokerThrottle implements kgo.HookBrokerThrottle.
func (p *pauses) OnBrokerThrottle(_ kgo.BrokerMetadata, pause time.Duration, _ bool) {
	if pause > p.limit {
		go p.client.Close() // it waits for the caller of this
	}
}

// buffer is memory into which batches decompress, one after the other. It implements kgo.PoolDecompressBytes.
type buffer []byte

func (b *buffer) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte { return *b }

func (b *buffer) PutDecompressBytes([]byte) {} // it was never taken away

// connect makes a client, which connects when it is asked something.
func (l *Log) connect() error {
	if l.client != nil {
		return nil
	}
	client, err := kgo.NewClient(append(l.options, kgo.WithHooks(&pauses{limit: l.limit}), kgo.WithPools(&l.room))...)
	if err != nil {
		return err
	}
	l.client = client
	l.codecs = client.OptValue(kgo.WithDecompressor).(kgo.Decompressor) // the client's own, which has its bound
	return nil
}

// findLeader asks who leads the partition.
func (l *Log) findLeader(ctx context.Context) error {
	if err := l.connect(); err != nil || l.leader != nil {
		return err
	}
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(l.topic)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return err
	}
	if len(res.Topics) != 1 || res.Topics[0].Topic == nil || *res.Topics[0].Topic != l.topic {
		return errOther
	}
	t := res.Topics[0]
	if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
		return err
	}
	for _, p := range t.Partitions {
		if p.Partition != l.partition {
			continue
		}
		if p.Leader < 0 {
			return kerr.LeaderNotAvailable
		}
		l.leader, l.id = l.client.Broker(int(p.Leader)), t.TopicID
		return nil
	}
	return kerr.UnknownTopicOrPartition
}

func (l *Log) bounds(ctx context.Context) (first, end int64, err error) {
	if first, err = l.offsetAt(ctx, earliest); err == nil {
		end, err = l.offsetAt(ctx, latest)
	}
	return first, end, err
}

func (l *Log) offsetAt(ctx context.Context, timestamp int64) (int64, error) {
	if err := l.connect(); err != nil {
		return 0, err
	}
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Partition, partition.Timestamp = l.partition, timestamp
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic, topic.Partitions = l.topic, append(topic.Partitions, partition)
	req := kmsg.NewPtrListOffsetsRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(ctx, l.client) // which finds the leader
	if err != nil {
		return 0, err
	}
	if len(res.Topics) != 1 || res.Topics[0].Topic != l.topic || len(res.Topics[0].Partitions) != 1 || res.Topics[0].Partitions[0].Partition != l.partition {
		return 0, errOther
	}
	p := res.Topics[0].Partitions[0]
	return p.Offset, kerr.ErrorForCode(p.ErrorCode)
}

// fetch asks for the batches from the one that holds offset on. The answer may say that there is no such offset, and no
// other error.
func (l *Log) fetch(ctx context.Context, offset int64) (*kmsg.FetchResponseTopicPartition, error) {
	if err := l.findLeader(ctx); err != nil {
		return nil, err
	}
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition, partition.FetchOffset, partition.PartitionMaxBytes = l.partition, offset, fetchBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID, topic.Partitions = l.topic, l.id, append(topic.Partitions, partition)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(maxWait.Milliseconds()), 1, fetchBytes
	req.IsolationLevel = readCommitted
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(ctx, l.leader)
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(res.ErrorCode); err != nil {
		return nil, err
	}
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return nil, fmt.Errorf("%w: %d topics", errOther, len(res.Topics))
	}
	t, p := &res.Topics[0], &res.Topics[0].Partitions[0]
	if t.Topic != l.topic && (t.Topic != "" || t.TopicID != l.id) || p.Partition != l.partition {
		return nil, fmt.Errorf("%w: topic %q, partition %d", errOther, t.Topic, p.Partition)
	}
	if p.ErrorCode == kerr.OffsetOutOfRange.Code {
		p.RecordBatches = nil
		return p, nil
	}
	return p, kerr.ErrorForCode(p.ErrorCode)
}
