package session

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/nativeblock"
	"retorno/deploy/lab/embedded/sqltext"
)

// Part says what a block of a result holds.
type Part uint8

// Parts of a result.
const (
	Rows     Part = iota // rows of the result itself
	Totals               // the one row of WITH TOTALS
	Extremes             // the least and the greatest value of each column, with the setting extremes
)

// beside reports whether a SELECT gives more than its rows.
func (s *Session) beside(st Statement) bool {
	if sqltext.HasTotals(st.SQL) || isOn(s.base["extremes"]) {
		return true
	}
	for _, set := range st.Settings {
		if set.Name == "extremes" && isOn(set.Value) {
			return true
		}
	}
	tokens := sqltext.Tokens(st.SQL)
	for i := 0; i+2 < len(tokens); i++ {
		if tokens[i].Is(st.SQL, "extremes") && tokens[i+1].IsPunct(st.SQL, '=') && tokens[i+2].Is(st.SQL, "1") {
			return true
		}
	}
	return false
}

func isOn(value string) bool {
	return value == "1" || value == "'1'" || strings.EqualFold(value, "true")
}

// whole is a result of FORMAT JSONCompact.
type whole struct {
	Meta     []nativeblock.Column
	Data     []json.RawMessage
	Totals   json.RawMessage
	Extremes struct{ Min, Max json.RawMessage }
}

// exact makes JSON keep every value as it is.
const exact = "output_format_json_quote_64bit_integers = 1, output_format_json_quote_denormals = 1, output_format_json_quote_decimals = 1"

// blocksWithTotals runs a SELECT that gives totals or extremes. FORMAT Native leaves them out and running the
// statement twice could give parts that do not belong together, so the result is taken once, as JSON, and put into
// blocks by the engine. It is held whole; with totals it is an aggregate, and small.
func (s *Session) blocksWithTotals(ctx context.Context, st Statement, emit func(Part, chdb.Result) error) error {
	o := sqltext.SplitOutput(st.SQL)
	st.SQL = o.Body + " FORMAT JSONCompact SETTINGS " + exact
	if o.Settings != "" {
		st.SQL += ", " + o.Settings
	}
	r, err := s.Query(ctx, st, "JSONCompact")
	if err != nil {
		return err
	}
	var w whole
	if err := json.Unmarshal(r.Data, &w); err != nil {
		return fmt.Errorf("read a result with totals: %w", err)
	}
	for _, part := range []struct {
		kind Part
		rows []json.RawMessage
	}{{Rows, w.Data}, {Totals, []json.RawMessage{w.Totals}}, {Extremes, []json.RawMessage{w.Extremes.Min, w.Extremes.Max}}} {
		if len(part.rows) == 0 || len(part.rows[0]) == 0 {
			continue
		}
		block, err := s.toBlocks(ctx, w.Meta, part.rows)
		if err != nil {
			return err
		}
		stats := chdb.Stats{}
		if part.kind == Rows {
			stats = r.Stats
		}
		if err := emit(part.kind, chdb.Result{Data: block, Stats: stats}); err != nil {
			return err
		}
	}
	return nil
}

// toBlocks turns rows of JSON into blocks of FORMAT Native.
func (s *Session) toBlocks(ctx context.Context, columns []nativeblock.Column, rows []json.RawMessage) ([]byte, error) {
	var text strings.Builder
	for _, row := range rows {
		text.Write(row)
		text.WriteByte('\n')
	}
	var structure []string
	for _, c := range columns {
		structure = append(structure, sqltext.Identifier(c.Name)+" "+c.Type)
	}
	r, err := s.Query(ctx, Statement{
		SQL: "SELECT * FROM format(JSONCompactEachRow, " + sqltext.Literal(strings.Join(structure, ", ")) + ", " + sqltext.Literal(text.String()) +
			") SETTINGS max_threads = 1, extremes = 0 FORMAT Native",
		Settings: []Setting{{Name: "max_query_size", Value: "2000000000"}}, // the rows stand in the statement
		own:      true,
	}, "Native")
	return r.Data, err
}
