// Package screen writes for people at a terminal: text in which nothing steers the terminal (Writer), and how far something
// is (Progress).
package screen

import (
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// Writer is where a command prints. What is printed may come from a message, a letter or a file, and anybody may have put
// characters there that steer a terminal: those that would are written as escapes (a control character or a mark of
// direction as in JSON, \u001b; a byte that is no UTF-8 as \xff). Line ends and tabs pass.
type Writer struct {
	w    io.Writer
	mu   sync.Mutex
	rest []byte // the beginning of a character that has not come whole
}

// NewWriter returns a writer that passes on to w what a terminal shows.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Raw is the writer below, for what is meant to steer the terminal or is no text.
func Raw(w io.Writer) io.Writer {
	if v, ok := w.(*Writer); ok {
		return v.w
	}
	return w
}

// Write implements io.Writer. A last character that is not whole waits for the next Write.
func (v *Writer) Write(b []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := b
	if len(v.rest) > 0 {
		text = append(v.rest, b...)
	}
	whole := len(text)
	for back := 1; back <= min(utf8.UTFMax, len(text)); back++ {
		if c := text[len(text)-back]; c == '\r' && back == 1 || utf8.RuneStart(c) {
			if c == '\r' || !utf8.FullRune(text[len(text)-back:]) {
				whole = len(text) - back
			}
			break
		}
	}
	if _, err := v.w.Write(escape(text[:whole])); err != nil {
		return 0, err
	}
	v.rest = append([]byte(nil), text[whole:]...)
	return len(b), nil
}

// Close writes what waits. The writer below stays open.
func (v *Writer) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, err := v.w.Write(escape(v.rest))
	v.rest = nil
	return err
}

// escape returns b itself when nothing in it steers a terminal.
func escape(b []byte) []byte {
	var out []byte
	written := 0
	for i := 0; i < len(b); {
		c, n := rune(b[i]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRune(b[i:])
		}
		switch broken := c == utf8.RuneError && n == 1; {
		case broken:
			out = fmt.Appendf(append(out, b[written:i]...), `\x%02x`, b[i])
			written = i + n
		case steers(c) && !(c == '\r' && i+1 < len(b) && b[i+1] == '\n'):
			out = fmt.Appendf(append(out, b[written:i]...), `\u%04x`, c)
			written = i + n
		}
		i += n
	}
	if written == 0 {
		return b
	}
	return append(out, b[written:]...)
}

// steers reports whether a terminal obeys the character instead of showing it, or shows what follows in another direction.
func steers(c rune) bool {
	switch {
	case c == '\n' || c == '\t':
		return false
	case c < ' ', 0x7f <= c && c <= 0x9f: // control characters
		return true
	case c == 0x061c, 0x200e <= c && c <= 0x200f, 0x202a <= c && c <= 0x202e, 0x2066 <= c && c <= 0x2069: // marks of direction
		return true
	}
	return false
}
