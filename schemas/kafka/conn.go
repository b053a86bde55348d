package kafka

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Conn is a connection to one broker, logged in. It is for one goroutine at a time.
type Conn struct {
	net       net.Conn
	addr      string
	encrypted bool
	in        *bufio.Reader
	form      *kmsg.RequestFormatter
	id        int32
	out       []byte
	limit     int64 // of an answer to a fetch
}

// Connect connects to a broker and logs in. limit bounds what a fetch may bring, in bytes; 0 means MaxFetchAnswer.
func (a Access) Connect(ctx context.Context, addr string, limit int64) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	n, err := a.dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = MaxFetchAnswer
	}
	c := &Conn{net: n, addr: addr, encrypted: a.TLS != nil, in: bufio.NewReaderSize(n, 32<<10), limit: limit,
		form: kmsg.NewRequestFormatter(kmsg.FormatterClientID(a.clientID()))}
	if a.SASL != nil {
		if err := c.login(ctx, a.SASL); err != nil {
			c.Close()
			return nil, fmt.Errorf("log in to %s: %w", addr, err)
		}
	}
	return c, nil
}

// Close closes the connection.
func (c *Conn) Close() { _ = c.net.Close() } // nothing is lost with it

// Ask sends one request and returns its answer. When it fails, the connection is of no further use and is to be closed.
// The answer to a fetch holds the batches as they came; its memory is the caller's.
func (c *Conn) Ask(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	deadline, _ := ctx.Deadline() // the zero time means none
	if err := c.net.SetDeadline(deadline); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.net.SetDeadline(time.Unix(1, 0)) })()
	res, err := c.ask(req)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", c.addr, ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.addr, err)
	}
	return res, nil
}

func (c *Conn) ask(req kmsg.Request) (kmsg.Response, error) {
	c.id++
	c.out = c.form.AppendRequest(c.out[:0], req, c.id)
	if _, err := c.net.Write(c.out); err != nil {
		return nil, err
	}
	frame, err := readFrame(c.in, nil, c.addr, func(id int32) (int64, error) {
		if id != c.id {
			return 0, fmt.Errorf("%w: it is to request %d, and not to %d", ErrCorrupt, id, c.id)
		}
		if req.Key() == int16(kmsg.Fetch) {
			return c.limit, nil
		}
		return maxAnswer, nil
	})
	if err != nil && c.id == 1 {
		return nil, firstAnswer(c.addr, c.encrypted, err)
	}
	if err != nil {
		return nil, err
	}
	res, _, err := decode(frame, request{key: req.Key(), version: req.GetVersion()})
	return res, err
}

// login proves who we are, with the password as it is now.
func (c *Conn) login(ctx context.Context, s *SASL) error {
	shake := kmsg.NewPtrSASLHandshakeRequest()
	shake.SetVersion(1)
	shake.Mechanism = s.Mechanism
	res, err := c.Ask(ctx, shake)
	if err != nil {
		return err
	}
	if err := Code(res.(*kmsg.SASLHandshakeResponse).ErrorCode, nil); err != nil {
		return err
	}
	m, err := s.mechanism()
	if err != nil {
		return err
	}
	session, say, err := m.Start(sasl.WithMetadata(ctx, &sasl.Metadata{Host: hostOf(c.addr)}))
	for done := false; err == nil && !done; {
		var heard []byte
		if heard, err = c.authenticate(ctx, say); err == nil {
			done, say, err = session.Next(ctx, heard)
		}
	}
	return err
}

func (c *Conn) authenticate(ctx context.Context, say []byte) ([]byte, error) {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.SetVersion(0)
	req.SASLAuthBytes = say
	res, err := c.Ask(ctx, req)
	if err != nil {
		return nil, err
	}
	r := res.(*kmsg.SASLAuthenticateResponse)
	return r.SASLAuthBytes, Code(r.ErrorCode, r.ErrorMessage)
}
