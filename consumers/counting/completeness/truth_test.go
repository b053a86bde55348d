package completeness_test

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/schemas/calendar"
)

// sending is one copy of one record that arrived.
type sending struct {
	source string
	seq    uint64
	sentMs int64
	offset int64 // ms
}

// standing is what the facts of a computer say of its place.
type standing struct{ kind, place string }

// world is what some computers sent.
type world struct {
	sendings []sending
	places   map[string]standing
	read     int64 // when the ledger's last row was written, ms; 0: it has none
	beats    map[string]beat
}

// beat is the latest heartbeat of an agent.
type beat struct {
	atMs int64
	last uint64 // number that it gave last
}

// canBe reports whether a time of sending is one.
func (w *world) canBe(ms int64) bool {
	return ms >= time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() && (w.read == 0 || ms <= w.read+hourMs)
}

var began = time.Date(2016, 1, 28, 12, 0, 0, 0, time.UTC).UnixMilli()

const hourMs = int64(time.Hour / time.Millisecond)

// makeWorld draws computers with gaps, copies, disorder, and clocks that step. The first is silent from the middle on; the
// second has never lost anything; the third lacks its first numbers; the fourth is an imported file of one moment.
func makeWorld(r *rand.Rand) world {
	w := world{places: map[string]standing{
		"L-COR-1": {"border_point", "L-COR"}, "L-COR-2": {"border_point", "L-COR"}, "A-SAP-1": {"border_point", "A-SAP"},
		"CAMR-OMO-1": {"centre", "CAMR-OMO"}, "CAMR-SPS-1": {"centre", "CAMR-SPS"}, "import-x": {"centre", "CAMR-OMO"},
		"nowhere": {"unknown", "X-UNK"},
	}}
	for i, source := range slices.Sorted(maps.Keys(w.places)) {
		at, offset := began+r.Int64N(hourMs), int64(0)
		last := uint64(200 + r.IntN(400))
		lost := map[uint64]bool{}
		for range 6 {
			first := 2 + r.Uint64N(last-20)
			for n := range 1 + r.Uint64N(9) {
				lost[first+n] = true
			}
		}
		if source == "L-COR-2" {
			clear(lost)
		}
		if source == "CAMR-OMO-1" {
			lost[1], lost[2], lost[3] = true, true, true
		}
		for seq := uint64(1); seq <= last; seq++ {
			switch {
			case source == "import-x":
			case seq%40 == 0:
				at += 6*hourMs + r.Int64N(30*hourMs) // a night, a weekend, a broken line
			default:
				at += r.Int64N(hourMs / 2)
			}
			if i%2 == 0 && seq == last/2 {
				offset = r.Int64N(8*hourMs) - 4*hourMs // the clock is set
			}
			if source == "L-COR-1" && seq > last/2 {
				break
			}
			if lost[seq] && seq != last {
				continue
			}
			first := sending{source, seq, at + r.Int64N(1000), offset + r.Int64N(2000) - 1000}
			w.sendings = append(w.sendings, first)
			for r.IntN(6) == 0 { // again: the very same copy, or one that was sent later
				again := first
				if r.IntN(2) == 0 {
					again.sentMs += 1 + r.Int64N(40*hourMs)
					again.offset += 5
				}
				w.sendings = append(w.sendings, again)
			}
		}
	}
	w.edges()
	w.lies()
	return w
}

// lies adds computers whose times of sending cannot be: after a gap, before one, on both sides, in a copy of what was
// sent well, and a computer that never tells another time. Nothing of the others may follow from them.
func (w *world) lies() {
	w.read = began + 100*24*hourMs
	future, past := time.Date(2103, 5, 6, 0, 0, 0, 0, time.UTC).UnixMilli(), time.Date(1998, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	at := func(source string, seq uint64, sentMs int64) {
		w.sendings = append(w.sendings, sending{source, seq, sentMs, int64(seq)})
	}
	w.places["L-POY-1"], w.places["X-LIE-1"] = standing{"border_point", "L-POY"}, standing{"unknown", "X-UNK"}
	for seq, sentMs := range map[uint64]int64{1: began, 2: began + hourMs, 7: future, 8: began + 5*hourMs, 9: future, 12: began + 70*24*hourMs, 13: future, 18: past, 19: future} {
		at("L-POY-1", seq, sentMs)
	}
	at("L-POY-1", 2, future)
	at("L-POY-1", 12, past)
	for _, seq := range []uint64{3, 4, 9} {
		at("X-LIE-1", seq, future+int64(seq))
	}
}

// edges adds two computers that no chance may leave out: one that is quiet for a while but not for it, and one whose gaps
// lie between two months, once before and once after a number that was sent late.
func (w *world) edges() {
	w.places["L-GUA-1"], w.places["L-AGC-1"] = standing{"border_point", "L-GUA"}, standing{"border_point", "L-AGC"}
	january, march := began, began+40*24*hourMs
	w.sendings = append(w.sendings, sending{"L-AGC-1", 2, january, 0}, sending{"L-AGC-1", 5, march, 0}, sending{"L-AGC-1", 9, january + hourMs, 0})
	newest := slices.MaxFunc(w.sendings, func(a, b sending) int { return cmp.Compare(a.sentMs, b.sentMs) }).sentMs
	w.places["L-NEW-1"] = standing{"unknown", "X-UNK"} // its agent told of records, and none has arrived
	w.beats = map[string]beat{"L-GUA-1": {newest + 40*24*hourMs, 8}, "L-AGC-1": {march, 3}, "X-LIE-1": {march, 12}, "L-NEW-1": {march, 4}, "L-POY-1": {march, 19}}
	for n := range uint64(5) {
		w.sendings = append(w.sendings, sending{"L-GUA-1", n + 1, newest - (150+100*int64(4-n))*hourMs, 0})
	}
}

// gap is a row of ceniss.source_gaps.
type gap struct {
	source           string
	first, last      uint64
	after            int64 // ms; -1: none
	before           int64
	month, lastMonth string
	kind, place      string
}

// figures are a row of ceniss.sources.
type figures struct {
	source                       string
	contiguous, highest          uint64
	missing, received, gaps      uint64
	firstSeen, lastSeen          int64
	offset, offsetMin, offsetMax float64
	kind, place                  string
	silentHours, usual, longest  float64
	silent                       bool
	lied                         uint64 // numbers whose time of sending cannot be
}

// truth works the rows of both views out from the sendings, one by one and by other means than SQL: it walks through
// every number that there can be.
func (w world) truth() (all []figures, gaps []gap) {
	latestOf := map[string]map[uint64]sending{}
	var newest int64
	for _, s := range w.sendings {
		if latestOf[s.source] == nil {
			latestOf[s.source] = map[uint64]sending{}
		}
		if held, ok := latestOf[s.source][s.seq]; !ok || w.canBe(s.sentMs) && (!w.canBe(held.sentMs) || s.sentMs > held.sentMs) || !w.canBe(held.sentMs) && s.sentMs > held.sentMs {
			latestOf[s.source][s.seq] = s
		}
		if w.canBe(s.sentMs) {
			newest = max(newest, s.sentMs)
		}
	}
	for source := range w.beats {
		if latestOf[source] == nil {
			latestOf[source] = map[uint64]sending{}
		}
	}
	for _, source := range slices.Sorted(maps.Keys(latestOf)) {
		f, found := w.oneSource(source, latestOf[source])
		if f.received > 0 {
			f.silentHours = float64(newest-f.lastSeen) / float64(hourMs)
		}
		f.silent = f.silentHours > 24 && f.silentHours > 2*f.usual && source != "import-x"
		all, gaps = append(all, f), append(gaps, found...)
	}
	return all, gaps
}

func (w *world) oneSource(source string, held map[uint64]sending) (figures, []gap) {
	at := w.places[source]
	highest := slices.Max(append(slices.Collect(maps.Keys(held)), 0))
	told := max(highest, w.beats[source].last)
	f := figures{source: source, kind: at.kind, place: at.place, received: uint64(len(held)), highest: highest, missing: told - uint64(len(held))}
	for f.contiguous < highest && has(held, f.contiguous+1) {
		f.contiguous++
	}
	var gaps []gap
	var open *gap
	for n := uint64(1); n <= told+1; n++ {
		s, ok := held[n]
		if n == told+1 { // what is missing at the end is told by the heartbeat
			s.sentMs, ok = w.beats[source].atMs, true
		}
		switch {
		case !ok && open == nil:
			open = &gap{source: source, first: n, after: -1, kind: at.kind, place: at.place}
			for m := n - 1; m > 0 && open.after < 0; m-- {
				if before, ok := held[m]; ok && w.canBe(before.sentMs) {
					open.after = before.sentMs
				}
			}
		case ok && open != nil:
			if open.last, open.before = n-1, s.sentMs; !w.canBe(s.sentMs) {
				open.before = w.read + hourMs
			}
			early, late := open.before, open.before
			if open.after >= 0 {
				early, late = min(early, open.after), max(late, open.after)
			}
			open.month, open.lastMonth = calendar.DayOf(early).Month(), calendar.DayOf(late).Month()
			gaps, open = append(gaps, *open), nil
		}
	}
	f.gaps = uint64(len(gaps))
	f.offsetMin, f.offsetMax = math.Inf(1), math.Inf(-1)
	for _, s := range held {
		f.offsetMin, f.offsetMax = min(f.offsetMin, float64(s.offset)/1000), max(f.offsetMax, float64(s.offset)/1000)
	}
	if len(held) == 0 {
		f.offsetMin, f.offsetMax = 0, 0
		return f, gaps
	}
	f.offset = float64(held[highest].offset) / 1000 // of the latest number, when no time can be
	f.lied = uint64(len(held))
	maps.DeleteFunc(held, func(_ uint64, s sending) bool { return !w.canBe(s.sentMs) })
	if f.lied -= uint64(len(held)); len(held) == 0 {
		return f, gaps
	}
	byTime := slices.SortedFunc(maps.Values(held), func(a, b sending) int { return cmp.Or(cmp.Compare(a.sentMs, b.sentMs), cmp.Compare(a.seq, b.seq)) })
	f.firstSeen, f.lastSeen = byTime[0].sentMs, byTime[len(byTime)-1].sentMs
	f.offset = float64(byTime[len(byTime)-1].offset) / 1000
	var pauses []float64
	for i, s := range byTime {
		if i > 0 && s.sentMs/hourMs != byTime[i-1].sentMs/hourMs {
			pauses = append(pauses, float64(s.sentMs/hourMs-byTime[i-1].sentMs/hourMs))
		}
	}
	if slices.Sort(pauses); len(pauses) > 0 {
		f.usual, f.longest = pauses[len(pauses)*99/100], pauses[len(pauses)-1]
	}
	return f, gaps
}

func has(held map[uint64]sending, n uint64) bool { _, ok := held[n]; return ok }

// keep empties the tables and writes the sendings in that order, cut into several inserts, and some facts of each computer.
func (w world) keep(t *testing.T, r *rand.Rand) {
	t.Helper()
	ctx := t.Context()
	for _, table := range []string{"sendings", "facts", "returns", "return_counts", "ledger", "heartbeats"} {
		if err := conn.Exec(ctx, "TRUNCATE TABLE retorno."+table); err != nil {
			t.Fatal(err)
		}
	}
	if w.read > 0 {
		if err := conn.Exec(ctx, "INSERT INTO retorno.ledger (topic, flushed_at) VALUES ('t', fromUnixTimestamp64Milli(?))", w.read); err != nil {
			t.Fatal(err)
		}
	}
	for source, b := range w.beats {
		for _, one := range []beat{{b.atMs, b.last - 1}, b, {b.atMs - 60_000, b.last + 5}} { // the later one holds, then the larger number
			if err := conn.Exec(ctx, "INSERT INTO retorno.heartbeats (source_id, at, last_seq) VALUES (?, fromUnixTimestamp64Milli(?), ?)", source, one.atMs, one.last); err != nil {
				t.Fatal(err)
			}
		}
	}
	for part := range slices.Chunk(w.sendings, 1+r.IntN(len(w.sendings))) {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.sendings (place, source_id, source_seq, sent_at, clock_offset_ms)")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range part {
			if err := batch.Append(r.Uint64(), s.source, s.seq, time.UnixMilli(s.sentMs), s.offset); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	w.keepFacts(t)
}

// keepFacts writes three facts at the place of each computer, one at another place, and older revisions of that one, which
// must not weigh: each in an insert of its own, for ClickHouse takes copies within one insert together.
func (w world) keepFacts(t *testing.T) {
	t.Helper()
	strayed := map[string]uuid.UUID{}
	for version := range uint64(5) {
		batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO retorno.facts (person, record_id, version, kind, source_id, source_seq, border_point, centre)")
		if err != nil {
			t.Fatal(err)
		}
		for _, source := range slices.Sorted(maps.Keys(w.places)) {
			at, id := w.places[source], uuid.Must(uuid.NewV7())
			if at.kind == "unknown" {
				continue
			}
			kind, post, centre := "crossing", at.place, ""
			if at.kind == "centre" {
				kind, post, centre = "registration", "", at.place
			}
			if version == 0 {
				strayed[source] = id
			}
			if err := batch.Append(uuid.Nil, strayed[source], version, "assistance", source, uint64(1), "", "CANFM-BEL"); err != nil {
				t.Fatal(err)
			}
			if version == 0 || version > 3 {
				continue
			}
			if err := batch.Append(uuid.Nil, id, version, kind, source, uint64(1), post, centre); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
}

// random is a source of chance whose seed is said.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
