// Package compression unfolds the records of a Kafka batch.
//
// It promises that no more is allocated than a batch may unfold to (Limit), whatever its bytes say: what a format
// declares is compared with the limit before the codec sees it. An error says that the bytes are not of the format, or
// unfold to more. Every reader of the program unfolds here.
package compression

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Limit bounds what one batch may unfold to, in bytes. Batches of this program are under 1 MB, and a broker takes no
// single fact above 16 MiB.
const Limit = 64 << 20

// Codec is the number that a batch's attributes give its compression.
type Codec uint8

// The codecs of Kafka (https://kafka.apache.org/documentation/#recordbatch).
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

// ErrTooLarge says that the bytes unfold to more than Limit, or say that they do.
var ErrTooLarge = fmt.Errorf("it decompresses to more than %d bytes", Limit)

// Unfold returns the decompressed form of src, in buf's memory from its begin on when it fits there. What buf held is
// lost.
func (c Codec) Unfold(buf, src []byte) ([]byte, error) {
	switch c {
	case None:
		return append(buf[:0], src...), nil
	case Gzip:
		return unfoldGzip(buf[:0], src)
	case Snappy:
		return unfoldSnappy(buf[:0], src)
	case LZ4:
		return unfoldLZ4(buf[:0], src)
	case Zstd:
		return unfoldZstd(buf[:0], src)
	}
	return nil, fmt.Errorf("unknown compression %d", c)
}

var (
	gzips = sync.Pool{New: func() any { return new(gzip.Reader) }}
	lz4s  = sync.Pool{New: func() any { return lz4.NewReader(nil) }}
)

func unfoldGzip(out, src []byte) ([]byte, error) {
	r := gzips.Get().(*gzip.Reader)
	defer gzips.Put(r)
	if err := r.Reset(bytes.NewReader(src)); err != nil {
		return nil, failed(err)
	}
	return readAll(out, r)
}

// unfoldLZ4 relies on the format: a block is 8 MiB at most.
func unfoldLZ4(out, src []byte) ([]byte, error) {
	r := lz4s.Get().(*lz4.Reader)
	r.Reset(bytes.NewReader(src))
	out, err := readAll(out, r)
	r.Reset(nil)
	lz4s.Put(r)
	return out, err
}

// readAll appends what r holds to out, up to the limit.
func readAll(out []byte, r io.Reader) ([]byte, error) {
	for {
		if len(out) == cap(out) {
			out = grow(out, 64<<10)
		}
		n, err := r.Read(out[len(out):min(cap(out), Limit+1)])
		out = out[:len(out)+n]
		switch {
		case len(out) > Limit:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, failed(err)
		}
	}
}

// grow makes room for n bytes more.
func grow(out []byte, n int) []byte {
	grown := make([]byte, len(out), max(2*cap(out), len(out)+n))
	copy(grown, out)
	return grown
}

func failed(err error) error { return fmt.Errorf("decompression: %w", err) }

// xerial begins the framing of the Java library: two version numbers follow, then blocks, each behind its size.
const xerial = "\x82SNAPPY\x00"

func unfoldSnappy(out, src []byte) ([]byte, error) {
	if len(src) < len(xerial)+8 || string(src[:len(xerial)]) != xerial {
		return unfoldBlock(out, src)
	}
	for b := src[len(xerial)+8:]; len(b) > 0; {
		if len(b) < 4 {
			return nil, errSnappy
		}
		n := binary.BigEndian.Uint32(b)
		if b = b[4:]; uint64(n) > uint64(len(b)) {
			return nil, errSnappy
		}
		var err error
		if out, err = unfoldBlock(out, b[:n]); err != nil {
			return nil, err
		}
		b = b[n:]
	}
	return out, nil
}

var errSnappy = errors.New("decompression: the snappy framing does not hold together")

// unfoldBlock appends one snappy block.
func unfoldBlock(out, block []byte) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	if err != nil {
		return nil, failed(err)
	}
	if n > Limit-len(out) {
		return nil, ErrTooLarge
	}
	at := len(out)
	if cap(out)-at < n {
		out = grow(out, n)
	}
	if _, err := snappy.Decode(out[at:at+n], block); err != nil {
		return nil, failed(err)
	}
	return out[:at+n], nil
}

// zstds unfolds without a window of its own: what has been unfolded is the window. A frame that declares a window or a
// content above the limit is refused by its header.
var zstds = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(Limit), zstd.WithDecoderMaxWindow(Limit), zstd.WithDecoderConcurrency(0))
	if err != nil {
		panic("compression: " + err.Error()) // the options are constants
	}
	return d
})

func unfoldZstd(out, src []byte) ([]byte, error) {
	out, err := zstds().DecodeAll(src, out)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, ErrTooLarge
	case err != nil:
		return nil, failed(err)
	}
	return out, nil
}
