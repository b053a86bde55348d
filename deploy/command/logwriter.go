package command

import (
	"bytes"
	"log/slog"
	"sync"
)

// logWriter passes a child process's words on to the log, a line at a time, for who asks for debug messages.
type logWriter struct {
	log  *slog.Logger
	mu   sync.Mutex
	rest []byte
}

// Write takes any part of the text.
func (w *logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.log.Debug(string(line), "from", "engine")
		w.rest = append([]byte(nil), rest...)
	}
}
