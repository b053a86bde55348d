package kafka

import (
	"net"
	"sync"
	"time"
)

// lively is a connection on which only silence counts: what comes moves a deadline of reading away, and never nearer. A
// deadline that has passed, as one that ends what waits, stays.
type lively struct {
	net.Conn
	silence time.Duration

	mu    sync.Mutex
	until time.Time // the deadline of reading; zero: none
}

// Read reads what has come, and takes it as a sign of life.
func (l *lively) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if n == 0 {
		return n, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if longer := now.Add(l.silence); l.until.After(now) && longer.After(l.until) {
		l.until = longer
		_ = l.Conn.SetReadDeadline(longer) // a connection that is closed says so at the next read
	}
	return n, err
}

// SetDeadline implements net.Conn.
func (l *lively) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = t
	return l.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (l *lively) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = t
	return l.Conn.SetReadDeadline(t)
}
