package command

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/agents"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// post is a computer at a post: its files, and how its commands are run.
type post struct {
	t   *testing.T
	dir string
}

func (p post) file(name, text string) string {
	path := filepath.Join(p.dir, name)
	if text != "" {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	return path
}

// run runs a command line to its end, and returns its status and what it printed.
func (p post) run(args ...string) (status int, out string) {
	p.t.Helper()
	var printed, said bytes.Buffer
	status = run(p.t.Context(), args, func(string) (string, bool) { return "", false }, nil, &terminal{In: strings.NewReader(""), Out: &printed, Err: &said})
	if status != 0 {
		p.t.Logf("%s: status %d: %s", strings.Join(args[:2], " "), status, said.String())
	}
	return status, printed.String()
}

func (p post) must(args ...string) string {
	p.t.Helper()
	status, out := p.run(args...)
	if status != 0 {
		p.t.Fatalf("status %d", status)
	}
	return out
}

// start runs the agent until stop is called, and returns the address of its page.
func (p post) start(kind string) (page string, stop func()) {
	p.t.Helper()
	file := p.file("endpoints.json", "")
	_ = os.Remove(file) // of the run before
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan int, 1)
	var said bytes.Buffer
	go func() {
		done <- run(ctx, []string{"agent", kind, "--enrolment", p.file("e.json", ""), "--data", p.file("data", ""), "--listen", "127.0.0.1:0", "--endpoints", file},
			func(string) (string, bool) { return "", false }, nil, &terminal{In: strings.NewReader(""), Out: io.Discard, Err: &said})
	}()
	return p.answering(file), func() {
		p.t.Helper()
		cancel()
		if status := <-done; status != 0 {
			p.t.Fatalf("the agent ends with status %d: %s", status, said.String())
		}
	}
}

// answering waits until an agent has written where its page is.
func (p post) answering(file string) (page string) {
	p.t.Helper()
	p.until("the page answers", func() bool { _, err := os.Stat(file); return err == nil })
	text, err := os.ReadFile(file)
	var found struct{ Page string }
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil || found.Page == "" {
		p.t.Fatalf("%s %v", text, err)
	}
	return strings.TrimSuffix(found.Page, "/")
}

func (p post) until(what string, holds func() bool) {
	p.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			p.t.Fatalf("not within a minute: %s", what)
		}
	}
}

// agentState is what the test needs of GET /state.
type agentState struct {
	LastSeq uint64 `json:"last_seq"`
	Unsent  uint64 `json:"unsent"`
	Stopped string `json:"stopped"`
}

func (p post) state(page string) (s agentState) {
	p.t.Helper()
	res, err := http.Get(page + "/state")
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// login returns a client with a session.
func (p post) login(page, clerk, passphrase string) *http.Client {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(page+"/login", url.Values{"clerk": {clerk}, "passphrase": {passphrase}})
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode >= 400 {
		p.t.Fatalf("login: %s", res.Status)
	}
	return client
}

// save types one form, as a program does.
func (p post) save(client *http.Client, page string, fields url.Values) (status int, answer string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, page+"/crossing", strings.NewReader(fields.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func (p post) enrol(kafkaFlags ...string) {
	p.t.Helper()
	p.must("identity", "new", p.file("identity.key", ""))
	p.file("recovery.pub", p.must("agent", "recovery-key", "--out", p.file("recovery.key", "")))
	p.must(append([]string{"agent", "enrol", "--source", "L-COR-1", "--place", "L-COR", "--identity-key-file", p.file("identity.key", ""), "--recovery-key", p.file("recovery.pub", ""),
		"--clerk", "ana", "--passphrase-file", p.file("ana.txt", "tres tristes tigres\n"), "--out", p.file("e.json", "")}, kafkaFlags...)...)
}

// TestAgentFromEnrolmentToTheBroker walks the office's way: a recovery key, an enrolment, forms with the line down, an
// export on a stick, another clerk, the line back after a new enrolment file, what the recovery key opens.
func TestAgentFromEnrolmentToTheBroker(t *testing.T) {
	b, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Stop() }()
	names := append([]string{events.TopicCheckpoint, events.TopicCentre}, producer.AgentTopics()...)
	if err := producer.EnsureTopics(t.Context(), []string{b.Addr()}, producer.TopicsConfig{Topics: names}); err != nil {
		t.Fatal(err)
	}
	p := post{t, t.TempDir()}
	p.enrol("--kafka-brokers", "127.0.0.1:1")
	if info, err := os.Stat(p.file("e.json", "")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	page, stop := p.start("checkpoint")
	client := p.login(page, "ana", "tres tristes tigres")
	id := uuid.Must(uuid.NewV7()).String()
	form := url.Values{"record_id": {id}, "revision": {"1"}, "direction": {"entry"}, "category": {"traveller"}, "sex": {"F"}, "age": {"31"}, "nationality": {"HN"},
		"document_country": {"HN"}, "document_type": {"national_id"}, "document_number": {"0801-1985-00123"}, "names": {"Maria del Carmen"}, "surnames": {"Lopez"}, "document_check": {"genuine"}, "confirm": {"all"}}
	if status, answer := p.save(client, page, form); status != http.StatusCreated {
		t.Fatalf("%d %s", status, answer)
	}
	if status, answer := p.save(client, page, form); status != http.StatusOK {
		t.Fatalf("the same again: %d %s", status, answer)
	}
	export := p.must("agent", "export", "--data", p.file("data", ""), "--unsent")
	if strings.Count(export, "\n") != 1 || !strings.Contains(export, id) || strings.Contains(export, "Maria") || strings.Contains(export, "08011985") {
		t.Fatalf("%s", export)
	}
	p.must("agent", "clerk", "add", "--data", p.file("data", ""), "--clerk", "ben", "--passphrase-file", p.file("ben.txt", "pablito clavo un clavito"), "--as", "ana", "--as-passphrase-file", p.file("ana.txt", ""))
	p.login(page, "ben", "pablito clavo un clavito")
	p.must("agent", "enrol", "--source", "L-COR-1", "--place", "L-COR", "--identity-key-file", p.file("identity.key", ""), "--recovery-key", p.file("recovery.pub", ""),
		"--clerk", "ana", "--passphrase-file", p.file("ana.txt", ""), "--kafka-brokers", b.Addr(), "--out", p.file("e.json", ""))
	p.until("all is sent without a restart", func() bool { s := p.state(page); return s.Unsent == 0 && s.LastSeq == 1 })
	stop()
	known := p.must("agent", "identities", "--data", p.file("data", ""), "--recovery-key", p.file("recovery.key", ""))
	if !strings.Contains(known, "Maria del Carmen") || !strings.Contains(known, `"clerk":"ana"`) {
		t.Fatalf("%s", known)
	}
	if out := p.must("agent", "export", "--data", p.file("data", ""), "--unsent"); out != "" {
		t.Fatalf("unsent: %s", out)
	}
	p.leaks(b.Addr(), "Maria", "Lopez", "08011985", "0801-1985-00123", `"ana"`, `"ben"`, "tres tristes", "pablito")
}

// leaks looks for what was typed in all that left, and in every file of the folder.
func (p post) leaks(addr string, typed ...string) {
	p.t.Helper()
	look := func(where string, b []byte) {
		for _, text := range typed {
			if bytes.Contains(b, []byte(text)) {
				p.t.Errorf("%s holds %q", where, text)
			}
		}
	}
	for _, topic := range append([]string{events.TopicCheckpoint, events.TopicCentre}, producer.AgentTopics()...) {
		r := follow.New(kafka.Access{Brokers: []string{addr}}, topic)
		messages := 0
		err := r.Read(p.t.Context(), func(m follow.Message) error {
			messages++
			look(topic, append(m.Key, m.Value...))
			return nil
		})
		r.Close()
		if err != nil {
			p.t.Fatal(err)
		}
		if (topic == events.TopicCheckpoint || topic == agents.TopicAgents) && messages == 0 {
			p.t.Errorf("nothing arrived on %s", topic)
		}
	}
	files, err := filepath.Glob(filepath.Join(p.file("data", ""), "*"))
	if err != nil || len(files) == 0 {
		p.t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			p.t.Fatal(err)
		}
		look(file, b)
	}
}

// TestAgentRefusesByName: what cannot work is refused before anything is written.
func TestAgentRefusesByName(t *testing.T) {
	p := post{t, t.TempDir()}
	p.enrol()
	e, data := p.file("e.json", ""), p.file("data", "")
	if status, _ := p.run("agent", "checkpoint", "--enrolment", e, "--data", data, "--listen", "0.0.0.0:8090"); status != 2 {
		t.Errorf("an address that others reach: status %d", status)
	}
	if status, _ := p.run("agent", "centre", "--enrolment", e, "--data", data); status != 2 {
		t.Errorf("a post run as a centre: status %d", status)
	}
	if err := os.Chmod(e, 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _ := p.run("agent", "checkpoint", "--enrolment", e, "--data", data); status != 2 {
		t.Errorf("an enrolment that others may read: status %d", status)
	}
	if status, _ := p.run("agent", "recovery-key", "--out", p.file("recovery.key", "")); status != 2 {
		t.Errorf("a recovery key that is there: status %d", status)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the folder was made")
	}
}
