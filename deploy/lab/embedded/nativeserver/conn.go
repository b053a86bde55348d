package nativeserver

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/nativeblock"
	"retorno/deploy/lab/embedded/session"
)

// conn is one client's connection. All but the reading of packet codes happens on one goroutine.
type conn struct {
	server   *Server
	net      net.Conn
	in       *proto.Reader
	out      proto.Buffer
	revision int // the lower of the client's and ours
	wire     nativeblock.Dialect
	session  *session.Session

	codes   chan packetCode // what the reading goroutine found
	resume  chan struct{}   // lets it read the next one
	reading bool            // it has been let and has not delivered yet
	pending *packetCode     // came while a statement ran, to be served after it

	compression proto.Compression
	method      compress.Method
	compressor  map[compress.Method]*compress.Writer
}

type packetCode struct {
	code proto.ClientCode
	err  error
}

func serve(ctx context.Context, s *Server, c net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k := &conn{
		server: s, net: c, in: proto.NewReader(c),
		codes: make(chan packetCode), resume: make(chan struct{}),
		method: compress.LZ4, compressor: map[compress.Method]*compress.Writer{},
	}
	if err := k.handshake(ctx); err != nil {
		return err
	}
	defer k.session.Close()
	quit := make(chan struct{})
	defer close(quit)
	go k.readCodes(quit)
	for {
		p := k.readCode()
		if p.err != nil {
			return p.err
		}
		if err := k.handle(ctx, p.code); err != nil {
			return err
		}
	}
}

// readCodes reads the code of a packet each time it is let to: the packet's body belongs to the serving goroutine.
// So a Cancel, or the client's end, is seen while a statement runs. Until quit it delivers one answer for each resume.
func (k *conn) readCodes(quit <-chan struct{}) {
	for {
		select {
		case <-k.resume:
		case <-quit:
			return
		}
		n, err := k.in.UVarInt()
		select {
		case k.codes <- packetCode{proto.ClientCode(n), err}:
		case <-quit:
			return
		}
		if err != nil {
			return
		}
	}
}

// readOn lets the next code be read; the body of the packet before must have been taken.
func (k *conn) readOn() {
	if !k.reading && k.pending == nil {
		k.resume <- struct{}{}
		k.reading = true
	}
}

// readCode gives the next packet's code.
func (k *conn) readCode() packetCode {
	if p := k.pending; p != nil {
		k.pending = nil
		return *p
	}
	k.readOn()
	p := <-k.codes
	k.reading = false
	return p
}

func (k *conn) handle(ctx context.Context, code proto.ClientCode) error {
	switch code {
	case proto.ClientCodePing:
		proto.ServerCodePong.Encode(&k.out)
		return k.flush()
	case proto.ClientCodeCancel:
		return nil // nothing runs
	case proto.ClientCodeQuery:
		return k.query(ctx)
	case proto.ClientCodeData:
		return k.strayData()
	default:
		return k.refuse(&chdb.Error{
			Code: chdb.CodeUnexpectedPacket, Name: "UNEXPECTED_PACKET_FROM_CLIENT", Message: fmt.Sprintf("Unexpected packet %d from client", code),
		})
	}
}

// refuse tells the client why and ends the connection.
func (k *conn) refuse(err error) error {
	k.exception(err)
	if flushErr := k.flush(); flushErr != nil {
		return flushErr
	}
	return err
}

func (k *conn) handshake(ctx context.Context) error {
	code, err := k.in.UVarInt()
	if err != nil {
		return err
	}
	if proto.ClientCode(code) != proto.ClientCodeHello {
		return k.refuseHandshake(code)
	}
	var hello proto.ClientHello
	if err := hello.Decode(k.in); err != nil {
		return fmt.Errorf("client hello: %w", err)
	}
	k.revision = min(hello.ProtocolVersion, Revision)
	k.wire = nativeblock.Wire(k.revision)
	role, ok := k.server.Authenticate(hello.User, hello.Password)
	if !ok {
		return k.refuse(&chdb.Error{
			Code: chdb.CodeAuthenticationFail, Name: "AUTHENTICATION_FAILED",
			Message: hello.User + ": Authentication failed: password is incorrect, or there is no user with such name.",
		})
	}
	if k.revision < minRevision {
		return k.refuse(&chdb.Error{
			Code: chdb.CodeNotImplemented, Name: "NOT_IMPLEMENTED",
			Message: fmt.Sprintf("Protocol revision %d of the client is too old: %d is the least", hello.ProtocolVersion, minRevision),
		})
	}
	if k.session, err = k.server.Engine.Open(ctx, session.Login{Database: hello.Database, Role: role, Wire: true}); err != nil {
		return k.refuse(err)
	}
	k.hello()
	if err := k.flush(); err != nil {
		return err
	}
	if proto.FeatureAddendum.In(k.revision) {
		if _, err := k.in.Str(); err != nil { // the quota key
			return fmt.Errorf("addendum: %w", err)
		}
	}
	return nil
}

// errNotOurProtocol ends the connection of a client that speaks something else.
var errNotOurProtocol = errors.New("the client speaks HTTP to the native port")

// refuseHandshake answers who speaks HTTP to this port in HTTP, as a server does.
func (k *conn) refuseHandshake(code uint64) error {
	if code == 'G' || code == 'P' || code == 'H' || code == 'O' {
		const body = "This port speaks ClickHouse's native protocol, not HTTP: use the HTTP address.\r\n"
		if _, err := fmt.Fprintf(k.net, "HTTP/1.0 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			return err
		}
		return errNotOurProtocol
	}
	return k.refuse(&chdb.Error{
		Code: chdb.CodeUnexpectedPacket, Name: "UNEXPECTED_PACKET_FROM_CLIENT", Message: fmt.Sprintf("Unexpected packet %d from client (expected Hello)", code),
	})
}

func (k *conn) hello() {
	e := k.server.Engine
	(&proto.ServerHello{
		Name: "ClickHouse", Major: e.VersionPart(0), Minor: e.VersionPart(1), Patch: e.VersionPart(2),
		Revision: Revision, Timezone: e.Timezone(), DisplayName: "retorno-embedded",
	}).EncodeAware(&k.out, k.revision)
}

func (k *conn) exception(err error) {
	e := chdb.AsError(err)
	proto.ServerCodeException.Encode(&k.out)
	(&proto.Exception{Code: proto.Error(e.Code), Name: "DB::Exception", Message: "DB::Exception: " + e.Message}).EncodeAware(&k.out, k.revision)
}

// flush sends what is encoded. Its error is a *connectionError.
func (k *conn) flush() error {
	_, err := k.net.Write(k.out.Buf)
	k.out.Reset()
	if err != nil {
		return &connectionError{err}
	}
	return nil
}
