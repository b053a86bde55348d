package kafka

import (
	"encoding/binary"
	"fmt"
	"net"
	"regexp"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// guard stands between the client library and the network. The library trusts the counts in an answer's own fields,
// which no checksum covers: one flipped bit there makes it allocate without bound, or panic. Here each answer is taken
// apart by another library, which compares every count with the bytes that came, and what the client gets to read is
// that library's answer, written out again.
//
// What a fetch brought is compared with its own size and handed over as it came; its batches are for those who read
// them to check.
type guard struct {
	net.Conn
	addr      string
	encrypted bool
	answered  bool // an answer has come

	mu       sync.Mutex
	asked    map[int32]request
	requests Requests

	frame   []byte // the answer being handed over
	pending []byte // what is left of it
	err     error
}

// request is the kind and version of one that was sent.
type request struct{ key, version int16 }

func newGuard(c net.Conn, addr string, encrypted bool) *guard {
	return &guard{Conn: c, addr: addr, encrypted: encrypted, asked: make(map[int32]request)}
}

// Write remembers what was asked.
func (g *guard) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests.Pass(p[:n], func(key, version int16, id int32) { g.asked[id] = request{key: key, version: version} })
	return n, err
}

// asking returns what was asked under a number, once.
func (g *guard) asking(id int32) (request, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.asked[id]
	if !ok {
		return request{}, fmt.Errorf("%w: it is to request %d, which was not made", ErrCorrupt, id)
	}
	delete(g.asked, id)
	return r, nil
}

// Read hands over whole answers that have been looked at.
func (g *guard) Read(p []byte) (int, error) {
	if len(g.pending) == 0 {
		if g.err == nil {
			g.err = g.next()
		}
		if g.err != nil {
			return 0, g.err
		}
	}
	n := copy(p, g.pending)
	g.pending = g.pending[n:]
	return n, nil
}

// next reads one answer into pending.
func (g *guard) next() error {
	if cap(g.frame) > 8*growth {
		g.frame = nil // one large answer is no reason to keep so much for ever
	}
	var asked request
	frame, err := readFrame(g.Conn, g.frame, g.addr, func(id int32) (limit int64, err error) {
		asked, err = g.asking(id)
		return limitOf(asked.key), err
	})
	if err != nil && !g.answered {
		return firstAnswer(g.addr, g.encrypted, err)
	}
	if err != nil {
		return err
	}
	g.frame, g.answered = frame, true
	g.pending, err = checked(frame, asked)
	return err
}

func limitOf(key int16) int64 {
	if key == int16(kmsg.Fetch) {
		return MaxFetchAnswer
	}
	return maxAnswer
}

// checked returns an answer as it may be handed over.
func checked(frame []byte, asked request) ([]byte, error) {
	res, out, err := decode(frame, asked)
	if err != nil {
		return nil, err
	}
	switch r := res.(type) {
	case *kmsg.FetchResponse:
		return frame, nil // written out again it would be copied for nothing
	case *kmsg.MetadataResponse:
		for _, b := range r.Brokers {
			if err := checkHost(b.Host); err != nil {
				return nil, err
			}
		}
	case *kmsg.FindCoordinatorResponse:
		for _, c := range append(r.Coordinators, kmsg.FindCoordinatorResponseCoordinator{Host: r.Host}) {
			if err := checkHost(c.Host); err != nil {
				return nil, err
			}
		}
	case *kmsg.SyncGroupResponse:
		// The library takes this apart as well.
		if err := new(kmsg.ConsumerMemberAssignment).ReadFrom(r.MemberAssignment); err != nil && len(r.MemberAssignment) > 0 {
			return nil, fmt.Errorf("%w: the group's assignment: %w", ErrCorrupt, err)
		}
	}
	return out, nil
}

// hostForm is a name of DNS or an IP address, which may stand in brackets or name its zone.
var hostForm = regexp.MustCompile(`^[\w.:%\[\]-]*$`)

// checkHost refuses what is no host of a broker: kafka-go panics on one with a comma, which it takes for two.
func checkHost(host string) error {
	if hostForm.MatchString(host) {
		return nil
	}
	return fmt.Errorf("%w: a broker's host is called %q", ErrCorrupt, host)
}

// decode takes an answer apart, and writes it out again without the batches of a fetch. No count in it is believed
// beyond the bytes that came.
func decode(frame []byte, asked request) (res kmsg.Response, out []byte, err error) {
	if res, err = answer(asked.key, asked.version); err != nil {
		return nil, nil, err
	}
	b, err := body(frame, res)
	if err != nil {
		return nil, nil, err
	}
	if err := res.ReadFrom(b); err != nil {
		return nil, nil, fmt.Errorf("%w: kind %d, version %d: its fields do not fit its %d bytes: %w", ErrCorrupt, asked.key, asked.version, len(frame), err)
	}
	out = append(out, frame[:len(frame)-len(b)]...)
	size := 0
	if f, ok := res.(*kmsg.FetchResponse); ok {
		out, size = appendWithoutBatches(out, f)
	} else {
		out = res.AppendTo(out)
	}
	// Only the older way of writing answers has one form for each.
	if !res.IsFlexible() && len(out)+size != len(frame) {
		return nil, nil, fmt.Errorf("%w: kind %d, version %d: its fields take %d of its %d bytes", ErrCorrupt, asked.key, asked.version, len(out)+size, len(frame))
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return res, out, nil
}

// appendWithoutBatches writes out an answer to a fetch but for its batches, and returns their size.
func appendWithoutBatches(out []byte, f *kmsg.FetchResponse) ([]byte, int) {
	size := 0
	var batches [][]byte
	each := func(do func(p *kmsg.FetchResponseTopicPartition)) {
		for i := range f.Topics {
			for j := range f.Topics[i].Partitions {
				do(&f.Topics[i].Partitions[j])
			}
		}
	}
	each(func(p *kmsg.FetchResponseTopicPartition) {
		size += len(p.RecordBatches)
		batches = append(batches, p.RecordBatches)
		p.RecordBatches = nil
	})
	out = f.AppendTo(out)
	each(func(p *kmsg.FetchResponseTopicPartition) {
		p.RecordBatches, batches = batches[0], batches[1:]
	})
	return out, size
}
