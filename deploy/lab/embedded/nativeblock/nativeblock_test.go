package nativeblock_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"retorno/deploy/lab/embedded/nativeblock"
)

// ch-go writes the blocks that the package must copy: revision 54453 without the file dialect's BlockInfo is the file
// dialect, 54460 the newer wire.
const oldRevision, newRevision = 54453, 54460

func draw(t *rapid.T, rows int) proto.Input {
	var (
		n    proto.ColUInt64
		s    proto.ColStr
		b    proto.ColBool
		fs   = proto.ColFixedStr{Size: 3}
		id   proto.ColUUID
		dt   = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro)
		d    proto.ColDecimal128
		null = new(proto.ColStr).Nullable()
		low  = new(proto.ColStr).LowCardinality()
		arr  = proto.NewArray[[]string](new(proto.ColStr).Array())
		larr = proto.NewArray[string](new(proto.ColStr).LowCardinality())
		m    = proto.NewMap[string, []uint32](new(proto.ColStr).LowCardinality(), new(proto.ColUInt32).Array())
		ta   proto.ColInt8
		tb   = new(proto.ColStr).Array()
	)
	text := rapid.StringN(0, 20, 200)
	for range rows {
		n.Append(rapid.Uint64().Draw(t, "n"))
		s.Append(text.Draw(t, "s"))
		b.Append(rapid.Bool().Draw(t, "b"))
		fs.Append([]byte("abc"))
		id.Append(uuid.New())
		dt.Append(time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "time"), 0))
		d.Append(proto.Decimal128{Low: rapid.Uint64().Draw(t, "d")})
		null.Append(proto.Nullable[string]{Set: rapid.Bool().Draw(t, "set"), Value: text.Draw(t, "null")})
		low.Append(rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "low"))
		arr.Append(rapid.SliceOfN(rapid.SliceOfN(text, 0, 3), 0, 3).Draw(t, "arr"))
		larr.Append(rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 3).Draw(t, "larr"))
		m.Append(rapid.MapOfN(rapid.SampledFrom([]string{"k", "l"}), rapid.SliceOfN(rapid.Uint32(), 0, 2), 0, 2).Draw(t, "m"))
		ta.Append(rapid.Int8().Draw(t, "ta"))
		tb.Append(rapid.SliceOfN(text, 0, 2).Draw(t, "tb"))
	}
	return proto.Input{
		{Name: "n", Data: &n}, {Name: "s", Data: &s}, {Name: "b", Data: &b}, {Name: "fs", Data: &fs}, {Name: "id", Data: &id}, {Name: "dt", Data: dt}, {Name: "d", Data: proto.Alias(&d, "Decimal(38, 4)")},
		{Name: "null", Data: null}, {Name: "low", Data: low}, {Name: "arr", Data: arr}, {Name: "larr", Data: larr}, {Name: "m", Data: m}, {Name: "t", Data: proto.ColTuple{&ta, tb}},
	}
}

func encode(t *rapid.T, input proto.Input, rows, revision int) []byte {
	var b proto.Buffer
	block := proto.Block{Columns: len(input), Rows: rows}
	if err := block.EncodeRawBlock(&b, revision, input); err != nil {
		t.Fatal(err)
	}
	return b.Buf
}

func copied(src []byte, from, to nativeblock.Dialect) (out []byte, rest []byte, h nativeblock.Header, err error) {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	r := bytes.NewReader(src)
	h, err = nativeblock.Copy(w, r, from, to)
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	rest, readErr := io.ReadAll(r)
	return b.Bytes(), rest, h, errors.Join(err, readErr)
}

// A block that goes to the wire and back is the same block, and what follows it is left alone.
func TestCopyThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 5).Draw(t, "rows")
		input := draw(t, rows)
		file := encode(t, input, rows, oldRevision)
		wire := append([]byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}, encode(t, input, rows, newRevision)...)
		got, rest, h, err := copied(append(file, "rest"...), nativeblock.File, nativeblock.Wire(newRevision))
		if err != nil || !bytes.Equal(got, wire) || string(rest) != "rest" {
			t.Fatalf("to the wire: %v, rest %q\ngot  %x\nwant %x", err, rest, got, wire)
		}
		if h.Rows != rows || len(h.Columns) != len(input) || h.Columns[11] != (nativeblock.Column{Name: "m", Type: "Map(LowCardinality(String), Array(UInt32))"}) {
			t.Fatalf("header %+v", h)
		}
		if got, rest, _, err = copied(append(wire, "rest"...), nativeblock.Wire(newRevision), nativeblock.File); err != nil || !bytes.Equal(got, file) || string(rest) != "rest" {
			t.Fatalf("from the wire: %v, rest %q", err, rest)
		}
	})
}

// A block cut anywhere is an error, and io.EOF only when nothing of it has come.
func TestCutBlock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := encode(t, draw(t, 2), 2, oldRevision)
		at := rapid.IntRange(0, len(file)-1).Draw(t, "at")
		_, _, _, err := copied(file[:at], nativeblock.File, nativeblock.File)
		if want := at == 0; err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) != want {
			t.Fatalf("cut at %d of %d: %v", at, len(file), err)
		}
	})
}

// Nonsense is an error or a block, and never more work than its bytes are worth.
func TestNonsense(t *testing.T) {
	types := []string{"String", "Array(String)", "Dynamic", "JSON(a Int8)", "Variant(String, Int8)", "LowCardinality(String)", "Map(String, Int8)", "Nope", "Tuple(", "Decimal(99, 1)", "FixedString(-1)", "Array()", ""}
	rapid.Check(t, func(t *rapid.T) {
		b := []byte{1, byte(rapid.IntRange(0, 5).Draw(t, "rows")), 1, 'c'}
		typ := rapid.SampledFrom(types).Draw(t, "type")
		b = append(append(b, byte(len(typ))), typ...)
		b = append(b, rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "bytes")...)
		_, _, _, _ = copied(b, nativeblock.File, nativeblock.File) // must come back
	})
}

func TestUnsupportedTypeIsNamed(t *testing.T) {
	b := append([]byte{1, 1, 5}, "state"...)
	typ := "AggregateFunction(sum, UInt64)"
	b = append(append(b, byte(len(typ))), typ...)
	_, _, _, err := copied(append(b, make([]byte, 8)...), nativeblock.File, nativeblock.File)
	if !errors.Is(err, nativeblock.ErrUnsupported) || !bytes.Contains([]byte(err.Error()), []byte(`"state"`)) {
		t.Errorf("got %v", err)
	}
}

func TestHeaderIsReadBack(t *testing.T) {
	columns := []nativeblock.Column{{Name: "a", Type: "UInt8"}, {Name: "ñ b", Type: "AggregateFunction(sum, UInt64)"}}
	for _, revision := range []int{oldRevision, newRevision} {
		_, rest, h, err := copied(nativeblock.AppendHeader(nil, columns, nativeblock.Wire(revision)), nativeblock.Wire(revision), nativeblock.File)
		if err != nil || len(rest) > 0 || h.Rows != 0 || !reflect.DeepEqual(h.Columns, columns) {
			t.Errorf("revision %d: %+v %v, rest %d", revision, h, err, len(rest))
		}
	}
	if _, _, h, err := copied([]byte{0, 0}, nativeblock.File, nativeblock.File); err != nil || !h.Empty() {
		t.Errorf("%+v %v", h, err)
	}
	if fmt.Sprint(nativeblock.Wire(oldRevision)) == fmt.Sprint(nativeblock.Wire(newRevision)) {
		t.Error("both revisions have one dialect")
	}
}
