package completeness_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func readFigures(t *testing.T) (all []figures) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT source, highest_contiguous_seq, highest_seq, missing, received, gaps, first_seen, last_seen,
		clock_offset_seconds, clock_offset_min_seconds, clock_offset_max_seconds, kind, place, silent_hours, usual_pause_hours, longest_pause_hours, silent, impossible_times
		FROM ceniss.sources ORDER BY source`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var f figures
		var first, last time.Time
		var silent uint8
		if err := rows.Scan(&f.source, &f.contiguous, &f.highest, &f.missing, &f.received, &f.gaps, &first, &last,
			&f.offset, &f.offsetMin, &f.offsetMax, &f.kind, &f.place, &f.silentHours, &f.usual, &f.longest, &silent, &f.lied); err != nil {
			t.Fatal(err)
		}
		f.firstSeen, f.lastSeen, f.silent = first.UnixMilli(), last.UnixMilli(), silent == 1
		all = append(all, f)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func readGaps(t *testing.T) (all []gap) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT source, first_missing, last_missing, missing, after, before, month, last_month, kind, place
		FROM ceniss.source_gaps ORDER BY source, first_missing`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var g gap
		var missing uint64
		var after *time.Time
		var before time.Time
		if err := rows.Scan(&g.source, &g.first, &g.last, &missing, &after, &before, &g.month, &g.lastMonth, &g.kind, &g.place); err != nil {
			t.Fatal(err)
		}
		if missing != g.last-g.first+1 {
			t.Errorf("%v: %d missing", g, missing)
		}
		g.after, g.before = -1, before.UnixMilli()
		if after != nil {
			g.after = after.UnixMilli()
		}
		all = append(all, g)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSourcesAndGapsAreTheTruth makes computers that lose, repeat, delay and disorder what they send, whose clocks step and
// of which one falls silent, and compares both views with what a walk through all numbers finds. The same sendings in
// another order, in other inserts, merged by ClickHouse or not, give the same rows.
func TestSourcesAndGapsAreTheTruth(t *testing.T) {
	r := random(t)
	w := makeWorld(r)
	want, wantGaps := w.truth()
	missing, silent := uint64(0), 0
	for _, f := range want {
		missing += f.missing
		if f.silent {
			silent++
		}
	}
	if missing < 40 || silent == 0 || len(wantGaps) < 5 {
		t.Fatalf("the made computers have too little wrong with them: %d missing, %d silent, %d gaps", missing, silent, len(wantGaps))
	}
	for round, order := range []func(a, b int){nil, func(a, b int) { w.sendings[a], w.sendings[b] = w.sendings[b], w.sendings[a] }} {
		if order != nil {
			r.Shuffle(len(w.sendings), order)
		}
		w.keep(t, r)
		for _, merged := range []bool{false, true} {
			if merged {
				for _, table := range []string{"sendings", "facts"} {
					if err := conn.Exec(t.Context(), "OPTIMIZE TABLE retorno."+table+" FINAL"); err != nil {
						t.Fatal(err)
					}
				}
			}
			same(t, "sources", readFigures(t), want)
			same(t, "gaps", readGaps(t), wantGaps)
			if t.Failed() {
				t.Fatalf("in round %d, merged %v", round, merged)
			}
		}
	}
}

func same[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s, row %d:\n got %+v\nwant %+v", what, i, got[i], want[i])
		}
	}
}

// TestAGapThatIsFilledIsGone: what comes late closes its gap, wherever it lay.
func TestAGapThatIsFilledIsGone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := world{places: map[string]standing{"L-COR-1": {"border_point", "L-COR"}}}
	for _, seq := range []uint64{2, 3, 7, 8, 12} {
		w.sendings = append(w.sendings, sending{"L-COR-1", seq, began + int64(seq)*1000, 0})
	}
	for _, late := range []uint64{1, 5, 4, 6, 11, 9, 10} {
		w.keep(t, r)
		want, gaps := w.truth()
		same(t, "sources", readFigures(t), want)
		same(t, "gaps", readGaps(t), gaps)
		w.sendings = append(w.sendings, sending{"L-COR-1", late, began + 1e6, 0})
	}
	w.keep(t, r)
	if got := readGaps(t); len(got) > 0 {
		t.Errorf("nothing is missing any more, and yet: %+v", got)
	}
	if got := readFigures(t); got[0].missing != 0 || got[0].contiguous != 12 {
		t.Errorf("%+v", got)
	}
	slices.Reverse(w.sendings)
	w.keep(t, r)
	want, _ := w.truth()
	same(t, "sources", readFigures(t), want)
}
