package nativeserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/nativeblock"
	"retorno/deploy/lab/embedded/session"
)

// maxFrame is how much goes into one compressed frame, in bytes before compression (a server's max_compress_block_size).
const maxFrame = 1 << 20

// result runs a statement that is no INSERT with data and sends what it gives.
func (k *conn) result(ctx context.Context, st session.Statement) error {
	a := &answer{k: k, started: time.Now()}
	err := k.watched(ctx, func(ctx context.Context, emit emitter) error {
		return k.session.Blocks(ctx, st, emit)
	}, a.send, a.tell)
	if err != nil {
		return err
	}
	if !a.headed {
		columns, err := k.session.Columns(ctx, st)
		if err != nil {
			return err
		}
		a.header(columns)
	}
	a.end()
	return nil
}

// answer is the result of one statement on its way to the client.
type answer struct {
	k       *conn
	started time.Time
	headed  bool
	stats   chdb.Stats
	blocks  uint64
	bytes   uint64

	toldRows, toldBytes, toldTotal uint64
}

var partCodes = map[session.Part]proto.ServerCode{
	session.Rows: proto.ServerCodeData, session.Totals: proto.ServerCodeTotals, session.Extremes: proto.ServerCodeExtremes,
}

// send passes on what the engine gave: blocks back to back.
func (a *answer) send(r piece) error {
	a.stats.Add(r.Stats)
	code := partCodes[r.part]
	src := bytes.NewReader(r.Data)
	for src.Len() > 0 {
		var block bytes.Buffer
		w := bufio.NewWriterSize(&block, 4<<10)
		block.Grow(src.Len() + 64)
		h, err := nativeblock.Copy(w, src, nativeblock.File, a.k.wire)
		if err == nil {
			err = w.Flush()
		}
		switch {
		case errors.Is(err, nativeblock.ErrUnsupported):
			return &chdb.Error{Code: chdb.CodeNotImplemented, Name: "NOT_IMPLEMENTED", Message: err.Error()}
		case err != nil:
			return fmt.Errorf("read the engine's block: %w", err)
		}
		if !a.headed {
			a.header(h.Columns)
		}
		if r.part == session.Rows {
			a.blocks++
		}
		a.bytes += uint64(block.Len())
		if err := a.k.data(code, block.Bytes()); err != nil {
			return err
		}
	}
	a.read(a.stats.ReadRows, a.stats.ReadBytes, 0)
	return a.k.flush()
}

// tell keeps a client that waits for a long statement informed, and sees whether it is still there.
func (a *answer) tell() error {
	p, _ := a.k.session.Progress() // nothing is news, too
	a.read(p.Rows, p.Bytes, p.Total)
	return a.k.flush()
}

// read tells how much has been read; a client adds up what it is told.
func (a *answer) read(rows, bytes, total uint64) {
	p := proto.Progress{}
	if rows > a.toldRows {
		p.Rows, a.toldRows = rows-a.toldRows, rows
	}
	if bytes > a.toldBytes {
		p.Bytes, a.toldBytes = bytes-a.toldBytes, bytes
	}
	if total > a.toldTotal {
		p.TotalRows, a.toldTotal = total-a.toldTotal, total
	}
	a.k.progress(p)
}

// header sends the block of no rows that tells the columns, once.
func (a *answer) header(columns []nativeblock.Column) {
	a.headed = true
	if len(columns) > 0 {
		a.k.encodeData(proto.ServerCodeData, nativeblock.AppendHeader(nil, columns, a.k.wire))
	}
}

// end closes the result; the caller sends EndOfStream.
func (a *answer) end() {
	// Told that rows before a limit were not counted, a client of 2018 counts them itself, where there is nothing to count.
	proto.Profile{Rows: a.stats.Rows, Blocks: a.blocks, Bytes: a.bytes, CalculatedRowsBeforeLimit: true}.EncodeAware(&a.k.out, a.k.revision)
	a.k.progress(proto.Progress{WroteRows: a.stats.WrittenRows, WroteBytes: a.stats.WroteBytes, ElapsedNs: uint64(time.Since(a.started))})
}

// data sends a block that is in the wire's dialect.
func (k *conn) data(code proto.ServerCode, block []byte) error {
	k.encodeData(code, block)
	return k.flush()
}

func (k *conn) encodeData(code proto.ServerCode, block []byte) {
	code.Encode(&k.out)
	k.out.PutString("") // no table name
	if k.compression != proto.CompressionEnabled {
		k.out.Buf = append(k.out.Buf, block...)
		return
	}
	w, ok := k.compressor[k.method]
	if !ok {
		w = compress.NewWriter(compress.LevelZero, k.method)
		k.compressor[k.method] = w
	}
	for len(block) > 0 {
		n := min(len(block), maxFrame)
		if err := w.Compress(block[:n]); err != nil {
			// A frame of 1 MiB cannot overflow; the encoder has no other failure.
			panic(fmt.Sprintf("compress a frame of %d bytes: %v", n, err))
		}
		k.out.Buf = append(k.out.Buf, w.Data...)
		block = block[n:]
	}
}

func (k *conn) progress(p proto.Progress) {
	proto.ServerCodeProgress.Encode(&k.out)
	p.EncodeAware(&k.out, k.revision)
}

// readBlock copies a Data packet's block (its code is already taken) to w as FORMAT Native.
func (k *conn) readBlock(w io.Writer) (table string, h nativeblock.Header, err error) {
	if table, err = k.in.Str(); err != nil {
		return "", h, &connectionError{err}
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	if k.compression == proto.CompressionEnabled {
		k.in.EnableCompression()
		defer k.in.DisableCompression()
	}
	h, err = nativeblock.Copy(buffered, k.in, k.wire, nativeblock.File)
	if err != nil {
		if errors.Is(err, nativeblock.ErrUnsupported) {
			// The end of such a block cannot be found, so the connection cannot go on.
			err = k.refuse(&chdb.Error{Code: chdb.CodeNotImplemented, Name: "NOT_IMPLEMENTED", Message: err.Error()})
		}
		return table, h, &connectionError{err}
	}
	if h.Empty() {
		return table, h, nil // the mark of the end is no block of FORMAT Native
	}
	if err := buffered.Flush(); err != nil {
		return table, h, fmt.Errorf("keep a block: %w", err)
	}
	return table, h, nil
}
