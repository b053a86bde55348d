package compression_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/segmentio/kafka-go"
	"pgregory.net/rapid"

	"retorno/schemas/kafka/compression"
)

var codecs = map[compression.Codec]kafka.Compression{
	compression.Gzip: kafka.Gzip, compression.Snappy: kafka.Snappy, compression.LZ4: kafka.Lz4, compression.Zstd: kafka.Zstd,
}

// folded compresses as producers do.
func folded(t interface{ Fatal(...any) }, codec compression.Codec, b []byte) []byte {
	var out bytes.Buffer
	w := codecs[codec].Codec().NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatWasFoldedUnfolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "bytes"), rapid.IntRange(1, 2000).Draw(t, "times"))
		buf := make([]byte, rapid.IntRange(0, 2*len(b)).Draw(t, "room"))
		for codec := range codecs {
			got, err := codec.Unfold(buf, folded(t, codec, b))
			if err != nil || !bytes.Equal(got, b) {
				t.Fatalf("codec %d: %d bytes became %d, %v", codec, len(b), len(got), err)
			}
		}
		// A block without the Java library's framing is snappy as well.
		got, err := compression.Snappy.Unfold(buf, snappy.Encode(nil, b))
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("a bare block: %d bytes became %d, %v", len(b), len(got), err)
		}
	})
}

func TestWhatFitsUsesTheGivenMemory(t *testing.T) {
	b := bytes.Repeat([]byte("a fact like another "), 1000)
	buf := make([]byte, 0, 6<<20)
	for codec := range codecs {
		got, err := codec.Unfold(buf, folded(t, codec, b))
		if err != nil || &got[0] != &buf[:1][0] {
			t.Errorf("codec %d allocates although there is room: %v", codec, err)
		}
	}
}

// allocated runs f and returns how many bytes it allocated, at any time.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// zstdFrame is the header of a frame that declares a window or a content, followed by one block that repeats a byte.
func zstdFrame(windowLog int, content uint64, repeated int) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd}
	if content > 0 { // one segment, eight bytes of size
		b = append(b, 0xe0)
		b = binary.LittleEndian.AppendUint64(b, content)
	} else {
		b = append(b, 0, byte(windowLog-10)<<3)
	}
	header := uint32(repeated)<<3 | 1<<1 | 1 // last block, repeats one byte
	return append(b, byte(header), byte(header>>8), byte(header>>16), 'x')
}

// Few bytes that declare gigabytes are refused before anything is allocated for them.
func TestWhatIsDeclaredIsNotAllocated(t *testing.T) {
	block := func(declared uint64, bytes ...byte) []byte {
		return append(binary.AppendUvarint(nil, declared), bytes...)
	}
	framed := func(block []byte) []byte {
		b := append([]byte("\x82SNAPPY\x00"), 0, 0, 0, 1, 0, 0, 0, 1)
		b = binary.BigEndian.AppendUint32(b, uint32(len(block)))
		return append(b, block...)
	}
	for name, c := range map[string]struct {
		codec compression.Codec
		src   []byte
	}{
		"snappy block of 4 GiB":         {compression.Snappy, block(1<<32-1, make([]byte, 100)...)},
		"framed snappy block of 4 GiB":  {compression.Snappy, framed(block(1<<32-1, make([]byte, 100)...))},
		"zstd window of 512 MiB":        {compression.Zstd, zstdFrame(29, 0, 100)},
		"zstd content of 2 GiB":         {compression.Zstd, zstdFrame(0, 2<<30, 100)},
		"zstd content of 2^60":          {compression.Zstd, zstdFrame(0, 1<<60, 100)},
		"zstd frames one after another": {compression.Zstd, bytes.Repeat(zstdFrame(0, 40<<20, 100), 3)},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			got := allocated(func() { _, err = c.codec.Unfold(nil, c.src) })
			if err == nil {
				t.Error("it is accepted")
			}
			if got > 3*compression.Limit {
				t.Errorf("%d bytes made it allocate %d MiB", len(c.src), got>>20)
			}
		})
	}
}

// What really unfolds to too much is given up at the limit.
func TestBombsAreGivenUp(t *testing.T) {
	bomb := make([]byte, compression.Limit+1)
	for codec := range codecs {
		src := folded(t, codec, bomb)
		var err error
		got := allocated(func() { _, err = codec.Unfold(nil, src) })
		if !errors.Is(err, compression.ErrTooLarge) {
			t.Errorf("codec %d: %d bytes over the limit: %v", codec, 1, err)
		}
		if got > 6*compression.Limit {
			t.Errorf("codec %d: %d bytes made it allocate %d MiB", codec, len(src), got>>20)
		}
		if _, err := codec.Unfold(nil, folded(t, codec, bomb[1:])); err != nil {
			t.Errorf("codec %d: a batch of just the limit: %v", codec, err)
		}
	}
}

// No bytes make a codec panic, or take more memory than a batch may.
func TestAnyBytesAreSurvived(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	good := map[compression.Codec][]byte{}
	for codec := range codecs {
		good[codec] = folded(t, codec, bytes.Repeat([]byte("a fact like another "), 200))
	}
	for range 500 {
		for codec := range codecs {
			b := bytes.Clone(good[codec])
			for range 1 + random.IntN(8) {
				b[random.IntN(len(b))] ^= 1 << random.IntN(8)
			}
			out, err := codec.Unfold(nil, b[:random.IntN(len(b)+1)])
			if err == nil && len(out) > compression.Limit {
				t.Fatalf("codec %d: %d bytes", codec, len(out))
			}
		}
	}
	if _, err := compression.Codec(7).Unfold(nil, nil); err == nil {
		t.Error("an unknown codec is accepted")
	}
}
