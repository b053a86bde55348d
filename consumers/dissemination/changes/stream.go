package changes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"retorno/consumers/dissemination/response"
)

// heartbeat is how often a stream says that it is there, so that neither end takes the other for gone.
const heartbeat = 15 * time.Second

// Stream is the handler of PathStream (HTML Living Standard §9.2, server-sent events). Each event is a vintage, its id the position
// after it. Nothing waits in memory for a reader: a stream knows a position and no more. It must stand outside of what bounds how long
// a request may take, or how many there are.
func (s *Server) Stream() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !response.Readable(w, r) {
			return
		}
		seen, err := s.begin(r)
		if err != nil {
			response.RefuseError(w, r, s.Log, unread, err)
			return
		}
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
			s.metrics.refused.Inc()
			p := response.Busy.Of("Hay demasiados lectores a la vez; pregunte por "+Path+" o reintente luego.", "There are too many readers at once; ask "+Path+" or try again later.")
			p.Retry = 30
			response.Refuse(w, r, p)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return
		}
		s.metrics.open.Inc()
		defer s.metrics.open.Dec()
		began := time.Now()
		err = s.follow(r.Context(), &writer{w, http.NewResponseController(w), s.Patience}, seen)
		s.Log.LogAttrs(r.Context(), slog.LevelInfo, "a stream ended", slog.Duration("took", time.Since(began)), slog.Any("because", err))
	})
}

// begin is where a stream goes on: Last-Event-ID before since, as a browser that comes back sends both.
func (s *Server) begin(r *http.Request) (position, error) {
	given, err := parameters(r.URL.RawQuery, "since")
	if err != nil {
		return nil, err
	}
	all, err := s.visible(r.Context())
	if err != nil {
		return nil, err
	}
	text := given.Get("since")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		text = last
	}
	return since(text, all)
}

// Reasons why a stream ends.
var (
	errStopped = errors.New("the server stops")
	errLeft    = errors.New("the client left")
)

// follow writes what is new, until the client or the server ends.
func (s *Server) follow(ctx context.Context, w *writer, seen position) (err error) {
	// The server's own deadline for a whole request would end the stream.
	if err := w.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if err := w.send("retry: 3000\n\n"); err != nil {
		return err
	}
	look, beat := time.NewTicker(s.Every), time.NewTicker(heartbeat)
	defer look.Stop()
	defer beat.Stop()
	for {
		if seen, err = s.tell(ctx, w, seen); err != nil {
			return err
		}
		select {
		case <-s.Done:
			return errStopped
		case <-ctx.Done():
			return errLeft
		case <-beat.C:
			if err := w.send(":\n\n"); err != nil {
				return err
			}
		case <-look.C:
		}
	}
}

// tell writes the vintages that are visible and were not given. One that cannot be read is left for the next time, with those behind it.
func (s *Server) tell(ctx context.Context, w *writer, seen position) (position, error) {
	all, err := s.visible(ctx)
	if err != nil {
		return seen, nil //nolint:nilerr // the database may be back the next time; the list's reader tells
	}
	for _, v := range all {
		if seen.has(v) {
			continue
		}
		select {
		case <-s.Done:
			return seen, errStopped
		default:
		}
		c, err := s.change(ctx, v)
		if err != nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "a vintage could not be told", slog.Any("error", err))
			return seen, nil
		}
		after := seen.with(v)
		data, err := json.Marshal(told{after.String(), c})
		if err != nil {
			return seen, err
		}
		if err := w.send(fmt.Sprintf("id: %s\nevent: vintage\ndata: %s\n\n", after, data)); err != nil {
			return seen, err
		}
		seen = after
	}
	return seen, nil
}

// writer writes to a reader that may be slow.
type writer struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

// send writes and waits until it has left, no longer than patience.
func (w *writer) send(text string) error {
	if err := w.control.SetWriteDeadline(time.Now().Add(w.patience)); err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return w.control.Flush()
}
