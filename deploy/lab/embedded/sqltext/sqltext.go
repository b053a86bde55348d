// Package sqltext finds the few things in a ClickHouse statement that a server must know before it hands the text
// to the engine: which kind of statement it is, where an INSERT's data begin, which output format it names.
//
// It reads tokens only (comments, quotes and brackets are understood) and never judges syntax: text it does not
// understand is passed on, and the engine says what is wrong with it.
package sqltext

import "strings"

// Kind is a token's kind.
type Kind uint8

// Kinds of tokens.
const (
	Word   Kind = iota + 1 // bare word or number
	Quoted                 // `name` or "name"
	Text                   // 'text' or $tag$text$tag$
	Punct                  // any other single character
)

// Token is a piece of a statement; Start and End are byte offsets into it.
type Token struct {
	Kind       Kind
	Start, End int
	Depth      int // brackets open before it
}

// Scanner walks over the tokens of a statement.
type Scanner struct {
	sql   string
	pos   int
	depth int
}

// NewScanner starts at the beginning of sql.
func NewScanner(sql string) *Scanner { return &Scanner{sql: sql} }

// Next gives the following token; false at the end.
func (s *Scanner) Next() (Token, bool) {
	s.skipBlank()
	if s.pos >= len(s.sql) {
		return Token{}, false
	}
	t := Token{Start: s.pos, Depth: s.depth}
	switch b := s.sql[s.pos]; {
	case b == '\'':
		t.Kind = Text
		s.skipQuoted(b)
	case b == '`' || b == '"':
		t.Kind = Quoted
		s.skipQuoted(b)
	case b == '$' && s.skipHeredoc():
		t.Kind = Text
	case isWord(b):
		t.Kind = Word
		for s.pos < len(s.sql) && isWord(s.sql[s.pos]) {
			s.pos++
		}
	default:
		t.Kind = Punct
		s.pos++
		switch b {
		case '(', '[', '{':
			s.depth++
		case ')', ']', '}':
			s.depth--
			t.Depth = s.depth
		}
	}
	t.End = s.pos
	return t, true
}

func isWord(b byte) bool {
	return b == '_' || b == '$' || b >= 0x80 || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func (s *Scanner) skipBlank() {
	for s.pos < len(s.sql) {
		rest := s.sql[s.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v\x00", rest[0]) >= 0:
			s.pos++
		case strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "#!") || strings.HasPrefix(rest, "# ") || strings.HasPrefix(rest, "//"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				s.pos += i + 1
			} else {
				s.pos = len(s.sql)
			}
		case strings.HasPrefix(rest, "/*"):
			if i := strings.Index(rest[2:], "*/"); i >= 0 {
				s.pos += i + 4
			} else {
				s.pos = len(s.sql)
			}
		default:
			return
		}
	}
}

func (s *Scanner) skipQuoted(q byte) {
	for s.pos++; s.pos < len(s.sql); s.pos++ {
		switch s.sql[s.pos] {
		case '\\':
			s.pos++
		case q:
			if s.pos+1 < len(s.sql) && s.sql[s.pos+1] == q {
				s.pos++
				continue
			}
			s.pos++
			return
		}
	}
	s.pos = len(s.sql)
}

func (s *Scanner) skipHeredoc() bool {
	rest := s.sql[s.pos:]
	end := strings.IndexByte(rest[1:], '$')
	if end < 0 {
		return false
	}
	tag := rest[:end+2]
	for i := 1; i < len(tag)-1; i++ {
		if !isWord(tag[i]) || tag[i] == '$' {
			return false
		}
	}
	closing := strings.Index(rest[len(tag):], tag)
	if closing < 0 {
		return false
	}
	s.pos += 2*len(tag) + closing
	return true
}

// Tokens gives all tokens of sql.
func Tokens(sql string) []Token {
	s := NewScanner(sql)
	var all []Token
	for t, ok := s.Next(); ok; t, ok = s.Next() {
		all = append(all, t)
	}
	return all
}

// Is reports whether the token is this bare word, in any case.
func (t Token) Is(sql, word string) bool {
	return t.Kind == Word && strings.EqualFold(sql[t.Start:t.End], word)
}

// IsPunct reports whether the token is this character.
func (t Token) IsPunct(sql string, b byte) bool { return t.Kind == Punct && sql[t.Start] == b }

// First is the first word of a statement in capitals, brackets before it passed over: SELECT, WITH, INSERT, …
func First(sql string) string {
	s := NewScanner(sql)
	for t, ok := s.Next(); ok; t, ok = s.Next() {
		switch {
		case t.Kind == Word:
			return strings.ToUpper(sql[t.Start:t.End])
		case !t.IsPunct(sql, '('):
			return ""
		}
	}
	return ""
}

// Value is the text a token stands for: a Text or Quoted without its quotes and escapes, anything else as it is.
func Value(sql string, t Token) string {
	raw := sql[t.Start:t.End]
	if t.Kind != Text && t.Kind != Quoted || len(raw) < 2 || raw[0] == '$' {
		return raw
	}
	q := raw[0]
	var b strings.Builder
	for i := 1; i < len(raw)-1; i++ {
		switch {
		case raw[i] == '\\' && i+1 < len(raw)-1:
			i++
			b.WriteByte(unescape(raw[i]))
		case raw[i] == q && raw[i+1] == q:
			i++
			b.WriteByte(q)
		default:
			b.WriteByte(raw[i])
		}
	}
	return b.String()
}

func unescape(b byte) byte {
	if i := strings.IndexByte("bfrnt0av", b); i >= 0 {
		return "\b\f\r\n\t\x00\a\v"[i]
	}
	return b
}

// Literal writes text as a ClickHouse string literal.
func Literal(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// Identifier writes a name as a ClickHouse quoted identifier.
func Identifier(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}
