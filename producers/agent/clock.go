package agent

import (
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// clockSlack is from which difference on a clock is held to be wrong, or to have been set.
const clockSlack = time.Minute

// sinceBoot is a clock that no setting of the time changes: how long the computer has run since its start boot, asleep or not. boot is "" where
// the system does not tell.
func sinceBoot() (boot string, passed time.Duration) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return "", 0
	}
	return bootID(), time.Duration(t.Nano())
}

var bootID = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
})

// clockWatch knows whether the computer's clock can be trusted.
type clockWatch struct {
	mu   sync.Mutex
	seen bool
	wall time.Time // as it was read last
	boot time.Duration

	known  bool          // the broker's time was known
	offset time.Duration // clock minus the broker's then
	step   time.Duration // by how much the clock was set since then

	doubt     bool // the clock may be wrong, and the broker's time is not known
	confirmed bool // a clerk said that day and time are right
}

// clockNow is what is known of the time at one moment.
type clockNow struct {
	At    time.Time // the event's time: corrected by the broker's where that is known
	Known bool      // it is
	Doubt bool      // it is not, and the clock may be wrong
	Ask   bool      // and no clerk has confirmed it
}

// look reads the clocks. offset is the computer's clock minus the broker's; one that was measured before the clock was set counts no longer.
// floor is a time before which it cannot be.
func (c *clockWatch) look(now time.Time, boot, offset time.Duration, known bool, floor time.Time) clockNow {
	c.mu.Lock()
	defer c.mu.Unlock()
	now = now.Round(0) // by the wall, not by the monotonic clock
	if step := now.Sub(c.wall) - (boot - c.boot); c.seen && step.Abs() > clockSlack {
		c.step += step
		c.doubt, c.confirmed = true, false
	}
	c.seen, c.wall, c.boot = true, now, boot
	if known && (!c.known || (offset-c.offset-c.step).Abs() <= clockSlack) {
		c.known, c.offset, c.step = true, offset, 0
		c.doubt, c.confirmed = false, false
		return clockNow{At: now.Add(-offset), Known: true}
	}
	if now.Before(floor) {
		c.doubt = true
	}
	return clockNow{At: now, Doubt: c.doubt, Ask: c.doubt && !c.confirmed}
}

// confirm notes that a clerk confirmed day and time; it holds until the clock is set once more.
func (c *clockWatch) confirm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.confirmed = true
}

// clock is what is known of the time now.
func (a *Agent) clock(m *memory) clockNow {
	offset, known := time.Duration(0), false
	if a.cfg.ClockOffset != nil {
		offset, known = a.cfg.ClockOffset()
	}
	floor := a.cfg.Built
	if last := m.latest().Add(-clockSlack); last.After(floor) {
		floor = last
	}
	_, boot := a.cfg.SinceBoot()
	return a.watch.look(a.cfg.Now(), boot, offset, known, floor)
}
