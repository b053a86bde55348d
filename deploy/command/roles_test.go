package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/clickhouse"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/tables"
)

// freeAddress is one at which no server listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// running runs a command until the test ends or stop is called, and expects it to end well.
func running(t *testing.T, environ map[string]string, args ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan result, 1)
	go func() { ended <- tryUntil(ctx, "", environ, args...) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if r := <-ended; r.status != exitDone {
			t.Errorf("%v ended with %d: %s", args, r.status, r.err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// as connects to ClickHouse as a user.
func as(t *testing.T, addr, user, password string) driver.Conn {
	t.Helper()
	conn, err := chgo.Open(&chgo.Options{Addr: []string{addr}, Auth: chgo.Auth{Username: user, Password: password}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Each command works as a user with its role of roles.sql and a password, on an engine whose user default is of no use to
// it; and a command whose user lacks rights ends with status 2 and names the grant.
func TestEachCommandUnderItsRole(t *testing.T) {
	const password = "s3cret"
	engine, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir(), Password: password, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Stop(context.Background()) })
	broker, err := fakekafka.Start(fakekafka.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	user := func(name string) map[string]string {
		return map[string]string{"RETORNO_CLICKHOUSE_ADDR": engine.Native(), "RETORNO_CLICKHOUSE_USER": name, "RETORNO_CLICKHOUSE_PASSWORD": password,
			"RETORNO_KAFKA_BROKERS": broker.Addr(), "RETORNO_KAFKA_PARTITIONS": "3"}
	}
	done := func(in, name string, args ...string) string {
		t.Helper()
		r := try(t, in, user(name), args...)
		if r.status != exitDone {
			t.Fatalf("%v as %s: status %d: %s", args, name, r.status, r.err)
		}
		return r.out
	}
	table := writeFile(t, "tables.csv", string(tables.Dev()))
	refused := func(name, grant string, args ...string) {
		t.Helper()
		r := try(t, "", user(name), args...)
		if r.status != exitUsage || !strings.Contains(r.err, grant) || !strings.Contains(r.err, "roles.sql") {
			t.Errorf("%v as %s: status %d, want %d and %q: %s", args, name, r.status, exitUsage, grant, r.err)
		}
	}

	refused("retorno_consumer", "CREATE DATABASE ON retorno", "migrate")
	done("", "retorno_owner", "migrate")
	done("", "retorno_owner", "migrate") // again: it replaces the views
	done(event(1)+"\n"+event(2)+"\n", "", "send", "-")
	ops := freeAddress(t)
	stop := running(t, user("retorno_consumer"), "consume", "--ops-listen", ops, "--flush-every=10ms")
	embeddedtest.Eventually(t, "the consumer does not count", func() bool {
		status, _ := fetch("http://" + ops + "/readyz")
		var n uint64
		err := as(t, engine.Native(), "retorno_auditor", password).QueryRow(t.Context(), "SELECT sum(accepted) FROM retorno.ledger").Scan(&n)
		return status == http.StatusOK && err == nil && n == 2
	})
	done("", "retorno_auditor", "verify", "--once")
	done("", "retorno_auditor", "table", "--like", table, "--id=A14")
	done("", "retorno_auditor", "explain", "month=2016-04", "entry_point=L-COR")
	key := newKey(t)
	done("", "retorno_publisher", "publish", "2016-S1", "--signing-key", key, "--accept-incomplete=made")
	stop()
	auditor := as(t, engine.Native(), "retorno_auditor", password)
	stop = running(t, user("retorno_consumer"), "consume", "--ops-listen", ops)
	embeddedtest.Eventually(t, "the claims of the epoch before are not deleted", func() bool {
		var old, now uint64
		err := auditor.QueryRow(t.Context(), "SELECT countIf(epoch = 1), uniqExactIf(kafka_partition, epoch = 2) FROM retorno.claims").Scan(&old, &now)
		return err == nil && old == 0 && now == 3
	})
	done("", "retorno_consumer", "partition", "list", "--all")
	stop()
	stop = running(t, user("retorno_auditor"), "verify", "--ops-listen", ops)
	embeddedtest.Eventually(t, "the verifier's process cannot read how the database fares", func() bool {
		_, text := fetch("http://" + ops + "/metrics")
		return strings.Contains(text, `retorno_publication_timestamp_seconds{period="2016-S1"}`)
	})
	stop()

	runbookStatements(t, auditor, as(t, engine.Native(), "default", password))
	refused("retorno_auditor", "INSERT", "publish", "2016", "--accept-incomplete=made")
	refused("ceniss", "SELECT", "table", "--like", table, "--id=A14")
	refused("ceniss", "SELECT", "verify", "--once")

	web, inner := freeAddress(t), freeAddress(t)
	running(t, user("ceniss_public"), "serve", "--listen", web, "--ops-listen", inner)
	embeddedtest.Eventually(t, "the web is not ready", func() bool { status, _ := fetch("http://" + web + "/readyz"); return status == http.StatusOK })
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/": {200, "<html"}, "/feed/v1/returns.csv?period=2016-S1": {200, ",P,"}, "/vintages/2016-S1/1/": {200, "provisional"}, "/readyz": {200, "ok\n"}, "/metrics": {404, ""}, "/healthz": {404, ""},
	} {
		if status, body := fetch("http://" + web + path); status != want.status || !strings.Contains(body, want.text) || strings.Contains(body, "retorno_build_info") {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	if status, body := fetch("http://" + inner + "/metrics"); status != 200 || !strings.Contains(body, "retorno_http_requests_total") {
		t.Errorf("the metrics of serve: %d", status)
	}
	readsNothingElse(t, as(t, engine.Native(), "default", password), as(t, engine.Native(), "ceniss", password))
}

// readsNothingElse tries all tables that there are as the reader.
func readsNothingElse(t *testing.T, admin, reader driver.Conn) {
	t.Helper()
	rows, err := admin.Query(t.Context(), `SELECT database, name FROM system.tables WHERE NOT is_temporary AND lower(database) != 'information_schema'
		AND NOT (database = 'system' AND engine IN ('SystemNumbers', 'SystemZeros', 'SystemPrimes'))`) // numbers without end, and nothing else
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	read, kept := 0, 0
	for rows.Next() {
		var database, name string
		if err := rows.Scan(&database, &name); err != nil {
			t.Fatal(err)
		}
		var n uint64
		// Of what a server tells everybody of itself nothing may be about the pipeline's tables, but what the views say.
		err := reader.QueryRow(t.Context(), fmt.Sprintf("SELECT count() FROM `%s`.`%s` WHERE toString(tuple(*)) LIKE '%%retorno%%' AND NOT has(splitByChar('\\'', toString(tuple(*))), 'ceniss')", database, name)).Scan(&n)
		var denied *chgo.Exception
		isDenied := errors.As(err, &denied) && denied.Code == 497
		switch {
		case database == "ceniss" && err != nil:
			t.Errorf("%s.%s: %v", database, name, err)
		case database == "system" && !isDenied && n > 0:
			t.Errorf("%s.%s tells the reader %d rows about the pipeline", database, name, n)
		case database != "ceniss" && database != "system" && !isDenied:
			t.Errorf("%s.%s is not kept from the reader: %v", database, name, err)
		case isDenied:
			kept++
		default:
			read++
		}
	}
	if read < 12 || kept < 20 || rows.Err() != nil {
		t.Errorf("%d tables read, %d kept, %v", read, kept, rows.Err())
	}
	for _, statement := range []string{
		"INSERT INTO retorno.codes (list) VALUES ('x')", "DROP VIEW ceniss.returns", "CREATE TABLE ceniss.t (a Int8) ENGINE = Memory", "CREATE DATABASE x", "ALTER TABLE retorno.facts DELETE WHERE 1",
		"TRUNCATE TABLE retorno.ledger", "SELECT * FROM merge('retorno', '.*')", "SELECT * FROM view(SELECT * FROM retorno.facts)", "CREATE VIEW ceniss.x AS SELECT * FROM retorno.facts", "SHOW CREATE TABLE retorno.facts",
		"USE system", "SELECT * FROM `system`.errors", "SELECT * FROM loop(system, errors)", "SELECT * FROM system . \"parts\"", "SELECT * FROM system.query_log",
	} {
		var denied *chgo.Exception
		if err := reader.Exec(t.Context(), statement); !errors.As(err, &denied) || denied.Code != 497 {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// roles.sql is a file that a server reads: the engine parses each statement, and knows every right and every setting in it.
func TestRolesAreWhatAServerUnderstands(t *testing.T) {
	roles, err := clickhouse.Roles()
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, r := range roles {
		commands += len(r.Grants)
	}
	if len(roles) != 8 || commands < 20 {
		t.Errorf("%d roles, %d grants", len(roles), commands)
	}
	_, addr := migratedStore(t)
	admin := as(t, addr, "default", "")
	for _, statement := range clickhouse.Statements() {
		if err := admin.Exec(t.Context(), "EXPLAIN AST "+statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, r := range roles {
		for _, l := range r.Limits {
			var n uint64
			if err := admin.QueryRow(t.Context(), "SELECT count() FROM system.settings WHERE name = ?", l.Name).Scan(&n); err != nil || n != 1 {
				t.Errorf("%s has no setting %s (%v)", r.Name, l.Name, err)
			}
		}
	}
}

// TestRolesOfReaders tries every column of every table as each of the readers' roles: it reads what roles.sql means, and nothing else.
func TestRolesOfReaders(t *testing.T) {
	everything := []string{"returns", "return_counts", "assistance_counts", "assisted", "crossing_counts", "sources", "source_gaps", "keys_with_contradictions", "coverage", "publications", "released_files", "published_counts", "revisions", "codes", "state"}
	person := []string{"returns", "assisted"}
	public := map[string]string{"publications": "id period vintage status published_at", "released_files": "publication path body", "codes": "list code label_es label_en valid_from valid_to", "state": "schema"}
	for role, may := range map[string]func(view, column string) bool{
		"ceniss_public": func(view, column string) bool { return slices.Contains(strings.Fields(public[view]), column) },
		"ceniss_counts": func(view, _ string) bool {
			return slices.Contains(everything, view) && !slices.Contains(person, view)
		},
		"ceniss_micro": func(view, _ string) bool { return slices.Contains(everything, view) },
		"ceniss":       func(view, _ string) bool { return slices.Contains(everything, view) },
	} {
		_, addr := migratedStore(t)
		reader := as(t, addr, role, "")
		rows, err := as(t, addr, "default", "").Query(t.Context(), "SELECT database, table, groupArray(name) FROM system.columns WHERE database IN ('ceniss', 'retorno', 'default') GROUP BY ALL")
		if err != nil {
			t.Fatal(err)
		}
		read, kept := 0, 0
		for rows.Next() {
			var database, table string
			var columns, readable, refused []string
			if err := rows.Scan(&database, &table, &columns); err != nil {
				t.Fatal(err)
			}
			for _, column := range columns {
				if database == "ceniss" && may(table, column) {
					readable = append(readable, "`"+column+"`")
				} else {
					refused = append(refused, "`"+column+"`")
				}
			}
			read, kept = read+len(readable), kept+len(refused)
			// Who may read any column may count the rows.
			asked := []string{strings.Join(readable, ", "), "count()"}
			if len(readable) == 0 {
				asked, refused = nil, []string{"count()"}
			}
			for _, what := range asked {
				if err := reader.Exec(t.Context(), fmt.Sprintf("SELECT %s FROM %s.%s LIMIT 0", what, database, table)); err != nil {
					t.Errorf("%s does not read %s of %s.%s: %v", role, what, database, table, err)
				}
			}
			for _, column := range refused {
				var denied *chgo.Exception
				if err := reader.Exec(t.Context(), fmt.Sprintf("SELECT %s FROM %s.%s LIMIT 0", column, database, table)); !errors.As(err, &denied) || denied.Code != 497 {
					t.Errorf("%s reads %s of %s.%s: %v", role, column, database, table, err)
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || read < 15 || kept < 100 {
			t.Errorf("%s: %d columns read, %d kept, %v", role, read, kept, err)
		}
		var seconds string
		if err := reader.QueryRow(t.Context(), "SELECT value FROM system.settings WHERE name = 'max_execution_time'").Scan(&seconds); err != nil || seconds != "60" {
			t.Errorf("%s: a question may take %s s (%v)", role, seconds, err)
		}
		var refused *chgo.Exception
		if err := reader.Exec(t.Context(), "SELECT 1 SETTINGS max_memory_usage = 0"); !errors.As(err, &refused) || refused.Code != 452 {
			t.Errorf("%s takes all memory: %v", role, err)
		}
	}
}

// TestServeNamesRightsItDoesNotNeed: a user who can read more than what was published is warned of by name, one of the public role is not.
func TestServeNamesRightsItDoesNotNeed(t *testing.T) {
	_, addr := migratedStore(t)
	for user, want := range map[string][]string{"ceniss_public": nil, "ceniss": {"ceniss.returns", "ceniss.assisted"}, "ceniss_counts": {"ceniss.return_counts", "ceniss.state"}, "default": {"retorno.facts", "ceniss.returns"}} {
		flags := clickhouseFlags{Addr: addr, User: user, Timeout: time.Minute}
		reader, err := flags.openPublished(t.Context(), slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		more, err := unneededRights(t.Context(), reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range want {
			if !slices.Contains(more, table) {
				t.Errorf("%s is not said to read %s: %v", user, table, more)
			}
		}
		if want == nil && len(more) > 0 {
			t.Errorf("%s reads %v, too", user, more)
		}
		var log strings.Builder
		if err := warnOfRights(t.Context(), reader, slog.New(slog.NewTextHandler(&log, nil)), user); err != nil {
			t.Fatal(err)
		}
		if warned := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), "user="+user) && strings.Contains(log.String(), "ceniss_public"); warned != (want != nil) {
			t.Errorf("%s: %s", user, log.String())
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runbookStatements: ClickHouse understands every statement of the runbook, with the rights of the one who verifies,
// or of an administrator where it is about the server.
func runbookStatements(t *testing.T, auditor, administrator driver.Conn) {
	t.Helper()
	text, err := os.ReadFile("../RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range regexp.MustCompile("(?ms)^```sql\n(.*?)^```$").FindAllSubmatch(text, -1) {
		for statement := range strings.SplitSeq(string(block[1]), ";\n") {
			if statement = strings.TrimSpace(statement); statement == "" {
				continue
			}
			found++
			conn := auditor
			if strings.Contains(statement, "FROM system.") {
				conn = administrator
			}
			if err := conn.Exec(t.Context(), "EXPLAIN "+statement); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d statements are found", found)
	}
}
