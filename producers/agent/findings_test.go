package agent

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"retorno/producers/documents"
	"retorno/schemas/agents"
)

// lines gives a board what another office would send of its records.
func (d *desk) lines(to *documents.Board) (all []byte) {
	d.t.Helper()
	if err := d.spool.Acked(d.spool.LastSeq()); err != nil {
		d.t.Fatal(err)
	}
	news, _, err := d.spool.Untold(1000)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, n := range news {
		for _, m := range agents.Messages(n.RecordID, n.Value) {
			if m.Topic == agents.TopicDocuments {
				to.Take(m.Key, m.Value)
				all = append(append(all, m.Key...), m.Value...)
			}
		}
	}
	return all
}

// A document that was found false at one post is known at another: it is told before the record is saved, answered by the clerk, counted, and
// withdrawn by a correction or a void. What leaves does not turn back into a number.
func TestFalseDocumentIsKnownAtOtherPosts(t *testing.T) {
	board := documents.New(documents.Config{})
	here := post(t)
	there := newDesk(t, t.TempDir(), "L-AGC-1", "L-AGC", func(c *Config) { c.Findings = board })
	there.login()
	first, second := newID(), newID()
	type step struct {
		at         *desk
		id, fields string
		status     int
		code       string
	}
	const document = "&document_number=0801-1985-00123"
	steps := []step{
		{here, first, "document_check=confirmed_false" + document, 201, ""},
		{here, first, "document_check=confirmed_false" + document, 200, ""},
		{there, second, document, 422, "document_is_confirmed_false"},
		{there, second, document + "&confirm=document_is_confirmed_false", 201, ""},
		{there, newID(), "document_number=0801198500125", 201, ""},
		{here, first, "revision=2&document_check=suspected_false" + document, 201, ""},
		{there, second, "revision=2" + document, 422, "document_is_suspected_false"},
		{here, first, "revision=3&document_check=genuine" + document, 201, ""},
		{there, second, "revision=2" + document, 201, ""},
		{here, first, "revision=4&document_check=confirmed_false" + document, 201, ""},
		{there, second, "revision=3" + document, 422, "document_is_confirmed_false"},
		{here, first, "revision=5&void_reason=wrong_person", 201, ""},
		{there, second, "revision=3" + document, 201, ""},
		{here, newID(), "document_check=confirmed_false", 201, ""}, // without a number
	}
	var left []byte
	for i, s := range steps {
		if status, code, said := s.at.paperForm(s.id, s.fields); status != s.status || code != s.code || code == "document_is_confirmed_false" && !strings.Contains(said, "Cortés") {
			t.Errorf("step %d: %d %s %s", i, status, code, said)
		}
		left = here.lines(board)
	}
	if n := there.agent.cfg.DocumentsMet.Load(); n != 1 {
		t.Errorf("%d records met a known document", n)
	}
	if _, page := there.get("/day"); !strings.Contains(page, `reportados robados</th><td>1</td>`) {
		t.Error("the day sheet does not count it")
	}
	if _, unreadable := board.Known(); unreadable != 0 || len(left) == 0 {
		t.Errorf("%d messages cannot be read", unreadable)
	}
	here.hidden(left, first)
}

// hidden looks in what left for the number, its hashes without the secret, the person key and the record's id.
func (d *desk) hidden(left []byte, record string) {
	d.t.Helper()
	all, err := d.spool.Record(record)
	if err != nil {
		d.t.Fatal(err)
	}
	forbidden := []string{record, all[0].Record.GetPersonKey()}
	for _, number := range []string{"0801198500123", "0801-1985-00123"} {
		for _, text := range []string{number, "HN/national_id/" + number, "HN\x00national_id\x00" + number, "HN\x00national_id\x00" + number + "\x00", "retorno found document 1\x00HN\x00national_id\x00" + number + "\x00"} {
			m, s, l := md5.Sum([]byte(text)), sha1.Sum([]byte(text)), sha256.Sum256([]byte(text))
			forbidden = append(forbidden, number, url.QueryEscape(number), hex.EncodeToString([]byte(number)), hex.EncodeToString(m[:]), hex.EncodeToString(s[:16]), hex.EncodeToString(l[:16]))
		}
	}
	for _, text := range forbidden {
		if bytes.Contains(bytes.ToLower(left), []byte(strings.ToLower(text))) {
			d.t.Errorf("the topic of documents holds %q", text)
		}
	}
}
