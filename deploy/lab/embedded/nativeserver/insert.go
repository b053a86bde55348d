package nativeserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/nativeblock"
	"retorno/deploy/lab/embedded/session"
	"retorno/deploy/lab/embedded/sqltext"
)

// insert serves an INSERT whose data come from the client: in the statement's text, or in blocks after it.
func (k *conn) insert(ctx context.Context, st session.Statement, ins sqltext.Insert) error {
	if strings.TrimSpace(ins.Data) == "" || strings.TrimSpace(ins.Data) == ";" {
		return k.insertBlocks(ctx, st, ins)
	}
	started := time.Now()
	stats, err := k.store(ctx, func(ctx context.Context) (chdb.Result, error) {
		return k.session.InsertText(ctx, st, ins)
	})
	if err == nil {
		k.progress(proto.Progress{WroteRows: stats.WrittenRows, WroteBytes: stats.WroteBytes, ElapsedNs: uint64(time.Since(started))})
	}
	return err
}

func (k *conn) insertBlocks(ctx context.Context, st session.Statement, ins sqltext.Insert) error {
	columns, err := k.session.InsertColumns(ctx, st, ins)
	if err != nil {
		return err
	}
	if err := k.data(proto.ServerCodeData, nativeblock.AppendHeader(nil, columns, k.wire)); err != nil {
		return err
	}
	spool, err := k.session.Spool()
	if err != nil {
		return err
	}
	cancelled, rows := false, 0
	for keep := error(nil); ; {
		p := k.readCode()
		switch {
		case p.err != nil:
			return &connectionError{p.err}
		case p.code == proto.ClientCodeCancel:
			cancelled = true
			continue
		case p.code != proto.ClientCodeData:
			return &connectionError{k.refuse(unexpected(p.code))}
		}
		_, h, err := k.readBlock(&faint{w: spool, err: &keep})
		if err != nil {
			return err
		}
		if rows += h.Rows; !h.Empty() {
			if err := k.inserted(h.Rows); err != nil {
				return err
			}
			continue
		}
		switch {
		case keep != nil:
			return fmt.Errorf("keep the blocks of an insert: %w", keep)
		case cancelled:
			return &chdb.Error{Code: chdb.CodeQueryWasCancelled, Name: "QUERY_WAS_CANCELLED", Message: "Query was cancelled"}
		case rows == 0:
			return k.inserted(0)
		}
		if _, err := k.store(ctx, func(ctx context.Context) (chdb.Result, error) {
			return k.session.Insert(ctx, st, ins, spool, "Native")
		}); err != nil {
			return err
		}
		return k.inserted(0)
	}
}

// faint swallows what it cannot write and remembers why: the client's blocks must be read to their end in any case.
type faint struct {
	w   io.Writer
	err *error
}

func (f *faint) Write(b []byte) (int, error) {
	if *f.err == nil {
		_, *f.err = f.w.Write(b)
	}
	return len(b), nil
}

// store runs what writes rows and tells nothing by itself: a client that has sent blocks may expect the end at once.
func (k *conn) store(ctx context.Context, run func(context.Context) (chdb.Result, error)) (chdb.Stats, error) {
	var stats chdb.Stats
	err := k.watched(ctx, func(ctx context.Context, _ emitter) error {
		r, err := run(ctx)
		stats = r.Stats
		return err
	}, nil, nil)
	return stats, err
}

func unexpected(code proto.ClientCode) error {
	return &chdb.Error{
		Code: chdb.CodeUnexpectedPacket, Name: "UNEXPECTED_PACKET_FROM_CLIENT", Message: fmt.Sprintf("Unexpected packet %d from client", code),
	}
}

// externalTable is a temporary table that a client sends along with one statement.
type externalTable struct {
	name    string
	columns []nativeblock.Column
	data    bytes.Buffer
}

// externalTables reads the Data packets that follow each Query, up to the empty one.
func (k *conn) externalTables() ([]*externalTable, error) {
	var tables []*externalTable
	for {
		p := k.readCode()
		if p.err != nil {
			return nil, p.err
		}
		if p.code != proto.ClientCodeData {
			return nil, k.refuse(unexpected(p.code))
		}
		t := &externalTable{}
		name, h, err := k.readBlock(&t.data)
		if err != nil {
			return nil, err
		}
		if h.Empty() && name == "" {
			return tables, nil
		}
		t.name, t.columns = name, h.Columns
		if n := len(tables); n > 0 && tables[n-1].name == name {
			if h.Rows > 0 {
				tables[n-1].data.Write(t.data.Bytes())
			}
			continue
		}
		tables = append(tables, t)
	}
}

// createExternal makes the tables for one statement; drop removes them again.
func (k *conn) createExternal(ctx context.Context, tables []*externalTable) (drop func(), err error) {
	var made []string
	drop = func() {
		for _, name := range made {
			// It was made above; should the session be broken, its temporary tables go with it.
			_, _ = k.session.Query(context.WithoutCancel(ctx), session.Statement{SQL: "DROP TEMPORARY TABLE " + name}, "")
		}
	}
	for _, t := range tables {
		name := sqltext.Identifier(t.name)
		if err = k.fillExternal(ctx, name, t); err != nil {
			drop()
			return nil, err
		}
		made = append(made, name)
	}
	return drop, nil
}

func (k *conn) fillExternal(ctx context.Context, name string, t *externalTable) error {
	var columns []string
	for _, c := range t.columns {
		columns = append(columns, sqltext.Identifier(c.Name)+" "+c.Type)
	}
	create := "CREATE TEMPORARY TABLE " + name + " (" + strings.Join(columns, ", ") + ") ENGINE = Memory"
	if _, err := k.session.Query(ctx, session.Statement{SQL: create}, ""); err != nil {
		return err
	}
	spool, err := k.session.Spool()
	if err != nil {
		return err
	}
	if _, err := spool.Write(t.data.Bytes()); err != nil {
		return fmt.Errorf("keep external table %s: %w", name, err)
	}
	_, err = k.session.Insert(ctx, session.Statement{}, sqltext.Insert{Head: "INSERT INTO " + name}, spool, "Native")
	if err != nil {
		_, dropErr := k.session.Query(ctx, session.Statement{SQL: "DROP TEMPORARY TABLE " + name}, "")
		return errors.Join(err, dropErr)
	}
	return nil
}

// strayData takes a Data packet that belongs to no statement: what a client still sent for one that had failed.
func (k *conn) strayData() error {
	_, _, err := k.readBlock(io.Discard)
	return err
}
