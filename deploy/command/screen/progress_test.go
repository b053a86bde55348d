package screen

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressElsewhereIsALineNowAndThen(t *testing.T) {
	var w bytes.Buffer
	p := NewProgress(&w, "sending", 27086)
	clock := p.began
	p.now = func() time.Time { return clock }
	for i := range int64(301) {
		clock = p.began.Add(time.Duration(i) * 100 * time.Millisecond)
		p.Set(i * 90)
	}
	p.End()
	lines := strings.Split(strings.TrimSpace(w.String()), "\n")
	if len(lines) != 3 || lines[2] != "sending: 27,000 of 27,086 (100 %), 900/s" || strings.Contains(w.String(), "\r") {
		t.Errorf("%q", lines)
	}
}

func TestProgressOnATerminalIsABar(t *testing.T) {
	var w bytes.Buffer
	p := NewProgress(&w, "sending", 100)
	p.bar = true
	clock := p.began.Add(time.Second)
	p.now = func() time.Time { return clock }
	p.Set(50)
	p.Set(51) // too soon to be shown
	p.End()
	if got := w.String(); got != "\r\x1b[Ksending: 50 of 100 (50 %) [###############...............], 50/s\r\x1b[K" {
		t.Errorf("%q", got)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 27086: "27,086", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := Count(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
