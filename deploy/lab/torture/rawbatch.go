package torture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rawBatch is a batch as it is written to a partition, whole by its checksum.
type rawBatch struct {
	topic     string
	partition int
	offsets   int // that it takes
	bytes     []byte
}

// The codecs of batches, as in their attributes.
const (
	codecNone   = 0
	codecSnappy = 2
	codecZstd   = 4
)

// batchOf makes a batch that says it has so many records.
func batchOf(codec int16, count int32, records []byte) rawBatch {
	b := kmsg.NewRecordBatch()
	b.Magic, b.Attributes, b.PartitionLeaderEpoch = 2, codec, -1
	b.FirstTimestamp = time.Now().UnixMilli()
	b.MaxTimestamp = b.FirstTimestamp
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = -1, -1, -1
	b.NumRecords, b.LastOffsetDelta, b.Records = count, count-1, records
	const lengthAt, counted, checksumAt, summed = 8, 12, 17, 21
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[lengthAt:], uint32(len(raw)-counted))
	binary.BigEndian.PutUint32(raw[checksumAt:], crc32.Checksum(raw[summed:], crc32.MakeTable(crc32.Castagnoli)))
	return rawBatch{offsets: int(count), bytes: raw}
}

// batch is the message in a batch of its own.
func (l *letter) batch() rawBatch {
	r := kmsg.NewRecord()
	r.Key, r.Value, r.Headers = l.key, l.value, l.headers
	r.Length = int32(len(r.AppendTo(nil)) - 1) // without the length itself, which is one byte while it is zero
	b := batchOf(codecNone, 1, r.AppendTo(nil))
	b.topic, b.partition = l.topic, l.partition
	return b
}

// brokenBatches cannot be taken apart: they say that they unfold to gigabytes, or hold more than they do.
func brokenBatches(rnd *rand.Rand) []rawBatch {
	snappy := append(binary.AppendUvarint(nil, math.MaxUint32), rubbish(rnd)...)
	// A frame of zstd: its mark, no size of its content, a window of 512 MiB, and one last block of bytes as they are.
	zstd := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, (29 - 10) << 3, 0x09, 0, 0, 'x'}
	return []rawBatch{
		batchOf(codecSnappy, 1, snappy),
		batchOf(codecZstd, 1, zstd),
		batchOf(codecNone, 1, append(binary.AppendVarint(nil, 1<<40), rubbish(rnd)...)),
		batchOf(codecNone, 50, rubbish(rnd)),
		batchOf(codecNone, 1, rubbish(rnd)),
	}
}

// produceRaw writes batches until each is acknowledged, past the proxy: a hostile sender trusts no client library.
func (m *machine) produceRaw(ctx context.Context, batches []rawBatch) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(m.kafka), kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, m.kafka)
	}))
	if err != nil {
		return err
	}
	defer client.Close()
	topics := map[string][16]byte{}
	for _, b := range batches {
		for {
			err := produceOne(ctx, client, topics, b)
			if err == nil {
				break
			}
			var refused *kerr.Error
			final := errors.As(err, &refused) && !refused.Retriable && !errors.Is(err, kerr.UnknownServerError)
			if final || errors.Is(err, kerr.CorruptMessage) || ctx.Err() != nil {
				return fmt.Errorf("write to %s, partition %d: %w", b.topic, b.partition, err)
			}
			_ = pause(ctx, tick)
		}
	}
	return nil
}

// produceOne writes one batch. It asks for the identity of a topic once.
func produceOne(ctx context.Context, client *kgo.Client, topics map[string][16]byte, b rawBatch) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, known := topics[b.topic]; !known {
		ask := kmsg.NewPtrMetadataRequest()
		named := kmsg.NewMetadataRequestTopic()
		named.Topic = kmsg.StringPtr(b.topic)
		ask.Topics = append(ask.Topics, named)
		found, err := ask.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		if err := kerr.ErrorForCode(found.Topics[0].ErrorCode); err != nil {
			return err
		}
		topics[b.topic] = found.Topics[0].TopicID
	}
	request := kmsg.NewPtrProduceRequest()
	request.Acks, request.TimeoutMillis = -1, 10_000
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.TopicID = b.topic, topics[b.topic]
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Partition, partition.Records = int32(b.partition), b.bytes
	topic.Partitions = append(topic.Partitions, partition)
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
}
