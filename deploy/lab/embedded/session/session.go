package session

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/sqltext"
)

// Session is one client's state in the engine. One statement at a time, by one goroutine at a time.
type Session struct {
	engine  *Engine
	conn    *chdb.Conn
	mark    string       // names the session in system.processes
	comment atomic.Value // a string: log_comment in force, the client's own, then the mark; others ask for it, too

	base    map[string]string // settings the client has SET for the session: name -> literal
	applied map[string]string // settings of the last statement that are in force now: name -> value

	restricted bool     // it may not take another role
	granted    []string // tables of database system that its role may read
	spool      *os.File
	described  descriptions
}

// Close ends the session and its temporary tables.
func (s *Session) Close() {
	s.conn.Close()
	if s.spool != nil {
		_ = s.spool.Close() // unlinked and only read by the engine, which is done with it
	}
}

// named is what the session's statement is found by in system.processes.
func (s *Session) named() string { return s.comment.Load().(string) }

// Setting is a setting for one statement. An unknown one is an error only when Important.
type Setting struct {
	Name, Value string
	Important   bool
}

// Statement is what a client sent.
type Statement struct {
	SQL      string
	ID       string // query id the client knows it by; may be empty
	Settings []Setting
	Params   []chdb.Param

	own bool // made here of one that was allowed
}

// Query runs any statement to its end. format is for results of statements that name none.
func (s *Session) Query(ctx context.Context, st Statement, format string) (chdb.Result, error) {
	end, err := s.begin(ctx, st)
	if err != nil {
		return chdb.Result{}, err
	}
	sql, first := st.SQL, sqltext.First(st.SQL)
	if first == "KILL" {
		sql = s.engine.ownIDs(sql)
	}
	if !reads[first] {
		s.engine.schema.Add(1)
		defer s.engine.schema.Add(1)
	}
	r, err := s.conn.Query(sql, format, st.Params...)
	end()
	if err == nil {
		err = s.remember(st.SQL)
	}
	return r, err
}

// Select runs a SELECT and hands over each block of its result, in FORMAT Native, as it comes.
// chdb.IsNotStreamable(err) says that the statement is no SELECT; then nothing has run. An error of each ends the
// statement and comes back.
func (s *Session) Select(ctx context.Context, st Statement, each func(chdb.Result) error) error {
	end, err := s.begin(ctx, st)
	if err != nil {
		return err
	}
	defer end()
	stream, err := s.conn.Stream(st.SQL, "Native", st.Params...)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		r, err := stream.Next()
		if err != nil {
			return err
		}
		if len(r.Data) == 0 {
			return nil
		}
		if err := each(r); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return cancelled(err)
		}
	}
}

// cancelled is the engine's own error for a statement that was ended from outside.
func cancelled(cause error) error {
	return &chdb.Error{Code: chdb.CodeQueryWasCancelled, Name: "QUERY_WAS_CANCELLED", Message: "Query was cancelled: " + cause.Error()}
}

// begin puts the statement's settings in force and ties it to ctx; call end when the engine has answered.
func (s *Session) begin(ctx context.Context, st Statement) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, cancelled(err)
	}
	if err := s.allowed(st); err != nil {
		return nil, err
	}
	if err := s.apply(st.Settings); err != nil {
		return nil, err
	}
	s.engine.register(st.ID, s)
	ended := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
			s.engine.kill(s.named(), st.SQL)
			select {
			case <-ended:
				return
			case <-time.After(pause): // it may not have reached the engine's list yet
			}
		}
	}()
	return func() {
		close(ended)
		<-stopped // a kill must not hit the session's next statement
		s.engine.unregister(st.ID, s)
	}, nil
}

// allowed refuses what a server refuses and the engine by itself does not: several statements at once, files of the
// machine named by a client, and for who is bound to one role, what would lead out of it.
func (s *Session) allowed(st Statement) error {
	if st.own {
		return nil
	}
	sql := st.SQL
	if sqltext.Several(sql) {
		return &chdb.Error{Code: chdb.CodeSyntaxError, Name: "SYNTAX_ERROR", Message: "Syntax error (Multi-statements are not allowed): " + sql}
	}
	tokens := sqltext.Tokens(sql)
	for i := 1; i < len(tokens); i++ {
		switch last, t := tokens[i-1], tokens[i]; {
		case last.Is(sql, "FROM") && t.Is(sql, "INFILE"):
			return &chdb.Error{Code: chdb.CodeUnknownTypeOfQuery, Name: "UNKNOWN_TYPE_OF_QUERY", Message: "Query has infile and was send directly to server"}
		case last.Is(sql, "INTO") && t.Is(sql, "OUTFILE"):
			return &chdb.Error{Code: chdb.CodeOutfileNotAllowed, Name: "INTO_OUTFILE_NOT_ALLOWED", Message: "INTO OUTFILE is not allowed"}
		}
	}
	if err := s.engine.outside.refused(sql, tokens); err != nil {
		return err
	}
	if s.restricted {
		for _, one := range st.Settings {
			if strings.EqualFold(one.Name, profile) {
				return denied("This user has one settings profile and may not change it")
			}
		}
		return s.bound(sql, tokens)
	}
	return nil
}

// openToAll are names for which the engine asks for no right: the table of what everybody runs (all sessions are one
// user to the engine), ways to that table under another name, and a function that reads files.
var openToAll = map[string]bool{"file": true, "processes": true, "processlist": true, "merge": true, "loop": true}

// systemDatabase holds what the engine knows of everybody: it asks for no right on much of it.
const systemDatabase = "system"

// profile is the setting that changes all limits at once.
const profile = "profile"

// bound refuses what would let a session with one role act outside it.
func (s *Session) bound(sql string, tokens []sqltext.Token) error {
	for i, t := range tokens {
		name := strings.ToLower(sqltext.Value(sql, t))
		if openToAll[name] && t.Kind != sqltext.Text {
			return denied("This user may not use " + name)
		}
		if name == systemDatabase && t.Kind != sqltext.Text && i+2 < len(tokens) && tokens[i+1].IsPunct(sql, '.') {
			if table := strings.ToLower(sqltext.Value(sql, tokens[i+2])); !s.engine.system[table] && !slices.Contains(s.granted, table) {
				return denied("This user may not use system." + table)
			}
		}
		if i > 0 && t.Is(sql, "DEFAULT") && tokens[i-1].IsPunct(sql, '=') {
			return denied("This user may not set a setting to its default, which is no limit: write the value")
		}
		if name == profile && t.Kind != sqltext.Text && i+1 < len(tokens) && tokens[i+1].IsPunct(sql, '=') {
			return denied("This user has one settings profile and may not change it")
		}
	}
	switch sqltext.First(sql) {
	case "USE":
		if last := len(tokens) - 1; strings.EqualFold(sqltext.Value(sql, tokens[last]), systemDatabase) || last > 0 && strings.EqualFold(sqltext.Value(sql, tokens[last-1]), systemDatabase) {
			return denied("This user may not use database system as the current one")
		}
	case "SET":
		for _, t := range tokens {
			if t.Is(sql, "ROLE") {
				return denied("This user has one role and may not change it")
			}
		}
	case "KILL":
		if !s.engine.killsOwn(sql) {
			return denied("This user may end only statements of its own, by KILL QUERY WHERE query_id = '…'")
		}
	}
	return nil
}

func denied(message string) error {
	return &chdb.Error{Code: chdb.CodeAccessDenied, Name: "ACCESS_DENIED", Message: message}
}

// remember keeps what a SET statement of the client has set, so that settings of single statements can be undone.
func (s *Session) remember(sql string) error {
	if sqltext.First(sql) != "SET" {
		return nil
	}
	set, ok := sqltext.ParseSet(sql)
	if !ok {
		return nil
	}
	for _, one := range set {
		s.base[one.Name] = one.Value
		delete(s.applied, one.Name)
		if one.Name == logComment {
			tokens := sqltext.Tokens(one.Value)
			if err := s.setComment(sqltext.Value(one.Value, tokens[0])); err != nil {
				return err
			}
		}
	}
	return nil
}
