package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/counting/verify"
	"retorno/schemas/events"
)

// bookkeeping are the columns of retorno.returns that say which of several writes of a row holds.
var bookkeeping = []string{"version", "is_deleted"}

// otherValue is another value of a column of retorno.returns than the one that is there, in SQL.
func otherValue(t *testing.T, column, kind string) string {
	t.Helper()
	switch {
	case kind == "UUID":
		return fmt.Sprintf("toUUID(concat(substring(toString(%s), 1, 24), '%s'))", column, invented)
	case kind == "UInt8" || kind == "UInt16":
		return "1 - " + column
	case kind == "Date" || strings.HasPrefix(kind, "DateTime64"):
		return column + " + INTERVAL 1 DAY"
	case kind == "Nullable(UInt8)":
		return "ifNull(" + column + ", 0) + 1"
	case strings.HasPrefix(kind, "Array"):
		return "['other']"
	case kind == "LowCardinality(String)":
		return "concat(" + column + ", '+')"
	}
	t.Fatalf("no other value is known for column %s of type %s", column, kind)
	return ""
}

// TestEveryColumnOfAReturnIsCompared changes one column of one stored return, for every column that the table has, and
// expects a pass to name each of these returns and no other.
func TestEveryColumnOfAReturnIsCompared(t *testing.T) {
	s := start(t)
	columns := strings.Fields(s.text("SELECT arrayStringConcat(groupArray(name), ' ') FROM system.columns WHERE database = 'retorno' AND table = 'returns'"))
	columns = slices.DeleteFunc(columns, func(c string) bool { return slices.Contains(bookkeeping, c) })
	when := at("2016-06-01", "10:00")
	of := map[string]*events.Record{}
	for n, column := range columns {
		of[column] = registration(n+1, when.Add(time.Duration(n)*time.Minute))
		s.write(message(of[column]))
	}
	s.count()
	s.pass(s.verifier(), true)
	s.exec("CREATE TABLE retorno.test_kept ENGINE = MergeTree ORDER BY return_id AS SELECT * FROM retorno.returns FINAL")
	for some := range slices.Chunk(columns, verify.MostShown/2) { // a return is named twice: as stored, and as recounted
		for _, column := range some {
			kind := s.text("SELECT type FROM system.columns WHERE database = 'retorno' AND table = 'returns' AND name = '" + column + "'")
			s.exec(fmt.Sprintf("INSERT INTO retorno.returns SELECT * REPLACE (%s AS %s, version + 1 AS version) FROM (SELECT * FROM retorno.returns FINAL WHERE return_id = '%s')",
				otherValue(t, column, kind), column, of[column].GetRecordId()))
		}
		report, err := s.kafka.Once(t.Context(), s.store.Conn())
		if err != nil {
			t.Fatal(err)
		}
		for column, record := range of {
			begins := record.GetRecordId()[:24] // its time, which no change of an id changes
			if got, want := named(report, "returns", begins), slices.Contains(some, column); got != want {
				t.Errorf("column %s: named %v, changed %v: %+v", column, got, want, report.Results)
			}
		}
		s.exec("TRUNCATE TABLE retorno.returns")
		s.exec("INSERT INTO retorno.returns SELECT * FROM retorno.test_kept")
	}
}
