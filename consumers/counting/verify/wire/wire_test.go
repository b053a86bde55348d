package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/fakekafka"
)

const topic = "t"

// onBoth runs a test against the embedded broker and Apache Kafka, on a topic of one partition.
func onBoth(t *testing.T, test func(t *testing.T, broker string)) {
	t.Run("embedded", func(t *testing.T) {
		broker, err := fakekafka.Start(fakekafka.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = broker.Stop() })
		makeTopic(t, broker.Addr())
		test(t, broker.Addr())
	})
	t.Run("Apache Kafka", func(t *testing.T) {
		server, err := apachekafka.Start(t.Context(), apachekafka.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Stop() })
		makeTopic(t, server.Addr())
		test(t, server.Addr())
	})
}

func makeTopic(t testing.TB, broker string) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(broker)}
	if _, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}}); err != nil {
		t.Fatal(err)
	}
}

// TestReadsWhatWasWritten writes batches of every compression, with and without keys, values and headers, and reads
// them from random places.
func TestReadsWhatWasWritten(t *testing.T) {
	const seed = 7
	onBoth(t, func(t *testing.T, broker string) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var all []kafka.Message
		for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
			w := &kafka.Writer{Addr: kafka.TCP(broker), Topic: topic, RequiredAcks: kafka.RequireAll, Compression: codec, BatchTimeout: time.Millisecond, BatchSize: 50}
			for range 4 {
				some := messages(rnd, 1+rnd.IntN(100))
				await(t, func() error { return w.WriteMessages(t.Context(), some...) })
				all = append(all, some...)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		log := open(t, broker)
		first, end, err := log.Bounds(t.Context())
		if err != nil || first != 0 || end != int64(len(all)) {
			t.Fatalf("bounds %d to %d of %d messages, %v", first, end, len(all), err)
		}
		for range 20 {
			from := rnd.Int64N(end)
			to := from + 1 + rnd.Int64N(end-from)
			at := from
			err := log.Read(t.Context(), from, to, func(m *wire.Message) error {
				want := all[m.Offset]
				if m.Offset != at || !bytes.Equal(m.Key, want.Key) || !bytes.Equal(m.Value, want.Value) || (m.Value == nil) != (want.Value == nil) || m.Unreadable != "" {
					return fmt.Errorf("offset %d: %q=%q, expected at %d %q=%q", m.Offset, m.Key, m.Value, at, want.Key, want.Value)
				}
				at++
				return nil
			})
			if err != nil || at != to {
				t.Fatalf("seed %d: from %d to %d: ended at %d, %v", seed, from, to, at, err)
			}
		}
		var gone *wire.GoneError
		err = log.Read(t.Context(), end-1, end+1, func(*wire.Message) error { return nil })
		if !errors.As(err, &gone) || gone.End != end {
			t.Errorf("beyond the end: %v", err)
		}
		if err = log.Read(t.Context(), end+5, end+6, func(*wire.Message) error { return nil }); !errors.As(err, &gone) {
			t.Errorf("far beyond the end: %v", err)
		}
	})
}

func messages(rnd *rand.Rand, n int) []kafka.Message {
	all := make([]kafka.Message, n)
	for i := range all {
		m := &all[i]
		if rnd.IntN(4) > 0 {
			m.Key = []byte(fmt.Sprint(rnd.Uint64()))
		}
		if rnd.IntN(8) > 0 {
			m.Value = bytes.Repeat([]byte{byte(rnd.IntN(256))}, 1+rnd.IntN(2000))
		}
		for range rnd.IntN(3) {
			m.Headers = append(m.Headers, kafka.Header{Key: "h", Value: []byte("v")})
		}
	}
	return all
}

// await repeats what a broker that has just started may refuse.
func await(t *testing.T, do func() error) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for {
		err := do()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func open(t *testing.T, broker string) *wire.Log {
	t.Helper()
	log, err := wire.Open(wire.Config{Brokers: []string{broker}}, topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log
}

// batchOf builds a record batch at an offset.
func batchOf(base int64, attributes uint16, count int, records []byte) []byte {
	b := make([]byte, 61, 61+len(records))
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[8:], uint32(49+len(records)))
	b[16] = 2
	binary.BigEndian.PutUint16(b[21:], attributes)
	binary.BigEndian.PutUint32(b[23:], uint32(count-1))
	binary.BigEndian.PutUint32(b[57:], uint32(count))
	b = append(b, records...)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// recordOf builds one record.
func recordOf(delta int, value string) []byte {
	r := []byte{0, 0}
	r = binary.AppendVarint(r, int64(delta))
	r = binary.AppendVarint(r, -1)
	r = binary.AppendVarint(r, int64(len(value)))
	r = append(append(r, value...), 0)
	return append(binary.AppendVarint(nil, int64(len(r))), r...)
}

// zeros is so many zeros, compressed.
func zeros(t *testing.T, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.CopyN(w, zero{}, n); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestWhatCannotBeTakenApart: a batch that is whole and still makes no sense stands for its offsets; one that is not
// whole, or not in its place, is an error.
func TestWhatCannotBeTakenApart(t *testing.T) {
	good := batchOf(0, 0, 2, append(recordOf(0, "a"), recordOf(1, "b")...))
	next := batchOf(4, 0, 1, recordOf(0, "e"))
	flipped := batchOf(2, 0, 2, append(recordOf(0, "c"), recordOf(1, "d")...))
	flipped[70] ^= 1
	bomb := zeros(t, 80<<20)
	for name, test := range map[string]struct {
		bad  []byte
		want string // messages, or a part of the error
	}{
		"no such compression":    {batchOf(2, 7, 2, []byte("xxxxxxxxxxxxxxxx")), "a b ? ? e"},
		"compression of rubbish": {batchOf(2, 1, 2, []byte("xxxxxxxxxxxxxxxx")), "a b ? ? e"},
		"bomb":                   {batchOf(2, 1, 2, bomb), "a b ? ? e"},
		"declared snappy":        {batchOf(2, 2, 2, []byte("\xff\xff\xff\xff\x0f\x00\x61\x62\x63")), "a b ? ? e"},
		"declared zstd content":  {batchOf(2, 4, 2, []byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00")), "a b ? ? e"},
		"declared zstd window":   {batchOf(2, 4, 2, []byte("\x28\xb5\x2f\xfd\x00\xf0\x01\x00\x00")), "a b ? ? e"},
		"count beyond the bytes": {batchOf(2, 0, 2, recordOf(0, "c")), "a b ? ? e"},
		"bytes beyond the count": {batchOf(2, 0, 2, append(append(recordOf(0, "c"), recordOf(1, "d")...), 1, 2, 3)), "a b ? ? e"},
		"record length":          {batchOf(2, 0, 2, append([]byte{0x7e}, append(recordOf(0, "c"), recordOf(1, "d")...)...)), "a b ? ? e"},
		"good":                   {batchOf(2, 0, 2, append(recordOf(0, "c"), recordOf(1, "d")...)), "a b c d e"},
		"flipped":                {flipped, "checksum"},
		"a gap":                  {batchOf(3, 0, 1, recordOf(0, "d")), "offset 3 follows"},
		"control":                {batchOf(2, 0x20, 2, append(recordOf(0, "c"), recordOf(1, "d")...)), "a b - - e"},
		"old format":             {append(append([]byte{}, batchOf(2, 0, 2, nil)[:16]...), append([]byte{1}, make([]byte, 44)...)...), "message format 1"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var why string
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := wire.Deliver(bytes.Join([][]byte{good, test.bad, next, next[:30]}, nil), 0, 5, func(m *wire.Message) error {
				text := string(m.Value)
				if m.Unreadable != "" {
					text, why = "?", m.Unreadable
				}
				if m.Skipped {
					text = "-"
				}
				got = append(got, text)
				return nil
			})
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Error(err)
				}
			} else if strings.Join(got, " ") != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if large := strings.HasPrefix(name, "bomb") || strings.HasPrefix(name, "declared"); large && !strings.Contains(why, "exceed") {
				t.Errorf("it cannot be taken apart because of %q", why)
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; strings.HasPrefix(name, "declared") && took > 16<<20 {
				t.Errorf("%d bytes were allocated", took)
			}
		})
	}
}

// TestFlippedBitsNeverEscape flips each bit of an answer in turn: what is delivered is what was written, or there is
// an error; and nothing is allocated without bound.
func TestFlippedBitsNeverEscape(t *testing.T) {
	good := slices.Concat(batchOf(0, 0, 2, append(recordOf(0, "a"), recordOf(1, "b")...)), batchOf(2, 0, 1, recordOf(0, "c")),
		batchOf(3, 0, 2, append(recordOf(0, "d"), recordOf(1, "e")...)))
	want := []string{"a", "b", "c", "d", "e"}
	for bit := range 8 * len(good) {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		i := 0
		_, err := wire.Deliver(bad, 0, 5, func(m *wire.Message) error {
			if m.Offset != int64(i) || string(m.Value) != want[i] || m.Unreadable != "" {
				return errFalse
			}
			i++
			return nil
		})
		if errors.Is(err, errFalse) {
			t.Errorf("bit %d of byte %d: another message is delivered", bit%8, bit/8)
		}
	}
}

var errFalse = errors.New("false")

// TestAnEndedContextEndsTheReading: no caller waits for a broker that has gone silent.
func TestAnEndedContextEndsTheReading(t *testing.T) {
	log, err := wire.Open(wire.Config{Brokers: []string{"127.0.0.1:1"}, RequestTimeout: time.Second}, topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := log.Bounds(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := log.Read(t.Context(), 0, 1, nil); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("no broker: %v", err)
	}
}
