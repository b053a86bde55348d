package httpserver

import (
	"sync"
	"time"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/session"
)

// How long a session lives after its last request. Source: ClickHouse's default_session_timeout and max_session_timeout.
const (
	defaultSessionTimeout = 60 * time.Second
	maxSessionTimeout     = time.Hour
)

// sessions are the sessions that clients named.
type sessions struct {
	mu     sync.Mutex
	byID   map[string]*named
	closed bool
}

type named struct {
	id      string
	session *session.Session
	busy    bool
	expiry  *time.Timer
}

func newSessions() *sessions { return &sessions{byID: map[string]*named{}} }

// acquire gives the session to one request, which must put it back. must says that it has to be there already.
func (s *sessions) acquire(id string, must bool, open func() (*session.Session, error)) (*named, error) {
	s.mu.Lock()
	n, ok := s.byID[id]
	switch {
	case ok && n.busy:
		s.mu.Unlock()
		return nil, &chdb.Error{Code: chdb.CodeSessionIsLocked, Name: "SESSION_IS_LOCKED", Message: "Session is locked by a concurrent client"}
	case ok:
		n.busy = true
		n.expiry.Stop() // should it have fired already: it sees busy and leaves the session alone
		s.mu.Unlock()
		return n, nil
	case must:
		s.mu.Unlock()
		return nil, &chdb.Error{Code: chdb.CodeSessionNotFound, Name: "SESSION_NOT_FOUND", Message: "Session not found"}
	}
	n = &named{id: id, busy: true}
	s.byID[id] = n
	s.mu.Unlock()
	opened, err := open()
	if err != nil {
		s.mu.Lock()
		delete(s.byID, id)
		s.mu.Unlock()
		return nil, err
	}
	n.session = opened
	return n, nil
}

// release takes a session back; it ends after timeout, or at once.
func (s *sessions) release(n *named, timeout time.Duration, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.busy = false
	if end || s.closed {
		delete(s.byID, n.id)
		n.session.Close()
		return
	}
	n.expiry = time.AfterFunc(timeout, func() { s.expire(n) })
}

func (s *sessions) expire(n *named) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !n.busy && s.byID[n.id] == n {
		delete(s.byID, n.id)
		n.session.Close()
	}
}

// close ends all sessions; those in use end when they are restored.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for id, n := range s.byID {
		if n.busy {
			continue
		}
		n.expiry.Stop()
		delete(s.byID, id)
		n.session.Close()
	}
}
