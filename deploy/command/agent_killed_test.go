package command

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
)

// process runs the agent as a process of its own until it is killed.
func (p post) process() (page string, kill func()) {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	file := p.file("endpoints.json", "")
	_ = os.Remove(file) // of the run before
	cmd := exec.Command(self, "agent", "checkpoint", "--enrolment", p.file("e.json", ""), "--data", p.file("data", ""), "--listen", "127.0.0.1:0", "--endpoints", file)
	cmd.Env = append(os.Environ(), programVariable+"=1")
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p.t.Cleanup(kill)
	return p.answering(file), kill
}

// typed are the forms that clerks typed, and what they were promised of them.
type typed struct {
	mu       sync.Mutex
	promised map[string]uint64 // the number of each record of which the agent said that it is saved
	lines    map[string]string // of all forms, by the record's id
}

// form makes a form of one person.
func (f *typed) form() (id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id = uuid.Must(uuid.NewV7()).String()
	f.lines[id] = fmt.Sprintf(`{"page":"crossing","record_id":%q,"direction":"entry","sex":"F","age":31,"document_number":"0801-1985-%05d"}`, id, 1+len(f.lines))
	return id
}

// send sends forms and notes what is promised. It reports whether there was an answer.
func (f *typed) send(client *http.Client, page string, ids ...string) (status int, ok bool) {
	var body strings.Builder
	f.mu.Lock()
	for _, id := range ids {
		fmt.Fprintln(&body, f.lines[id])
	}
	f.mu.Unlock()
	res, err := client.Post(page+"/forms", "application/jsonl", strings.NewReader(body.String()))
	if err != nil {
		return 0, false
	}
	defer res.Body.Close()
	var answer struct {
		Records []struct {
			ID  string `json:"record_id"`
			Seq uint64 `json:"source_seq"`
		}
	}
	// An answer that breaks off has promised nothing.
	if text, err := io.ReadAll(res.Body); err != nil || json.Unmarshal(text, &answer) != nil || res.StatusCode >= 300 {
		return res.StatusCode, err == nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range answer.Records {
		f.promised[r.ID] = r.Seq
	}
	return res.StatusCode, true
}

// exported are the numbers of the records in the folder, by id.
func (p post) exported() map[string][]uint64 {
	p.t.Helper()
	all := map[string][]uint64{}
	for line := range strings.Lines(p.must("agent", "export", "--data", p.file("data", ""))) {
		var envelope struct {
			Record struct {
				ID  string `json:"record_id"`
				Seq uint64 `json:"source_seq,string"`
			}
		}
		if err := json.Unmarshal([]byte(line), &envelope); err != nil || envelope.Record.ID == "" {
			p.t.Fatalf("%s: %v", line, err)
		}
		all[envelope.Record.ID] = append(all[envelope.Record.ID], envelope.Record.Seq)
	}
	return all
}

// The agent's process is killed in the middle of saves, several times: what it called saved is there once, under the number that it gave;
// numbers run without a gap; and all forms sent once more after the last start are one record each.
func TestKilledAgentKeepsItsPromises(t *testing.T) {
	const kills, typists = 4, 3
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	p := post{t, t.TempDir()}
	p.enrol("--kafka-brokers", "127.0.0.1:1")
	forms := &typed{promised: map[string]uint64{}, lines: map[string]string{}}
	for range kills {
		page, kill := p.process()
		client := p.login(page, "ana", "tres tristes tigres")
		var group sync.WaitGroup
		var answers atomic.Int64
		last := 1 + random.Int64N(40)
		for typist := range typists {
			group.Go(func() {
				for {
					ids := []string{forms.form()}
					for range typist * 20 { // the first types one by one, the others send many at once
						ids = append(ids, forms.form())
					}
					if status, ok := forms.send(client, page, ids...); !ok || status != http.StatusCreated {
						return
					}
					if answers.Add(1) == last {
						kill()
					}
				}
			})
		}
		group.Wait()
		p.keeps(forms)
	}
	page, kill := p.process()
	client := p.login(page, "ana", "tres tristes tigres")
	if status, _ := forms.send(client, page, slices.Collect(maps.Keys(forms.lines))...); status != http.StatusCreated && status != http.StatusOK {
		t.Fatalf("all sent once more: %d", status)
	}
	if state := p.state(page); state.LastSeq != uint64(len(forms.lines)) {
		t.Errorf("%d records of %d forms", state.LastSeq, len(forms.lines))
	}
	kill()
	p.keeps(forms)
	t.Logf("%d forms, %d kills", len(forms.lines), kills)
}

// keeps checks the folder of an agent that was killed.
func (p post) keeps(forms *typed) {
	p.t.Helper()
	records, seen := p.exported(), map[uint64]bool{}
	for id, seqs := range records {
		if len(seqs) != 1 || seen[seqs[0]] || seqs[0] < 1 || seqs[0] > uint64(len(records)) {
			p.t.Fatalf("%s has the numbers %v among %d records", id, seqs, len(records))
		}
		seen[seqs[0]] = true
	}
	for id, seq := range forms.promised {
		if seqs := records[id]; len(seqs) == 0 || seqs[0] != seq {
			p.t.Fatalf("%s was promised under number %d, and has %v", id, seq, seqs)
		}
	}
}
