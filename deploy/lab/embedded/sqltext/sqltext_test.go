package sqltext_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"retorno/deploy/lab/embedded/sqltext"
)

func TestFirst(t *testing.T) {
	for sql, want := range map[string]string{
		"select 1": "SELECT", " -- no\n /* not this */ ((Select 1))": "SELECT", "#! shebang\nSHOW TABLES": "SHOW", "": "", "'text'": "", ";": "", "WITH x AS (SELECT 1) SELECT 1": "WITH",
	} {
		if got := sqltext.First(sql); got != want {
			t.Errorf("%q: %q", sql, got)
		}
	}
}

func TestSplitOutput(t *testing.T) {
	for sql, want := range map[string]sqltext.Output{
		"SELECT 1":                                         {Body: "SELECT 1"},
		"SELECT 1 ; ; ":                                    {Body: "SELECT 1"},
		"SELECT 1 FORMAT JSON;":                            {Body: "SELECT 1", Format: "JSON"},
		"select 1 format\nCSV -- end":                      {Body: "select 1", Format: "CSV"},
		"SELECT 1 SETTINGS a = 1 FORMAT CSV":               {Body: "SELECT 1 SETTINGS a = 1", Format: "CSV"},
		"SELECT 1 FORMAT CSV SETTINGS a = 1, b = 'x;y'":    {Body: "SELECT 1", Format: "CSV", Settings: "a = 1, b = 'x;y'"},
		"SELECT a FROM t ORDER BY format DESC":             {Body: "SELECT a FROM t ORDER BY format DESC"},
		"SELECT format FROM t":                             {Body: "SELECT format FROM t"},
		"SELECT * FROM format(JSON, 'x')":                  {Body: "SELECT * FROM format(JSON, 'x')"},
		"SELECT 'FORMAT CSV'":                              {Body: "SELECT 'FORMAT CSV'"},
		"SELECT 1 INTO OUTFILE '/x' FORMAT CSV":            {Body: "SELECT 1", Format: "CSV", IntoFile: true},
		"SELECT 1 INTO OUTFILE 'x' TRUNCATE":               {Body: "SELECT 1", IntoFile: true},
		"SELECT $a$ FORMAT x; $a$ AS s FORMAT TSV":         {Body: "SELECT $a$ FORMAT x; $a$ AS s", Format: "TSV"},
		"SELECT (SELECT 1 FORMAT CSV)":                     {Body: "SELECT (SELECT 1 FORMAT CSV)"},
		"SELECT 1 /* FORMAT CSV */":                        {Body: "SELECT 1"},
		"FORMAT":                                           {Body: "FORMAT"},
		"SELECT 1 AS `FORMAT` FORMAT Null":                 {Body: "SELECT 1 AS `FORMAT`", Format: "Null"},
		"SELECT 1 WHERE 'it''s \\' FORMAT' != '' FORMAT A": {Body: "SELECT 1 WHERE 'it''s \\' FORMAT' != ''", Format: "A"},
	} {
		if got := sqltext.SplitOutput(sql); got != want {
			t.Errorf("%q:\ngot  %+v\nwant %+v", sql, got, want)
		}
	}
}

func TestSeveral(t *testing.T) {
	for sql, want := range map[string]bool{
		"SELECT 1": false, "SELECT 1;": false, ";;SELECT 1; ;": true, "SELECT 1; SELECT 2": true, "SELECT ';'; -- x": false, "SELECT 1; /* c */ x": true, "": false,
	} {
		if got := sqltext.Several(sql); got != want {
			t.Errorf("%q: %v", sql, got)
		}
	}
}

func TestHasTotals(t *testing.T) {
	for sql, want := range map[string]bool{
		"SELECT a, count() FROM t GROUP BY a WITH TOTALS": true, "SELECT * FROM (SELECT a FROM t GROUP BY a WITH TOTALS)": false, "SELECT 'WITH TOTALS'": false, "SELECT totals": false,
	} {
		if got := sqltext.HasTotals(sql); got != want {
			t.Errorf("%q: %v", sql, got)
		}
	}
}

func TestParseInsert(t *testing.T) {
	for sql, want := range map[string]sqltext.Insert{
		"INSERT INTO t VALUES (1, 'a;b')":              {Head: "INSERT INTO t", Target: "t", Format: "Values", Data: " (1, 'a;b')"},
		"insert into table db.`t x` (a, `b c`) values": {Head: "insert into table db.`t x` (a, `b c`)", Target: "db.`t x`", Columns: []string{"a", "b c"}, Format: "Values"},
		"INSERT INTO t":      {Head: "INSERT INTO t", Target: "t"},
		"INSERT INTO t (a);": {Head: "INSERT INTO t (a)", Target: "t", Columns: []string{"a"}},
		"INSERT INTO t (n.x, n.y) FORMAT CSV\n1,2\n":  {Head: "INSERT INTO t (n.x, n.y)", Target: "t", Columns: []string{"n.x", "n.y"}, Format: "CSV", Data: "1,2\n"},
		"INSERT INTO t FORMAT CSV ; \n1":              {Head: "INSERT INTO t", Target: "t", Format: "CSV", Data: "1"},
		"INSERT INTO t FORMAT JSONEachRow {\"a\": 1}": {Head: "INSERT INTO t", Target: "t", Format: "JSONEachRow", Data: "{\"a\": 1}"},
		"INSERT INTO t FORMAT RowBinary\n\n\x00":      {Head: "INSERT INTO t", Target: "t", Format: "RowBinary", Data: "\n\x00"},
		"INSERT INTO t (* EXCEPT (a, b)) SETTINGS x = 1, y = 'VALUES' FORMAT values (1)": {
			Head: "INSERT INTO t (* EXCEPT (a, b))", Setting: "x = 1, y = 'VALUES'", Target: "t", Pattern: "* EXCEPT (a, b)", Format: "Values", Data: "(1)"},
		"INSERT INTO t SETTINGS x = 1":                             {Head: "INSERT INTO t", Setting: "x = 1", Target: "t"},
		"INSERT INTO FUNCTION file('x', CSV, 'a Int8') VALUES (1)": {Head: "INSERT INTO FUNCTION file('x', CSV, 'a Int8')", Target: "FUNCTION file('x', CSV, 'a Int8')", Format: "Values", Data: " (1)"},
		"/* c */ INSERT -- d\nINTO t FORMAT":                       {Head: "/* c */ INSERT -- d\nINTO t", Target: "t"},
	} {
		got, ok := sqltext.ParseInsert(sql)
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %+v %v\nwant %+v", sql, got, ok, want)
		}
	}
	for _, sql := range []string{
		"INSERT INTO t SELECT 1", "INSERT INTO t (a) SELECT 'VALUES'", "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", "INSERT INTO t (SELECT 1)", "INSERT INTO t (a) (SELECT 1)",
		"INSERT INTO t FROM INFILE 'x' FORMAT CSV", "INSERT INTO t SETTINGS a = 1 SELECT 1",
	} {
		if got, ok := sqltext.ParseInsert(sql); !ok || !got.Select {
			t.Errorf("%q: %+v %v", sql, got, ok)
		}
	}
	for _, sql := range []string{"SELECT 1", "INSERT", "INSERT INTO", "", "INSERTINTO t"} {
		if got, ok := sqltext.ParseInsert(sql); ok {
			t.Errorf("%q: %+v", sql, got)
		}
	}
}

func TestParseSet(t *testing.T) {
	for sql, want := range map[string][]sqltext.Setting{
		"SET a = 1":                             {{Name: "a", Value: "1"}},
		"set a=1, `b` = 'x, y', c = -1.5;":      {{Name: "a", Value: "1"}, {Name: "b", Value: "'x, y'"}, {Name: "c", Value: "-1.5"}},
		"SET m = {'a': 1, 'b': 2}, z = DEFAULT": {{Name: "m", Value: "{'a': 1, 'b': 2}"}, {Name: "z", Value: "DEFAULT"}},
		"SET ROLE x":                            nil, "SET a": nil, "SELECT 1": nil, "SET a = ": nil, "SET a = 1, b": nil,
	} {
		if got, ok := sqltext.ParseSet(sql); !reflect.DeepEqual(got, want) || ok != (want != nil) {
			t.Errorf("%q: %+v %v", sql, got, ok)
		}
	}
}

// What is written as a literal or a name is read back the same, as one token, whatever is around it.
func TestQuotingIsUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		for _, quoted := range []string{sqltext.Literal(text), sqltext.Identifier(text)} {
			sql := "SELECT " + quoted + "; -- '"
			tokens := sqltext.Tokens(sql)
			if len(tokens) != 3 || sqltext.Value(sql, tokens[1]) != text {
				t.Fatalf("%q is read as %d tokens: %v", sql, len(tokens), tokens)
			}
		}
	})
}

// No text makes the scanner stand still, overlap or leave the text.
func TestScannerIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sql := rapid.StringOf(rapid.RuneFrom([]rune("aZ_ '\"`\\$#-/*!;,.(){}[]\n\x00ñ=0"))).Draw(t, "sql")
		end := 0
		for _, token := range sqltext.Tokens(sql) {
			if token.Start < end || token.End <= token.Start || token.End > len(sql) {
				t.Fatalf("%q: %v after %d", sql, token, end)
			}
			end = token.End
			sqltext.Value(sql, token)
		}
		sqltext.SplitOutput(sql)
		sqltext.ParseInsert("INSERT INTO " + sql)
		sqltext.ParseSet("SET " + sql)
	})
}
