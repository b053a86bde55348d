package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	barEvery  = 100 * time.Millisecond // on a terminal
	lineEvery = 10 * time.Second       // elsewhere: a line now and then
	barWidth  = 30
)

// Progress shows how far something is: a bar on a terminal, a line now and then elsewhere. It is for people: what it
// shows is no result. Safe for use by several goroutines.
type Progress struct {
	mu    sync.Mutex
	w     io.Writer
	what  string
	total int64 // 0: not known
	bar   bool
	now   func() time.Time
	began time.Time
	shown time.Time
	done  int64
}

// NewProgress starts to show what is being done, out of total things, or of an unknown number when total is 0.
func NewProgress(w io.Writer, what string, total int64) *Progress {
	w = Raw(w)
	p := &Progress{w: w, what: what, total: total, bar: isTerminal(w), now: time.Now}
	p.began = p.now()
	p.shown = p.began
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Set says how many things are done.
func (p *Progress) Set(done int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = done
	every := lineEvery
	if p.bar {
		every = barEvery
	}
	if now := p.now(); now.Sub(p.shown) >= every {
		p.shown = now
		p.show()
	}
}

// SetOf says how many things are done of how many, when that becomes known on the way.
func (p *Progress) SetOf(done, total int64) {
	p.mu.Lock()
	p.total = total
	p.mu.Unlock()
	p.Set(done)
}

// End removes the bar, so that what is printed next stands alone.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func (p *Progress) show() {
	rate := float64(p.done) / max(p.now().Sub(p.began).Seconds(), 0.001)
	text := fmt.Sprintf("%s: %s", p.what, Count(p.done))
	if p.total > 0 {
		part := min(float64(p.done)/float64(p.total), 1)
		text = fmt.Sprintf("%s of %s (%.0f %%)", text, Count(p.total), 100*part)
		if p.bar {
			full := int(part * barWidth)
			text = fmt.Sprintf("%s [%s%s]", text, strings.Repeat("#", full), strings.Repeat(".", barWidth-full))
		}
	}
	text += fmt.Sprintf(", %s/s", Count(int64(rate)))
	if p.bar {
		_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s", text)
		return
	}
	_, _ = fmt.Fprintln(p.w, text)
}

// Count writes a number with its thousands apart: 27,086.
func Count(n int64) string {
	digits := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
