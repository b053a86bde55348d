package httpserver

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"retorno/deploy/lab/embedded/chdb"
)

// maxFrame is how much goes into one of ClickHouse's compressed frames, in bytes before compression.
const maxFrame = 1 << 20

// decode undoes a body's Content-Encoding.
func decode(body io.Reader, encoding string) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return &lazy{open: func() (io.Reader, error) { return gzip.NewReader(body) }}, nil
	case "deflate":
		return &lazy{open: func() (io.Reader, error) { return zlib.NewReader(body) }}, nil
	case "br":
		return brotli.NewReader(body), nil
	case "zstd":
		return &lazy{open: func() (io.Reader, error) {
			return zstd.NewReader(body, zstd.WithDecoderConcurrency(1)) // one decoder starts no goroutines
		}}, nil
	case "lz4":
		return struct{ io.Reader }{lz4.NewReader(body)}, nil // its WriteTo calls the end of the body an error
	case "snappy":
		return snappy.NewReader(body), nil
	case "bz2":
		return bzip2.NewReader(body), nil
	}
	return nil, &chdb.Error{
		Code: chdb.CodeNotImplemented, Name: "NOT_IMPLEMENTED", Message: fmt.Sprintf("Unknown compression method '%s' of the body", encoding),
	}
}

// lazy opens a decoder with the first byte asked for: an empty body is no broken one.
type lazy struct {
	open func() (io.Reader, error)
	r    io.Reader
}

func (l *lazy) Read(b []byte) (int, error) {
	if l.r == nil {
		r, err := l.open()
		if err != nil {
			return 0, err // io.EOF of an empty body among them
		}
		l.r = r
	}
	return l.r.Read(b)
}

// nativeFrames undoes ClickHouse's own compression.
func nativeFrames(body io.Reader) io.Reader { return &frameReader{from: compress.NewReader(body)} }

// frameReader turns the end of the body between two frames into io.EOF, for good: the reader of frames, asked again
// after an error, gives its last frame a second time.
type frameReader struct {
	from *compress.Reader
	err  error
}

func (f *frameReader) Read(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.from.Read(b)
	if n == 0 && isEOF(err) {
		err = io.EOF
	}
	f.err = err
	return n, err
}

// preference is the order in which a server chooses. Source: ClickHouse, src/Server/HTTPHandler.cpp and
// chooseHTTPCompressionMethod; xz and bz2 are not offered.
var preference = []string{"br", "lz4", "snappy", "gzip", "deflate", "zstd"}

func chooseEncoding(accept string) string {
	offered := map[string]bool{}
	for one := range strings.SplitSeq(accept, ",") {
		name, _, _ := strings.Cut(one, ";")
		offered[strings.ToLower(strings.TrimSpace(name))] = true
	}
	for _, p := range preference {
		if offered[p] {
			return p
		}
	}
	return ""
}

// newEncoder gives the writer for an answer: frames inside, encoding outside. nil = as it is.
func newEncoder(w io.Writer, encoding string, frames bool) (io.WriteCloser, error) {
	outer, err := encode(w, encoding)
	if err != nil || !frames {
		return outer, err
	}
	if outer != nil {
		w = outer
	}
	return &frameWriter{to: w, outer: outer, enc: compress.NewWriter(compress.LevelZero, compress.LZ4)}, nil
}

func encode(w io.Writer, encoding string) (io.WriteCloser, error) {
	switch encoding {
	case "gzip":
		return gzip.NewWriterLevel(w, gzip.BestSpeed)
	case "deflate":
		return zlib.NewWriterLevel(w, flate.BestSpeed)
	case "br":
		return brotli.NewWriterLevel(w, 1), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	case "lz4":
		return lz4.NewWriter(w), nil
	case "snappy":
		return snappy.NewBufferedWriter(w), nil
	}
	return nil, nil
}

// frameWriter cuts what it gets into compressed frames.
type frameWriter struct {
	to    io.Writer
	outer io.Closer
	enc   *compress.Writer
	buf   bytes.Buffer
}

func (f *frameWriter) Write(b []byte) (int, error) {
	f.buf.Write(b)
	for f.buf.Len() >= maxFrame {
		if err := f.frame(f.buf.Next(maxFrame)); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (f *frameWriter) frame(b []byte) error {
	if err := f.enc.Compress(b); err != nil {
		return err
	}
	_, err := f.to.Write(f.enc.Data)
	return err
}

func (f *frameWriter) Close() error {
	if f.buf.Len() > 0 {
		if err := f.frame(f.buf.Bytes()); err != nil {
			return err
		}
	}
	if f.outer != nil {
		return f.outer.Close()
	}
	return nil
}

// isEOF says that a frame's header ended before its first byte. The reader wraps errors with other words.
func isEOF(err error) bool { return errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) }
