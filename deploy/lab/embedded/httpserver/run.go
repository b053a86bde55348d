package httpserver

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"strings"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/session"
	"retorno/deploy/lab/embedded/sqltext"
)

// harmless are the statements that a GET may ask for.
var harmless = map[string]bool{
	"SELECT": true, "WITH": true, "SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "EXISTS": true, "CHECK": true, "USE": true, "SET": true, "": true,
}

// run runs the request's statement and writes what it gives to out.
func (s *Server) run(ctx context.Context, q *request, out *output) error {
	if q.readonly && !harmless[sqltext.First(q.st.SQL)] {
		return &chdb.Error{
			Code: chdb.CodeReadonly, Name: "READONLY",
			Message: "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries.",
		}
	}
	if q.insert != nil {
		return s.insert(ctx, q, out)
	}
	drop, err := q.externalTables(ctx)
	if err != nil {
		return err
	}
	defer drop()
	format := q.format
	if named := sqltext.SplitOutput(q.st.SQL).Format; named != "" {
		format = named
	}
	out.setFormat(format)
	if revision := q.revision(format); revision > 0 {
		return q.blocks(ctx, revision, out)
	}
	stats, err := q.session.Write(ctx, q.st, format, out)
	out.stats.Add(stats)
	return err
}

func (s *Server) insert(ctx context.Context, q *request, out *output) error {
	spool, err := q.session.Spool()
	if err != nil {
		return err
	}
	if _, err := spool.WriteString(q.insert.Data); err != nil {
		return fmt.Errorf("keep an insert's data: %w", err)
	}
	n, err := io.Copy(spool, q.data)
	if err != nil {
		return badRequest("the body cannot be read: %v", err)
	}
	format := q.insert.Format
	if format == "" {
		format = "Values"
	}
	if n == 0 && strings.TrimSpace(q.insert.Data) == "" {
		_, err := q.session.InsertColumns(ctx, q.st, *q.insert) // no rows: but the table must be there
		return err
	}
	r, err := q.session.Insert(ctx, q.st, *q.insert, spool, format)
	out.stats.Add(r.Stats)
	return err
}

// ofExternalTable reports whether a parameter describes a table that came along as a file of the form.
func (q *request) ofExternalTable(name string) bool {
	if q.form == nil {
		return false
	}
	for table := range q.form.File {
		if name == table+"_structure" || name == table+"_types" || name == table+"_format" {
			return true
		}
	}
	return false
}

// externalTables makes a temporary table of each file of the form; drop removes them again.
func (q *request) externalTables(ctx context.Context) (drop func(), err error) {
	var made []string
	drop = func() {
		for _, name := range made {
			// It was made above; should the session be broken, its temporary tables go with it.
			_, _ = q.session.Query(context.WithoutCancel(ctx), session.Statement{SQL: "DROP TEMPORARY TABLE " + name}, "")
		}
	}
	if q.form == nil {
		return drop, nil
	}
	for table, files := range q.form.File {
		name := sqltext.Identifier(table)
		structure := q.values.Get(table + "_structure")
		if structure == "" {
			structure = numbered(q.values.Get(table + "_types"))
		}
		create := "CREATE TEMPORARY TABLE " + name + " (" + structure + ") ENGINE = Memory"
		if _, err := q.session.Query(ctx, session.Statement{SQL: create}, ""); err != nil {
			drop()
			return nil, err
		}
		made = append(made, name)
		format := q.values.Get(table + "_format")
		if format == "" {
			format = "TabSeparated"
		}
		for _, f := range files {
			if err := q.fill(ctx, name, format, f); err != nil {
				drop()
				return nil, err
			}
		}
	}
	return drop, nil
}

func (q *request) fill(ctx context.Context, name, format string, header *multipart.FileHeader) error {
	f, err := header.Open()
	if err != nil {
		return badRequest("the form cannot be read: %v", err)
	}
	defer f.Close()
	spool, err := q.session.Spool()
	if err != nil {
		return err
	}
	if _, err := io.Copy(spool, f); err != nil {
		return badRequest("the form cannot be read: %v", err)
	}
	_, err = q.session.Insert(ctx, session.Statement{}, sqltext.Insert{Head: "INSERT INTO " + name}, spool, format)
	return err
}

// numbered names columns of which only the types are known: _1, _2, ….
func numbered(types string) string {
	tokens := sqltext.Tokens(types)
	var columns []string
	start := 0
	for _, t := range tokens {
		if t.Depth == 0 && t.IsPunct(types, ',') {
			columns = append(columns, fmt.Sprintf("_%d %s", len(columns)+1, types[start:t.Start]))
			start = t.End
		}
	}
	return strings.Join(append(columns, fmt.Sprintf("_%d %s", len(columns)+1, types[start:])), ", ")
}
