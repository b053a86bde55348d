package agent

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A clock that was set while the broker's time is not known stops input once, until the clerk confirms day and time; what is typed then is marked,
// and mended by a revision when the broker's time is known. What was typed before, or states its time, stays.
func TestClockInDoubtIsMended(t *testing.T) {
	real := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	wrong, known := time.Duration(0), false // the computer's clock minus the real time
	began := real.Add(-time.Hour)
	d := post(t, func(c *Config) {
		c.Now = func() time.Time { return real.Add(wrong) }
		c.SinceBoot = func() (string, time.Duration) { return "one", real.Sub(began) }
		c.ClockOffset = func() (time.Duration, bool) { return wrong, known }
	})
	saved := func(want int, fields string) map[string]any {
		t.Helper()
		real = real.Add(5 * time.Minute)
		status, answer := d.save("/crossing", "direction=entry&"+fields)
		if status != want {
			t.Fatalf("%s: %d %v", fields, status, answer)
		}
		return answer
	}
	saved(201, "sex=f")
	wrong = -48 * time.Hour
	asked := saved(http.StatusUnprocessableEntity, "sex=f&happened=2:30")
	if codeOf(asked, "doubts") != "happened:clock" || !strings.Contains(asked["doubts"].([]any)[0].(map[string]any)["text"].(string), "18 nov 2026 03:10") {
		t.Errorf("%v", asked)
	}
	var typed []time.Time // when each record was really typed
	for _, fields := range []string{"sex=f&age=20&confirm=clock", "sex=m&age=21", "sex=f&age=22&happened=18/11/2026 02:00"} {
		fields = strings.Replace(fields, "sex=m", "sex=h", 1)
		saved(http.StatusCreated, fields)
		typed = append(typed, real)
	}
	wrong += 3 * time.Hour
	saved(http.StatusUnprocessableEntity, "sex=f")
	saved(http.StatusCreated, "sex=f&age=23&confirm=clock")
	typed = append(typed, real)
	known = true
	if _, page := d.get("/day?day=20/11/2026"); !strings.Contains(page, "Con hora en duda") {
		t.Error("the day sheet does not count times in doubt")
	}
	if d.spool.LastSeq() != 8 {
		t.Fatalf("%d records, want one revision of each of three", d.spool.LastSeq())
	}
	for seq, at := range map[uint64]time.Time{6: typed[0], 7: typed[1], 8: typed[3]} {
		r, err := d.spool.BySeq(seq)
		if err != nil || r.Record.GetRevision() != 2 || r.Record.GetEventTimeMs() != at.UnixMilli() || r.Record.GetRecordedTimeMs() < r.Record.GetEventTimeMs() {
			t.Errorf("number %d: %v %v, want revision 2 at %s", seq, r.Record, err, at)
		}
	}
	saved(http.StatusCreated, "sex=f&age=24")
	if d.spool.LastSeq() != 9 {
		t.Errorf("%d records: what is mended is not mended once more", d.spool.LastSeq())
	}
}

// After a restart of the computer it is not known how long ago something was typed: it keeps its mark, and the day sheet counts it.
func TestTimeInDoubtIsNotGuessed(t *testing.T) {
	now, boot, known := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC), "one", false
	with := func(c *Config) {
		c.Now, c.Built = func() time.Time { return now }, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		c.SinceBoot = func() (string, time.Duration) { return boot, time.Hour }
		c.ClockOffset = func() (time.Duration, bool) { return -72 * time.Hour, known }
	}
	d := post(t, with)
	if status, answer := d.save("/crossing", "direction=entry&sex=f"); status != http.StatusUnprocessableEntity || codeOf(answer, "doubts") != "happened:clock" {
		t.Fatalf("before the program was made: %d %v", status, answer)
	}
	if status, answer := d.save("/crossing", "direction=entry&sex=f&confirm=clock"); status != http.StatusCreated {
		t.Fatalf("%d %v", status, answer)
	}
	d.stop()
	boot, known = "two", true
	d = newDesk(t, d.dir, d.source, d.place, with)
	d.login()
	_, page := d.get("/day?day=20/11/2026")
	if _, line, _ := strings.Cut(page, "Con hora en duda"); !strings.Contains(line[:min(40, len(line))], "1") || d.spool.LastSeq() != 1 {
		t.Errorf("%d records, and the sheet says %.60q", d.spool.LastSeq(), line)
	}
}

// A clock before the program's build cannot be right; an offset from before the clock was set counts no longer.
func TestClockWatch(t *testing.T) {
	var c clockWatch
	at, boot := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), time.Hour
	look := func(passed time.Duration, wall time.Duration, offset time.Duration, known bool, floor time.Time) clockNow {
		boot += passed
		at = at.Add(passed + wall)
		return c.look(at, boot, offset, known, floor)
	}
	if n := look(0, 0, 0, false, at.Add(time.Hour)); !n.Doubt || !n.Ask {
		t.Errorf("before the build: %+v", n)
	}
	c.confirm()
	if n := look(time.Minute, 0, 0, false, time.Time{}); !n.Doubt || n.Ask {
		t.Errorf("confirmed: %+v", n)
	}
	if n := look(time.Minute, 0, 3*time.Hour, true, time.Time{}); n.Doubt || !n.Known || !n.At.Equal(at.Add(-3*time.Hour)) {
		t.Errorf("the broker's time is known: %+v", n)
	}
	if n := look(time.Hour, -3*time.Hour, 3*time.Hour, true, time.Time{}); n.Known || !n.Ask {
		t.Errorf("set since the offset was measured: %+v", n)
	}
	if n := look(time.Second, 0, 5*time.Second, true, time.Time{}); !n.Known || n.Doubt {
		t.Errorf("measured once more: %+v", n)
	}
	if n := look(8*time.Hour, 0, 5*time.Second, true, time.Time{}); !n.Known {
		t.Errorf("asleep for a night: %+v", n)
	}
}
