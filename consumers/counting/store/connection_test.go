package store

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// relay stands between a store and the engine, so that the connections between them can be cut.
type relay struct {
	ln net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{ln: ln}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", engine.Native())
			if err != nil {
				_ = client.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, client, server)
			r.mu.Unlock()
			go pump(client, server)
			go pump(server, client)
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); r.cut() })
	return r
}

// pump passes on what comes, and closes both ends with the one that ends.
func pump(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = from.Close(), to.Close()
}

// cut ends every connection; new ones can be made.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// TestABrokenConnectionIsCheckedAgain: what was checked over one connection says nothing of the next one, for the
// partition may have been taken meanwhile. So a group whose connection breaks begins again with the check, and a flush
// that was overtaken is refused instead of written behind its successor.
func TestABrokenConnectionIsCheckedAgain(t *testing.T) {
	migrated(t)
	r := newRelay(t)
	checked, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s, err := Open(Config{Addr: r.ln.Addr().String(), RetryFirst: time.Millisecond, RetryMost: 20 * time.Millisecond, Inserted: func(table string) {
		if table == "retorno.claims" { // announced and checked: nothing else is written yet
			once.Do(func() { close(checked); <-goOn })
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	overtaken := claimed(t, s, 0)
	ended := make(chan error, 1)
	go func() { ended <- overtaken.Write(t.Context(), flushOf(overtaken, 1, 0, 10), map[string]int64{"t": 10}) }()
	<-checked
	direct, err := Open(Config{Addr: engine.Native()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = direct.Close() })
	claimed(t, direct, 0)
	r.cut()
	close(goOn)
	if err := <-ended; !IsFenced(err) {
		t.Errorf("the overtaken flush was told %v, want that it is fenced", err)
	}
	var written uint64
	if err := direct.Conn().QueryRow(t.Context(), "SELECT count() FROM retorno.ledger WHERE epoch = ?", overtaken.Epoch()).Scan(&written); err != nil || written != 0 {
		t.Errorf("%d ledger rows of the overtaken epoch: %v", written, err)
	}
}
