package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/nativeblock"
	"retorno/deploy/lab/embedded/sqltext"
)

// Blocks runs any statement and hands over its result, if it has one, as blocks of FORMAT Native. What the
// statement says of an output format or file is the client's business and passed over.
func (s *Session) Blocks(ctx context.Context, st Statement, emit func(Part, chdb.Result) error) error {
	switch sqltext.First(st.SQL) {
	case "SELECT", "WITH":
		if s.beside(st) {
			return s.blocksWithTotals(ctx, st, emit)
		}
		st.SQL = nativeOutput(st.SQL)
		err := s.Select(ctx, st, func(r chdb.Result) error { return emit(Rows, r) })
		if !chdb.IsNotStreamable(err) {
			return err
		}
	case "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK":
		st.SQL = nativeOutput(st.SQL)
	}
	r, err := s.Query(ctx, st, "Native")
	if err != nil {
		return err
	}
	return emit(Rows, r)
}

// nativeOutput makes a statement's result come in FORMAT Native.
func nativeOutput(sql string) string {
	o := sqltext.SplitOutput(sql)
	if o.Format == "" && !o.IntoFile {
		return sql
	}
	text := o.Body + " FORMAT Native"
	if o.Settings != "" {
		text += " SETTINGS " + o.Settings
	}
	return text
}

// Write runs a SELECT and writes its result to w as it comes, in the format the statement names, else in format.
// An error of w ends the statement and comes back. chdb.IsNotStreamable(err) says that it is no SELECT; then nothing
// has run.
func (s *Session) Write(ctx context.Context, st Statement, format string, w io.Writer) (chdb.Stats, error) {
	switch sqltext.First(st.SQL) {
	case "SELECT", "WITH":
	default:
		r, err := s.Query(ctx, st, format)
		if err == nil {
			_, err = w.Write(r.Data)
		}
		return r.Stats, err
	}
	// The engine's client writes the result to the pipe by its name, which is the one way to have any format whole
	// and in pieces: its streaming interface makes a document of its own out of each block.
	if err := s.allowed(st); err != nil {
		return chdb.Stats{}, err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return chdb.Stats{}, fmt.Errorf("make a pipe for a result: %w", err)
	}
	o := sqltext.SplitOutput(st.SQL)
	if o.Format != "" {
		format = o.Format
	}
	st.SQL = o.Body + " INTO OUTFILE " + sqltext.Literal(fdPath(out)) + " APPEND FORMAT " + format
	if o.Settings != "" {
		st.SQL += " SETTINGS " + o.Settings
	}
	st.own = true
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, in)
		if err != nil {
			cancel()
			_, _ = io.Copy(io.Discard, in) // the engine must be able to end
		}
		copied <- err
	}()
	r, err := s.Query(ctx, st, format)
	closeErr := out.Close()
	writeErr := <-copied
	closeErr = errors.Join(closeErr, in.Close())
	if writeErr != nil {
		return r.Stats, writeErr
	}
	return r.Stats, errors.Join(err, closeErr)
}

// Columns tells the columns of a statement's result without running it again where that could change anything.
// None means that it has no result.
func (s *Session) Columns(ctx context.Context, st Statement) ([]nativeblock.Column, error) {
	body := sqltext.SplitOutput(st.SQL).Body
	switch sqltext.First(st.SQL) {
	case "SELECT", "WITH":
		st.SQL = "DESCRIBE TABLE (" + body + "\n)" + plainTypes
		described, err := s.describe(ctx, st)
		columns := make([]nativeblock.Column, 0, len(described))
		for _, d := range described {
			columns = append(columns, nativeblock.Column{Name: d.name, Type: d.typ})
		}
		return columns, err
	case "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS":
		st.SQL = body + " FORMAT JSONCompact"
		r, err := s.Query(ctx, st, "JSONCompact")
		if err != nil {
			return nil, err
		}
		var meta struct{ Meta []nativeblock.Column }
		if err := json.Unmarshal(r.Data, &meta); err != nil {
			return nil, fmt.Errorf("columns of %q: %w", body, err)
		}
		return meta.Meta, nil
	}
	return nil, nil
}

// plainTypes makes DESCRIBE write types as the protocol has them, on one line.
const plainTypes = " SETTINGS print_pretty_type_names = 0, describe_compact_output = 0, describe_include_subcolumns = 0"

// described is one row of DESCRIBE: a column and where its value comes from by default ("", DEFAULT, MATERIALIZED,
// ALIAS, EPHEMERAL).
type described struct{ name, typ, kind string }

func (s *Session) describe(ctx context.Context, st Statement) ([]described, error) {
	r, err := s.Query(ctx, st, "JSONCompactEachRow")
	if err != nil {
		return nil, err
	}
	var all []described
	for dec := json.NewDecoder(strings.NewReader(string(r.Data))); dec.More(); {
		var row []any
		if err := dec.Decode(&row); err != nil {
			return nil, fmt.Errorf("read %q: %w", st.SQL, err)
		}
		var d described
		for i, into := range []*string{&d.name, &d.typ, &d.kind} {
			if i < len(row) {
				*into, _ = row[i].(string)
			}
		}
		all = append(all, d)
	}
	return all, nil
}

// InsertColumns tells the columns an INSERT wants data for, in its order. The same INSERT is asked about once, until a
// statement of any session may have changed a table: asking costs as much as a small INSERT.
func (s *Session) InsertColumns(ctx context.Context, st Statement, ins sqltext.Insert) ([]nativeblock.Column, error) {
	schema := s.engine.schema.Load()
	if n := len(s.described.columns); n == 0 || n >= mostDescribed || s.described.schema != schema {
		s.described = descriptions{schema: schema, columns: map[string][]nativeblock.Column{}}
	}
	if known, ok := s.described.columns[ins.Head]; ok {
		return known, nil
	}
	columns, err := s.insertColumns(ctx, st, ins)
	if err == nil {
		s.described.columns[ins.Head] = columns
	}
	return columns, err
}

const mostDescribed = 256 // INSERTs of one session whose columns are kept

// descriptions are the columns of INSERTs, by their text, as of a state of the tables.
type descriptions struct {
	schema  uint64
	columns map[string][]nativeblock.Column
}

// reads are the statements that leave the session and all tables as they are defined.
var reads = map[string]bool{"SELECT": true, "WITH": true, "INSERT": true, "SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "EXISTS": true}

func (s *Session) insertColumns(ctx context.Context, st Statement, ins sqltext.Insert) ([]nativeblock.Column, error) {
	target := ins.Target
	if sqltext.First(target) == "FUNCTION" {
		target = strings.TrimSpace(target[len("FUNCTION"):])
	}
	st.SQL = "DESCRIBE TABLE " + target
	if ins.Pattern != "" {
		st.SQL = "DESCRIBE TABLE (SELECT " + ins.Pattern + " FROM " + target + ")"
	}
	st.SQL += plainTypes
	all, err := s.describe(ctx, st)
	if err != nil {
		return nil, err
	}
	var columns []nativeblock.Column
	if ins.Columns == nil {
		for _, d := range all {
			if d.kind != "MATERIALIZED" && d.kind != "ALIAS" && d.kind != "EPHEMERAL" {
				columns = append(columns, nativeblock.Column{Name: d.name, Type: d.typ})
			}
		}
		return columns, nil
	}
	types := map[string]string{}
	for _, d := range all {
		types[d.name] = d.typ
	}
	for _, name := range ins.Columns {
		typ, ok := types[name]
		if !ok {
			return nil, &chdb.Error{
				Code: chdb.CodeNoSuchColumn, Name: "NO_SUCH_COLUMN_IN_TABLE", Message: fmt.Sprintf("No such column %s in table %s", name, target),
			}
		}
		columns = append(columns, nativeblock.Column{Name: name, Type: typ})
	}
	return columns, nil
}

// InsertText runs an INSERT whose data stand in its text.
func (s *Session) InsertText(ctx context.Context, st Statement, ins sqltext.Insert) (chdb.Result, error) {
	sp, err := s.Spool()
	if err != nil {
		return chdb.Result{}, err
	}
	if _, err := sp.WriteString(ins.Data); err != nil {
		return chdb.Result{}, fmt.Errorf("spool an insert: %w", err)
	}
	return s.Insert(ctx, st, ins, sp, ins.Format)
}
