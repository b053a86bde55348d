// Package session gives each client of the embedded ClickHouse a session of its own over one engine: current
// database, settings and temporary tables, statements that can be cancelled, results in pieces, inserts from a
// stream.
//
// It promises: a cancelled context ends the statement in the engine, not only the waiting for it; settings given
// for one statement are gone with it; an INSERT reaches the engine only when all its data have come.
// A Session serves one statement at a time; an Engine serves any number of Sessions in parallel.
// It never changes what a statement says beyond its output clause.
package session

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/sqltext"
)

// Engine is the running engine.
type Engine struct {
	lib      *chdb.Library
	path     string
	spoolDir string
	root     *chdb.Conn // keeps the engine up; also kills and watches statements

	profiles map[string]map[string]string // see Config
	outside  outside                      // what no statement may name
	system   map[string]bool              // see Config.SystemTables
	granted  map[string][]string          // see Config

	version  string
	timezone string
	next     atomic.Uint64
	schema   atomic.Uint64 // grows before and after each statement that may define something

	mu      sync.Mutex
	running map[string]*Session // by the client's query id
	numeric map[string]bool     // by a setting's name, whether it is a number; nil until asked for
}

// Config is what an engine is booted with.
type Config struct {
	Library *chdb.Library
	Dir     string   // folder of the data
	Spool   string   // folder that takes the data of inserts while they come in
	Args    []string // further options of the engine's command line
	// Profiles are the limits of the roles that have a settings profile of the same name: settings and their values.
	Profiles map[string]map[string]string
	// SystemTables are the tables of database system that a session with a role may read.
	SystemTables []string
	// Granted are further ones, by the role to which they are granted.
	Granted map[string][]string
	// Outside lets statements reach files, other computers and programs, as far as the engine's rights go.
	Outside bool
}

// Boot starts the engine.
func Boot(c Config) (*Engine, error) {
	e := &Engine{lib: c.Library, path: "--path=" + c.Dir, spoolDir: c.Spool, profiles: c.Profiles, system: set(strings.Join(c.SystemTables, " ")), granted: c.Granted, running: map[string]*Session{}}
	var err error
	if e.root, err = c.Library.Connect(append([]string{e.path}, c.Args...)...); err != nil {
		return nil, fmt.Errorf("start the engine on %s: %w", c.Dir, err)
	}
	if err := e.ask(c.Outside); err != nil {
		e.root.Close()
		return nil, err
	}
	return e, nil
}

// ask asks the engine what it is.
func (e *Engine) ask(outside bool) error {
	r, err := e.root.Query("SELECT version(), timezone()", "TSV")
	if err != nil {
		return fmt.Errorf("ask the engine for its version: %w", err)
	}
	var ok bool
	if e.version, e.timezone, ok = strings.Cut(strings.TrimSpace(string(r.Data)), "\t"); !ok {
		return fmt.Errorf("the engine answered %q for its version", r.Data)
	}
	if !outside {
		e.outside, err = outsideOf(e.root)
	}
	return err
}

// Close shuts the engine down. All sessions must be closed before.
func (e *Engine) Close() { e.root.Close() }

// Version is the engine's version, such as 26.5.1.1.
func (e *Engine) Version() string { return e.version }

// VersionPart gives one number of the version: 0 the major, 1 the minor, 2 the patch.
func (e *Engine) VersionPart(i int) int {
	if parts := strings.Split(e.version, "."); i < len(parts) {
		if n, err := strconv.Atoi(parts[i]); err == nil {
			return n
		}
	}
	return 0
}

// Timezone is the engine's time zone, such as Etc/UTC.
func (e *Engine) Timezone() string { return e.timezone }

// Login says for whom a session is.
type Login struct {
	Database string // current database; "" = default
	Role     string // the only role the session may act in, for good; "" = all that user default has
	Wire     bool   // results go out over the native protocol
}

// Open starts a session. Close it.
func (e *Engine) Open(ctx context.Context, login Login) (*Session, error) {
	conn, err := e.lib.Connect(e.path)
	if err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	s := &Session{
		engine: e, conn: conn, mark: fmt.Sprintf("session-%d", e.next.Add(1)),
		base: map[string]string{}, applied: map[string]string{},
	}
	s.comment.Store(s.mark)
	setup := "SET log_comment = " + sqltext.Literal(s.mark) + ", " + serverDefaults
	if login.Wire {
		setup += ", " + wireSettings
	}
	if _, err := conn.Query(setup, ""); err != nil {
		s.Close()
		return nil, fmt.Errorf("prepare a session: %w", err)
	}
	if err := s.enter(ctx, login); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) enter(ctx context.Context, login Login) error {
	if login.Role != "" {
		if _, err := s.conn.Query("SET ROLE "+sqltext.Identifier(login.Role), ""); err != nil {
			return err
		}
		if err := s.limit(login.Role); err != nil {
			return err
		}
		s.restricted, s.granted = true, s.engine.granted[login.Role]
	}
	if login.Role != "" && strings.EqualFold(login.Database, systemDatabase) {
		return denied("This user may not use database system as the current one")
	}
	if login.Database == "" || login.Database == "default" {
		return nil
	}
	_, err := s.Query(ctx, Statement{SQL: "USE " + sqltext.Identifier(login.Database)}, "")
	return err
}

// limit puts the role's limits in force: the values first, since the engine takes only the bounds from a profile that is
// set, and asks for them only when a value changes.
func (s *Session) limit(role string) error {
	limits := s.engine.profiles[role]
	if len(limits) == 0 {
		return nil
	}
	for name, value := range limits {
		if _, err := s.conn.Query("SET "+name+" = "+value, ""); err != nil {
			return err
		}
		s.base[name] = value
	}
	_, err := s.conn.Query("SET profile = "+sqltext.Literal(role), "")
	return err
}

// serverDefaults undo what the library sets otherwise than a server.
const serverDefaults = "implicit_select = 0, allow_introspection_functions = 0, default_normal_view_sql_security = 'DEFINER'"

// wireSettings make the engine write what clients of the native protocol can read.
const wireSettings = "output_format_native_use_flattened_dynamic_and_json_serialization = 1"

// Progress is how far a statement has come, in rows and bytes; Total is the engine's estimate, 0 = none.
type Progress struct{ Rows, Bytes, Total uint64 }

// Progress asks how far the session's statement has come; false when none runs. Any goroutine may ask.
func (s *Session) Progress() (Progress, bool) {
	r, err := s.engine.root.Query("SELECT read_rows, read_bytes, total_rows_approx FROM system.processes WHERE Settings['log_comment'] = "+
		sqltext.Literal(s.named())+" LIMIT 1", "TSV")
	var p Progress
	if err != nil {
		return p, false
	}
	n, err := fmt.Sscan(string(r.Data), &p.Rows, &p.Bytes, &p.Total)
	return p, err == nil && n == 3
}

// Ask runs a statement for the servers themselves, outside any client's session.
func (e *Engine) Ask(sql, format string) (chdb.Result, error) { return e.root.Query(sql, format) }

// NumericSetting reports whether a setting is a whole number (a size, a time, a switch), and whether there is such a one.
func (e *Engine) NumericSetting(name string) (isNumber, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.numeric == nil {
		r, err := e.root.Query("SELECT name, type IN ('UInt64', 'Int64', 'Bool', 'MaxThreads', 'Seconds', 'Milliseconds', 'NonZeroUInt64', 'UInt64Auto', 'BoolAuto') FROM system.settings", "TSVRaw")
		if err != nil {
			return false, false
		}
		e.numeric = map[string]bool{}
		for line := range strings.Lines(string(r.Data)) {
			name, flag, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			e.numeric[name] = flag == "1"
		}
	}
	isNumber, known = e.numeric[name]
	return isNumber, known
}
