package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

const (
	// connectTimeout bounds how long it takes to reach a broker, and loginTimeout all that comes before the first
	// request.
	connectTimeout = 3 * time.Second
	loginTimeout   = 5 * time.Second
	// requestTimeout bounds a request whose caller sets no limit, and how long AskAny waits for one broker at last.
	requestTimeout = 10 * time.Second
	// keepAlive notices a broker that has vanished without a word.
	keepAlive = 15 * time.Second
)

// Dial connects to a broker, encrypted when that is set. What is read from the connection are whole answers whose
// fields hold together; what is not one is an error that wraps ErrCorrupt. It is for the client library; see Connect.
func (a Access) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := a.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return newGuard(c, addr, a.TLS != nil), nil
}

// DialUnguarded connects as Dial does, within five seconds, for a client library that believes no count in an answer
// beyond the bytes that came. What is read from the connection is what the broker sent.
func (a Access) DialUnguarded(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	return a.dial(ctx, network, addr)
}

func (a Access) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if a.Silence > 0 {
		c = &lively{Conn: c, silence: a.Silence}
	}
	if a.TLS == nil {
		return c, nil
	}
	cfg, err := a.TLS.config(hostOf(addr))
	if err != nil {
		c.Close()
		return nil, err
	}
	secured := tls.Client(c, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, handshakeFailed(addr, err)
	}
	return secured, nil
}

// handshakeFailed says what a failed TLS handshake looks like.
func handshakeFailed(addr string, err error) error {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record):
		return &MismatchError{Addr: addr, Problem: "what answers does not speak TLS", Err: err}
	case hungUp(err):
		return &MismatchError{Addr: addr, Problem: "the connection was ended during the TLS handshake, as listeners without TLS do", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("TLS with %s: no answer to the handshake, as from listeners without TLS: %w", addr, err)
	}
	return fmt.Errorf("TLS with %s: %w", addr, err)
}

// hungUp reports whether the other end ended the connection.
func hungUp(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) }

// firstAnswer says what it looks like when a broker ends a connection instead of answering the first request on it.
func firstAnswer(addr string, encrypted bool, err error) error {
	if encrypted || !hungUp(err) {
		return err
	}
	return &MismatchError{Addr: addr, Problem: "the connection was ended at the first request, as by listeners that want TLS or a login", Err: err}
}

// Transport returns the client library's connections, guarded. It keeps the view of these topics up to two seconds;
// none means all topics of the cluster.
func (a Access) Transport(topics ...string) *kafkago.Transport {
	return &kafkago.Transport{
		Dial:           a.Dial,
		DialTimeout:    loginTimeout,
		IdleTimeout:    30 * time.Second,
		MetadataTTL:    2 * time.Second,
		MetadataTopics: topics,
		ClientID:       a.clientID(),
		SASL:           a.SASL.forLibrary(),
	}
}

// Dialer makes the client library's connections for groups and single partitions, guarded.
func (a Access) Dialer() *kafkago.Dialer {
	return &kafkago.Dialer{
		ClientID:      a.clientID(),
		Timeout:       loginTimeout,
		DialFunc:      a.Dial,
		SASLMechanism: a.SASL.forLibrary(),
	}
}
