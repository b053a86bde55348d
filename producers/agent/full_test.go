package agent

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"retorno/producers/disk"
)

// limited is the disk of this computer, which takes nothing while it is full and confirms nothing while it is broken.
type limited struct {
	disk.OS
	full, broken atomic.Bool
}

type limitedFile struct {
	disk.File
	on *limited
}

func (d *limited) Open(name string, create bool) (disk.File, error) {
	f, err := d.OS.Open(name, create)
	return limitedFile{f, d}, err
}

func (f limitedFile) WriteAt(b []byte, at int64) (int, error) {
	if f.on.full.Load() {
		return 0, syscall.ENOSPC
	}
	return f.File.WriteAt(b, at)
}

func (f limitedFile) Sync() error {
	if f.on.broken.Load() {
		return syscall.EIO
	}
	return f.File.Sync()
}

// While the disk is full nothing is called saved: a program is answered 507, a page without script has all that was typed, a page with
// script says so, takes the next person meanwhile and saves both by itself when there is room.
func TestFullDiskThroughThePages(t *testing.T) {
	full := new(limited)
	d := post(t, func(c *Config) { c.Disk = full })
	bus := d.bus()
	k := sit(t, d)
	k.open("/crossing?new=1&arrival_id=" + bus)
	full.full.Store(true)
	if status, answer := d.save("/crossing", "arrival_id="+bus+"&sex=f&age=20"); status != http.StatusInsufficientStorage || answer["error"] != "disk" {
		t.Errorf("a program: %d %v", status, answer)
	}
	status, answer := d.send("/crossing", url.Values{"record_id": {newID()}, "arrival_id": {bus}, "sex": {"F"}, "names": {"Xiomara"}}, "text/html")
	if page, _ := answer["html"].(string); status != http.StatusInsufficientStorage || !strings.Contains(page, "NO se guardó") || !strings.Contains(page, `value="Xiomara"`) {
		t.Errorf("a page without script: %d %s", status, page)
	}
	r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/forms", strings.NewReader(`{"page":"crossing","record_id":"`+newID()+`","direction":"entry"}`))
	if status, answer := d.do(r); status != http.StatusInsufficientStorage || answer["error"] != "disk" {
		t.Errorf("many forms: %d %v", status, answer)
	}
	k.press("0503198100123", "Enter", "h", "Enter", "34", "Ctrl+Enter")
	k.until(`document.getElementById('findings').textContent.includes('NO se guardó') && !document.getElementById('status').dataset.saved`)
	k.press("0503198100124", "Enter", "f", "Enter", "20", "Ctrl+Enter")
	if d.spool.LastSeq() != 0 {
		t.Fatal("something was saved")
	}
	full.full.Store(false)
	k.until(`document.getElementById('status').dataset.saved && document.querySelectorAll('#recent li').length === 2`)
	k.until(`document.getElementById('findings').textContent === ''`)
	k.saved(2)
	if one, two := k.record(1).GetCrossing(), k.record(2).GetCrossing(); one.GetAge() != 34 || one.Sex != "M" || two.GetAge() != 20 || two.Sex != "F" {
		t.Errorf("%v %v", one, two)
	}
}

// A draft that is on the disk outlives a disk that is full: the page opens with it, and later keys are not called kept.
func TestDraftOutlivesAFullDisk(t *testing.T) {
	full := new(limited)
	d := post(t, func(c *Config) { c.Disk = full })
	id := newID()
	put := func(version, age string) (int, map[string]any) {
		body := `{"id":"` + id + `","version":` + version + `,"page":"crossing","fields":{"record_id":["` + id + `"],"direction":["entry"],"age":["` + age + `"]}}`
		r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/draft", strings.NewReader(body))
		r.Header.Set("Accept", "application/json")
		return d.do(r)
	}
	if status, answer := put("0", "34"); status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	full.full.Store(true)
	if status, answer := put("1", "35"); status != http.StatusInsufficientStorage || answer["error"] != "disk" {
		t.Errorf("a draft on a full disk: %d %v", status, answer)
	}
	if _, page := d.get("/crossing"); !strings.Contains(page, `value="34"`) || !strings.Contains(page, id) {
		t.Error("the draft is gone")
	}
	full.full.Store(false)
	if status, answer := put("1", "35"); status != http.StatusOK || answer["version"] != 2. {
		t.Errorf("with room: %d %v", status, answer)
	}
}

// A disk that does not confirm a write ends the process: the form is answered 507, and the owner of the agent is told once.
func TestUnconfirmedWriteEndsTheProcess(t *testing.T) {
	broken := new(limited)
	told := make(chan error, 10)
	d := post(t, func(c *Config) { c.Disk, c.Fatal = broken, func(err error) { told <- err } })
	broken.broken.Store(true)
	for range 2 {
		if status, answer := d.save("/crossing", "direction=entry&sex=f"); status != http.StatusInsufficientStorage || answer["error"] != "disk" {
			t.Errorf("%d %v", status, answer)
		}
	}
	if err := <-told; !errors.Is(err, disk.ErrSync) || len(told) != 0 {
		t.Errorf("%v, and %d more", err, len(told))
	}
}
