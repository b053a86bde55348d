package httpserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/nativeblock"
	"retorno/deploy/lab/embedded/session"
	"retorno/deploy/lab/embedded/sqltext"
)

// A client that states its client_protocol_version gets FORMAT Native as the native protocol has it at that revision:
// clickhouse-go needs it over HTTP, clickhouse-connect asks for it. Source: ClickHouse, src/Server/HTTPHandler.cpp
// (setClientProtocolVersion) and NativeWriter.cpp.

// withResult are the statements that give rows.
var withResult = map[string]bool{
	"SELECT": true, "WITH": true, "SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "EXISTS": true, "CHECK": true,
}

// revision is the protocol revision the result is to be written for; 0 = the file's dialect, as it comes.
func (q *request) revision(format string) int {
	if !strings.EqualFold(format, "Native") || !withResult[sqltext.First(q.st.SQL)] {
		return 0
	}
	n, err := strconv.Atoi(q.values.Get("client_protocol_version"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// blocks writes the result in the dialect of revision. One without rows is a block that tells the columns.
func (q *request) blocks(ctx context.Context, revision int, out *output) error {
	wire := nativeblock.Wire(revision)
	if wire.Flags { // each column has to be found in its block, which the engine's own form of JSON does not allow
		q.st.Settings = append(q.st.Settings, session.Setting{Name: "output_format_native_use_flattened_dynamic_and_json_serialization", Value: "1"})
	}
	rows := false
	err := q.session.Blocks(ctx, q.st, func(part session.Part, r chdb.Result) error {
		out.stats.Add(r.Stats)
		if part != session.Rows || len(r.Data) == 0 {
			return nil
		}
		rows = true
		text, err := rewrite(r.Data, wire)
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	})
	if err != nil || rows {
		return err
	}
	columns, err := q.session.Columns(ctx, q.st)
	if err != nil || len(columns) == 0 {
		return err
	}
	_, err = out.Write(nativeblock.AppendHeader(nil, columns, wire))
	return err
}

func rewrite(data []byte, wire nativeblock.Dialect) ([]byte, error) {
	var text bytes.Buffer
	w := bufio.NewWriter(&text)
	for src := bytes.NewReader(data); src.Len() > 0; {
		_, err := nativeblock.Copy(w, src, nativeblock.File, wire)
		switch {
		case errors.Is(err, nativeblock.ErrUnsupported) && !wire.Flags:
			return nativeblock.AppendInfo(nil, data), nil // a SELECT gives its blocks one by one
		case errors.Is(err, nativeblock.ErrUnsupported):
			return nil, &chdb.Error{Code: chdb.CodeNotImplemented, Name: "NOT_IMPLEMENTED", Message: err.Error()}
		case err != nil:
			return nil, err
		}
	}
	err := w.Flush()
	return text.Bytes(), err
}
