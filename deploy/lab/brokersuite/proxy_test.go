package brokersuite

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// verdict is what the proxy does with an answer of the broker.
type verdict int

const (
	pass verdict = iota
	cut          // close the connection instead of handing the answer over
	hold         // hand over neither this answer nor any other of the connection
)

// proxy stands between clients and a broker and looks at whole frames. The
// hook sees each answer with the kind of request it answers, and may change it.
type proxy struct {
	ln  net.Listener
	raw bool // it cannot look into what passes

	mu     sync.Mutex
	to     string
	answer func(key kmsg.Key, frame []byte) verdict
	conns  map[net.Conn]struct{}
}

func newProxy(t testing.TB) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, conns: make(map[net.Conn]struct{})}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) addr() string { return p.ln.Addr().String() }

func (p *proxy) target(addr string) {
	p.mu.Lock()
	p.to = addr
	p.mu.Unlock()
}

// hook sets what happens to answers from now on; nil lets them pass.
func (p *proxy) hook(f func(key kmsg.Key, frame []byte) verdict) {
	p.mu.Lock()
	p.answer = f
	p.mu.Unlock()
}

func (p *proxy) close() {
	p.ln.Close()
	p.cutAll()
}

// cutAll ends every connection that there is.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	to := p.to
	p.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.conns, client)
		delete(p.conns, server)
		p.mu.Unlock()
	}()
	if p.raw {
		go func() {
			_, _ = io.Copy(server, client) // until either end hangs up
			server.Close()
		}()
		_, _ = io.Copy(client, server)
		return
	}
	var asked sync.Map // correlation id to key
	go func() {
		defer server.Close()
		for {
			frame, err := readFrame(client)
			if err != nil || len(frame) < 12 {
				return
			}
			asked.Store(binary.BigEndian.Uint32(frame[8:]), kmsg.Key(binary.BigEndian.Uint16(frame[4:])))
			if _, err := server.Write(frame); err != nil {
				return
			}
		}
	}()
	for {
		frame, err := readFrame(server)
		if err != nil || len(frame) < 8 {
			return
		}
		key, _ := asked.LoadAndDelete(binary.BigEndian.Uint32(frame[4:]))
		p.mu.Lock()
		answer := p.answer
		p.mu.Unlock()
		if k, ok := key.(kmsg.Key); ok && answer != nil {
			switch answer(k, frame) {
			case cut:
				return
			case hold:
				_, _ = io.Copy(io.Discard, server) // until either end hangs up
				return
			}
		}
		if _, err := client.Write(frame); err != nil {
			return
		}
	}
}

// readFrame reads a frame with its size in front.
func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+binary.BigEndian.Uint32(size[:]))
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}
