package brokersuite

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
)

// rawBatch builds a record batch whose records are the given bytes.
func rawBatch(attributes uint16, count int, records []byte) []byte {
	b := make([]byte, 61, 61+len(records))
	binary.BigEndian.PutUint32(b[8:], uint32(49+len(records)))
	binary.BigEndian.PutUint32(b[12:], ^uint32(0))
	b[16] = 2
	binary.BigEndian.PutUint16(b[21:], attributes)
	binary.BigEndian.PutUint32(b[23:], uint32(count-1))
	now := uint64(time.Now().UnixMilli())
	binary.BigEndian.PutUint64(b[27:], now)
	binary.BigEndian.PutUint64(b[35:], now)
	for i := 43; i < 57; i++ {
		b[i] = 0xff // no producer id, epoch or sequence
	}
	binary.BigEndian.PutUint32(b[57:], uint32(count))
	b = append(b, records...)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// rawRecord builds one record.
func rawRecord(offset int, value []byte) []byte {
	r := []byte{0, 0}
	r = binary.AppendVarint(r, int64(offset))
	r = binary.AppendVarint(r, -1)
	r = binary.AppendVarint(r, int64(len(value)))
	r = append(r, value...)
	r = append(r, 0)
	return append(binary.AppendVarint(nil, int64(len(r))), r...)
}

func (a *admin) produceRaw(t *testing.T, topic string, batch []byte) {
	t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 10_000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	info := kmsg.NewPtrMetadataRequest()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = kmsg.StringPtr(topic)
	info.Topics = append(info.Topics, mt)
	meta, err := info.RequestWith(limited(t), a.client)
	if err != nil {
		t.Fatal(err)
	}
	rt.TopicID = meta.Topics[0].TopicID
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = batch
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(limited(t), a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func compressed(t *testing.T, codec kafka.Compression, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := codec.Codec().NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// readAll reads a one-partition topic from the start until n messages came.
func readAll(t *testing.T, cfg stream.Config, n int) []stream.Message {
	t.Helper()
	c, err := stream.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := c.Open(0)
	defer s.Close()
	ctx := limited(t)
	var got []stream.Message
	for len(got) < n {
		msgs, err := s.Fetch(ctx, time.Second)
		if err != nil {
			t.Fatalf("after %d messages: %v", len(got), err)
		}
		got = append(got, msgs...)
	}
	return got
}

// A batch that unfolds to more than anybody should hold is delivered as what
// it is, and the messages after it as well.
func TestDecompressionBomb(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		for _, codec := range []kafka.Compression{kafka.Gzip, kafka.Zstd} {
			topic := b.topics(t, 1, 1)
			bomb := rawBatch(uint16(codec), 1, compressed(t, codec, rawRecord(0, make([]byte, 200<<20))))
			b.write(t, 1, facts(topic, 0, 10))
			b.admin.produceRaw(t, topic[0], bomb)
			b.write(t, 1, facts(topic, 10, 10))
			got := readAll(t, b.streamConfig(t, topic, 1), 21)
			m := got[10]
			if !strings.Contains(m.Unreadable, "decompresses to more than") || len(m.Value) != len(bomb) || !bytes.Equal(m.Value[61:], bomb[61:]) {
				t.Errorf("%s: the bomb of %d bytes came as %d bytes: %q", codec, len(bomb), len(m.Value), m.Unreadable)
			}
			for i, other := range got {
				if i != 10 && (other.Unreadable != "" || !bytes.HasPrefix(other.Value, []byte("fact-"))) {
					t.Errorf("%s: message %d came as %q", codec, i, other.Unreadable)
				}
			}
		}
	})
}

// Whole batches, by their checksum, with nonsense inside. Apache Kafka takes
// none of them, so only the embedded broker can show them.
func TestMalformedBatchesAreHandedOutAsTheyAre(t *testing.T) {
	b := embeddedBackend(t)
	good := append(append(rawRecord(0, []byte("a")), rawRecord(1, []byte("b"))...), rawRecord(2, []byte("c"))...)
	for name, batch := range map[string][]byte{
		"garbage":            rawBatch(0, 3, bytes.Repeat([]byte{0xfe}, 60)),
		"too few records":    rawBatch(0, 3, rawRecord(0, []byte("only"))),
		"more than it says":  rawBatch(0, 3, append(good, rawRecord(3, []byte("d"))...)),
		"broken compression": rawBatch(uint16(kafka.Gzip), 3, []byte("this is not gzip")),
		"unknown codec":      rawBatch(7&4, 3, []byte("zstd?")),
		"empty":              rawBatch(0, 3, nil),
	} {
		t.Run(name, func(t *testing.T) {
			topic := b.topics(t, 1, 1)
			b.admin.produceRaw(t, topic[0], batch)
			b.write(t, 1, facts(topic, 0, 5))
			got := readAll(t, b.streamConfig(t, topic, 1), 8)
			for i := range 3 {
				if got[i].Unreadable == "" || got[i].Offset != int64(i) {
					t.Errorf("message %d came as readable at offset %d", i, got[i].Offset)
				}
			}
			if !bytes.Equal(got[0].Value[21:], batch[21:]) || got[1].Value != nil {
				t.Errorf("its bytes came as %d, then %d", len(got[0].Value), len(got[1].Value))
			}
			if got[3].Unreadable != "" {
				t.Error("the next batch is unreadable too")
			}
		})
	}
	// What is well formed comes through, in every compression.
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		topic := b.topics(t, 1, 1)
		records := good
		if codec != 0 {
			records = compressed(t, codec, good)
		}
		b.admin.produceRaw(t, topic[0], rawBatch(uint16(codec), 3, records))
		for i, m := range readAll(t, b.streamConfig(t, topic, 1), 3) {
			if m.Unreadable != "" || string(m.Value) != string(rune('a'+i)) {
				t.Errorf("%s: message %d came as %q %q", codec, i, m.Value, m.Unreadable)
			}
		}
	}
}
