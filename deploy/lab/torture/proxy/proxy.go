// Package proxy stands between clients and a server on loopback, and makes trouble on the way: delays, silence, cut
// connections, answers of ClickHouse that are errors, and changed bits in answers of Kafka. Random changes follow a seed.
package proxy

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Trouble is what a proxy does to everything that passes. The zero value does nothing.
type Trouble struct {
	Delay     time.Duration // before each piece, both ways
	Swallow   bool          // answers are dropped
	Hang      bool          // nothing passes, and nothing ends
	Refuse    bool          // new connections end at once
	Exception int32         // this ClickHouse error is the answer to every question
	Cut       bool          // connections end once Budget bytes have passed to the server
	Budget    int64         // see Cut
}

// Proxy stands between clients and a server on loopback.
type Proxy struct {
	ln     net.Listener
	frames bool // answers are Kafka's frames

	mu     sync.Mutex
	eased  *sync.Cond // signalled when the trouble changes or a connection ends
	to     string
	now    Trouble
	flips  int64
	spoils int64
	spoilt map[kmsg.Key]int // answers so far, by what they answer
	seed   *rand.Rand
	conns  map[*link]struct{}
	over   bool
}

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	asked          requests // of Kafka
	answered       bool     // the server has said something
	ended          bool
}

// New listens on a free port of loopback. frames says that the server is a Kafka, whose answers are whole frames; seed
// makes the changes. The error is the listener's.
func New(frames bool, seed uint64) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{ln: ln, frames: frames, conns: map[*link]struct{}{}, spoilt: map[kmsg.Key]int{}, seed: rand.New(rand.NewPCG(seed, 0x70726f7879))}
	p.eased = sync.NewCond(&p.mu)
	go p.accept()
	return p, nil
}

// Addr is the address to connect to.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Target sets the address of the server behind.
func (p *Proxy) Target(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = addr
}

// Set makes t the trouble from now on. endAll ends the connections that are there.
func (p *Proxy) Set(t Trouble, endAll bool) {
	p.mu.Lock()
	p.now = t
	p.mu.Unlock()
	p.eased.Broadcast()
	if endAll {
		p.endAll()
	}
}

// Flip changes a bit in each of the next n answers that carry records.
func (p *Proxy) Flip(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flips += n
}

// Heal ends all trouble and every connection.
func (p *Proxy) Heal() {
	p.mu.Lock()
	p.flips, p.spoils = 0, 0
	p.mu.Unlock()
	p.Set(Trouble{}, true)
}

func (p *Proxy) endAll() {
	p.mu.Lock()
	all := make([]*link, 0, len(p.conns))
	for l := range p.conns {
		all = append(all, l)
	}
	p.mu.Unlock()
	for _, l := range all {
		p.end(l)
	}
}

// Close ends all connections, and waits for nothing.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	err := p.ln.Close()
	p.endAll()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	to, refuse := p.to, p.now.Refuse
	p.mu.Unlock()
	if refuse {
		_ = client.Close() // that is the refusal
		return
	}
	server, err := net.DialTimeout("tcp", to, time.Second)
	if err != nil {
		_ = client.Close() // as if no server listened
		return
	}
	l := &link{client: client, server: server}
	p.mu.Lock()
	p.conns[l] = struct{}{}
	over := p.over
	p.mu.Unlock()
	if over {
		p.end(l)
		return
	}
	go p.ask(l)
	p.answer(l)
}

// end closes both sides of a connection.
func (p *Proxy) end(l *link) {
	p.mu.Lock()
	l.ended = true
	delete(p.conns, l)
	p.mu.Unlock()
	p.eased.Broadcast()
	_, _ = l.client.Close(), l.server.Close() // whichever ended first took the other along
}

// Trouble waits while everything hangs, and returns what is to be done now; false when the connection is over.
func (p *Proxy) trouble(l *link) (Trouble, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.now.Hang && !l.ended {
		p.eased.Wait()
	}
	return p.now, !l.ended
}

// ask passes what the client says to the server.
func (p *Proxy) ask(l *link) {
	defer p.end(l)
	buf := make([]byte, 32<<10)
	for {
		n, err := l.client.Read(buf)
		if err != nil {
			return
		}
		p.note(l, buf[:n])
		t, ok := p.trouble(l)
		if !ok {
			return
		}
		time.Sleep(t.Delay)
		if t.Exception != 0 && p.hasAnswered(l) {
			if _, err := l.client.Write(exceptionPacket(t.Exception)); err == nil {
				_, _ = io.Copy(io.Discard, l.client) // until the client has read it and closes
			}
			return
		}
		pass := p.spend(t, int64(n))
		if _, err := l.server.Write(buf[:pass]); err != nil || pass < int64(n) {
			return
		}
	}
}

// note remembers what a client asked of Kafka.
func (p *Proxy) note(l *link, said []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frames {
		l.asked.see(said)
	}
}

func (p *Proxy) hasAnswered(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.answered
}

// spend is how many of n bytes may still pass. The cut is over once it has been made.
func (p *Proxy) spend(t Trouble, n int64) int64 {
	if !t.Cut {
		return n
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.now.Cut {
		return n
	}
	if p.now.Budget >= n {
		p.now.Budget -= n
		return n
	}
	pass := p.now.Budget
	p.now.Cut = false
	return pass
}

// answer passes what the server says to the client.
func (p *Proxy) answer(l *link) {
	defer p.end(l)
	buf := make([]byte, 32<<10)
	for {
		piece, err := p.piece(l.server, &buf)
		if err != nil {
			return
		}
		t, ok := p.trouble(l)
		if !ok {
			return
		}
		time.Sleep(t.Delay)
		if t.Swallow {
			continue
		}
		p.mu.Lock()
		l.answered = true
		if p.flips > 0 && p.frames && flipRecord(piece, p.seed) {
			p.flips--
		}
		p.mayBeSpoilt(l, piece)
		p.mu.Unlock()
		if _, err := l.client.Write(piece); err != nil {
			return
		}
	}
}

// piece reads a whole frame of Kafka's, or what there is.
func (p *Proxy) piece(from io.Reader, buf *[]byte) ([]byte, error) {
	if !p.frames {
		n, err := from.Read(*buf)
		return (*buf)[:n], err
	}
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	n := 4 + int(binary.BigEndian.Uint32(size[:]))
	if n > len(*buf) {
		*buf = make([]byte, n)
	}
	frame := (*buf)[:n]
	copy(frame, size[:])
	_, err := io.ReadFull(from, frame[4:])
	return frame, err
}

// flipRecord changes one bit of the part of a record batch that its checksum covers. False: the frame holds no batch.
func flipRecord(frame []byte, rnd *rand.Rand) bool {
	const (
		length  = 8  // of the batch, after its base offset
		magic   = 16 // 2 since Kafka 0.11
		records = 61 // after the batch's head
	)
	for i := 8; i+records < len(frame); i++ {
		n := int(binary.BigEndian.Uint32(frame[i+length:]))
		if frame[i+magic] != 2 || n < records || i+length+4+n > len(frame) || n > len(frame) {
			continue
		}
		frame[i+records+rnd.IntN(n+length+4-records)] ^= 1 << rnd.IntN(8)
		return true
	}
	return false
}

// exceptionPacket is how a ClickHouse server says no: packet 2 of its native protocol.
func exceptionPacket(code int32) []byte {
	var b proto.Buffer
	proto.ServerCodeException.Encode(&b)
	e := proto.Exception{Code: proto.Error(code), Name: "DB::Exception", Message: "DB::Exception: made by the torture"}
	b.PutInt32(int32(e.Code))
	b.PutString(e.Name)
	b.PutString(e.Message)
	b.PutString("")
	b.PutBool(false)
	return b.Buf
}
