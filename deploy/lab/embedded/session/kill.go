package session

import (
	"strings"

	"retorno/deploy/lab/embedded/sqltext"
)

func (e *Engine) register(id string, s *Session) {
	if id == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running[id] = s
}

func (e *Engine) unregister(id string, s *Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running[id] == s {
		delete(e.running, id)
	}
}

// killsOwn says that a KILL QUERY ends exactly one statement, named by its client's query id, of a restricted session.
// The engine itself takes all sessions for one user's.
func (e *Engine) killsOwn(sql string) bool {
	tokens := trimmed(sql)
	if len(tokens) < 6 || !tokens[1].Is(sql, "QUERY") || !tokens[2].Is(sql, "WHERE") || !tokens[3].Is(sql, "query_id") ||
		!tokens[4].IsPunct(sql, '=') || tokens[5].Kind != sqltext.Text {
		return false
	}
	for _, t := range tokens[6:] {
		if !t.Is(sql, "SYNC") && !t.Is(sql, "ASYNC") && !t.Is(sql, "TEST") {
			return false
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.running[sqltext.Value(sql, tokens[5])]
	return s == nil || s.restricted
}

func trimmed(sql string) []sqltext.Token {
	tokens := sqltext.Tokens(sql)
	for len(tokens) > 0 && tokens[len(tokens)-1].IsPunct(sql, ';') {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// ownIDs puts the engine's query ids in the place of those that clients know their running statements by, so that
// KILL QUERY WHERE query_id = '…' finds them.
func (e *Engine) ownIDs(sql string) string {
	var b strings.Builder
	last := 0
	for _, t := range sqltext.Tokens(sql) {
		if t.Kind != sqltext.Text {
			continue
		}
		e.mu.Lock()
		s := e.running[sqltext.Value(sql, t)]
		e.mu.Unlock()
		if s == nil {
			continue
		}
		r, err := e.root.Query("SELECT query_id FROM system.processes WHERE Settings['log_comment'] = "+sqltext.Literal(s.named())+" LIMIT 1", "TSVRaw")
		if id := strings.TrimSpace(string(r.Data)); err == nil && id != "" {
			b.WriteString(sql[last:t.Start] + sqltext.Literal(id))
			last = t.End
		}
	}
	return b.String() + sql[last:]
}

// kill ends what runs under a mark or, for a statement that names its own log_comment, under its text.
func (e *Engine) kill(mark, sql string) {
	where := "Settings['log_comment'] = " + sqltext.Literal(mark)
	if strings.Contains(sql, "log_comment") {
		where += " OR query = " + sqltext.Literal(sql)
	}
	// A failure here only means another try: the caller repeats until the statement has ended.
	_, _ = e.root.Query("KILL QUERY WHERE "+where+" ASYNC", "Null")
}
