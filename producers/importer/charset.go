package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Character sets that are told apart.
const (
	charsetUTF8    = "UTF-8"
	charset1252    = "Windows-1252"
	charsetUTF16LE = "UTF-16LE"
	charsetUTF16BE = "UTF-16BE"
)

var (
	bomUTF8    = []byte{0xEF, 0xBB, 0xBF}
	bomUTF16LE = []byte{0xFF, 0xFE}
	bomUTF16BE = []byte{0xFE, 0xFF}
)

// detectCharset reads the whole file: one accent at the end decides as much as one at the start. A byte order mark is
// believed; every second byte zero is UTF-16; what is UTF-8 throughout, or more often than not, is UTF-8 (its broken
// rows are then rejected one by one); all else is the character set of eight bits that makes its words Spanish.
func detectCharset(r io.Reader) (charset string, bom int, err error) {
	buf := make([]byte, 64<<10)
	var carry, multibyte, invalid int
	var letters letterCounts
	for first := true; ; first = false {
		n, err := io.ReadFull(r, buf[carry:])
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return "", 0, err
		}
		chunk := buf[:carry+n]
		if first {
			if charset, bom := fromHead(chunk); charset != "" {
				return charset, bom, nil
			}
		}
		rest, m, i := countUTF8(chunk, end, &letters)
		multibyte, invalid = multibyte+m, invalid+i
		carry = copy(buf, rest)
		if end {
			break
		}
	}
	if invalid > multibyte {
		charset, clear := letters.page()
		if !clear {
			return "", 0, fileError("charset_unclear")
		}
		return charset, 0, nil
	}
	return charsetUTF8, 0, nil
}

// charsetOf is the stated character set, or the one that the file shows. A byte order mark is skipped in either case.
func charsetOf(cfg Config, file io.Reader) (charset string, bom int, err error) {
	stated, ok := charsetNamed(cfg.Charset)
	if !ok {
		return detectCharset(file)
	}
	head := make([]byte, len(bomUTF8))
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", 0, err
	}
	if marked, bom := fromHead(head[:n]); bom > 0 && marked == stated {
		return stated, bom, nil
	}
	return stated, 0, nil
}

func fromHead(head []byte) (charset string, bom int) {
	switch {
	case bytes.HasPrefix(head, bomUTF8):
		return charsetUTF8, len(bomUTF8)
	case bytes.HasPrefix(head, bomUTF16LE):
		return charsetUTF16LE, len(bomUTF16LE)
	case bytes.HasPrefix(head, bomUTF16BE):
		return charsetUTF16BE, len(bomUTF16BE)
	}
	head = head[:min(len(head), 1024)]
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	const most = 4 // at least one of four characters on one side is a plain letter, none on the other
	switch {
	case zeros[1] > len(head)/most && zeros[0] == 0:
		return charsetUTF16LE, 0
	case zeros[0] > len(head)/most && zeros[1] == 0:
		return charsetUTF16BE, 0
	}
	return "", 0
}

// countUTF8 counts characters of several bytes and invalid bytes; rest is a character cut off at the end.
func countUTF8(b []byte, end bool, letters *letterCounts) (rest []byte, multibyte, invalid int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		if !end && !utf8.FullRune(b[i:]) {
			return b[i:], multibyte, invalid
		}
		_, size := utf8.DecodeRune(b[i:])
		if size > 1 {
			multibyte++
		} else {
			invalid++
			letters.count(b, i)
		}
		i += size
	}
	return nil, multibyte, invalid
}

// decoded returns the file from its start as UTF-8, without the byte order mark. Invalid UTF-8 passes as it is.
func decoded(file io.ReadSeeker, charset string, bom int) (io.Reader, error) {
	if _, err := file.Seek(int64(bom), io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the file again: %w", err)
	}
	e := encodingOf(charset)
	switch {
	case charset == charsetUTF16LE:
		e = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case charset == charsetUTF16BE:
		e = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case e == nil:
		return file, nil
	}
	return e.NewDecoder().Reader(file), nil
}

// mended turns "CortÃ©s", UTF-8 that was once read as Windows-1252, back into "Cortés". Other texts come back as
// they are: Ã or Â followed by what makes no character is left alone.
func mended(s string) string {
	if !strings.ContainsAny(s, "ÃÂ") {
		return s
	}
	b, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil || !utf8.ValidString(b) {
		return s
	}
	return b
}
