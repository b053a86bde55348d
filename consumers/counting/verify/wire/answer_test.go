package wire_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/kafka"
)

const (
	batches  = 20
	perBatch = 15
)

// proxy stands before a broker whose topic holds batches of "0", "1" and so on.
type proxy struct {
	addr string
	// answer writes what the broker has answered to the client; nil writes it as it is.
	answer atomic.Pointer[func(client io.Writer, to kmsg.Response, frame []byte)]
}

func newProxy(t *testing.T) *proxy {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	broker, err := fakekafka.Start(fakekafka.Config{Advertise: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	p := &proxy{addr: ln.Addr().String()}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(client, broker.Addr())
		}
	}()
	makeTopic(t, p.addr)
	client, err := kgo.NewClient(kgo.SeedBrokers(p.addr), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for b := range batches {
		var records []*kgo.Record
		for i := range perBatch {
			records = append(records, kgo.StringRecord(fmt.Sprint(b*perBatch+i)))
		}
		await(t, client.ProduceSync(t.Context(), records...).FirstErr)
	}
	return p
}

// on sets what happens to answers from now on.
func (p *proxy) on(answer func(client io.Writer, to kmsg.Response, frame []byte)) {
	p.answer.Store(&answer)
}

func (p *proxy) serve(client net.Conn, broker string) {
	defer client.Close()
	server, err := net.Dial("tcp", broker)
	if err != nil {
		return
	}
	defer server.Close()
	var asked sync.Map // by correlation id
	go func() {
		defer server.Close()
		for {
			frame, err := readFrame(client)
			if err != nil {
				return
			}
			kind := kmsg.ResponseForKey(int16(binary.BigEndian.Uint16(frame[4:])))
			kind.SetVersion(int16(binary.BigEndian.Uint16(frame[6:])))
			asked.Store(binary.BigEndian.Uint32(frame[8:]), kind)
			if _, err := server.Write(frame); err != nil {
				return
			}
		}
	}()
	for {
		frame, err := readFrame(server)
		if err != nil {
			return
		}
		to, _ := asked.LoadAndDelete(binary.BigEndian.Uint32(frame[4:]))
		if answer := p.answer.Load(); answer != nil {
			(*answer)(client, to.(kmsg.Response), frame)
		} else if _, err := client.Write(frame); err != nil {
			return
		}
	}
}

func readFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// read reads the whole topic. A false message is errFalse.
func (p *proxy) read(t *testing.T, silence time.Duration) error {
	log, err := wire.Open(wire.Config{Brokers: []string{p.addr}, RequestTimeout: silence}, topic, 0)
	if err != nil {
		t.Error(err)
		return err
	}
	defer log.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if _, end, err := log.Bounds(ctx); err != nil {
		return err
	} else if end < batches*perBatch {
		return fmt.Errorf("the log ends at %d", end)
	}
	at := int64(0)
	return log.Read(ctx, 0, batches*perBatch, func(m *wire.Message) error {
		if m.Offset != at || string(m.Value) != fmt.Sprint(at) {
			return fmt.Errorf("%w: at %d %d is delivered as %q %s", errFalse, at, m.Offset, m.Value, m.Unreadable)
		}
		at++
		return nil
	})
}

// body is where an answer's fields begin.
func body(to kmsg.Response) int {
	if to.IsFlexible() && to.Key() != int16(kmsg.ApiVersions) {
		return 9
	}
	return 8
}

// TestAnOrderToPauseForWeeksIsNotFollowed: no checksum covers the field, and a client that follows it hangs.
func TestAnOrderToPauseForWeeksIsNotFollowed(t *testing.T) {
	p := newProxy(t)
	var seen sync.Map
	p.on(func(client io.Writer, to kmsg.Response, frame []byte) {
		if _, before := seen.LoadOrStore(to.Key(), true); !before && to.Key() != int16(kmsg.ApiVersions) {
			binary.BigEndian.PutUint32(frame[body(to):], math.MaxInt32) // it is the first field
		}
		_, _ = client.Write(frame)
	})
	if err := p.read(t, 10*time.Second); err != nil {
		t.Error(err)
	}
	for _, key := range []kmsg.Key{kmsg.Metadata, kmsg.ListOffsets, kmsg.Fetch} {
		if _, ok := seen.Load(int16(key)); !ok {
			t.Errorf("nothing ordered a pause after %s", key.Name())
		}
	}
}

// TestDamageIsFetchedAgain: once damaged is read; what stays damaged is an error after several tries.
func TestDamageIsFetchedAgain(t *testing.T) {
	p := newProxy(t)
	for name, c := range map[string]struct{ times, tries int64 }{"once": {1, 2}, "always": {math.MaxInt64, 5}} {
		t.Run(name, func(t *testing.T) {
			var fetches atomic.Int64
			p.on(func(client io.Writer, to kmsg.Response, frame []byte) {
				if to.Key() == int16(kmsg.Fetch) && fetches.Add(1) <= c.times {
					frame[len(frame)-100] ^= 1 // in a record
				}
				_, _ = client.Write(frame)
			})
			err := p.read(t, 10*time.Second)
			if c.times == 1 && err != nil || c.times > 1 && (err == nil || !strings.Contains(err.Error(), "checksum")) {
				t.Error(err)
			}
			if n := fetches.Load(); n != c.tries {
				t.Errorf("%d fetches, want %d", n, c.tries)
			}
		})
	}
}

// TestOnlySilenceIsBounded: an answer may take longer than a broker may be silent; a broker that is silent is left.
func TestOnlySilenceIsBounded(t *testing.T) {
	p := newProxy(t)
	t.Run("slow", func(t *testing.T) {
		p.on(func(client io.Writer, to kmsg.Response, frame []byte) {
			const pieces = 40
			if to.Key() != int16(kmsg.Fetch) {
				_, _ = client.Write(frame)
				return
			}
			for i := range pieces {
				_, _ = client.Write(frame[i*len(frame)/pieces : (i+1)*len(frame)/pieces])
				<-time.After(100 * time.Millisecond)
			}
		})
		if err := p.read(t, 2*time.Second); err != nil {
			t.Error(err)
		}
	})
	t.Run("silent", func(t *testing.T) {
		p.on(func(client io.Writer, to kmsg.Response, frame []byte) {
			if to.Key() != int16(kmsg.Fetch) {
				_, _ = client.Write(frame)
			}
		})
		if err := p.read(t, 200*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestFlippedBitsInAnswersNeverEscape: whatever bit of an answer is flipped, of all its fields, what is delivered is what
// was written, or there is an error.
func TestFlippedBitsInAnswersNeverEscape(t *testing.T) {
	const seed = 11
	p := newProxy(t)
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 1))
	p.on(func(client io.Writer, _ kmsg.Response, frame []byte) {
		mu.Lock()
		if rnd.IntN(8) == 0 {
			bit := rnd.IntN(8 * len(frame))
			if rnd.IntN(2) == 0 {
				bit = rnd.IntN(8 * min(len(frame), 150)) // where most fields are
			}
			frame[bit/8] ^= 1 << (bit % 8)
		}
		mu.Unlock()
		_, _ = client.Write(frame)
	})
	var whole atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 15 {
				err := p.read(t, time.Second)
				if errors.Is(err, errFalse) {
					t.Errorf("seed %d: %v", seed, err)
				}
				if err == nil {
					whole.Add(1)
				}
			}
		})
	}
	all.Wait()
	if whole.Load() == 0 {
		t.Error("nothing was read")
	}
}

// TestRandomBytesAtABrokersAddress: whatever answers there, reading ends with an error.
func TestRandomBytesAtABrokersAddress(t *testing.T) {
	const seed = 5
	framed := func(id []byte, size uint32, b []byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, size), id...), b...)
	}
	for name, c := range map[string]struct {
		answer func(id, noise []byte) []byte
		want   string
	}{
		"noise":            {func(_, noise []byte) []byte { return noise }, ""},
		"framed noise":     {func(id, noise []byte) []byte { return framed(id, uint32(4+len(noise)), noise) }, ""},
		"beyond the bound": {func(id, noise []byte) []byte { return framed(id, kafka.MaxFetchAnswer+1, noise) }, "limit"},
		"a web server":     {func(_, _ []byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }, "HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			rnd := rand.NewChaCha8([32]byte{seed})
			go func() {
				for {
					client, err := ln.Accept()
					if err != nil {
						return
					}
					if request, err := readFrame(client); err == nil {
						noise := make([]byte, 200)
						_, _ = rnd.Read(noise)
						_, _ = client.Write(c.answer(request[8:12], noise))
					}
					client.Close()
				}
			}()
			for range 5 {
				log, err := wire.Open(wire.Config{Brokers: []string{ln.Addr().String()}, RequestTimeout: time.Second}, topic, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err = log.Bounds(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("seed %d: %v", seed, err)
				}
				log.Close()
			}
		})
	}
}
