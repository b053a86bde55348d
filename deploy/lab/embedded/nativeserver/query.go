package nativeserver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/session"
	"retorno/deploy/lab/embedded/sqltext"
)

// progressInterval is how often a client hears of a statement that gives no rows yet.
const progressInterval = 500 * time.Millisecond

// query serves one Query packet. An error is one of the connection; the statement's own goes to the client.
func (k *conn) query(ctx context.Context) error {
	q, err := k.decodeQuery()
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	k.compression = q.Compression
	k.method = compressionMethod(q.Settings)
	st := statement(q)
	external, err := k.externalTables()
	if err != nil {
		return err
	}
	err = k.run(ctx, st, external)
	var broken *connectionError
	if errors.As(err, &broken) {
		return broken.cause
	}
	if err != nil {
		k.exception(err)
	} else {
		proto.ServerCodeEndOfStream.Encode(&k.out)
	}
	return k.flush()
}

// connectionError tells a failure of the connection from one of the statement.
type connectionError struct{ cause error }

func (e *connectionError) Error() string { return e.cause.Error() }
func (e *connectionError) Unwrap() error { return e.cause }

func statement(q proto.Query) session.Statement {
	st := session.Statement{SQL: q.Body, ID: q.ID}
	for _, s := range q.Settings {
		st.Settings = append(st.Settings, session.Setting{Name: s.Key, Value: s.Value, Important: s.Important})
	}
	for _, p := range q.Parameters {
		st.Params = append(st.Params, chdb.Param{Name: p.Key, Value: unquote(p.Value)})
	}
	return st
}

// unquote reads a parameter's value, which travels as a string literal.
func unquote(value string) string {
	if tokens := sqltext.Tokens(value); len(tokens) == 1 && tokens[0].Kind == sqltext.Text {
		return sqltext.Value(value, tokens[0])
	}
	return value
}

// compressionMethod is what the client asks results to be compressed with.
func compressionMethod(settings []proto.Setting) compress.Method {
	for _, s := range settings {
		if s.Key == "network_compression_method" {
			switch strings.ToUpper(s.Value) {
			case "ZSTD":
				return compress.ZSTD
			case "NONE":
				return compress.None
			}
		}
	}
	return compress.LZ4
}

func (k *conn) run(ctx context.Context, st session.Statement, external []*externalTable) error {
	drop, err := k.createExternal(ctx, external)
	if err != nil {
		return err
	}
	defer drop()
	if ins, ok := sqltext.ParseInsert(st.SQL); ok && !ins.Select {
		return k.insert(ctx, st, ins)
	}
	return k.result(ctx, st)
}

// piece is a part of a result on its way from the goroutine that runs a statement to the one that sends.
type piece struct {
	part session.Part
	chdb.Result
}

type emitter = func(session.Part, chdb.Result) error

// watched runs a statement on a goroutine of its own and meanwhile sends what it emits and ends it when the client
// cancels or leaves. From time to time it calls tell, if there is one, for a client that waits.
func (k *conn) watched(ctx context.Context, run func(context.Context, emitter) error, send func(piece) error, tell func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks, done := make(chan piece), make(chan error, 1)
	go func() {
		done <- run(ctx, func(part session.Part, r chdb.Result) error {
			select {
			case blocks <- piece{part, r}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	if tell == nil {
		tick.Stop()
	}
	k.readOn()
	var failed error // why the statement was ended, when it was ended here
	fail := func(err error) {
		if failed == nil && err != nil {
			failed = err
			cancel()
		}
	}
	for {
		codes := k.codes
		if !k.reading {
			codes = nil
		}
		select {
		case p := <-blocks:
			fail(send(p))
		case <-tick.C:
			fail(tell())
		case p := <-codes:
			k.reading = false
			switch {
			case p.err != nil:
				fail(&connectionError{p.err})
			case p.code == proto.ClientCodeCancel:
				cancel()
				k.readOn()
			default:
				k.pending = &p
			}
		case err := <-done:
			if failed != nil {
				return failed
			}
			return err
		}
	}
}
