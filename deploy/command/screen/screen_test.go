package screen

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestNothingPrintedSteersATerminal writes texts whole and byte by byte.
func TestNothingPrintedSteersATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"Migración: 27,086 ≈ 63 %\n\tdos\r\n":   "Migración: 27,086 ≈ 63 %\n\tdos\r\n",
		"\x1b]0;mine\x07\x1b[2J":                `\u001b]0;mine\u0007\u001b[2J`,
		"seen\roverwritten":                     `seen\u000doverwritten`,
		"c1 \u009b31m, del \x7f":                `c1 \u009b31m, del \u007f`,
		"right \u202eto left\u202c\u2066\u200f": `right \u202eto left\u202c\u2066\u200f`,
		"broken \xff\xc3(":                      `broken \xff\xc3(`,
		"cut off \xe2\x80":                      `cut off \xe2\x80`,
		"at the end \r":                         `at the end \u000d`,
		"\U0001f600 \ufffd":                     "\U0001f600 \ufffd",
	} {
		for _, piece := range []int{1, 2, 3, len(text)} {
			var out bytes.Buffer
			v := &Writer{w: &out}
			for rest := []byte(text); len(rest) > 0; {
				n := min(piece, len(rest))
				if written, err := v.Write(rest[:n]); err != nil || written != n {
					t.Fatal(written, err)
				}
				rest = rest[n:]
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			if out.String() != want {
				t.Errorf("%q in pieces of %d comes as %q, want %q", text, piece, out.String(), want)
			}
		}
	}
}

// TestEscapesLeaveJSONAsItIs: programs read the same values.
func TestEscapesLeaveJSONAsItIs(t *testing.T) {
	text := "\x1b[2J \u009b \u202e ñ \x7f"
	line, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal(escape(line), &got); err != nil || got != text {
		t.Errorf("%q, %v", got, err)
	}
}

func BenchmarkVisible(b *testing.B) {
	line := []byte(strings.Repeat(`{"record":{"record_id":"6d1ffc0a","person_key":"0123456789abcdef","place":"Ocotepeque – Honduras"}}`+"\n", 600))
	v := &Writer{w: &bytes.Buffer{}}
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		v.w.(*bytes.Buffer).Reset()
		if _, err := v.Write(line); err != nil {
			b.Fatal(err)
		}
	}
}
