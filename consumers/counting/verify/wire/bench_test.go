package wire_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/fakekafka"
)

// BenchmarkRead reads a million records of 260 bytes, of which half repeats, once per iteration.
func BenchmarkRead(b *testing.B) {
	for _, kind := range []string{"embedded", "Apache Kafka"} {
		for _, codec := range []string{"none", "zstd"} {
			b.Run(fmt.Sprintf("%s/%s", kind, codec), func(b *testing.B) { benchmarkRead(b, kind, codec) })
		}
	}
}

func benchmarkRead(b *testing.B, kind, codec string) {
	const records = 1_000_000
	broker := startFor(b, kind)
	makeTopic(b, broker)
	size := fill(b, broker, codec, records)
	b.SetBytes(size)
	b.ReportAllocs()
	before := used(b)
	for b.Loop() {
		log, err := wire.Open(wire.Config{Brokers: []string{broker}}, topic, 0)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := log.Read(b.Context(), 0, records, func(*wire.Message) error { n++; return nil }); err != nil || n != records {
			b.Fatalf("%d of %d records: %v", n, records, err)
		}
		log.Close()
	}
	b.ReportMetric((used(b)-before).Seconds()/float64(b.N), "cpu-s/op") // with the embedded broker's
}

// used is the processor time that this process has taken.
func used(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func startFor(b *testing.B, kind string) string {
	if kind == "embedded" {
		broker, err := fakekafka.Start(fakekafka.Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = broker.Stop() })
		return broker.Addr()
	}
	server, err := apachekafka.Start(b.Context(), apachekafka.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Stop() })
	return server.Addr()
}

// fill writes so many records and returns how many bytes their keys and values have.
func fill(b *testing.B, broker, codec string, records int) (size int64) {
	compression := kgo.NoCompression()
	if codec == "zstd" {
		compression = kgo.ZstdCompression()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(compression))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	rnd := rand.New(rand.NewPCG(7, 1))
	for range records {
		r := &kgo.Record{Key: make([]byte, 16), Value: bytes.Repeat([]byte("x"), 244)}
		for i := range 122 {
			r.Value[i] = byte(rnd.Uint32())
		}
		size += int64(len(r.Key) + len(r.Value))
		client.Produce(b.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := client.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	return size
}
