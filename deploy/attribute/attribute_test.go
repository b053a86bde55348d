// Package attribute holds a test alone: it adds attributes to a copy of the program, as a person would, and follows them from
// a record to the answer.
package attribute

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"retorno/deploy/lab/treecopy"
)

// table is a published table of 40 returns.
const table = `table_id,system,period_start,period_end,as_of,block,category,value,status,source
T1,TEST,2016-01-01,2016-06-30,2016-08,total,TOTAL,40,published,a test
`

// stored is a whole attribute that is only stored: a row of the dictionary and a step of the schema.
var stored = map[string]string{
	"schemas/dictionary/attributes.csv": "health_insured,code,answer,,24,,,,,,code,,HEALTH_INSURED,sensitive,Seguro de salud,Health insurance," +
		"Si la persona tiene seguro de salud,Whether the person has health insurance,seguro de salud;tiene seguro\n",
	"schemas/warehouse/migrations/%04d_health_insured.sql": "-- Whether the person has health insurance.\n" +
		"ALTER TABLE retorno.facts ADD COLUMN IF NOT EXISTS health_insured LowCardinality(String)\n" +
		"    COMMENT 'Si la persona tiene seguro de salud / Whether the person has health insurance';\n",
}

// dimension is a whole attribute by which returns are counted: five files.
var dimension = []struct{ name, before, text string }{
	{"schemas/dictionary/attributes.csv", "", "speaks_english,code,answer,,25,,,,registrations_only,returns,code,,SPEAKS_ENGLISH,indirect,Habla inglés,Speaks English," +
		"Si la persona habla inglés,Whether the person speaks English,habla inglés\n"},
	{"schemas/warehouse/migrations/%04d_speaks_english.sql", "", "-- Whether the person speaks English.\n" +
		"ALTER TABLE retorno.facts ADD COLUMN IF NOT EXISTS speaks_english LowCardinality(String) COMMENT 'Habla inglés / Speaks English';\n" +
		"ALTER TABLE retorno.returns ADD COLUMN IF NOT EXISTS speaks_english LowCardinality(String) COMMENT 'Habla inglés / Speaks English';\n" +
		"ALTER TABLE retorno.return_counts ADD COLUMN IF NOT EXISTS speaks_english LowCardinality(String) COMMENT 'Habla inglés / Speaks English',\n" +
		"    MODIFY ORDER BY (kafka_partition, day, route, return_type, entry_point, exit_point, centre, sex, age_group, speaks_english);\n" +
		"ALTER TABLE retorno.published_counts ADD COLUMN IF NOT EXISTS speaks_english LowCardinality(String) COMMENT 'Habla inglés / Speaks English' AFTER age_group;\n"},
	{"schemas/warehouse/views.sql", "    c.centre AS centre, c.sex AS sex, c.age_group AS age_group,", " c.speaks_english AS speaks_english,"},
	{"schemas/warehouse/views.sql", "    centre String COMMENT 'Centro / Centre',\n    sex String COMMENT 'Sexo / Sex',\n    age_group String COMMENT 'Grupo de edad / Age group',\n",
		"    speaks_english String COMMENT 'Habla inglés / Speaks English',\n"},
	{"consumers/counting/verify/checks.go", "\treturnKeys = []string{", `"speaks_english", `},
	{"consumers/counting/verify/checks.go", "\treturnCellKeys = []string{", `"speaks_english", `},
	{"consumers/counting/verify/checks.go", "entry_point, exit_point, centre, sex,", " speaks_english,"},
	{"consumers/counting/verify/method.go", `first("accompanied", codelists.Accompaniment, "accompanied", "0"),`, ` first("speaks_english", codelists.Answer, "speaks_english", "0"),`},
}

// TestAnAttributeIsOneRowAndOneMigration: nothing else is written for one that is only stored, and it is typed, imported,
// made, stored, verified and described; a dimension is counted, published and verified, too.
func TestAnAttributeIsOneRowAndOneMigration(t *testing.T) {
	tree := copyOfTree(t)
	for name, text := range stored {
		tree.add(name, text)
	}
	files := map[string]bool{}
	for _, edit := range dimension {
		files[edit.name] = true
		if edit.before == "" {
			tree.add(edit.name, edit.text)
		} else {
			tree.insert(edit.name, edit.before, edit.text)
		}
	}
	if most := 5; len(files) > most {
		t.Errorf("a dimension touches %d files, at most %d are wanted: %v", len(files), most, files)
	}
	tree.build()
	demo := tree.demo()
	if n := demo.ask("SELECT uniqExact(health_insured) FROM retorno.facts WHERE kind = 'registration'"); n == "1" {
		t.Errorf("the made register states one answer only")
	}
	rows := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(rows, []byte("fecha;centro;sexo;tiene seguro\n30/06/2016 08:00;CAMR-OMO;F;Sí\n30/06/2016 09:00;CAMR-OMO;M;quizás\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The second row answers neither yes nor no: it is rejected by the column's name.
	if out, status := demo.run("import", "centre", rows, "--kafka-brokers", demo.Kafka, "--kafka-partitions=3"); status != 1 || !strings.Contains(out, "1 accepted, 1 rejected") {
		t.Errorf("the import ended with %d: %s", status, out)
	}
	if rejected, err := os.ReadFile(rows + ".rejected.csv"); err != nil || !bytes.Contains(rejected, []byte(";tiene seguro;unknown_code;")) {
		t.Errorf("rejected: %s %v", rejected, err)
	}
	if n := demo.ask("SELECT uniqExact(speaks_english) FROM ceniss.return_counts WHERE registered > 0"); n == "1" {
		t.Errorf("the returns are counted under one answer only")
	}
	demo.await("SELECT count() FROM retorno.facts WHERE health_insured = 'yes' AND startsWith(source_id, 'import-')", "1")
	if out, status := demo.run("verify", "--once", "--kafka-partitions=3", "--kafka-brokers", demo.Kafka, "--clickhouse-addr", demo.Native); status != 0 {
		t.Errorf("verify ended with %d: %s", status, out)
	}
	if comment := demo.ask("SELECT comment FROM system.columns WHERE database = 'retorno' AND table = 'facts' AND name = 'health_insured'"); !strings.Contains(comment, "seguro de salud") {
		t.Errorf("the column is described as %q", comment)
	}
	page, err := os.ReadFile(filepath.Join(tree.dir, "docs/data-dictionary.md"))
	if err != nil || !bytes.Contains(page, []byte("| `health_insured` | Si la persona tiene seguro de salud |")) {
		t.Errorf("the data dictionary does not describe it (%v)", err)
	}
}

// tree is a copy of the program's source.
type tree struct {
	t   *testing.T
	dir string
}

func copyOfTree(t *testing.T) *tree {
	t.Helper()
	return &tree{t, treecopy.Make(t, "../..")}
}

// add appends text to a file; %04d in its name is the number of the next migration.
func (c *tree) add(name, text string) {
	c.t.Helper()
	if strings.Contains(name, "%") {
		there, err := filepath.Glob(filepath.Join(c.dir, "schemas/warehouse/migrations/*.sql"))
		if err != nil || len(there) == 0 {
			c.t.Fatalf("no migrations: %v", err)
		}
		name = fmt.Sprintf(name, len(there)+1)
	}
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// insert inserts text after another one, which the file must hold once.
func (c *tree) insert(name, after, text string) {
	c.t.Helper()
	file := filepath.Join(c.dir, name)
	old, err := os.ReadFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	if n := strings.Count(string(old), after); n != 1 {
		c.t.Fatalf("%s holds %q %d times, expected once: adapt this test to it", name, after, n)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(old), after, after+text, 1)), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// build generates what follows and builds the program.
func (c *tree) build() {
	c.t.Helper()
	for _, command := range [][]string{
		{"make", "generate"},
		{"go", "build", "-o", "retorno", "."},
	} {
		run := exec.CommandContext(c.t.Context(), command[0], command[1:]...)
		run.Dir = c.dir
		if out, err := run.CombinedOutput(); err != nil {
			c.t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
}

// running is the whole system on one machine.
type running struct {
	t             *testing.T
	dir           string
	Kafka, Native string
	HTTP          string
}

// demo starts the built program, and ends it with the test.
func (c *tree) demo() *running {
	c.t.Helper()
	file, tables := filepath.Join(c.t.TempDir(), "endpoints.json"), filepath.Join(c.t.TempDir(), "tables.csv")
	if err := os.WriteFile(tables, []byte(table), 0o600); err != nil {
		c.t.Fatal(err)
	}
	said := &transcript{}
	process := exec.Command(filepath.Join(c.dir, "retorno"), "demo", "--endpoints", file, "--kafka-partitions=3", "--table", tables, "--id=T1",
		"--kafka-listen=127.0.0.1:0", "--clickhouse-listen=127.0.0.1:0", "--clickhouse-http-listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0", "--listen=127.0.0.1:0")
	process.Stdout, process.Stderr = said, said
	if err := process.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = process.Wait() }()
	c.t.Cleanup(func() {
		_ = process.Process.Signal(os.Interrupt)
		<-ended
		if c.t.Failed() {
			c.t.Logf("the demo said:\n%s", said.String())
		}
	})
	var e struct {
		Kafka  string `json:"kafka"`
		Native string `json:"clickhouse_native"`
		HTTP   string `json:"clickhouse_http"`
	}
	await(c.t, "the demo's endpoints", func() bool {
		select {
		case <-ended:
			c.t.Fatalf("the demo ended:\n%s", said.String())
		default:
		}
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &e) == nil
	})
	// What is imported while the register is compared with its table would be a difference.
	await(c.t, "the end of the played register", func() bool { return strings.Contains(said.String(), "no difference") })
	return &running{c.t, c.dir, e.Kafka, e.Native, e.HTTP}
}

// transcript is what a process has said so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// run runs a command of the program.
func (r *running) run(args ...string) (out string, status int) {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), filepath.Join(r.dir, "retorno"), args...)
	text, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		r.t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

// ask is the answer of ClickHouse to a question, as text.
func (r *running) ask(query string) string {
	r.t.Helper()
	address := r.HTTP
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/?query="+url.QueryEscape(query), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %s %s %v", query, answer.Status, text, err)
	}
	return strings.TrimSpace(string(text))
}

// await waits until the answer to a question is the wanted one.
func (r *running) await(query, want string) {
	r.t.Helper()
	await(r.t, query+" to be "+want, func() bool { return r.ask(query) == want })
}

func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	patience := time.NewTimer(5 * time.Minute)
	defer patience.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !there() {
		select {
		case <-patience.C:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
