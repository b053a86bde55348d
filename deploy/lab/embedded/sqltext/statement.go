package sqltext

import "strings"

// Output is a statement taken apart at its output clauses.
type Output struct {
	Body     string // the statement before INTO OUTFILE, FORMAT and the SETTINGS after it; no final semicolon
	Format   string // the format it names, or ""
	Settings string // "a = 1, b = 2" of a SETTINGS clause after FORMAT, or ""
	IntoFile bool   // it names a file of the server's machine
}

// SplitOutput takes a statement with a result apart.
func SplitOutput(sql string) Output {
	tokens := trimSemicolons(sql, Tokens(sql))
	end := len(sql)
	if n := len(tokens); n > 0 {
		end = tokens[n-1].End
	}
	o := Output{Body: sql[:end]}
	n := len(tokens)
	for i := n - 1; i >= 0; i-- {
		if tokens[i].Depth > 0 || !tokens[i].Is(sql, "FORMAT") {
			continue
		}
		named := i+1 < n && isFormatName(sql, tokens[i+1]) && (i+2 == n || tokens[i+2].Is(sql, "SETTINGS"))
		if i == 0 || !named {
			continue
		}
		o.Format = sql[tokens[i+1].Start:tokens[i+1].End]
		if i+2 < n {
			o.Settings = strings.TrimSpace(sql[tokens[i+2].End:end])
		}
		o.Body = sql[:tokens[i-1].End]
		tokens = tokens[:i]
		break
	}
	for i := len(tokens) - 2; i > 0; i-- {
		if tokens[i].Depth == 0 && tokens[i].Is(sql, "INTO") && tokens[i+1].Is(sql, "OUTFILE") {
			o.IntoFile = true
			o.Body = sql[:tokens[i-1].End]
			break
		}
	}
	return o
}

// isFormatName tells FORMAT CSV from a column called format: ORDER BY format DESC.
func isFormatName(sql string, t Token) bool {
	for _, word := range []string{"ASC", "DESC", "END", "FROM", "AS", "NULLS"} {
		if t.Is(sql, word) {
			return false
		}
	}
	return t.Kind == Word
}

func trimSemicolons(sql string, tokens []Token) []Token {
	for len(tokens) > 0 && tokens[len(tokens)-1].IsPunct(sql, ';') {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// Several reports whether sql holds more than one statement. INSERT data that are not SQL must not be in it.
func Several(sql string) bool {
	seen := false
	for s := NewScanner(sql); ; {
		t, ok := s.Next()
		if !ok {
			return false
		}
		switch semicolon := t.IsPunct(sql, ';'); {
		case seen && !semicolon:
			return true
		case semicolon:
			seen = true
		}
	}
}

// HasTotals reports whether the statement asks for totals beside its rows.
func HasTotals(sql string) bool {
	tokens := Tokens(sql)
	for i := 1; i < len(tokens); i++ {
		if tokens[i].Is(sql, "TOTALS") && tokens[i-1].Is(sql, "WITH") && tokens[i].Depth == 0 {
			return true
		}
	}
	return false
}

// Insert is an INSERT taken apart.
type Insert struct {
	Head    string   // the statement up to SETTINGS, FORMAT or VALUES: INSERT INTO t (a, b)
	Setting string   // "x = 1" of a SETTINGS clause, or ""
	Target  string   // what is inserted into, as written: db.t, FUNCTION file(…), t
	Columns []string // names in the column list; nil when there is none or it is an expression
	Pattern string   // the column list as written when it is an expression: * EXCEPT (a), COLUMNS('…')
	Format  string   // VALUES is "Values"; "" when none is named
	Data    string   // the bytes after the statement, which are data
	Select  bool     // the rows come from a query, a watch or a file: there are no data to receive
}

// ParseInsert takes an INSERT apart; false when sql is no INSERT or is not understood.
func ParseInsert(sql string) (Insert, bool) {
	p := insertParser{sql: sql, s: NewScanner(sql)}
	p.next()
	if !p.is("INSERT") {
		return Insert{}, false
	}
	p.next()
	if !p.is("INTO") {
		return Insert{}, false
	}
	p.next()
	if p.is("TABLE") {
		p.next()
	}
	p.target()
	p.columnList()
	p.rest()
	return p.ins, p.ins.Target != ""
}

type insertParser struct {
	sql  string
	s    *Scanner
	tok  Token
	ok   bool
	prev int // end of the token before tok
	ins  Insert
}

func (p *insertParser) next()               { p.prev = p.tok.End; p.tok, p.ok = p.s.Next() }
func (p *insertParser) is(word string) bool { return p.ok && p.tok.Is(p.sql, word) }

func (p *insertParser) target() {
	start := p.tok.Start
	if p.is("FUNCTION") {
		p.next() // name
		p.next() // (
		p.skipBrackets()
	} else {
		p.next()
		for p.ok && p.tok.IsPunct(p.sql, '.') {
			p.next()
			p.next()
		}
	}
	if p.prev > start {
		p.ins.Target = p.sql[start:p.prev]
	}
}

// skipBrackets passes over a bracket that is open at tok and all inside it.
func (p *insertParser) skipBrackets() {
	if !p.ok || !p.tok.IsPunct(p.sql, '(') {
		return
	}
	depth := p.tok.Depth
	for p.next(); p.ok; p.next() {
		if p.tok.IsPunct(p.sql, ')') && p.tok.Depth == depth {
			p.next()
			return
		}
	}
}

func (p *insertParser) columnList() {
	if !p.ok || !p.tok.IsPunct(p.sql, '(') {
		return
	}
	// "INSERT INTO t (SELECT …)" has no column list.
	after := *p.s
	if t, ok := after.Next(); ok && (t.Is(p.sql, "SELECT") || t.Is(p.sql, "WITH")) {
		p.ins.Select = true
		return
	}
	start := p.tok.End
	p.skipBrackets()
	inside := strings.TrimSuffix(strings.TrimSpace(p.sql[start:p.prev]), ")")
	names, plain := columnNames(inside)
	if plain {
		p.ins.Columns = names
	} else {
		p.ins.Pattern = inside
	}
}

// columnNames reads "a, `b c`, n.x"; false when there is anything but names.
func columnNames(list string) (names []string, plain bool) {
	name, want := "", true
	for _, t := range Tokens(list) {
		switch {
		case t.Kind == Word || t.Kind == Quoted:
			if !want {
				return nil, false
			}
			name, want = name+Value(list, t), false
		case t.IsPunct(list, '.') && !want:
			name, want = name+".", true
		case t.IsPunct(list, ',') && !want:
			names, name, want = append(names, name), "", true
		default:
			return nil, false
		}
	}
	if want {
		return names, name == "" && len(names) > 0
	}
	return append(names, name), true
}

// rest reads what follows the column list: SETTINGS, then FORMAT, VALUES, SELECT or FROM INFILE.
func (p *insertParser) rest() {
	p.ins.Head = p.sql[:p.prev]
	for settings := -1; p.ok; p.next() {
		switch {
		case p.tok.Depth > 0:
		case p.is("SETTINGS") && settings < 0:
			settings = p.tok.End
		case p.is("VALUES"), p.is("FORMAT"), p.tok.IsPunct(p.sql, ';'):
			if settings >= 0 {
				p.ins.Setting = strings.TrimSpace(p.sql[settings:p.prev])
			}
			p.format()
			return
		case p.is("SELECT"), p.is("WITH"), p.is("FROM"), p.is("WATCH"), p.tok.IsPunct(p.sql, '('):
			p.ins.Select = true
			return
		}
		if settings >= 0 {
			p.ins.Setting = strings.TrimSpace(p.sql[settings:p.tok.End])
		}
	}
}

// format reads VALUES … or FORMAT name ….
func (p *insertParser) format() {
	switch {
	case p.is("VALUES"):
		p.ins.Format, p.ins.Data = "Values", p.sql[p.tok.End:]
	case p.is("FORMAT"):
		if p.next(); !p.ok {
			return
		}
		p.ins.Format, p.ins.Data = p.sql[p.tok.Start:p.tok.End], dataAfter(p.sql[p.tok.End:])
		if strings.EqualFold(p.ins.Format, "Values") {
			p.ins.Format = "Values"
		}
	}
}

// dataAfter drops what separates a format's name from its data: blanks up to and including one line end, or a
// semicolon. Source: ClickHouse, ParserInsertQuery.cpp.
func dataAfter(s string) string {
	s = strings.TrimLeft(s, " \t\r\f")
	if strings.HasPrefix(s, ";") {
		s = strings.TrimLeft(s[1:], " \t\r\f")
	}
	return strings.TrimPrefix(s, "\n")
}

// Setting is one "name = value" of a SET statement; Value is as written.
type Setting struct{ Name, Value string }

// ParseSet reads SET a = 1, b = 'x'; false for SET ROLE, SET TRANSACTION and everything else.
func ParseSet(sql string) ([]Setting, bool) {
	tokens := trimSemicolons(sql, Tokens(sql))
	if len(tokens) < 4 || !tokens[0].Is(sql, "SET") || !tokens[2].IsPunct(sql, '=') {
		return nil, false
	}
	var all []Setting
	for i := 1; i < len(tokens); {
		if i+2 >= len(tokens) || !tokens[i+1].IsPunct(sql, '=') {
			return nil, false
		}
		start, end := i+2, i+2
		for end < len(tokens) && !(tokens[end].Depth == 0 && tokens[end].IsPunct(sql, ',')) {
			end++
		}
		if end == start {
			return nil, false
		}
		all = append(all, Setting{Name: Value(sql, tokens[i]), Value: sql[tokens[start].Start:tokens[end-1].End]})
		i = end + 1
	}
	return all, len(all) > 0
}
