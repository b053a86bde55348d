package deadletter

import (
	"context"
	"time"
)

// History knows of each letter where its message was read first, and which letter is the latest that came of it.
type History struct {
	contents map[Origin]uint64
	firsts   map[Origin]Origin // of letters that came of sending another one again
	latest   map[Origin]Origin // by where the message was read first
}

// ReadHistory reads all letters.
func ReadHistory(ctx context.Context, cfg Config) (*History, error) {
	h := &History{contents: map[Origin]uint64{}, firsts: map[Origin]Origin{}, latest: map[Origin]Origin{}}
	err := List(ctx, cfg, time.Time{}, func(l Letter) error {
		h.add(&l)
		return nil
	})
	return h, err
}

// add notes the next letter. What a message says of where it was read first holds if that was set aside before it with the
// same content: anybody can write a header.
func (h *History) add(l *Letter) {
	content := Content(l.Key, l.Value)
	h.contents[l.Origin] = content
	first, says := redrivenFrom(l.Origin, l.Headers)
	if !says || h.contents[first] != content {
		return
	}
	if root, again := h.firsts[first]; again {
		first = root
	}
	h.firsts[l.Origin], h.latest[first] = first, l.Origin
}

// First is where the letter's message was read first; the zero Origin when that is the letter's own.
func (h *History) First(l *Letter) Origin { return h.firsts[l.Origin] }

// Latest reports whether no later letter came of sending the letter's message again.
func (h *History) Latest(l *Letter) bool {
	root := l.Origin
	if first, again := h.firsts[l.Origin]; again {
		root = first
	}
	latest, known := h.latest[root]
	return !known || latest == l.Origin
}
