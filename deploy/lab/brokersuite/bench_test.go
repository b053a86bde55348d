package brokersuite

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"retorno/consumers/counting/stream"
	"retorno/producers/producer"
)

// benchMessages is how many messages of the size of a fact one round moves.
const benchMessages = 200_000

func benchFacts(topic string, n int) []producer.Message {
	msgs := facts([]string{topic}, 0, n)
	for i := range msgs {
		msgs[i].Value = append(msgs[i].Value, make([]byte, 100)...)
	}
	return msgs
}

func onBothBench(b *testing.B, bench func(b *testing.B, k *backend)) {
	b.Run("embedded", func(b *testing.B) { bench(b, embeddedBackend(b)) })
	b.Run("apache", func(b *testing.B) { bench(b, apacheBackend(b)) })
}

// BenchmarkFetch compares Shard.Fetch with the library's bare Client.Fetch,
// both reading the same partition to the end, keys and values copied out.
func BenchmarkFetch(b *testing.B) {
	onBothBench(b, func(b *testing.B, k *backend) {
		topic := k.topics(b, 1, 1)[0]
		k.write(b, 1, benchFacts(topic, benchMessages))
		b.Run("bare", func(b *testing.B) {
			for b.Loop() {
				if n := bareFetch(b, k.brokers, topic); n != benchMessages {
					b.Fatal(n)
				}
			}
			b.ReportMetric(benchMessages*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
		b.Run("stream", func(b *testing.B) {
			for b.Loop() {
				if n := streamFetch(b, k.streamConfig(b, []string{topic}, 1), topic); n != benchMessages {
					b.Fatal(n)
				}
			}
			b.ReportMetric(benchMessages*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	})
}

func bareFetch(b *testing.B, brokers []string, topic string) int {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Transport: transport}
	offset := int64(0)
	buffer := make([]byte, 1024)
	for offset < benchMessages {
		res, err := client.Fetch(context.Background(), &kafka.FetchRequest{
			Topic: topic, Offset: offset, MinBytes: 1, MaxBytes: 2 << 20, MaxWait: 500 * time.Millisecond,
		})
		if err == nil {
			err = res.Error
		}
		if err != nil {
			b.Fatal(err)
		}
		for {
			r, err := res.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			for _, p := range []kafka.Bytes{r.Key, r.Value} {
				if _, err := io.ReadFull(p, buffer[:p.Len()]); err != nil {
					b.Fatal(err)
				}
				p.Close()
			}
			offset = r.Offset + 1
		}
	}
	return int(offset)
}

func streamFetch(b *testing.B, cfg stream.Config, topic string) int {
	cfg.Registerer, cfg.MaxWait = nil, 500*time.Millisecond
	c, err := stream.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	s := c.Open(0)
	defer s.Close()
	s.Seek(topic, 0)
	n := 0
	for n < benchMessages {
		msgs, err := s.Fetch(b.Context(), time.Second)
		if err != nil {
			b.Fatal(err)
		}
		n += len(msgs)
	}
	return n
}

// BenchmarkWrite compares Writer.Write with the library's Writer set the same
// way: all acknowledgements, the same partitioner, large batches.
func BenchmarkWrite(b *testing.B) {
	const partitions = 4
	onBothBench(b, func(b *testing.B, k *backend) {
		topic := k.topics(b, 1, partitions)[0]
		msgs := benchFacts(topic, benchMessages)
		b.Run("bare", func(b *testing.B) {
			w := &kafka.Writer{Addr: kafka.TCP(k.brokers...), RequiredAcks: kafka.RequireAll, BatchTimeout: 10 * time.Millisecond,
				BatchSize: 20_000, BatchBytes: 900_000, Balancer: kafka.Murmur2Balancer{Consistent: true}, Transport: &kafka.Transport{}}
			defer w.Close()
			theirs := make([]kafka.Message, len(msgs))
			for i, m := range msgs {
				theirs[i] = kafka.Message{Topic: m.Topic, Key: m.Key, Value: m.Value}
			}
			for b.Loop() {
				if err := w.WriteMessages(b.Context(), theirs...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(benchMessages*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
		b.Run("publish", func(b *testing.B) {
			w := k.writer(b, partitions)
			for b.Loop() {
				if err := w.Write(b.Context(), msgs...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(benchMessages*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	})
}
