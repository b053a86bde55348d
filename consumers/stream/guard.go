package stream

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/segmentio/kafka-go/protocol"
)

// maxFrame bounds an answer. Fetches ask for far less; only a single batch
// beyond the limit makes an answer larger, and topics bound those.
const maxFrame = 256 << 20

// guard stands between the client library and the network and lets through
// only fetch answers that hold together. The library trusts the counts in an
// answer's own fields, which no checksum covers: one flipped bit there makes it
// allocate without bound and takes the process down. It decompresses before it
// compares checksums, and it gives up on a batch whose records are malformed.
// Here the fields are compared with the size of what came, each batch's
// checksum is verified first, and a batch that is whole but cannot be read is
// replaced by one that says so (see unreadable.go).
type guard struct {
	net.Conn

	mu     sync.Mutex
	asked  map[int32]int16 // correlation id to version, of fetches
	header [12]byte        // of the request being written: size, key, version, id
	have   int
	remain int

	frame   []byte // the answer being handed over
	pending []byte // what is left of it
	err     error
}

// guardedDial returns a dial function whose connections are guarded, inside
// the encryption when there is one.
func guardedDial(cfg *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	dialer := newDialer()
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if cfg != nil {
			secured := tls.Client(c, withServerName(cfg, addr))
			if err := secured.HandshakeContext(ctx); err != nil {
				c.Close()
				return nil, err
			}
			c = secured
		}
		return &guard{Conn: c, asked: make(map[int32]int16)}, nil
	}
}

func withServerName(cfg *tls.Config, addr string) *tls.Config {
	if cfg.ServerName != "" {
		return cfg
	}
	c := cfg.Clone()
	c.ServerName, _, _ = net.SplitHostPort(addr)
	return c
}

// Write remembers which requests are fetches.
func (g *guard) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	g.see(p[:n])
	return n, err
}

func (g *guard) see(p []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(p) > 0 {
		if g.remain > 0 {
			n := min(g.remain, len(p))
			g.remain -= n
			p = p[n:]
			continue
		}
		n := copy(g.header[g.have:], p)
		g.have += n
		p = p[n:]
		if g.have < len(g.header) {
			return
		}
		g.have = 0
		g.remain = max(0, int(binary.BigEndian.Uint32(g.header[:]))-8)
		if protocol.ApiKey(binary.BigEndian.Uint16(g.header[4:])) == protocol.Fetch {
			g.asked[int32(binary.BigEndian.Uint32(g.header[8:]))] = int16(binary.BigEndian.Uint16(g.header[6:]))
		}
	}
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
	var size [4]byte
	if _, err := io.ReadFull(g.Conn, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxFrame {
		return fmt.Errorf("%w: it says that it has %d bytes", errCorrupt, n)
	}
	if cap(g.frame) > 8<<20 {
		// One large message is no reason to keep so much for ever.
		g.frame = nil
	}
	g.frame = append(g.frame[:0], size[:]...)
	if err := g.fill(int(n)); err != nil {
		return err
	}
	if n >= 4 {
		id := int32(binary.BigEndian.Uint32(g.frame[4:]))
		g.mu.Lock()
		version, fetch := g.asked[id]
		delete(g.asked, id)
		g.mu.Unlock()
		if fetch && version >= 4 {
			checked, err := checkFetch(g.frame, version)
			if err != nil {
				return err
			}
			g.frame = checked
		}
	}
	g.pending = g.frame
	return nil
}

// fill reads n bytes behind what the frame holds, growing it with what really
// comes.
func (g *guard) fill(n int) error {
	for n > 0 {
		step := min(n, 1<<20)
		at := len(g.frame)
		if cap(g.frame)-at < step {
			g.frame = append(make([]byte, 0, max(2*cap(g.frame), at+step)), g.frame...)
		}
		g.frame = g.frame[:at+step]
		if _, err := io.ReadFull(g.Conn, g.frame[at:]); err != nil {
			return err
		}
		n -= step
	}
	return nil
}
