package nativeserver_test

import (
	"net"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"retorno/deploy/lab/embedded/embeddedtest"
)

// rawConn speaks the protocol packet by packet, at a revision of its own.
type rawConn struct {
	t        *testing.T
	conn     net.Conn
	in       *proto.Reader
	out      proto.Buffer
	revision int
}

func raw(t *testing.T, revision int) *rawConn {
	t.Helper()
	c, err := net.Dial("tcp", engine.Native())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(embeddedtest.Patience)); err != nil {
		t.Fatal(err)
	}
	k := &rawConn{t: t, conn: c, in: proto.NewReader(c), revision: revision}
	proto.ClientHello{Name: "test", Major: 18, Minor: 16, ProtocolVersion: revision, User: "default"}.Encode(&k.out)
	k.flush()
	return k
}

func (k *rawConn) flush() {
	k.t.Helper()
	if _, err := k.conn.Write(k.out.Buf); err != nil {
		k.t.Fatal(err)
	}
	k.out.Reset()
}

// expect reads a packet's code.
func (k *rawConn) expect(want proto.ServerCode) {
	k.t.Helper()
	n, err := k.in.UVarInt()
	if err != nil {
		k.t.Fatal(err)
	}
	if proto.ServerCode(n) == want {
		return
	}
	var e proto.Exception
	if proto.ServerCode(n) == proto.ServerCodeException {
		if err := e.DecodeAware(k.in, k.revision); err != nil {
			k.t.Fatal(err)
		}
	}
	k.t.Fatalf("packet %v %s, want %v", proto.ServerCode(n), e.Message, want)
}

func (k *rawConn) hello() {
	k.t.Helper()
	k.expect(proto.ServerCodeHello)
	var h proto.ServerHello
	if err := h.DecodeAware(k.in, k.revision); err != nil || h.Name != "ClickHouse" {
		k.t.Fatalf("%+v %v", h, err)
	}
}

// emptyBlock ends the data of a client.
func (k *rawConn) emptyBlock() {
	k.t.Helper()
	proto.ClientCodeData.Encode(&k.out)
	k.out.PutString("")
	if err := (proto.Block{}).EncodeBlock(&k.out, k.revision, nil); err != nil {
		k.t.Fatal(err)
	}
}

// A client of 2018, such as Debian's clickhouse-client 18.16, sends settings as numbers.
func TestClientOf2018(t *testing.T) {
	k := raw(t, 54412)
	k.hello()
	proto.ClientCodeQuery.Encode(&k.out)
	k.out.PutString("an id")
	proto.ClientInfo{ProtocolVersion: k.revision, Major: 18, Minor: 16, Interface: proto.InterfaceTCP, Query: proto.ClientQueryInitial}.EncodeAware(&k.out, k.revision)
	k.out.PutString("max_threads")
	k.out.PutUVarInt(3)
	k.out.PutString("format_csv_delimiter")
	k.out.PutString(";")
	k.out.PutString("") // no more settings
	k.out.PutUVarInt(uint64(proto.StageComplete))
	k.out.PutUVarInt(uint64(proto.CompressionDisabled))
	k.out.PutString("SELECT toUInt64(getSetting('max_threads')) AS n, getSetting('format_csv_delimiter') AS d")
	k.emptyBlock()
	k.flush()
	for range 2 { // the header, then the row
		k.expect(proto.ServerCodeData)
		if _, err := k.in.Str(); err != nil {
			t.Fatal(err)
		}
		var b proto.Block
		var n proto.ColUInt64
		var d proto.ColStr
		if err := b.DecodeBlock(k.in, k.revision, proto.Results{{Name: "n", Data: &n}, {Name: "d", Data: &d}}); err != nil {
			t.Fatal(err)
		}
		if b.Rows == 1 && (n[0] != 3 || d.Row(0) != ";") {
			t.Errorf("got %d %q", n[0], d.Row(0))
		}
	}
	k.expect(proto.ServerCodeProgress)
	var p proto.Progress
	if err := p.DecodeAware(k.in, k.revision); err != nil {
		t.Fatal(err)
	}
	k.expect(proto.ServerCodeProfile)
	var info proto.Profile
	if err := info.DecodeAware(k.in, k.revision); err != nil || info.Rows != 1 || !info.CalculatedRowsBeforeLimit {
		t.Errorf("%+v %v", info, err)
	}
	k.expect(proto.ServerCodeProgress)
	if err := p.DecodeAware(k.in, k.revision); err != nil {
		t.Fatal(err)
	}
	k.expect(proto.ServerCodeEndOfStream)
}

func TestClientThatIsTooOldIsToldSo(t *testing.T) {
	k := raw(t, 53000)
	k.expect(proto.ServerCodeException)
	var e proto.Exception
	if err := e.DecodeAware(k.in, k.revision); err != nil || e.Code != 48 {
		t.Errorf("%+v %v", e, err)
	}
}

// A client that breaks the protocol loses its connection, and no other is touched.
func TestBrokenProtocol(t *testing.T) {
	for name, text := range map[string]string{"unknown packet": "\x63", "data without a query cut short": "\x02\x00\x01\x00", "a query cut short": "\x01\x05abc"} {
		k := raw(t, 54453)
		k.hello()
		k.out.Buf = append(k.out.Buf, text...)
		k.flush()
		if err := k.conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := k.in.ReadByte(); err != nil {
				break // the server has closed, perhaps after an exception
			}
		}
		if c := open(t); one[uint8](t, c, "SELECT 1") != 1 {
			t.Errorf("after %s the engine serves no more", name)
		}
	}
}
