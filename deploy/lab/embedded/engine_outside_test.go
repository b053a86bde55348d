package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded"
)

// reaching are statements that reach files (%[1]s), another server (%[2]s) or a program, one of each way that this
// engine has.
var reaching = []string{
	"SELECT file('%[1]s')", "SELECT `file`('%[1]s')", "SELECT \"file\" /* x */ ('%[1]s')", "SELECT * APPLY(file) FROM (SELECT '%[1]s' AS p)", "SELECT * APPLY file FROM (SELECT '%[1]s' AS p)",
	"CREATE FUNCTION reads AS x -> file(x)", "CREATE VIEW v AS SELECT file('%[1]s')", "SELECT arrayMap(x -> file(x), ['%[1]s'])", "SELECT catboostEvaluate('%[1]s', 1)",
	"SELECT * FROM file('%[1]s', LineAsString)", "INSERT INTO FUNCTION file('%[1]s', LineAsString, 'a String') SELECT 'x'", "SELECT * FROM filesystem('/')", "SELECT * FROM fileCluster('default', '%[1]s', LineAsString)",
	"SELECT * FROM sqlite('%[1]s', 't')", "SELECT * FROM icebergLocal('%[1]s')", "SELECT * FROM deltaLakeLocal('%[1]s')", "SELECT * FROM paimonLocal('%[1]s')",
	"SELECT * FROM url('http://%[2]s/', LineAsString)", "SELECT * FROM URL('http://%[2]s/', LineAsString)", "INSERT INTO FUNCTION url('http://%[2]s/', LineAsString, 'a String') SELECT 'x'", "SELECT * FROM urlCluster('default', 'http://%[2]s/', LineAsString)",
	"SELECT * FROM s3('http://%[2]s/bucket/k', LineAsString)", "SELECT * FROM gcs('http://%[2]s/bucket/k', LineAsString)", "SELECT * FROM s3Cluster('default', 'http://%[2]s/bucket/k', LineAsString)",
	"SELECT * FROM iceberg('http://%[2]s/bucket/k')", "SELECT * FROM deltaLake('http://%[2]s/bucket/k')", "SELECT * FROM hudi('http://%[2]s/bucket/k')", "SELECT * FROM hdfs('hdfs://%[2]s/b/k', LineAsString)",
	"SELECT * FROM azureBlobStorage('http://%[2]s', 'c', 'b', 'a', 'a2V5', 'TSV')", "SELECT * FROM remote('%[2]s', system.one)", "SELECT * FROM remoteSecure('%[2]s', system.one)", "SELECT * FROM cluster('default', system.one)",
	"SELECT * FROM clusterAllReplicas('default', system.one)", "SELECT * FROM mysql('%[2]s','a','b','c','d')", "SELECT * FROM postgresql('%[2]s','a','b','c','d')", "SELECT * FROM mongodb('%[2]s','a','b','c','d','x String')",
	"SELECT * FROM redis('%[2]s', 'k', 'k String, v String')", "SELECT * FROM odbc('DSN=x', 'a', 'b')", "SELECT * FROM jdbc('jdbc:x', 'a', 'b')", "SELECT * FROM ytsaurus('http://%[2]s','a','b','x String')", "SELECT * FROM prometheusQuery('a', 'b', now())",
	"SELECT * FROM executable('x.sh', TSV, 'a String')", "SELECT * FROM (SELECT * FROM executable('x.sh', TSV, 'a String'))",
	"CREATE TABLE t (a String) ENGINE = File(TSV)", "CREATE TABLE t (a String) ENGINE = URL('http://%[2]s/', TSV)", "CREATE TABLE t (a String) ENGINE URL('http://%[2]s/', TSV)", "CREATE TABLE t (a String) ENGINE = `URL`('http://%[2]s/', TSV)",
	"CREATE TABLE t (a String) ENGINE = S3('http://%[2]s/bucket/k', TSV)", "CREATE TABLE t (a String) ENGINE = Executable('x.sh', TSV)", "CREATE TABLE t (a String) ENGINE = ExecutablePool('x.sh', TSV)",
	"CREATE TEMPORARY TABLE t (a String) ENGINE = Executable('x.sh', TSV)", "CREATE TABLE t (a String) ENGINE = FileLog('/', 'LineAsString')", "CREATE TABLE t (a String) ENGINE = EmbeddedRocksDB(0, '/tmp/x') PRIMARY KEY a",
	"CREATE TABLE t (a Int8) ENGINE = Kafka('%[2]s', 'a', 'b', 'TSV')", "CREATE TABLE t (a Int8) ENGINE = MySQL('%[2]s', 'a', 'b', 'c', 'd')", "CREATE TABLE t (a Int8) ENGINE = Distributed('default', 'default', 't')",
	"CREATE TABLE t AS remote('%[2]s', system.one)", "CREATE TABLE t (a Int8) ENGINE = SQLite('%[1]s', 't')", "CREATE TABLE t (a Int8) ENGINE = IcebergLocal('/tmp/x')",
	"CREATE DATABASE d ENGINE = Filesystem('/')", "CREATE DATABASE d ENGINE = SQLite('%[1]s')", "CREATE DATABASE d ENGINE = MySQL('%[2]s', 'a', 'b', 'c')", "CREATE DATABASE d ENGINE = PostgreSQL('%[2]s', 'a', 'b', 'c')",
	"CREATE DATABASE d ENGINE = S3('http://%[2]s/bucket')", "CREATE DATABASE d ENGINE = Backup('default', File('%[1]s'))", "CREATE DATABASE d ENGINE = DataLakeCatalog('http://%[2]s')", "CREATE DATABASE d ENGINE = HDFS('hdfs://%[2]s/')",
	"CREATE DICTIONARY d (a UInt64, b String) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'id' FORMAT 'TSV')) LAYOUT(FLAT()) LIFETIME(0)", "CREATE DICTIONARY d (a UInt64, b String) PRIMARY KEY a SOURCE(HTTP(URL 'http://%[2]s/' FORMAT 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
	"CREATE DICTIONARY d (a UInt64, b String) PRIMARY KEY a SOURCE(FILE(PATH '%[1]s' FORMAT 'TSV')) LAYOUT(FLAT()) LIFETIME(0)", "CREATE DICTIONARY d (a UInt64, b String) PRIMARY KEY a SOURCE(CLICKHOUSE(HOST 'x' PORT 1 TABLE 'x')) LAYOUT(FLAT()) LIFETIME(0)",
	"CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = web, endpoint = 'http://%[2]s/b/')", "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '/tmp/x/')",
	"BACKUP TABLE own TO File('%[1]s.backup')", "BACKUP TABLE own TO S3('http://%[2]s/bucket/k', 'a', 'b')", "RESTORE TABLE x FROM S3('http://%[2]s/bucket/k', 'a', 'b')", "SYSTEM SHUTDOWN", "SYSTEM KILL",
	"CREATE NAMED COLLECTION n AS url = 'http://%[2]s/'", "CREATE USER u IDENTIFIED WITH no_password", "GRANT ALL ON *.* TO default", "SET ROLE ALL",
}

// No statement leads out of the engine: each of these is refused with ACCESS_DENIED, and no other computer is called.
func TestStatementsReachNothingOutside(t *testing.T) {
	e := startEngine(t, t.TempDir())
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("xyzzy\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan string, 1)
	go func() {
		if c, err := other.Accept(); err == nil {
			called <- c.LocalAddr().String()
			_ = c.Close()
		}
	}()
	fill(t, dial(t, e), "CREATE TABLE own (a String) ENGINE = MergeTree ORDER BY a")
	for _, user := range []string{"default", embedded.ReaderUser, "retorno_owner", "retorno_consumer"} {
		c := as(t, e, user)
		for _, form := range reaching {
			statement := fmt.Sprintf(form, secret, other.Addr()) + "%!"
			statement, _, _ = strings.Cut(statement, "%!") // what a form does not use
			var refused *clickhouse.Exception
			err := c.Exec(t.Context(), statement)
			if statement == "SET ROLE ALL" && user == "default" && err == nil {
				continue // all its roles have no more than it has: the statements are tried again with them below
			}
			if !errors.As(err, &refused) || refused.Code != 497 && refused.Code != 514 { // 514: users cannot be made at all
				t.Errorf("%s: %s: %v", user, statement, err)
			}
		}
	}
	if err := as(t, e, "default").Exec(t.Context(), "SYSTEM FLUSH LOGS"); err != nil {
		t.Errorf("what stays inside is refused: %v", err)
	}
	_ = other.Close()
	select {
	case who := <-called:
		t.Errorf("the engine called %s", who)
	default:
	}
}

// as connects as one of the engine's users, over one connection.
func as(t *testing.T, e *embedded.Engine, user string) driver.Conn {
	t.Helper()
	c, err := clickhouse.Open(&clickhouse.Options{Addr: []string{e.Native()}, Auth: clickhouse.Auth{Username: user}, MaxOpenConns: 1, MaxIdleConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Without its rights and its front the engine's process has nothing to give away: it has no environment but its own, and
// the kernel keeps it from /proc, from other programs and from other computers.
func TestTheEnginesProcessHoldsNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // other systems show neither
	}
	t.Setenv("RETORNO_KAFKA_SASL_PASSWORD", "xyzzy")
	e := startEngine(t, t.TempDir())
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", e.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range strings.Split(strings.TrimRight(string(environ), "\x00"), "\x00") {
		name, _, _ := strings.Cut(one, "=")
		if name != "TZ" && name != "LD_LIBRARY_PATH" && !strings.HasPrefix(name, "RETORNO_ENGINE_CHILD") {
			t.Errorf("the engine's environment holds %s", one)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(status), "Seccomp:\t2\n") || !strings.Contains(string(status), "NoNewPrivs:\t1\n") || !e.Confined() {
		t.Errorf("the kernel does not hold it: confined %v\n%s", e.Confined(), status)
	}

	open, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir(), Outside: true, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopEngine(t, open) })
	c := as(t, open, "default")
	for _, path := range []string{"/proc/self/environ", "/proc/self/cmdline", fmt.Sprintf("/proc/%d/environ", os.Getpid()), "/proc/1/cmdline", "/proc/self/task/1/environ"} {
		if err := c.Exec(t.Context(), "SELECT file('"+path+"')"); err == nil {
			t.Errorf("an engine that may reach outside reads %s", path)
		}
	}
	var one string
	if err := c.QueryRow(t.Context(), "SELECT line FROM url('http://"+e.HTTP()+"/?query=SELECT+1', LineAsString, 'line String')").Scan(&one); err != nil || one != "1" {
		t.Errorf("what was asked for is refused: %q %v", one, err)
	}
}

// A reader's question that takes too much time or memory is ended, and the reader cannot raise the limits.
func TestLimitsOfTheReader(t *testing.T) {
	e := startEngine(t, t.TempDir())
	ctx := context.Background()
	for _, statement := range []string{
		"SELECT length(groupArray(repeat('x', 1000))) FROM numbers(100000000)", "SELECT length(groupArray(repeat('x', 1000))) FROM numbers(100000000) SETTINGS max_memory_usage = 500000000",
	} {
		var refused *clickhouse.Exception
		if err := as(t, e, embedded.ReaderUser).Exec(ctx, statement); !errors.As(err, &refused) || refused.Code != 241 || !strings.Contains(refused.Message, "Query memory limit") && !strings.Contains(refused.Message, "for query") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, setting := range []string{"max_memory_usage = 0", "max_memory_usage = DEFAULT", "max_memory_usage = 5000000000", "max_execution_time = 0", "max_execution_time = 601", "profile = 'default'"} {
		for _, statement := range []string{"SET " + setting, "SELECT 1 SETTINGS " + setting} {
			var refused *clickhouse.Exception
			if err := as(t, e, embedded.ReaderUser).Exec(ctx, statement); !errors.As(err, &refused) || refused.Code != 452 && refused.Code != 497 {
				t.Errorf("%s: %v", statement, err)
			}
		}
		name, value, _ := strings.Cut(setting, " = ")
		if value == "DEFAULT" {
			continue // no value of a setting
		}
		set := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{name: strings.Trim(value, "'")}))
		if err := as(t, e, embedded.ReaderUser).Exec(set, "SELECT 1"); err == nil {
			t.Errorf("%s goes along with a statement", setting)
		}
	}
	c := as(t, e, embedded.ReaderUser)
	var seconds, memory uint64
	if err := c.QueryRow(ctx, "SELECT toUInt64(getSetting('max_execution_time')), toUInt64(getSetting('max_memory_usage'))").Scan(&seconds, &memory); err != nil || seconds != 60 || memory != 400_000_000 {
		t.Errorf("%d s, %d bytes, %v", seconds, memory, err)
	}
	var refused *clickhouse.Exception
	if err := c.Exec(ctx, "SELECT count() FROM numbers(1000000000000) SETTINGS max_execution_time = 1"); !errors.As(err, &refused) || refused.Code != 159 {
		t.Errorf("time: %v", err)
	}
}
