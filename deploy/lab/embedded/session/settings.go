package session

import (
	"strings"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/sqltext"
)

// logComment is the setting by which a running statement is found in system.processes.
const logComment = "log_comment"

// apply makes the settings of one statement, and no others, in force beside those the client has SET. Statements
// with the same settings as the one before cost nothing.
func (s *Session) apply(wanted []Setting) error {
	want := make(map[string]Setting, len(wanted))
	for _, w := range wanted {
		want[w.Name] = w
	}
	for name, value := range s.applied {
		if w, ok := want[name]; ok && w.Value == value {
			continue
		}
		if err := s.undo(name); err != nil {
			return err
		}
		delete(s.applied, name)
	}
	var todo []Setting
	for name, w := range want {
		if _, ok := s.applied[name]; !ok {
			todo = append(todo, w)
		}
	}
	return s.applyAll(todo)
}

func (s *Session) undo(name string) error {
	if name == logComment {
		return s.setComment("")
	}
	value, ok := s.base[name]
	if !ok {
		value = "DEFAULT"
	}
	_, err := s.conn.Query("SET "+name+" = "+value, "")
	return err
}

func (s *Session) applyAll(todo []Setting) error {
	var assignments []string
	for _, w := range todo {
		if w.Name == logComment {
			if err := s.setComment(w.Value); err != nil {
				return err
			}
			s.applied[w.Name] = w.Value
			continue
		}
		assignments = append(assignments, assignment(w))
	}
	if len(assignments) == 0 {
		return nil
	}
	_, err := s.conn.Query("SET "+strings.Join(assignments, ", "), "")
	if chdb.CodeOf(err) == chdb.CodeUnknownSetting {
		return s.applyKnown(todo)
	}
	if err != nil {
		return err
	}
	for _, w := range todo {
		s.applied[w.Name] = w.Value
	}
	return nil
}

// applyKnown sets one by one and passes over those the engine does not know and the client does not insist on.
func (s *Session) applyKnown(todo []Setting) error {
	for _, w := range todo {
		if w.Name == logComment {
			continue
		}
		_, err := s.conn.Query("SET "+assignment(w), "")
		if err != nil && (w.Important || chdb.CodeOf(err) != chdb.CodeUnknownSetting) {
			return err
		}
		if err == nil {
			s.applied[w.Name] = w.Value
		}
	}
	return nil
}

func assignment(w Setting) string {
	return sqltext.Identifier(w.Name) + " = " + sqltext.Literal(w.Value)
}

// setComment puts the client's log_comment in front of the session's mark.
func (s *Session) setComment(client string) error {
	comment := strings.TrimSpace(client + " " + s.mark)
	if _, err := s.conn.Query("SET log_comment = "+sqltext.Literal(comment), ""); err != nil {
		return err
	}
	s.comment.Store(comment)
	return nil
}
