package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/revision"
	"retorno/consumers/dissemination/vintages"
	"retorno/deploy/lab/fakekafka"
)

// split are the commands of the page that make the three files, and walked those that send and publish them, with the answer below.
var (
	split  = regexp.MustCompile("(?s)```sh\n(bin/retorno vintage new-key [^`]*)```")
	walked = regexp.MustCompile("(?s)(```sh\n(bin/retorno send [^`]*bin/retorno revisions 2016-S1\n)```\n```text\n)(.*?)(```)")
)

// TestTheStatisticiansWalk runs the walk of the page, command by command: a provisional vintage, registrations that come late, the final
// vintage, corrections and voids, a revision with its reasons, and the triangle. At its end everything of the register has come, so that the
// half-year is the published 27,086. What everyone may know of the three vintages gives nothing away, and is checked from outside.
func TestTheStatisticiansWalk(t *testing.T) {
	page, err := filepath.Abs(statisticians)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	files, steps := split.FindSubmatch(text), walked.FindSubmatch(text)
	if files == nil || steps == nil {
		t.Fatal("the page has no walk; the patterns of this test miss it")
	}
	w := newWalk(t)
	t.Chdir(t.TempDir())
	for line := range strings.Lines(string(files[1])) {
		w.command(t, strings.TrimSpace(line))
	}
	var answer string
	published := 0
	for line := range strings.Lines(string(steps[2])) {
		answer = w.command(t, strings.TrimSpace(line))
		if !strings.HasPrefix(line, "bin/retorno publish") {
			continue
		}
		published++
		for _, want := range []string{"certificado: ", "certificate: ", "signed by key ", fmt.Sprintf("/vintages/2016-S1/%d/   (", published), "time of Honduras"} {
			if !strings.Contains(answer, want) {
				t.Errorf("vintage %d: publish does not say %q:\n%s", published, want, answer)
			}
		}
	}
	dated := regexp.MustCompile(`\d{4}-\d{2}-\d{2}( {2}[ \d])`).ReplaceAllString(answer, "2016-00-00$1")
	got := walked.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(dated, "$", "$$")+"${4}")
	switch {
	case *update:
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	case got != string(text):
		t.Errorf("the page says something else than\n%s", dated)
	}
	w.triangle(t)
	w.public(t)
}

// walk is a machine on which the commands of the page run.
type walk struct {
	store             *store.Store
	shelf             *vintages.Shelf
	kafka, clickhouse []string // flags
	sent              uint64
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	s, addr := migratedStore(t)
	brokers := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 2}
	producerWithTopics(t, brokers)
	t.Cleanup(consume(t, brokers, s))
	return &walk{store: s, shelf: vintages.NewShelf(s.Conn(), time.Minute, 0),
		kafka: []string{"--kafka-brokers", broker.Addr(), "--kafka-partitions=2"}, clickhouse: []string{"--clickhouse-addr", addr}}
}

// try runs a command of the program against the machine.
func (w *walk) try(t *testing.T, args ...string) result {
	t.Helper()
	switch args[0] {
	case "send":
		args = append(args, w.kafka...)
	case "revisions":
		args = append(args, w.clickhouse...)
	case "verify", "publish":
		args = slices.Concat(args, w.kafka, w.clickhouse)
	}
	return try(t, "", nil, args...)
}

// word is a word of a command line, with parts of it quoted.
var word = regexp.MustCompile(`(?:[^\s"]|"[^"]*")+`)

// command runs a line of the page in the folder of the test, and returns what it prints. What the page waits for in a loop holds already.
func (w *walk) command(t *testing.T, line string) string {
	t.Helper()
	line = strings.TrimSuffix(strings.TrimPrefix(line, "until "), "; do sleep 1; done")
	ours, isOurs := strings.CutPrefix(line, "bin/retorno ")
	if !isOurs {
		if out, err := exec.Command("sh", "-e", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return ""
	}
	ours, file, isFile := strings.Cut(ours, " > ")
	args := word.FindAllString(ours, -1)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], `"`, "")
	}
	r := w.try(t, args...)
	if r.status != exitDone {
		t.Fatalf("%s: %+v", line, r)
	}
	if isFile {
		if err := os.WriteFile(file, []byte(r.out), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if args[0] == "send" {
		text, err := os.ReadFile(args[1])
		if err != nil {
			t.Fatal(err)
		}
		w.sent += uint64(bytes.Count(text, []byte("\n")))
		awaitRead(t, w.store, w.sent)
	}
	return r.out
}

// triangle checks the same as JSON: the reasons add up, and what came late and what was corrected is named.
func (w *walk) triangle(t *testing.T) {
	t.Helper()
	r := w.try(t, "revisions", "2016-S1", "--json")
	var got revision.Triangle
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || len(got.Vintages) != 3 || len(got.Steps) != 2 {
		t.Fatalf("%v: %+v", err, r)
	}
	if total := *got.Vintages[2].Total; total != 27_086 {
		t.Errorf("the half-year has come to %d", total)
	}
	var late, corrected, voided int64
	for i, s := range got.Steps {
		for _, c := range s.Cells {
			if c.Change != c.After-c.Before || c.Late+c.Correction+c.Void+c.Method+c.CodeList+c.Other != c.Change {
				t.Errorf("the reasons of %+v do not add up", c)
			}
			if i == 0 && (c.Correction != 0 || c.Void != 0 || c.Method != 0 || c.CodeList != 0) || i == 1 && (c.Late != 0 || c.Method != 0 || c.CodeList != 0) {
				t.Errorf("step %d: a reason that was not: %+v", i, c)
			}
			if c.Measure == "returns" && c.Cell == "source=registered|time_period=2016-S1" {
				late, voided = late+c.Late, voided+c.Void
			}
			corrected = max(corrected, c.Correction)
		}
	}
	if late <= 0 || voided >= 0 || corrected <= 0 {
		t.Errorf("late %d, voided %d, most corrected in a cell %d", late, voided, corrected)
	}
}

// public checks what everyone has: it is verified and attacked over HTTP, and the page of revisions has all three vintages.
func (w *walk) public(t *testing.T) {
	t.Helper()
	pages := portal.New(portal.Config{Shelf: w.shelf})
	// Nothing is published any more, so the list is read once: a program that attacks asks for each table in each form.
	files := vintages.New(vintages.Config{Shelf: vintages.NewShelf(w.store.Conn(), time.Minute, time.Minute)})
	server := httptest.NewServer(files)
	defer server.Close()
	for n := 1; n <= 3; n++ {
		if r := w.try(t, "vintage", "verify", fmt.Sprintf("%s/vintages/2016-S1/%d/", server.URL, n)); r.status != exitDone {
			t.Errorf("vintage %d: %+v", n, r)
		}
	}
	if r := w.try(t, "attack", server.URL); r.status != exitDone || !strings.Contains(r.out, "3 vintages attacked: 0 findings") {
		t.Errorf("%+v", r)
	}
	answer := httptest.NewRecorder()
	pages.ServeHTTP(answer, httptest.NewRequest("GET", "/revisions/2016-S1?lang=es", nil))
	for _, want := range []string{"Provisional", "Definitiva", "Revisión", "27,086", "De la edición 2 a la 3"} {
		if answer.Code != 200 || !strings.Contains(answer.Body.String(), want) {
			t.Errorf("%d: the page does not say %q", answer.Code, want)
		}
	}
}
