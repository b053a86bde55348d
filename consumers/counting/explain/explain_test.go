package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/events"
)

var update = flag.Bool("update", false, "write the explanations into testdata")

// again is a further revision of a record, changed.
func again(r *events.Record, revision uint32, when time.Time, change func(*events.Record)) *events.Record {
	next := proto.Clone(r).(*events.Record)
	next.Revision, next.SourceSeq, next.RecordedTimeMs = revision, next.SourceSeq+100*uint64(revision), when.UnixMilli()
	change(next)
	return next
}

func void(reason string) func(*events.Record) {
	return func(r *events.Record) { r.VoidReason = reason }
}

// hour is the time so many hours after the first crossing of everything.
func hour(n float64) time.Time {
	return at("2016-06-30", "23:30").Add(time.Duration(n * float64(time.Hour)))
}

// everything sends one fixed history with each thing that can happen to a record.
func everything(b *bench) {
	age := uint32(17)
	c1 := crossing(1, ana, hour(0), back("L-COR"))
	b.send(c1, hour(0.1))
	b.send(c1, hour(0.2)) // a copy
	g1 := registration(2, ana, hour(10), &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR", Age: &age, Reasons: []string{"family", "economic"}, Department: "HN-CR"})
	b.send(g1, hour(10.1))
	b.send(help(3, ana, hour(10.5), "food"), hour(10.6))
	// A correction to another day, half-year, border point and route.
	b.send(again(c1, 2, hour(20), func(r *events.Record) {
		r.EventTimeMs = hour(1).UnixMilli()
		r.GetCrossing().BorderPoint, r.GetCrossing().Country, r.GetCrossing().Mode = "L-AGC", "GT", ""
	}), hour(20.1))
	// A correction that comes before its original, then a void, and a void of the void.
	g2 := registration(4, ana, hour(480), &events.Registration{Centre: "CAMR-SPS", Country: "US", Mode: "air", Sex: "F"})
	b.send(again(g2, 2, hour(481), func(r *events.Record) { r.GetRegistration().ExitPoint = "L-AMA" }), hour(481.1))
	b.send(g2, hour(482))
	b.send(again(g2, 3, hour(483), void("test_record")), hour(483.1))
	b.send(again(g2, 4, hour(484), func(r *events.Record) { r.GetRegistration().ExitPoint = "X-BLD" }), hour(484.1))
	// A fact of the future, and a later copy that releases it.
	c3 := crossing(5, ana, hour(800), back("L-COR"))
	b.send(c3, hour(600))
	b.send(c3, hour(801))
	// Two contents of one revision.
	b.send(again(g1, 2, hour(810), func(r *events.Record) { r.GetRegistration().Department = "HN-YO" }), hour(810.1))
	b.send(again(g1, 2, hour(811), func(r *events.Record) { r.GetRegistration().Department = "HN-LE" }), hour(811.1))
	// A late exit splits a return in two, and its void joins them.
	e1 := crossing(6, ana, hour(5), &events.Crossing{Direction: "exit", BorderPoint: "L-COR"})
	b.send(e1, hour(820))
	b.send(again(e1, 2, hour(821), void("wrong_person")), hour(821.1))
	// A record of another person: void under the old key, a new record under the right one.
	wrong := registration(7, ana, hour(1000), &events.Registration{Centre: "CAMR-OMO", Sex: "F"})
	b.send(wrong, hour(1000.1))
	b.send(again(wrong, 2, hour(1001), void("wrong_person")), hour(1001.1))
	b.send(registration(8, bea, hour(1000), &events.Registration{Centre: "CAMR-OMO", Sex: "F"}), hour(1001.2))
	// A late first fact, which gives a return another id, and its void.
	early := crossing(9, bea, hour(990), back("L-COR"))
	b.send(early, hour(1002))
	b.send(again(early, 2, hour(1003), void("duplicate_entry")), hour(1003.1))
	// Crossings that do nothing, and what is no record.
	b.send(crossing(10, ana, hour(1010), &events.Crossing{Direction: "exit", BorderPoint: "L-AMA"}), hour(1010.1))
	b.send(crossing(11, ana, hour(1011), &events.Crossing{Direction: "entry", BorderPoint: "L-AMA"}), hour(1011.1))
	b.send(crossing(12, ana, hour(1012), &events.Crossing{Direction: "exit", BorderPoint: "L-AMA"}), hour(1012.1))
	b.raw(events.TopicCentre, ana, []byte{0xff})
}

func idText(t *testing.T, text string) ID {
	t.Helper()
	id, err := ParseID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (b *bench) explain(n int) *Return {
	b.t.Helper()
	r, err := b.explainer().Return(b.t.Context(), idText(b.t, idOf(n)))
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) cell(text string, limit int) *Total {
	b.t.Helper()
	q, err := ParseQuery(text)
	if err != nil {
		b.t.Fatal(err)
	}
	total, err := b.explainer().Cell(b.t.Context(), q, limit)
	if err != nil {
		b.t.Fatal(err)
	}
	return total
}

// TestTheFixedHistoryReadsAsWritten compares the whole text, for returns that are, one that no longer exists, a record of
// none, and cells; and the same history ends where ClickHouse stands.
func TestTheFixedHistoryReadsAsWritten(t *testing.T) {
	b := fresh(t)
	everything(b)
	b.count()
	var got bytes.Buffer
	for _, n := range []int{1, 9, 7} {
		r := b.explain(n)
		if r.Differs() {
			t.Errorf("%s: %v", idOf(n), r.Persons[0].Differences)
		}
		if err := r.Write(&got, Style{}); err != nil {
			t.Fatal(err)
		}
		got.WriteString("\n----\n\n")
	}
	for _, query := range []string{"half_year=2016-S1", "month=2016-07,route=MX-LAND", "year=2016 exit_point=L-AMA", "year=2016 entry_point=L-COR"} {
		total := b.cell(query, 0)
		if total.Differs() {
			t.Errorf("%s: %v", query, total.Differences)
		}
		if err := total.Write(&got, Style{}); err != nil {
			t.Fatal(err)
		}
		got.WriteString("\n----\n\n")
	}
	file := filepath.Join("testdata", "history.txt")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wanted, lines := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	for i := range max(len(wanted), len(lines)) {
		if i >= len(wanted) || i >= len(lines) || wanted[i] != lines[i] {
			t.Fatalf("line %d of %s (-update writes it again):\n%s\nwanted:\n%s", i+1, file,
				strings.Join(lines[min(i, len(lines)):min(i+3, len(lines))], "\n"), strings.Join(wanted[min(i, len(wanted)):min(i+3, len(wanted))], "\n"))
		}
	}
}

// TestEachThingThatHappensIsNamed holds the history of the fixed records against what was done to them.
func TestEachThingThatHappensIsNamed(t *testing.T) {
	b := fresh(t)
	everything(b)
	b.count()
	p := b.explain(1).Persons[0]
	if p.Key != ana || len(p.Rejected) != 1 || p.Rejected[0].Code != events.CodeMalformed {
		t.Errorf("person %s, rejected %+v", p.Key, p.Rejected)
	}
	natures := map[string][]Nature{}
	for _, f := range p.Facts {
		for _, c := range f.Copies {
			natures[f.RecordID.String()] = append(natures[f.RecordID.String()], c.Nature)
		}
	}
	for n, want := range map[int][]Nature{1: {First, Copy, Correction}, 4: {First, Overtaken, Void, VoidLifted}, 5: {First, Released},
		6: {First, Void}, 7: {First, Void}} {
		if !slices.Equal(natures[idOf(n)], want) {
			t.Errorf("record %d: %v, want %v", n, natures[idOf(n)], want)
		}
	}
	conflict := natures[idOf(2)]
	if len(conflict) != 3 || conflict[1] != Correction || conflict[2] != ConflictWon && conflict[2] != ConflictLost {
		t.Errorf("two contents of one revision: %v", conflict)
	}
	type seen struct {
		record int
		effect Effect
	}
	var effects []seen
	for _, c := range p.History {
		for _, m := range c.Returns {
			for n := 1; n <= 12; n++ {
				if c.RecordID.String() == idOf(n) {
					effects = append(effects, seen{n, m.Effect})
				}
			}
		}
	}
	for _, want := range []seen{{1, Appears}, {2, Changes}, {1, Changes}, {4, Appears}, {4, Vanishes}, {5, Appears}, {6, Split}, {6, Merged}, {7, Appears}, {7, Vanishes}} {
		if !slices.Contains(effects, want) {
			t.Errorf("no %+v among %+v", want, effects)
		}
	}
	if renamed := b.explain(8).Persons[0].History[1].Returns[0]; renamed.Effect != Renamed || renamed.Return.String() != idOf(8) || renamed.Other.String() != idOf(9) {
		t.Errorf("a late first fact: %+v", renamed)
	}
	verdicts := map[string]reconcile.Verdict{}
	for _, f := range p.Facts {
		verdicts[f.RecordID.String()] = f.Verdict
	}
	for n, want := range map[int]reconcile.Verdict{1: reconcile.Opens, 2: reconcile.Joins, 3: reconcile.HelpOf, 6: reconcile.LeftVoid, 10: reconcile.Closes, 11: reconcile.NoReturn, 12: reconcile.NothingOpen} {
		if verdicts[idOf(n)] != want {
			t.Errorf("record %d: %s, want %s", n, verdicts[idOf(n)], want)
		}
	}
}

// TestWhatIsNotWhatTheLogSaysIsAnAlarm changes what is stored behind the consumer's back.
func TestWhatIsNotWhatTheLogSaysIsAnAlarm(t *testing.T) {
	b := fresh(t)
	everything(b)
	b.count()
	for _, statement := range []string{
		"INSERT INTO retorno.returns SELECT * REPLACE ('L-POY' AS exit_point, version + 1 AS version) FROM retorno.returns FINAL WHERE return_id = '" + idOf(1) + "'",
		"INSERT INTO retorno.return_counts SELECT * REPLACE (registered + 1 AS registered, version + 1 AS version) FROM retorno.return_counts FINAL WHERE exit_point = 'L-COR'",
	} {
		if err := b.store.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	r := b.explain(1)
	if d := r.Persons[0].Differences; !r.Differs() || len(d) != 1 || !strings.Contains(d[0], "exit_point is stored as L-POY, the log comes to L-COR") {
		t.Errorf("differences: %q", d)
	}
	var text bytes.Buffer
	if err := r.Write(&text, Style{}); err != nil || !strings.Contains(text.String(), "ALARM") {
		t.Errorf("no alarm: %v", err)
	}
	if total := b.cell("exit_point=L-COR", 0); !total.Differs() || !strings.Contains(total.Differences[0], "registered 2") {
		t.Errorf("differences: %q", total.Differences)
	}
	if err := b.store.Conn().Exec(t.Context(), "INSERT INTO retorno.returns SELECT * REPLACE (1 AS is_deleted, version + 2 AS version) FROM retorno.returns FINAL WHERE return_id = '"+idOf(1)+"'"); err != nil {
		t.Fatal(err)
	}
	if d := b.explain(1).Persons[0].Differences; len(d) != 1 || !strings.Contains(d[0], "is not stored") {
		t.Errorf("differences: %q", d)
	}
}

// TestWhereTheLogsBeginningIsGone says from where on the history is known, and still ends where ClickHouse stands.
func TestWhereTheLogsBeginningIsGone(t *testing.T) {
	b := fresh(t)
	everything(b)
	b.count()
	before := b.explain(1)
	b.forget(events.TopicCheckpoint, 2)
	b.forget(events.TopicCentre, 4)
	r := b.explain(1)
	p := r.Persons[0]
	if r.Differs() || p.Log[0].First != 2 || p.Log[1].First != 4 {
		t.Errorf("log %+v, differences %q", p.Log, p.Differences)
	}
	known, _ := json.Marshal(p.Returns)
	if want, _ := json.Marshal(before.Persons[0].Returns); !bytes.Equal(known, want) {
		t.Errorf("the returns are\n%s\nand were\n%s", known, want)
	}
	lost := 0
	for _, f := range p.Facts {
		if f.FromStore != nil {
			lost++
		}
	}
	if lost != 1 { // the help, which was never corrected
		t.Errorf("%d facts come from the store", lost)
	}
	var text bytes.Buffer
	if err := r.Write(&text, Style{}); err != nil || !strings.Contains(text.String(), "the history is known from offset 4 on") {
		t.Errorf("%v: %s", err, text.String())
	}
	if total := b.cell("year=2016", 0); total.Differs() {
		t.Errorf("differences %q", total.Differences)
	}
}

// TestWhatIsNotCountedYetIsLeftOut sends more while no consumer counts.
func TestWhatIsNotCountedYetIsLeftOut(t *testing.T) {
	b := fresh(t)
	everything(b)
	b.count()
	b.send(crossing(20, ana, hour(2000), back("L-COR")), hour(2000.1))
	r := b.explain(1)
	if p := r.Persons[0]; r.Differs() || p.Pending != 1 {
		t.Errorf("pending %d, differences %q", p.Pending, p.Differences)
	}
	if total := b.cell("year=2016", 0); total.Differs() || total.Log[0].Pending != 1 {
		t.Errorf("pending %+v, differences %q", total.Log, total.Differences)
	}
	if _, err := b.explainer().Return(t.Context(), idText(t, idOf(20))); !errors.Is(err, ErrUnknown) {
		t.Errorf("a record that is not counted yet: %v", err)
	}
	b.count()
	if r := b.explain(20); r.Differs() || r.Persons[0].Pending != 0 {
		t.Errorf("%+v", r.Persons[0])
	}
}

// TestKeysAreCutInText and whole in JSON, or when asked for.
func TestKeysAreCutInText(t *testing.T) {
	b := fresh(t)
	everything(b)
	b.count()
	for _, explanation := range []interface{ Write(io.Writer, Style) error }{b.explain(1), b.cell("year=2016", 0)} {
		for whole, want := range map[bool]bool{false: false, true: true} {
			var text bytes.Buffer
			if err := explanation.Write(&text, Style{WholeKeys: whole}); err != nil || strings.Contains(text.String(), ana) != want || !strings.Contains(text.String(), ana[:8]) {
				t.Errorf("whole keys %v: %v\n%s", whole, err, text.String())
			}
		}
	}
	if text, err := json.Marshal(b.explain(1)); err != nil || !strings.Contains(string(text), `"person":"`+ana+`"`) {
		t.Errorf("%v %s", err, text)
	}
}

// TestNothingIsComparedWithACountThatMoves: while consumers write, a difference says nothing, and that is said.
func TestNothingIsComparedWithACountThatMoves(t *testing.T) {
	for undecided, want := range map[bool]string{true: "Not compared", false: "ALARM"} {
		total := Total{Differences: []string{"registered 2, the log comes to 1"}, Undecided: undecided}
		var text bytes.Buffer
		if err := total.Write(&text, Style{}); err != nil || !strings.Contains(text.String(), want) || total.Differs() == undecided {
			t.Errorf("undecided %v: %v %s", undecided, err, text.String())
		}
	}
}

// TestATopicMadeAnewIsSaid: a ledger that has counted beyond the log's end is of another log.
func TestATopicMadeAnewIsSaid(t *testing.T) {
	spans := []Span{{Topic: events.TopicCentre, End: 5, Counted: 5}, {Topic: events.TopicCheckpoint, End: 5, Counted: 9}}
	if said := ahead(3, spans); len(said) != 1 || !strings.Contains(said[0], "retorno.checkpoint.v1/3 up to offset 9") {
		t.Errorf("%q", said)
	}
}
