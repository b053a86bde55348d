package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/dissemination/release"
	"retorno/schemas/calendar"
)

// fate is what becomes of one publisher, drawn before it is started.
type fate struct {
	action string        // of a failpoint, kill or stop; empty: none
	table  string        // after whose insert that is
	after  time.Duration // when it is killed, counted from its start; of one that is stopped, when it goes on; 0: never
}

// attempt is one try to publish a period, by one publisher or by two at once.
type attempt struct {
	pause  time.Duration // before it
	period string
	fates  []fate
}

// publishTables are the tables of a publication in the order of their inserts.
var publishTables = []string{"retorno.published_counts", "retorno.vintages", "retorno.released_files", "retorno.publications"}

// periodsOf are the half-year of the register, first, and those beside it, in which a few of its returns lie; and a quarter and a
// month, which have no public form.
func periodsOf(first calendar.Day) []string {
	half := first.Period(calendar.KindHalfYear)
	return []string{half.Label, (half.First - 1).Period(calendar.KindHalfYear).Label, (half.Last + 1).Period(calendar.KindHalfYear).Label,
		first.Period(calendar.KindQuarter).Label, first.Period(calendar.KindMonth).Label}
}

// drawAttempt draws the next one.
func drawAttempt(periods []string, rnd *rand.Rand) attempt {
	a := attempt{pause: time.Duration(100+rnd.IntN(500)) * time.Millisecond}
	which := max(0, rnd.IntN(2*len(periods)-1)-len(periods)+1) // the first one as often as all others
	a.period = periods[which]
	for range 1 + rnd.IntN(3)/2 {
		var f fate
		tables := publishTables
		if which == 0 {
			// One that dies with a number keeps others out for a minute, and this period is to be published at the end.
			tables = []string{publishTables[0], publishTables[3]}
		}
		switch rnd.IntN(4) {
		case 0:
			f = fate{action: "kill", table: tables[rnd.IntN(len(tables))]}
		case 1:
			f = fate{action: "stop", table: tables[rnd.IntN(len(tables))], after: time.Duration(500+rnd.IntN(3000)) * time.Millisecond}
		case 2:
			if which > 0 {
				f = fate{after: time.Duration(50+rnd.IntN(2500)) * time.Millisecond}
			}
		}
		a.fates = append(a.fates, f)
	}
	return a
}

// try starts publishers of a period at once and waits for them. It reports whether one of them said that it has published.
func (p *press) try(ctx context.Context, period string, fates []fate, flags ...string) (published bool) {
	var all sync.WaitGroup
	outcomes := make([]string, len(fates))
	for i, f := range fates {
		all.Go(func() { outcomes[i] = p.publish(ctx, period, f, flags...) })
	}
	all.Wait()
	p.say("          publish %s: %s", period, strings.Join(outcomes, "; "))
	for _, outcome := range outcomes {
		published = published || outcome == outcomePublished
	}
	return published
}

// What came of a publisher, beside the codes of reasons to refuse.
const (
	outcomePublished = "published"
	outcomeKilled    = "killed"             // at some moment
	outcomeEnded     = "ended with the run" // when the run needed no more of them
	outcomeAway      = "not reached"        // ClickHouse or Kafka
	outcomeFailed    = "failed"             // ClickHouse or Kafka answered with an error
)

// publish runs one publisher, and returns what came of it.
func (p *press) publish(ctx context.Context, period string, f fate, flags ...string) string {
	// The process ends with the thread that started it: see dieWithParent.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	whole := ctx
	if f.after > 0 && f.action == "" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.after)
		defer cancel()
	}
	args := append([]string{"publish", period, "--json", "--wait=30s", "--verified-within=1h", "--accept-incomplete=the made register has gaps", "--signing-key=" + p.key}, p.machine.reach(p.machine.toClickHouse.Addr())...)
	if f.action != "" {
		args = append(args, "--failpoint="+f.action+"@"+f.table+":1")
	}
	cmd := p.machine.command(ctx, append(args, flags...)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Start()
	if err == nil {
		done := make(chan struct{})
		if f.action == "stop" {
			go goOn(ctx, cmd, f.after, done)
		}
		err = cmd.Wait()
		close(done)
	}
	_, _ = fmt.Fprintf(p.machine.log, "publish %s: %v\n%s", period, err, said.Bytes())
	killed := f.killed()
	if whole.Err() != nil {
		killed = outcomeEnded
	}
	return p.count(out.Bytes(), said.String(), killed, err)
}

// goOn lets a process that has stopped itself go on some time after its start, and again until it ends: it may stop only then.
func goOn(ctx context.Context, cmd *exec.Cmd, after time.Duration, done <-chan struct{}) {
	for pause(ctx, after) == nil {
		select {
		case <-done:
			return
		default:
			_ = cmd.Process.Signal(syscall.SIGCONT)
		}
	}
}

// count notes what came of a publisher, by what it wrote and how it ended.
func (p *press) count(out []byte, said, killed string, err error) string {
	var answer struct {
		ID      uuid.UUID
		Refused []release.Reason
	}
	_ = json.Unmarshal(out, &answer)
	p.mu.Lock()
	defer p.mu.Unlock()
	codes := outcomesOf(answer.Refused, said, killed, err)
	if err == nil {
		p.told = append(p.told, answer.ID)
	}
	if strings.Contains(said, "panic:") || strings.Contains(said, "goroutine ") {
		p.faults = append(p.faults, "a publisher panicked: "+said)
	}
	for _, code := range codes {
		p.outcomes[code]++
	}
	return strings.Join(codes, ", ")
}

// killed names its end, if that is it.
func (f fate) killed() string {
	if f.action == "kill" {
		return outcomeKilled + " after " + strings.TrimPrefix(f.table, "retorno.")
	}
	return outcomeKilled
}

// outcomesOf are the names of what came of a publisher: one, or a code for each of its reasons. killed is that of one that was
// killed.
func outcomesOf(refused []release.Reason, said, killed string, err error) (codes []string) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return []string{outcomePublished}
	case errors.As(err, &exit) && !exit.Exited():
		return []string{killed}
	}
	seen := map[string]bool{}
	for _, r := range refused {
		if !seen[r.Code] {
			seen[r.Code] = true
			codes = append(codes, r.Code)
		}
	}
	if len(codes) > 0 {
		return codes
	}
	for code, known := range map[string]error{"moving": release.ErrMoving, "unfinished": release.ErrUnfinished, "concurrent": release.ErrConcurrent, "no_counts": release.ErrNoCounts} {
		if strings.Contains(said, known.Error()) {
			return []string{code}
		}
	}
	if exit != nil && exit.ExitCode() == 3 {
		return []string{outcomeAway}
	}
	return []string{outcomeFailed}
}
