package command

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/revision"
	"retorno/consumers/dissemination/vintages"
	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/lab/register"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// walked is the answer in the page that stands below the commands of the walk.
var walked = regexp.MustCompile("(?s)(```sh\nbin/retorno publish 2016-S1 [^`]*bin/retorno revisions 2016-S1\n```\n```text\n)(.*?)(```)")

// TestTheStatisticiansWalk is the walk of the page: a provisional vintage, registrations that come late, the final vintage, corrections and
// voids, a revision with its reasons, and the triangle. At its end everything of the register has come, so that the half-year is the
// published 27,086. What everyone may know of the three vintages gives nothing away, and is checked from outside.
func TestTheStatisticiansWalk(t *testing.T) {
	text, err := os.ReadFile(statisticians)
	if err != nil {
		t.Fatal(err)
	}
	w := newWalk(t)
	const gaps = "--accept-incomplete=three computers at small posts are silent"
	now := func(part []producer.Message, publish ...string) result {
		t.Helper()
		w.send(part)
		if r := w.try("verify", "--once"); r.status != exitDone {
			t.Fatalf("verify: %+v", r)
		}
		r := w.try(slices.Concat([]string{"publish", "2016-S1", gaps, "--max-missing=100000", "--signing-key", w.key}, publish)...)
		if r.status != exitDone {
			t.Fatalf("publish: %+v", r)
		}
		return r
	}
	now(w.first)
	now(w.late, "--final")
	now(w.corrections, "--revision", "--reason=corrections and voids of the centres")

	r := w.try("revisions", "2016-S1")
	published := regexp.MustCompile(`\d{4}-\d{2}-\d{2}( {2}[ \d])`).ReplaceAllString(r.out, "2016-00-00$1")
	got := walked.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(published, "$", "$$")+"${3}")
	switch {
	case r.status != exitDone || !walked.Match(text):
		t.Fatalf("the page has no walk, or the command fails: %+v", r)
	case *update:
		if err := os.WriteFile(statisticians, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	case got != string(text):
		t.Errorf("the page says something else than\n%s", published)
	}
	w.triangle(t)
	w.public(t)
}

// walk is a machine, and the messages of the made half-year in three parts.
type walk struct {
	try                      func(args ...string) result
	send                     func([]producer.Message)
	key                      string
	shelf                    *vintages.Shelf
	first, late, corrections []producer.Message
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	s, addr := migratedStore(t)
	brokers := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 6}
	writer, err := producer.New(producerWithTopics(t, brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	leave := consume(t, brokers, s)
	t.Cleanup(leave)
	flags := []string{"--kafka-brokers", broker.Addr(), "--kafka-partitions=6", "--clickhouse-addr", addr}
	w := &walk{key: filepath.Join(t.TempDir(), "signing.key"), shelf: vintages.NewShelf(s.Conn(), time.Minute, 0)}
	w.try = func(args ...string) result {
		t.Helper()
		if args[0] == "revisions" || args[0] == "attack" || args[0] == "vintage" {
			flags := flags[3:]
			if args[0] != "revisions" {
				flags = nil
			}
			return try(t, "", nil, append(args, flags...)...)
		}
		return try(t, "", nil, append(args, flags...)...)
	}
	if _, err := newSigningKey(w.key); err != nil {
		t.Fatal(err)
	}
	sent := uint64(0)
	w.send = func(part []producer.Message) {
		t.Helper()
		write(t, writer, part)
		sent += uint64(len(part))
		awaitRead(t, s, sent)
	}
	made := readMade(t, "A14", register.Settings{Seed: 1, Mess: register.Everyday})
	for _, m := range messagesOf(t, made) {
		switch e := registrationIn(m); {
		case e == nil:
			w.first = append(w.first, m)
		case e.GetRevision() > 1:
			w.corrections = append(w.corrections, m)
		case chosen(e.GetRecordId()):
			w.late = append(w.late, m)
		default:
			w.first = append(w.first, m)
		}
	}
	return w
}

// registrationIn is the record of a message, if it is a registration that can be read.
func registrationIn(m producer.Message) *events.Record {
	e := &events.Envelope{}
	if m.Topic != events.TopicCentre || proto.Unmarshal(m.Value, e) != nil || e.GetRecord().GetRegistration() == nil {
		return nil
	}
	return e.GetRecord()
}

// chosen are some records in a hundred, those that come late.
func chosen(record string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(record))
	return h.Sum32()%100 == 0
}

// triangle checks the same as JSON: the reasons add up, and what came late and what was corrected is named.
func (w *walk) triangle(t *testing.T) {
	t.Helper()
	r := w.try("revisions", "2016-S1", "--json")
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
	files := vintages.New(vintages.Config{Shelf: w.shelf})
	server := httptest.NewServer(files)
	defer server.Close()
	for n := 1; n <= 3; n++ {
		if r := w.try("vintage", "verify", fmt.Sprintf("%s/vintages/2016-S1/%d/", server.URL, n)); r.status != exitDone {
			t.Errorf("vintage %d: %+v", n, r)
		}
	}
	if r := w.try("attack", server.URL); r.status != exitDone || !strings.Contains(r.out, "3 vintages attacked: 0 findings") {
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
