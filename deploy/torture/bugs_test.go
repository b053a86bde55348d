//go:build torturebugs

// The torture itself is tested: deliberate bugs are built into the program, one at a time, and each must be caught.
// It takes minutes, so it has a build tag of its own: make torture-bugs.

package torture_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/deploy/torture"
)

// bug is a mistake that somebody could make: edits of source files, each of a text that stands there once.
type bug struct {
	name   string
	edits  []edit
	faults []torture.Kind
	// test names a Go test that catches it instead of a run: what stops a partition by design is no part of a run.
	test, in string
}

type edit struct{ file, old, new string }

var bugs = []bug{
	{name: "commit before flush, and begin at the commit", faults: []torture.Kind{torture.Kill, torture.Torn}, edits: []edit{
		{"consumers/returns/flush.go", "\tr.tally.changes(r.flush)\n\tr.depart()", "\tr.tally.changes(r.flush)\n\t_ = r.shard.Commit(r.work, r.next)\n\tr.depart()"},
		{"consumers/returns/takeover.go", "\tr.seek()\n\tr.newBatch()", "\tr.newBatch()"},
	}},
	{name: "counts added to what is stored instead of absolute", faults: []torture.Kind{torture.Torn, torture.Kill}, edits: []edit{
		{"consumers/returns/repair.go", "\tr.moveCells(r.flush, by)\n", "\tr.cells = stored\n"},
	}},
	{name: "torn flush not repaired", faults: []torture.Kind{torture.Torn}, edits: []edit{
		{"consumers/returns/takeover.go", "claim: claim, flush: r.flush,", "claim: claim, flush: store.NewFlush(partition, claim.Epoch()),"},
	}},
	{name: "no epoch in the versions", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/store/flush.go", "return uint64(f.epoch)<<40 | *f.versions", "return *f.versions"},
	}},
	{name: "equal versions", test: "TestF09", in: "./consumers/returns", edits: []edit{
		{"consumers/store/flush.go", "return uint64(f.epoch)<<40 | *f.versions", "return 1 << 40"},
	}},
	{name: "UTC days", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"schemas/calendar/calendar.go", "return dayFrom(floorDiv(ms+steady.offset, msPerDay))", "return dayFrom(floorDiv(ms, msPerDay))"},
	}},
	{name: "dead letter dropped when its topic is down", faults: []torture.Kind{torture.Letters}, edits: []edit{
		{"consumers/returns/flush.go", "\treturn r.cfg.DeadLetters.Write(r.work, r.letters)", "\tctx, cancel := context.WithTimeout(r.work, 100*time.Millisecond)\n\tdefer cancel()\n\t_ = r.cfg.DeadLetters.Write(ctx, r.letters)\n\treturn nil"},
	}},
	{name: "revisions by order of arrival", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/returns/tally.go", "\tcase f.Version < h.version:\n\t\treturn superseded, conflict\n", ""},
	}},
	{name: "late fact dropped", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/returns/take.go", "\taccount, conflict := r.tally.merge(", "\tif f.SentAtMs-fact.Event > 30*24*3600*1000 {\n\t\treturn superseded, nil\n\t}\n\taccount, conflict := r.tally.merge("},
	}},
	{name: "future fact counted", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/reconcile/fact.go", "return !f.Void && !f.Future", "return !f.Void"},
	}},
	{name: "no tombstone where a return is no more", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/store/flush.go", "\tgone := reconcile.Return{ID: id, Age: -1}\n\tf.returns.of(yearOf(id)).add(person, &gone, f.partition, f.version(), true)\n", "\t_, _ = person, id\n"},
	}},
	{name: "records read twice are accepted twice", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/returns/restore.go", "= p.NextOffset, p.LastPrint, p.Log", "= max(0, p.NextOffset-1), 0, p.Log"},
	}},
	{name: "a database that was put back is not noticed", test: "TestF31", in: "./consumers/store", edits: []edit{
		{"consumers/store/claim.go", "\t\t\tcase own[i] > 0 && (c.last == nil || before[i] > 0):", "\t\t\tdefault:"},
	}},
	{name: "gap skipped", test: "TestRetentionOverrunsThePosition", in: "./deploy/embedded/brokersuite", edits: []edit{
		{"consumers/stream/fetcher.go", "\tcase f.position < first:\n", "\tcase f.position < first:\n\t\tf.position = first\n\t\treturn nil\n"},
	}},
	{name: "an overtaken process writes on", test: "TestF09", in: "./consumers/store", edits: []edit{
		{"consumers/store/claim.go", "\t\t\tcase newest[i] > uint64(c.epoch):", "\t\t\tcase false:"},
	}},
	{name: "an epoch is shared", test: "TestF10", in: "./consumers/store", edits: []edit{
		{"consumers/store/claim.go", "\t\t\tcase others[i] > 0:", "\t\t\tcase false:"},
	}},
	{name: "a partition that could not be left written is gone on with", test: "TestLeavingInVain", in: "./consumers/returns", edits: []edit{
		{"consumers/returns/assignment.go", "\tr.settled, r.stopped, r.checked = false, false, time.Now()", "\tr.stopped, r.checked = false, time.Now()"},
	}},
	{name: "a ledger row asks the clock", test: "TestALedgerRowDoesNotAskTheClock", in: "./consumers/store", edits: []edit{
		{"schemas/warehouse/migrations/0001_retorno.sql", "ReplacingMergeTree(next_offset)", "ReplacingMergeTree(flushed_at)"},
	}},
	{name: "a topic made anew is gone on with", test: "TestF29", in: "./deploy/torture", edits: []edit{
		{"consumers/returns/takeover.go", "if print := r.prints[topic]; print != 0 {", "if print := r.prints[topic]; print == 1 {"},
	}},
	{name: "an announced flush does not bind", test: "TestF09", in: "./consumers/returns", edits: []edit{
		{"consumers/returns/returns.go", "\tfor ; len(r.ends) > 0; r.ends = r.ends[1:] {", "\tfor ; len(r.ends) > 1<<20; r.ends = r.ends[1:] {"},
	}},
	{name: "what ClickHouse holds is believed", faults: []torture.Kind{torture.Alone}, edits: []edit{
		{"consumers/returns/restore.go", "\t\tif len(short) == 0 {", "\t\tif true {"},
	}},
	{name: "what a part held that is gone is not read again", test: "TestAPartThatIsGone", in: "./consumers/returns", edits: []edit{
		{"consumers/returns/restore.go", "\t\tif len(short) == 0 {", "\t\tif true {"},
	}},
	{name: "a server that was started again is believed", test: "TestAServerThatWasStartedAgain", in: "./consumers/store", edits: []edit{
		{"consumers/store/claim.go", "c.server != nil && !c.server.same(now)", "c.server != nil && c.server == now"},
	}},
	{name: "a long answer is cut off", test: "TestABulkAnswerMayTakeItsTime", in: "./consumers/store", edits: []edit{
		{"consumers/store/store.go", "\t\tsilence.Reset(limit)\n", ""},
	}},
	{name: "a connection that hangs is waited for", test: "TestASilentServerIsGivenUp", in: "./consumers/store", edits: []edit{
		{"consumers/store/store.go", "\tdefer context.AfterFunc(ctx, b.hangUp)()\n", "\t_ = b.hangUp\n"},
	}},
	{name: "a code of a newer release is read as unknown", test: "TestACodeOfANewerRelease", in: "./consumers/returns", edits: []edit{
		{"consumers/store/codes.go", "\t\tif !known {", "\t\tif !known && dict == nil {"},
	}},
	{name: "a late sum of an overtaken epoch holds", test: "TestALateFoldOfAnOvertakenEpoch", in: "./consumers/returns", edits: []edit{
		{"schemas/warehouse/views.sql", "WHERE epoch = newest OR next_offset <= taken_from", "WHERE epoch = newest OR first_offset < taken_from"},
	}},
	{name: "facts of skipped offsets are forgotten", test: "TestWhatIsStoredOfSkippedOffsetsStays", in: "./consumers/returns", edits: []edit{
		{"consumers/store/audit.go", "Accounts{Accepted: f.Facts, Lost: uint64(e.NextOffset-e.FirstOffset) - f.Facts}", "Accounts{Lost: uint64(e.NextOffset - e.FirstOffset)}"},
	}},
	{name: "a decision about another offset is applied", test: "TestADecisionToSkip", in: "./consumers/returns", edits: []edit{
		{"consumers/returns/restore.go", "d.Log != at.Log || d.Position != at.NextOffset", "d.Log != at.Log"},
	}},
}

// attempts is how many seeds a bug may survive.
const attempts = 8

func TestBugsAreCaught(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("none", func(t *testing.T) { // without a bug the same runs find nothing
		b := bug{faults: []torture.Kind{torture.Kill, torture.Torn, torture.Halted, torture.Letters, torture.Restore}}
		if caught := b.runs(t, program(t, root), 2); caught {
			t.Error("a run without a bug failed")
		}
	})
	for _, b := range slices.Concat(bugs, besideBugs) {
		t.Run(b.name, func(t *testing.T) {
			overlay := b.overlay(t, root)
			if b.test != "" {
				b.testCatches(t, root, overlay)
				return
			}
			if !b.runs(t, program(t, root, "-overlay", overlay), attempts) {
				t.Errorf("not caught with %d seeds", attempts)
			}
		})
	}
}

// runs makes short runs until one of them fails, which it says.
func (b *bug) runs(t *testing.T, program string, seeds uint64) (caught bool) {
	t.Helper()
	for seed := range seeds {
		cfg := runOf(t, seed)
		cfg.Dir, cfg.Environ, cfg.Out = filepath.Join(t.TempDir(), "data"), nil, nil
		cfg.Program, cfg.Faults, cfg.Patience = []string{program}, b.faults, 40*time.Second
		if err := os.Mkdir(cfg.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		report, err := torture.Run(t.Context(), cfg)
		if err != nil {
			t.Logf("caught with seed %d: %v", seed, err)
			return true
		}
		if report.OK() {
			continue
		}
		t.Logf("caught with seed %d: lost %d, counted twice %d", seed, report.Lost, report.Twice)
		for _, o := range report.Oracles {
			if len(o.Faults) > 0 {
				t.Logf("%s: %s", o.Name, o.Faults[0])
			}
		}
		return true
	}
	return false
}

// overlay writes the changed files beside the tree, and what go build needs to take them instead.
func (b *bug) overlay(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for i, e := range b.edits {
		path := filepath.Join(root, e.file)
		from := path
		if changed, ok := replace[path]; ok {
			from = changed
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			t.Fatalf("edit %d: %s holds %d times: %s", i, e.file, n, e.old)
		}
		changed := filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(changed, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		replace[path] = changed
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// testCatches wants the named test to fail with the bug and to pass without it.
func (b *bug) testCatches(t *testing.T, root, overlay string) {
	t.Helper()
	run := func(flags ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"test", "-count=1", "-timeout=10m", "-run", b.test}, flags...), b.in)...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err != nil || strings.Contains(out, "no tests to run") {
		t.Fatalf("without the bug: %v\n%s", err, out)
	}
	out, err := run("-overlay", overlay)
	if err == nil || strings.Contains(out, "[build failed]") {
		t.Fatalf("with the bug: %v\n%s", err, out)
	}
	t.Logf("caught by %s in %s", b.test, b.in)
}

// program builds the program with these flags.
func program(t *testing.T, root string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "retorno")
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", path, ".")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}
