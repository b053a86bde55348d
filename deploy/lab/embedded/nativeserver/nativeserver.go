// Package nativeserver speaks ClickHouse's native TCP protocol in front of the embedded engine, so that
// clickhouse-go, ch-go, clickhouse-driver and clickhouse-client connect to it as to a server.
//
// It promises: each connection has a session of its own; a Cancel packet, or a client that goes away, ends the
// statement in the engine; results pass in blocks and are never held whole; errors carry ClickHouse's own codes;
// after an error the connection serves on. It never sends a packet that the client's protocol revision lacks.
// A client that breaks the protocol loses its connection, and no other is touched.
package nativeserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"runtime/debug"
	"sync"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/session"
)

// Revision is the protocol revision announced: the last before the server must list its password rules (54461).
// Query parameters need 54459.
const Revision = 54460

// Server accepts connections for one engine.
type Server struct {
	Engine *session.Engine
	// Authenticate reports whether user and password are right, and the one role the user is bound to ("" = not bound).
	Authenticate func(user, password string) (role string, ok bool)
	// Log takes one line for each connection that ended in an unexpected way.
	Log *log.Logger

	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	closing bool
	wg      sync.WaitGroup
}

// Serve accepts connections until the listener is closed.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		if !s.add(c) {
			_ = c.Close() // it came while the server was stopping
			continue
		}
		go func() {
			defer s.remove(c)
			defer s.survive(c)
			if err := serve(ctx, s, c); err != nil && !gone(err) {
				s.Log.Printf("native connection of %s: %v", c.RemoteAddr(), err)
			}
		}()
	}
}

// survive keeps a fault in the serving of one client from ending the service of all others.
func (s *Server) survive(c net.Conn) {
	if fault := recover(); fault != nil {
		s.Log.Printf("native connection of %s: fault: %v\n%s", c.RemoteAddr(), fault, debug.Stack())
	}
}

// Close ends all connections, and with them their statements, and waits for that.
func (s *Server) Close() {
	s.mu.Lock()
	s.closing = true
	for c := range s.conns {
		_ = c.Close() // its own goroutine sees the error
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *Server) add(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.conns == nil {
		s.conns = map[net.Conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	s.wg.Add(1)
	return true
}

func (s *Server) remove(c net.Conn) {
	_ = c.Close() // the client has had everything it will get
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.wg.Done()
}

// gone says that the client has left, which it may do whenever it likes, or was sent away.
func gone(err error) bool {
	var network *net.OpError
	var told *chdb.Error
	if errors.As(err, &told) { // refused, and told why
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &network)
}
