package main

import (
	"strings"
	"testing"
	"time"
)

// answer is what govulncheck prints: one vulnerability that is called in two ways, one whose package is only imported.
const answer = `
{"config": {"protocol_version": "v1.0.0", "scan_level": "symbol"}}
{"progress": {"message": "Scanning your code"}}
{"osv": {"id": "GO-2026-0001", "summary": "Bomb in brotli"}}
{"osv": {"id": "GO-2026-0002", "summary": "Not called"}}
{"finding": {"osv": "GO-2026-0001", "fixed_version": "v1.2.7", "trace": [{"module": "example.com/brotli", "version": "v1.2.6"}]}}
{"finding": {"osv": "GO-2026-0002", "fixed_version": "v1.0.1", "trace": [{"module": "example.com/x", "version": "v1.0.0", "package": "example.com/x"}]}}
{"finding": {"osv": "GO-2026-0001", "fixed_version": "v1.2.7", "trace": [
	{"module": "example.com/brotli", "version": "v1.2.6", "package": "example.com/brotli", "function": "Read", "receiver": "*Reader"},
	{"module": "retorno", "package": "retorno/deploy", "function": "main", "position": {"filename": "deploy/x.go", "line": 67}}]}}
{"finding": {"osv": "GO-2026-0001", "fixed_version": "v1.2.7", "trace": [
	{"module": "example.com/brotli", "version": "v1.2.6", "package": "example.com/brotli", "function": "Close"},
	{"module": "retorno", "package": "retorno/deploy", "function": "main", "position": {"filename": "deploy/x.go", "line": 67}}]}}
`

func TestOnlyWhatIsCalledIsFound(t *testing.T) {
	found, err := readFindings(strings.NewReader(answer))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	const want = "GO-2026-0001 in example.com/brotli v1.2.6, fixed in v1.2.7, reached from deploy/x.go:67: Bomb in brotli"
	if got := found[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A scanner that says nothing has found nothing out.
func TestNoAnswerIsAnError(t *testing.T) {
	for _, answer := range []string{"", `{"progress": {"message": "x"}}`, `{"config": {}}{"finding": `} {
		if found, err := readFindings(strings.NewReader(answer)); err == nil {
			t.Errorf("%q: %v", answer, found)
		}
	}
}

func TestExceptionsHoldUntilTheirDay(t *testing.T) {
	found := []finding{{id: "GO-2026-0001"}, {id: "GO-2026-0003"}}
	exceptions, err := readExceptions("# why\n\nGO-2026-0001 2026-12-31 the reader is bounded\n")
	if err != nil {
		t.Fatal(err)
	}
	day := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	open, explained := judge(found, exceptions, day("2026-12-31T23:59:59Z"))
	if len(open) != 1 || !strings.HasPrefix(open[0], "GO-2026-0003") || len(explained) != 1 || !strings.Contains(explained[0], "the reader is bounded") {
		t.Errorf("on its last day: %v, %v", open, explained)
	}
	open, explained = judge(found, exceptions, day("2027-01-01T00:00:00Z"))
	if len(open) != 2 || !strings.Contains(open[0], "explained until 2026-12-31 only") || len(explained) != 0 {
		t.Errorf("a day later: %v, %v", open, explained)
	}
	open, _ = judge(found[1:], exceptions, day("2026-12-01T00:00:00Z"))
	if len(open) != 2 || !strings.Contains(open[0], "take the line out") {
		t.Errorf("not needed: %v", open)
	}
}

func TestExceptionsAreRefusedUnlessDatedAndReasoned(t *testing.T) {
	for _, text := range []string{"GO-2026-0001", "GO-2026-0001 2026-12-31", "GO-2026-0001 soon no harm", "GO-1 2026-01-01 a\nGO-1 2026-01-02 b"} {
		if got, err := readExceptions(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	if _, err := readExceptions(exceptionsFile); err != nil {
		t.Errorf("exceptions.txt: %v", err)
	}
}
