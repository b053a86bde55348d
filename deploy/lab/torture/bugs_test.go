package torture_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"retorno/deploy/lab/torture"
)

// bug is a mistake that an engineer could make: edits of source files, each of a text that stands there once.
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
		{"consumers/counting/processor/flush.go", "\tr.tally.changes(r.flush)\n\tr.depart()", "\tr.tally.changes(r.flush)\n\t_ = r.shard.Commit(r.work, r.next)\n\tr.depart()"},
		{"consumers/counting/processor/takeover.go", "\tr.seek()\n\tr.newBatch()", "\tr.newBatch()"},
	}},
	{name: "counts added to what is stored instead of absolute", faults: []torture.Kind{torture.Torn, torture.Kill}, edits: []edit{
		{"consumers/counting/processor/repair.go", "\tr.moveCells(r.flush, by)\n", "\tr.cells = stored\n"},
	}},
	{name: "torn flush not repaired", faults: []torture.Kind{torture.Torn}, edits: []edit{
		{"consumers/counting/processor/takeover.go", "claim: claim, flush: r.flush,", "claim: claim, flush: store.NewFlush(partition, claim.Epoch()),"},
	}},
	{name: "no epoch in the versions", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/counting/store/flush.go", "return uint64(f.epoch)<<40 | *f.versions", "return *f.versions"},
	}},
	{name: "equal versions", test: "TestF09", in: "./consumers/counting/processor", edits: []edit{
		{"consumers/counting/store/flush.go", "return uint64(f.epoch)<<40 | *f.versions", "return 1 << 40"},
	}},
	{name: "UTC days", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"schemas/calendar/calendar.go", "return dayFrom(floorDiv(ms+steady.offset, msPerDay))", "return dayFrom(floorDiv(ms, msPerDay))"},
	}},
	{name: "dead letter dropped when its topic is down", faults: []torture.Kind{torture.Letters}, edits: []edit{
		{"consumers/counting/processor/flush.go", "\treturn r.cfg.DeadLetters.Write(r.work, r.letters)", "\tctx, cancel := context.WithTimeout(r.work, 100*time.Millisecond)\n\tdefer cancel()\n\t_ = r.cfg.DeadLetters.Write(ctx, r.letters)\n\treturn nil"},
	}},
	{name: "revisions by order of arrival", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/counting/processor/tally.go", "\tcase f.Version < h.version:\n\t\treturn superseded, conflict\n", ""},
	}},
	{name: "late fact dropped", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/counting/processor/process.go", "\taccount, conflict := r.tally.merge(", "\tif f.SentAtMs-fact.Event > 30*24*3600*1000 {\n\t\treturn superseded, nil\n\t}\n\taccount, conflict := r.tally.merge("},
	}},
	{name: "future fact counted", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/counting/reconcile/fact.go", "return !f.Void && !f.Future", "return !f.Void"},
	}},
	{name: "no tombstone where a return no longer exists", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/counting/store/flush.go", "\tgone := reconcile.Return{ID: id, Age: -1}\n\tf.returns.of(yearOf(id)).add(person, &gone, f.partition, f.version(), true)\n", "\t_, _ = person, id\n"},
	}},
	{name: "records read twice are accepted twice", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/counting/processor/restore.go", "= p.NextOffset, p.LastPrint, p.Log", "= max(0, p.NextOffset-1), 0, p.Log"},
	}},
	{name: "a database that was restored is not noticed", test: "TestF31", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/claim.go", "\t\t\tcase own[i] > 0 && (c.last == nil || before[i] > 0):", "\t\t\tdefault:"},
	}},
	{name: "gap skipped", test: "TestRetentionOverrunsThePosition", in: "./deploy/lab/brokersuite", edits: []edit{
		{"consumers/counting/stream/fetcher.go", "\tcase f.position < first:\n", "\tcase f.position < first:\n\t\tf.position = first\n\t\treturn nil\n"},
	}},
	{name: "an overtaken process writes on", test: "TestF09", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/claim.go", "\t\t\tcase newest[i] > uint64(c.epoch):", "\t\t\tcase false:"},
	}},
	{name: "an epoch is shared", test: "TestF10", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/claim.go", "\t\t\tcase others[i] > 0:", "\t\t\tcase false:"},
	}},
	{name: "a partition that could not be left written is gone on with", test: "TestLeavingInVain", in: "./consumers/counting/processor", edits: []edit{
		{"consumers/counting/processor/assignment.go", "\tr.settled, r.stopped, r.checked = false, false, time.Now()", "\tr.stopped, r.checked = false, time.Now()"},
	}},
	{name: "a ledger row asks the clock", test: "TestALedgerRowDoesNotAskTheClock", in: "./consumers/counting/store", edits: []edit{
		{"schemas/warehouse/migrations/0001_retorno.sql", "ReplacingMergeTree(next_offset)", "ReplacingMergeTree(flushed_at)"},
	}},
	{name: "a topic made again is gone on with", test: "TestF29", in: "./deploy/lab/torture", edits: []edit{
		{"consumers/counting/processor/takeover.go", "if print := r.prints[topic]; print != 0 {", "if print := r.prints[topic]; print == 1 {"},
	}},
	{name: "an announced flush does not bind", test: "TestF09", in: "./consumers/counting/processor", edits: []edit{
		{"consumers/counting/processor/processor.go", "\tfor ; len(r.ends) > 0; r.ends = r.ends[1:] {", "\tfor ; len(r.ends) > 1<<20; r.ends = r.ends[1:] {"},
	}},
	{name: "what ClickHouse holds is believed", faults: []torture.Kind{torture.Alone}, edits: []edit{
		{"consumers/counting/processor/restore.go", "\t\tif len(short) == 0 {", "\t\tif true {"},
	}},
	{name: "what a part held that is gone is not read again", test: "TestAPartThatIsGone", in: "./consumers/counting/processor", edits: []edit{
		{"consumers/counting/processor/restore.go", "\t\tif len(short) == 0 {", "\t\tif true {"},
	}},
	{name: "a server that was started again is believed", test: "TestAServerThatWasStartedAgain", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/claim.go", "c.server != nil && !c.server.same(now)", "c.server != nil && c.server == now"},
	}},
	{name: "a long answer is cut off", test: "TestABulkAnswerMayTakeItsTime", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/store.go", "\t\tsilence.Reset(limit)\n", ""},
	}},
	{name: "a connection that hangs is waited for", test: "TestASilentServerIsGivenUp", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/store.go", "\tdefer context.AfterFunc(ctx, b.hangUp)()\n", "\t_ = b.hangUp\n"},
	}},
	{name: "a code of a newer release is read as unknown", test: "TestACodeOfANewerRelease", in: "./consumers/counting/processor", edits: []edit{
		{"consumers/counting/store/column/column.go", "\t\tif !known {", "\t\tif !known && dict == nil {"},
	}},
	{name: "a late sum of an overtaken epoch holds", test: "TestALateFoldOfAnOvertakenEpoch", in: "./consumers/counting/processor", edits: []edit{
		{"schemas/warehouse/views.sql", "WHERE epoch = newest OR next_offset <= taken_from", "WHERE epoch = newest OR first_offset < taken_from"},
	}},
	{name: "facts of skipped offsets are forgotten", test: "TestWhatIsStoredOfSkippedOffsetsStays", in: "./consumers/counting/processor", edits: []edit{
		{"consumers/counting/ledger/audit.go", "Accounts{Accepted: f.Facts, Lost: uint64(e.NextOffset-e.FirstOffset) - f.Facts}", "Accounts{Lost: uint64(e.NextOffset - e.FirstOffset)}"},
	}},
	{name: "a record in another partition than its key's is counted", faults: []torture.Kind{torture.Hostile}, edits: []edit{
		{"consumers/counting/processor/process.go", "; p != m.Partition {", "; p != m.Partition && r == nil {"},
	}},
	{name: "a vintage is seen before its files are written", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/dissemination/release/release.go", "\tif err := p.seal(ctx, conn, content, public); err != nil {\n\t\treturn errors.Join(err, note(ctx, conn, p.Period, withdrawn, p.ID))\n\t}\n\tvar topics", "\tvar topics"},
		{"consumers/dissemination/release/release.go", "\t\treturn fmt.Errorf(\"write the publication: %w\", err)\n\t}\n", "\t\treturn fmt.Errorf(\"write the publication: %w\", err)\n\t}\n\tif err := p.seal(ctx, conn, content, public); err != nil {\n\t\treturn err\n\t}\n"},
	}},
	{name: "a vintage takes away the counts of those before it", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/dissemination/release/release.go", "\tp.Published = time.Now()", "\tif err := conn.Exec(ctx, \"DELETE FROM retorno.published_counts WHERE publication IN (SELECT id FROM retorno.publications WHERE period = ?)\", p.Period); err != nil {\n\t\treturn err\n\t}\n\tp.Published = time.Now()"},
	}},
	{name: "a vintage has counts that are older than its positions", faults: []torture.Kind{torture.Kill}, edits: []edit{
		{"consumers/dissemination/release/release.go", "\tif now.Cells != p.Cells || now.Checksum != p.Checksum || still != rows {", "\tif now.Cells != p.Cells && still == rows {"},
	}},
	{name: "a decision about another offset is applied", test: "TestADecisionToSkip", in: "./consumers/counting/processor", edits: []edit{
		{"consumers/counting/processor/restore.go", "d.Log != at.Log || d.Position != at.NextOffset", "d.Log != at.Log"},
	}},
}

// changed are the files of a bug with its edits, by their paths below root.
func (b *bug) changed(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for i, e := range b.edits {
		text, edited := files[e.file]
		if !edited {
			b, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if n := strings.Count(text, e.old); n != 1 {
			t.Fatalf("edit %d: %s holds %d times: %s", i, e.file, n, e.old)
		}
		files[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return files
}

// TestBugsCanBeMade: each deliberate bug fits the program as it is now, and is looked for by faults or by a test that is
// there. Whether it is caught shows make torture-bugs.
func TestBugsCanBeMade(t *testing.T) {
	for _, b := range slices.Concat(bugs, besideBugs) {
		t.Run(b.name, func(t *testing.T) {
			if len(b.changed(t, "../../..")) == 0 {
				t.Error("it edits nothing")
			}
			for _, kind := range b.faults {
				if !slices.Contains(torture.Kinds(), kind) {
					t.Errorf("there is no kind of fault %s", kind)
				}
			}
			if (b.test == "") == (len(b.faults) == 0) {
				t.Errorf("it is looked for by faults %s and by test %q; want one of them", b.faults, b.test)
			}
			if b.test == "" {
				return
			}
			files, err := filepath.Glob(filepath.Join("../../..", b.in, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			named := regexp.MustCompile(`(?m)^func ` + b.test)
			if !slices.ContainsFunc(files, func(file string) bool {
				text, err := os.ReadFile(file)
				return err == nil && named.Match(text)
			}) {
				t.Errorf("there is no %s in %s", b.test, b.in)
			}
		})
	}
}
