package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
)

// desk is the computer of a post: its folder, its process and a clerk.
type desk struct {
	cfg     Config
	report  *Report
	dir     string
	broker  string // where its broker would be
	process *process
	page    string
	client  *http.Client
	records int
	started time.Duration
	most    float64 // memory of its processes, in MB
}

const deskPassphrase = "tres tristes tigres"

// newDesk enrols a computer and starts it, with a clerk logged in.
func (r *run) newDesk(ctx context.Context) (*desk, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &desk{cfg: r.cfg, report: r.report, dir: filepath.Join(r.dir, "agent"), broker: listener.Addr().String()}
	if err := errors.Join(listener.Close(), os.MkdirAll(d.dir, 0o700)); err != nil {
		return nil, err
	}
	file := func(name string) string { return filepath.Join(d.dir, name) }
	if err := os.WriteFile(file("ana.txt"), []byte(deskPassphrase), 0o600); err != nil {
		return nil, err
	}
	if err := r.cfg.command("identity", "new", file("identity.key")).Run(); err != nil {
		return nil, fmt.Errorf("identity new: %w", err)
	}
	public, err := r.cfg.command("agent", "recovery-key", "--out", file("recovery.key")).Output()
	if err != nil {
		return nil, fmt.Errorf("agent recovery-key: %w", err)
	}
	enrol := r.cfg.command("agent", "enrol", "--source", "L-COR-1", "--place", "L-COR", "--identity-key-file", file("identity.key"), "--recovery-key", strings.TrimSpace(string(public)),
		"--clerk", "ana", "--passphrase-file", file("ana.txt"), "--kafka-brokers", d.broker, "--out", file("enrolment"))
	if out, err := enrol.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("agent enrol: %w: %s", err, out)
	}
	if err := errors.Join(ctx.Err(), d.start()); err != nil {
		return nil, err
	}
	return d, d.login()
}

// start starts the process, and waits until it answers.
func (d *desk) start() error {
	endpoints := filepath.Join(d.dir, "endpoints")
	_ = os.Remove(endpoints) // of the run before
	began := time.Now()
	p, err := d.cfg.start("", []string{"agent", "checkpoint", "--enrolment", filepath.Join(d.dir, "enrolment"), "--data", filepath.Join(d.dir, "data"), "--listen", "127.0.0.1:0", "--endpoints", endpoints})
	if err != nil {
		return err
	}
	d.process = p
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	d.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for d.page = ""; d.page == ""; time.Sleep(time.Millisecond) {
		var found struct{ Page string }
		if text, err := os.ReadFile(endpoints); err == nil && json.Unmarshal(text, &found) == nil {
			d.page = strings.TrimSuffix(found.Page, "/")
		}
		if err := p.alive(); err != nil {
			return err
		}
	}
	_, err = d.state()
	d.started = time.Since(began)
	return err
}

// end ends the process, if there is one.
func (d *desk) end() error {
	p := d.process
	if p == nil {
		return nil
	}
	d.process = nil
	return endAll([]*process{p})
}

// note records the most memory that the process had so far.
func (d *desk) note(name, method string) {
	mb := float64(mostMemory(d.process.cmd.Process.Pid)) / 1e6
	d.most = max(d.most, mb)
	d.report.set(name, "MB", method, []float64{mb})
}

type deskState struct {
	Records int `json:"records"`
	Unsent  int `json:"unsent"`
}

func (d *desk) state() (s deskState, err error) {
	res, err := d.client.Get(d.page + "/state")
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	return s, json.NewDecoder(res.Body).Decode(&s)
}

func (d *desk) login() error {
	return d.post("/login", "application/x-www-form-urlencoded", url.Values{"clerk": {"ana"}, "passphrase": {deskPassphrase}}.Encode(), http.StatusOK)
}

func (d *desk) post(path, media, body string, want int) error {
	req, err := http.NewRequest(http.MethodPost, d.page+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", media)
	req.Header.Set("Accept", "application/json")
	res, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("POST %s: %s: %.300s", path, res.Status, text)
	}
	return err
}

// form is a returned person of whom all that a post asks is stated.
func (d *desk) form(b *bytes.Buffer) {
	n := d.records
	d.records++
	id, _ := uuid.NewV7() // the system's source of random numbers never fails
	_, _ = fmt.Fprintf(b, `{"page":"crossing","record_id":%q,"direction":"entry","returned":true,"sex":"M","age":%d,"country":"MX","mode":"land","return_type":"deported","document_check":"genuine","document_number":"0801-19%02d-%05d","names":"Juan Carlos","surnames":"Lopez Mejia"}`,
		id, 20+n%50, 30+n/90_000, 1+n%90_000)
}

// fill has forms saved in calls until the folder has so many records, and returns the forms a second of each call.
func (d *desk) fill(records int) (rates []float64, err error) {
	for d.records < records {
		var b bytes.Buffer
		n := min(agentCall, records-d.records)
		for range n {
			d.form(&b)
			b.WriteByte('\n')
		}
		began := time.Now()
		if err := d.post("/forms", "application/jsonl", b.String(), http.StatusCreated); err != nil {
			return nil, err
		}
		rates = append(rates, float64(n)/time.Since(began).Seconds())
	}
	return rates, nil
}

// saveSome has forms saved one by one.
func (d *desk) saveSome(n int) (took time.Duration, err error) {
	for range n {
		var b bytes.Buffer
		d.form(&b)
		body := strings.Replace(b.String(), `"page":"crossing",`, "", 1)
		began := time.Now()
		if err := d.post("/crossing", "application/json", body, http.StatusCreated); err != nil {
			return 0, err
		}
		took += time.Since(began)
	}
	return took, nil
}
