package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kinds are the answers that the program's clients get, in versions that they ask for.
var kinds = map[kmsg.Key][]int16{
	kmsg.Produce: {3, 7, 8}, kmsg.Fetch: {10}, kmsg.ListOffsets: {1, 2, 5}, kmsg.Metadata: {1, 4, 6, 8}, kmsg.OffsetCommit: {2},
	kmsg.OffsetFetch: {1}, kmsg.FindCoordinator: {0, 2}, kmsg.JoinGroup: {1, 2}, kmsg.Heartbeat: {0}, kmsg.LeaveGroup: {0},
	kmsg.SyncGroup: {0}, kmsg.SASLHandshake: {1}, kmsg.ApiVersions: {0, 2}, kmsg.CreateTopics: {2, 5}, kmsg.SASLAuthenticate: {0, 1},
	kmsg.DescribeConfigs: {1, 3},
}

// example is an answer in which every list has two entries.
func example(t *testing.T, key kmsg.Key, version int16) []byte {
	t.Helper()
	res, err := answer(int16(key), version)
	if err != nil {
		t.Fatal(err)
	}
	populate(reflect.ValueOf(res).Elem())
	res.SetVersion(version)
	if r, ok := res.(*kmsg.SyncGroupResponse); ok {
		a := kmsg.NewConsumerMemberAssignment()
		populate(reflect.ValueOf(&a).Elem())
		a.Version = 0
		r.MemberAssignment = a.AppendTo(nil)
	}
	frame := []byte{0, 0, 0, 0, 0, 0, 0, 7}
	if res.IsFlexible() && key != kmsg.ApiVersions {
		frame = append(frame, 0)
	}
	frame = res.AppendTo(frame)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame
}

func populate(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && v.Type().Field(i).Name != "UnknownTags" {
				populate(f)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte("some bytes"))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		populate(v.Index(0))
		populate(v.Index(1))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		populate(v.Elem())
	case reflect.String:
		v.SetString("retorno")
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// allocated runs f and returns how many bytes it allocated.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestGoodAnswersPassUnchanged(t *testing.T) {
	for key, versions := range kinds {
		for _, version := range versions {
			good := example(t, key, version)
			got, err := checked(bytes.Clone(good), request{int16(key), version})
			if err != nil || !bytes.Equal(got, good) {
				t.Errorf("%s, version %d: %d bytes became %d, %v", key.Name(), version, len(good), len(got), err)
			}
		}
	}
}

// Whatever bit is flipped in an answer, what passes is read by the client library without harm and without memory
// beyond what the answer's size explains.
func TestFlippedBitsDoNoHarmToTheLibrary(t *testing.T) {
	for key, versions := range kinds {
		if key == kmsg.Fetch {
			continue // the library is never given one
		}
		for _, version := range versions {
			good := example(t, key, version)
			passed := 0
			for i := 4; i < len(good); i++ {
				for bit := range 8 {
					bad := bytes.Clone(good)
					bad[i] ^= 1 << bit
					n := allocated(func() {
						out, err := checked(bad, request{int16(key), version})
						if err != nil {
							if !errors.Is(err, ErrCorrupt) {
								t.Fatalf("%s, version %d, byte %d: %v", key.Name(), version, i, err)
							}
							return
						}
						passed++
						_, _, _ = protocol.ReadResponse(bytes.NewReader(out), protocol.ApiKey(key), version)
					})
					if n > 1<<20 {
						t.Fatalf("%s, version %d, byte %d, bit %d: %d bytes were allocated", key.Name(), version, i, bit, n)
					}
				}
			}
			if passed == 0 {
				t.Errorf("%s, version %d: nothing passed, so the library was not tried", key.Name(), version)
			}
		}
	}
}

// The part of a group that the library takes apart by itself is looked at, too.
// TestAHostWithACommaIsRefused: one flipped bit makes a comma of a point, and kafka-go panics on a host that holds one.
func TestAHostWithACommaIsRefused(t *testing.T) {
	for host, good := range map[string]bool{"127.0.0.1": true, "kafka-1.example": true, "::1": true, "[fe80::1%eth0]": true, "": true, "127.0.0,1": false, "a b": false} {
		metadata := kmsg.NewPtrMetadataResponse()
		metadata.Brokers = append(metadata.Brokers, kmsg.MetadataResponseBroker{Host: host})
		coordinator := kmsg.NewPtrFindCoordinatorResponse()
		coordinator.Host = host
		for _, res := range []kmsg.Response{metadata, coordinator} {
			res.SetVersion(1)
			frame := res.AppendTo([]byte{0, 0, 0, 0, 0, 0, 0, 7})
			binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
			if _, err := checked(frame, request{res.Key(), 1}); (err == nil) != good {
				t.Errorf("kind %d, host %q: %v", res.Key(), host, err)
			}
		}
	}
}

func TestAFalseAssignmentIsRefused(t *testing.T) {
	frame := example(t, kmsg.SyncGroup, 0)
	at := bytes.Index(frame, []byte{0, 3}) // the error code, the same in both
	_ = at
	r := kmsg.NewPtrSyncGroupResponse()
	r.MemberAssignment = []byte{0, 0, 0x7f, 0xff, 0xff, 0xff} // two thousand million topics
	bad := r.AppendTo(append([]byte(nil), frame[:headerBytes]...))
	if _, err := checked(bad, request{int16(kmsg.SyncGroup), 0}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("an assignment of 2^31 topics: %v", err)
	}
	r.MemberAssignment = nil // a member without partitions
	none := r.AppendTo(append([]byte(nil), frame[:headerBytes]...))
	if _, err := checked(none, request{int16(kmsg.SyncGroup), 0}); err != nil {
		t.Errorf("no assignment: %v", err)
	}
}

// listen serves each connection with serve, until the test ends.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return ln.Addr().String()
}

// clients are the ways in which the program talks to a broker. Each asks one question.
func clients(a Access) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"own client": func(ctx context.Context) error {
			c := NewClient(a)
			defer c.Close()
			_, err := c.Metadata(ctx, "topic")
			return err
		},
		"the library's client": func(ctx context.Context) error {
			transport := a.Transport("topic")
			defer transport.CloseIdleConnections()
			_, err := (&kafkago.Client{Addr: kafkago.TCP(a.Brokers...), Transport: transport}).Metadata(ctx, &kafkago.MetadataRequest{})
			return err
		},
		"the library's dialer": func(ctx context.Context) error {
			_, err := a.Dialer().LookupPartition(ctx, "tcp", a.Brokers[0], "topic", 0)
			return err
		},
	}
}

// Random bytes at a broker's address are an error, and never the end of the process nor of its memory.
func TestRandomBytesAtABrokersAddress(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for name, ask := range clients(Access{}) {
		_ = ask
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			for round := range 60 {
				size, fill := random.IntN(5), random.Uint64()
				addr := listen(t, func(c net.Conn) {
					answers := rand.New(rand.NewPCG(fill, 2))
					for {
						var head [12]byte
						if _, err := io.ReadFull(c, head[:]); err != nil {
							return
						}
						_, _ = io.CopyN(io.Discard, c, max(0, int64(binary.BigEndian.Uint32(head[:]))-8))
						b := make([]byte, 8+answers.IntN(3000))
						for i := range b {
							b[i] = byte(answers.Uint32())
						}
						if size > 0 { // a right size, then a right number lead further in
							binary.BigEndian.PutUint32(b, uint32(len(b)-4))
						}
						if size > 1 {
							copy(b[4:], head[8:12])
						}
						if _, err := c.Write(b); err != nil {
							return
						}
					}
				})
				var err error
				n := allocated(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					err = clients(Access{Brokers: []string{addr}})[name](ctx)
				})
				if err == nil {
					t.Errorf("round %d: random bytes are taken for an answer", round)
				}
				if n > 64<<20 {
					t.Errorf("round %d: %d MiB were allocated", round, n>>20)
				}
			}
		})
	}
}

// Listeners that speak otherwise are recognised.
func TestOtherListenersAreNamed(t *testing.T) {
	ca, cert := selfSigned(t)
	read := func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }
	for name, c := range map[string]struct {
		serve func(net.Conn)
		tls   *TLS
		want  string
	}{
		"a web server":                         {func(c net.Conn) { read(c); fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, nil, "a web server answers"},
		"a listener that hangs up":             {read, nil, "as by listeners that want TLS or a login"},
		"TLS, without being asked for it":      {func(c net.Conn) { read(c); _, _ = c.Write([]byte{0x15, 3, 3, 0, 2, 2, 70}) }, nil, "the listener speaks TLS"},
		"a listener without TLS that hangs up": {func(c net.Conn) { read(c) }, &TLS{CAFile: ca}, "as listeners without TLS do"},
		"a listener without TLS that answers":  {func(c net.Conn) { read(c); _, _ = c.Write(make([]byte, 100)) }, &TLS{CAFile: ca}, "does not speak TLS"},
		"a web server in place of TLS":         {func(c net.Conn) { read(c); fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, &TLS{CAFile: ca}, "does not speak TLS"},
	} {
		addr := listen(t, c.serve)
		for client, ask := range clients(Access{Brokers: []string{addr}, TLS: c.tls}) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			err := ask(ctx)
			cancel()
			var mismatch *MismatchError
			if !errors.As(err, &mismatch) || mismatch.Addr != addr || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v; want %q", name, client, err, c.want)
			}
		}
	}
	// Another authority's certificate is a refusal: time does not mend it.
	addr := listen(t, serveTLS(cert))
	other, _ := selfSigned(t)
	for client, ask := range clients(Access{Brokers: []string{addr}, TLS: &TLS{CAFile: other}}) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := ask(ctx)
		cancel()
		if !Refused(err) || Advice(err) == "" {
			t.Errorf("%s: a certificate of another authority: %v", client, err)
		}
	}
}
