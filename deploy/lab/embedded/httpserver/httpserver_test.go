package httpserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"retorno/deploy/lab/embedded/embeddedtest"
)

func TestRoutes(t *testing.T) {
	for _, one := range []struct {
		method, path string
		status       int
		body         string
	}{
		{http.MethodGet, "/ping", 200, "Ok.\n"}, {http.MethodGet, "/replicas_status", 200, "Ok.\n"}, {http.MethodGet, "/", 200, "Ok.\n"},
		{http.MethodHead, "/ping", 200, ""}, {http.MethodHead, "/?query=SELECT+1", 200, ""}, {http.MethodOptions, "/", 204, ""},
		{http.MethodGet, "/nosuch", 404, "There is no handle /nosuch"}, {http.MethodGet, "/?query=SELECT+1", 200, "1\n"}, {http.MethodPost, "/", 400, "Empty query"},
		{http.MethodGet, "/?query=DROP+TABLE+x", 500, "Code: 164"}, {http.MethodPost, "/?query=SELECT+1+INTO+OUTFILE+'/tmp/x'", 500, "Code: 358"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), one.method, "http://"+engine.HTTP()+one.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := do(t, r)
		if a.status != one.status || !strings.Contains(a.body, one.body) || one.body == "" && a.body != "" {
			t.Errorf("%s %s: %d %q", one.method, one.path, a.status, a.body)
		}
	}
}

func TestHeadersAreClickHouses(t *testing.T) {
	a := ask(t, http.MethodPost, "SELECT number FROM numbers(3)", "query_id=my-id", "default_format=JSONEachRow")
	for name, want := range map[string]string{
		"X-ClickHouse-Query-Id": "my-id", "X-ClickHouse-Format": "JSONEachRow", "X-ClickHouse-Timezone": "America/Tegucigalpa", "X-ClickHouse-Server-Display-Name": "retorno-embedded",
		"Content-Type": "application/x-ndjson; charset=UTF-8",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	var summary map[string]string
	if err := json.Unmarshal([]byte(a.header.Get("X-ClickHouse-Summary")), &summary); err != nil || summary["read_rows"] != "3" || summary["result_rows"] != "3" {
		t.Errorf("summary %v %v", summary, err)
	}
}

func TestErrorsHaveTheirStatus(t *testing.T) {
	for statement, want := range map[string]struct {
		status int
		code   string
		name   string
	}{
		"SELECT * FROM nosuch": {404, "60", "UNKNOWN_TABLE"}, "SELEC 1": {400, "62", "SYNTAX_ERROR"}, "SELECT nosuch": {404, "47", "UNKNOWN_IDENTIFIER"},
		"SELECT 1 FORMAT Nope": {404, "73", "UNKNOWN_FORMAT"}, "SELECT toUInt8('x')": {400, "6", "CANNOT_PARSE_TEXT"}, "SELECT 1 SETTINGS nosuch = 1": {404, "115", "UNKNOWN_SETTING"},
		"SELECT throwIf(1)": {500, "395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"}, "SELECT 1; SELECT 2": {400, "62", "SYNTAX_ERROR"}, "INSERT INTO nosuch VALUES (1)": {404, "60", "UNKNOWN_TABLE"},
		"SELECT {x:UInt8}": {500, "456", "UNKNOWN_QUERY_PARAMETER"},
	} {
		a := ask(t, http.MethodPost, statement)
		text := fmt.Sprintf("Code: %s. DB::Exception: ", want.code)
		if a.status != want.status || a.header.Get("X-ClickHouse-Exception-Code") != want.code || !strings.HasPrefix(a.body, text) ||
			!strings.Contains(a.body, ". ("+want.name+") (version ") || !strings.HasSuffix(a.body, ")\n") {
			t.Errorf("%s: %d %s %s", statement, a.status, a.header.Get("X-ClickHouse-Exception-Code"), a.body)
		}
	}
	for _, wrong := range [][]string{{"user=stranger"}, {"password=x"}, {"X-ClickHouse-User: default", "X-ClickHouse-Key: x"}, {"Authorization: Basic ZGVmYXVsdDp4"}} {
		if a := ask(t, http.MethodPost, "SELECT 1", wrong...); a.status != 403 || !strings.HasPrefix(a.body, "Code: 516.") {
			t.Errorf("%v: %d %s", wrong, a.status, a.body)
		}
	}
	if a := ask(t, http.MethodPost, "SELECT 1", "database=nosuch"); a.status != 404 || !strings.HasPrefix(a.body, "Code: 81.") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := ask(t, http.MethodPost, "SELECT 1", "nosuch_setting=1"); a.status != 404 || !strings.HasPrefix(a.body, "Code: 115.") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// An error after the first bytes breaks the transfer off, with the error's text at the end of what came.
func TestErrorInMidResultBreaksTheTransferOff(t *testing.T) {
	const statement = "SELECT number, throwIf(number = 3000000) FROM numbers(10000000)"
	a := ask(t, http.MethodPost, statement)
	if a.status != 200 || a.err == nil || !strings.Contains(a.body[max(0, len(a.body)-1000):], "Code: 395.") {
		t.Errorf("%d, %d bytes, %v", a.status, len(a.body), a.err)
	}
	if a := ask(t, http.MethodPost, statement, "wait_end_of_query=1"); a.status != 500 || a.err != nil || !strings.HasPrefix(a.body, "Code: 395.") {
		t.Errorf("with wait_end_of_query: %d, %d bytes, %v", a.status, len(a.body), a.err)
	}
}

func TestSettingsParametersAndWhereTheStatementStands(t *testing.T) {
	if got := sql(t, "SELECT getSetting('max_threads')", "max_threads=3"); got != "3\n" {
		t.Errorf("setting: %q", got)
	}
	if got := sql(t, "SELECT {a:UInt8} + 1, {s:String}, {l:Array(String)}", "param_a=41", "param_s=it's\\\\\\t", "param_l=['x','y']"); got != "42\tit\\'s\\\\\\t\t['x','y']\n" {
		t.Errorf("parameters: %q", got)
	}
	if got := sql(t, " + 1 AS x FORMAT CSVWithNames", "query=SELECT 1"); got != "\"x\"\n2\n" {
		t.Errorf("statement in two places: %q", got)
	}
	if got := sql(t, "SELECT currentDatabase()", "X-ClickHouse-Database: system"); got != "system\n" {
		t.Errorf("database by header: %q", got)
	}
	if got := sql(t, "SELECT 1 AS x", "X-ClickHouse-Format: JSONCompactEachRow"); got != "[1]\n" {
		t.Errorf("format by header: %q", got)
	}
	if a := ask(t, http.MethodPut, "SELECT 1"); a.body != "1\n" {
		t.Errorf("PUT: %d %q", a.status, a.body)
	}
	if got := sql(t, "SELECT k, count() FROM (SELECT number % 2 AS k FROM numbers(10)) GROUP BY k WITH TOTALS ORDER BY k FORMAT JSONCompact SETTINGS extremes = 1"); !strings.Contains(got, `"totals": [0, 10]`) || !strings.Contains(got, `"extremes"`) {
		t.Errorf("totals and extremes: %s", got)
	}
}

func TestSessions(t *testing.T) {
	const session = "session_id=http-test"
	sql(t, "CREATE TEMPORARY TABLE mine (x UInt8)", session)
	sql(t, "INSERT INTO mine VALUES (1), (2)", session)
	sql(t, "SET max_block_size = 123", session)
	if got := sql(t, "SELECT sum(x), getSetting('max_block_size') FROM mine", session, "session_check=1"); got != "3\t123\n" {
		t.Errorf("got %q", got)
	}
	if a := ask(t, http.MethodPost, "SELECT * FROM mine"); a.status != 404 {
		t.Errorf("without the session: %d %s", a.status, a.body)
	}
	if a := ask(t, http.MethodPost, "SELECT * FROM mine", session, "user=ceniss"); a.status == 200 {
		t.Errorf("another user has the session: %s", a.body)
	}
	if a := ask(t, http.MethodPost, "SELECT 1", "session_id=never", "session_check=1"); !strings.HasPrefix(a.body, "Code: 372.") {
		t.Errorf("session_check: %d %s", a.status, a.body)
	}
	if a := ask(t, http.MethodPost, "SELECT 1", session, "session_timeout=99999999"); !strings.HasPrefix(a.body, "Code: 374.") {
		t.Errorf("session_timeout: %d %s", a.status, a.body)
	}
	sql(t, "SELECT 1", session, "close_session=1")
	if a := ask(t, http.MethodPost, "SELECT * FROM mine", session); a.status != 404 {
		t.Errorf("after its close: %d %s", a.status, a.body)
	}
	sql(t, "SELECT 1", "session_id=short", "session_timeout=0")
	embeddedtest.Eventually(t, "the end of a session by its timeout", func() bool {
		return ask(t, http.MethodPost, "SELECT 1", "session_id=short", "session_check=1", "session_timeout=0").status != 200
	})
}

func TestSessionIsUsedByOneAtATime(t *testing.T) {
	const session = "session_id=busy"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+engine.HTTP()+"/?"+session, strings.NewReader("SELECT 'busy session', ("+endless+")"))
		if err != nil {
			t.Error(err)
			return
		}
		if resp, err := client.Do(r); err == nil {
			_ = resp.Body.Close() // it should not have ended
			t.Error("an endless statement ended")
		}
	}()
	running(t, "busy session", "1\n")
	if a := ask(t, http.MethodPost, "SELECT 1", session); !strings.HasPrefix(a.body, "Code: 373.") {
		t.Errorf("%d %s", a.status, a.body)
	}
	cancel()
	<-ended
	running(t, "busy session", "0\n")
}

// endless never ends by itself.
const endless = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"

// running waits until as many statements with text in them run as want says.
func running(t *testing.T, text, want string) {
	t.Helper()
	embeddedtest.Eventually(t, text+" running "+want, func() bool {
		return sql(t, "SELECT count() FROM system.processes WHERE position(query, {text:String}) > 0 AND position(query, 'system.processes') = 0", "param_text="+text) == want
	})
}

func TestClientThatGoesAwayEndsItsStatement(t *testing.T) {
	for text, statement := range map[string]string{
		"silent one": "SELECT 'silent one', (" + endless + ")", "talking one": "SELECT number, 'talking one' FROM system.numbers",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+engine.HTTP()+"/", strings.NewReader(statement))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if resp, err := client.Do(r); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body) // until it is cancelled
				_ = resp.Body.Close()
			}
		}()
		running(t, text, "1\n")
		cancel()
		<-ended
		running(t, text, "0\n")
	}
}

func TestKillQueryByTheClientsOwnID(t *testing.T) {
	ended := make(chan answer, 1)
	go func() { ended <- ask(t, http.MethodPost, "SELECT 'to be killed', ("+endless+")", "query_id=kill-me") }()
	running(t, "to be killed", "1\n")
	sql(t, "KILL QUERY WHERE query_id = 'kill-me'")
	if a := <-ended; !strings.HasPrefix(a.body, "Code: 394.") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestFormsBringTables(t *testing.T) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, err := range []error{
		form.WriteField("query", "SELECT sum(n), any(code) FROM posts WHERE n > {least:Int32}"), form.WriteField("param_least", "2"),
		form.WriteField("posts_structure", "code String, n Int32"), form.WriteField("posts_format", "CSV"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	file, err := form.CreateFormFile("posts", "posts.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, "L-COR,63\nL-AMA,2\n"); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	if got := sql(t, body.String(), "Content-Type: "+form.FormDataContentType()); got != "63\tL-COR\n" {
		t.Errorf("got %q", got)
	}
}

// What BI tools ask before anything else.
func TestProbingStatements(t *testing.T) {
	for _, statement := range []string{
		"SELECT version()", "SELECT timezone()", "SELECT name, value, changed, description, min, max, readonly, type FROM system.settings", "SELECT name, is_aggregate FROM system.functions",
		"SELECT * FROM information_schema.tables LIMIT 1", "SELECT * FROM INFORMATION_SCHEMA.COLUMNS LIMIT 1", "SELECT * FROM information_schema.schemata", "SHOW DATABASES", "SHOW TABLES FROM system",
		"SELECT database, name, engine, comment, create_table_query FROM system.tables", "SELECT name, type, comment, is_in_primary_key FROM system.columns LIMIT 1", "SELECT currentUser(), hostName(), uptime()",
		"SELECT * FROM system.data_type_families", "SELECT * FROM system.table_engines LIMIT 1", "SELECT * FROM system.clusters", "SELECT * FROM system.processes", "SELECT value FROM system.build_options WHERE name = 'VERSION_FULL'",
		"EXPLAIN SELECT 1", "EXISTS TABLE system.one", "SELECT * FROM system.dictionaries", "SHOW GRANTS", "SELECT 1 WHERE 0", "SELECT * FROM system.contributors LIMIT 1",
	} {
		if a := ask(t, http.MethodGet, "", "query="+statement, "default_format=JSONCompact"); a.status != 200 {
			t.Errorf("%s: %d %s", statement, a.status, a.body)
		}
	}
}

func TestReaderOverHTTP(t *testing.T) {
	sql(t, "CREATE DATABASE IF NOT EXISTS ceniss")
	sql(t, "CREATE OR REPLACE TABLE http_secret ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a")
	sql(t, "CREATE OR REPLACE VIEW ceniss.http_view AS SELECT a FROM default.http_secret")
	if got := sql(t, "SELECT a FROM ceniss.http_view", "user=ceniss"); got != "1\n" {
		t.Errorf("got %q", got)
	}
	for _, statement := range []string{"SELECT * FROM default.http_secret", "DROP VIEW ceniss.http_view", "SELECT * FROM url('http://127.0.0.1/', CSV)"} {
		if a := ask(t, http.MethodPost, statement, "user=ceniss"); a.status != 403 {
			t.Errorf("%s: %d %s", statement, a.status, a.body)
		}
	}
	if a := ask(t, http.MethodPost, "SELECT * FROM default.http_secret", "user=ceniss", "role=embedded_admin"); a.status == 200 {
		t.Errorf("the reader takes another role: %s", a.body)
	}
	u := url.URL{Scheme: "http", Host: engine.HTTP(), User: url.User("ceniss"), RawQuery: "query=SELECT+a+FROM+ceniss.http_view"}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := do(t, r); a.body != "1\n" {
		t.Errorf("by Basic authentication: %d %q", a.status, a.body)
	}
}
