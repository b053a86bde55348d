package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/events"
)

// TestAnAuditFindsWhatDoesNotAddUp: rows in any order and more than once add up; a row that is missing, another one in
// its place, and one too many do not, and the run of offsets is the right one.
func TestAnAuditFindsWhatDoesNotAddUp(t *testing.T) {
	const seed = 5
	t.Log("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	var entries []Entry
	var facts []StoredFact
	for log := range 2 {
		for first := int64(0); first < 400; first += 100 {
			e := Entry{Topic: events.TopicCentre, Log: log, FirstOffset: first, NextOffset: first + 100, Bound: true}
			for offset := first; offset < first+100; offset += 1 + rnd.Int64N(3) {
				f := StoredFact{Person: uuid.New(), Fact: reconcile.Fact{RecordID: uuid.New(), Version: rnd.Uint64()}, Origin: Origin{Topic: e.Topic, Offset: offset, Log: log}}
				f.sum = factSum(f.Person, f.Fact.RecordID, f.Fact.Version, f.Origin.place())
				e.Accounts.Accepted++
				e.Left.FactsSum += f.sum
				facts = append(facts, f)
			}
			entries = append(entries, e)
		}
	}
	audited := func(rows []StoredFact) []Shortfall {
		a := NewAudit(entries)
		rows = append(slices.Clone(rows), rows[:len(rows)/3]...)
		rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for i := range rows {
			a.Fact(&rows[i])
		}
		return a.Shortfalls()
	}
	if short := audited(facts); len(short) != 0 {
		t.Errorf("nothing is missing: %v", short)
	}
	for what, damage := range map[string]func(rows []StoredFact, i int) []StoredFact{
		"missing":         func(rows []StoredFact, i int) []StoredFact { return slices.Delete(rows, i, i+1) },
		"another version": func(rows []StoredFact, i int) []StoredFact { rows[i].sum++; return rows },
		"one too many": func(rows []StoredFact, i int) []StoredFact {
			f := rows[i]
			for f.Origin.Offset = f.Origin.Offset / 100 * 100; slices.ContainsFunc(rows, func(r StoredFact) bool { return r.Origin == f.Origin }); f.Origin.Offset++ {
			}
			return append(rows, f)
		},
	} {
		i := rnd.IntN(len(facts))
		at := facts[i].Origin
		short := audited(damage(slices.Clone(facts), i))
		if len(short) != 1 || short[0].Entry.Log != at.Log || short[0].Entry.FirstOffset != at.Offset/100*100 {
			t.Errorf("%s at %+v: %v", what, at, short)
		}
	}
	a := NewAudit(entries)
	beyond := StoredFact{Origin: Origin{Topic: events.TopicCentre, Log: 1, Offset: 400}}
	a.Fact(&facts[0])
	if a.Beyond() || !a.Stored(facts[0].Origin) || a.Stored(beyond.Origin) {
		t.Error("a row within the ledger is taken for one beyond it")
	}
	a.Fact(&beyond)
	if !a.Beyond() || !a.Stored(beyond.Origin) {
		t.Error("a row beyond the ledger is not noticed")
	}
}

// TestPlacesAreOrderedAndReadBack: a place is one number for log, topic and offset, whatever they are.
func TestPlacesAreOrderedAndReadBack(t *testing.T) {
	var before uint64
	for _, log := range []int{0, 1, MostLog} {
		for _, topic := range []string{events.TopicCheckpoint, events.TopicCentre} {
			for _, offset := range []int64{0, 1, 1 << 40, MostOffset} {
				o := Origin{Topic: topic, Offset: offset, Log: log}
				p := o.place()
				if originAt(p) != o || p < before {
					t.Errorf("%+v is place %x, which is %+v", o, p, originAt(p))
				}
				before = p
			}
		}
	}
}

// TestPiecesMissNoID: pieces follow one another in the order in which ClickHouse keeps UUIDs, and cover all of them.
func TestPiecesMissNoID(t *testing.T) {
	s := migrated(t)
	for _, rows := range []uint64{0, pieceRows, pieceRows + 1, 10 * pieceRows, 1 << 40} {
		n := piecesFor(rows)
		if rows > pieceRows && uint64(n) < min(1<<16, rows/pieceRows) || n > 1<<16 {
			t.Errorf("%d rows make %d pieces", rows, n)
		}
		for range 1000 {
			if i := n.Of(uuid.New()); i < 0 || i >= int(n) {
				t.Fatalf("piece %d of %d", i, n)
			}
		}
		if n > 64 {
			continue
		}
		all := make([]string, n)
		for i := range all {
			all[i] = n.where("id", i)
		}
		counts := make([]string, len(all))
		for i, piece := range all {
			counts[i] = "countIf(" + piece + ")"
		}
		var found, twice uint64
		query := fmt.Sprintf("SELECT toUInt64(%s), toUInt64(countIf(%s != 1)) FROM (SELECT arrayJoin([generateUUIDv4(number), generateUUIDv7(number), toUUID('00000000-0000-0000-0000-000000000000'), toUUID('ffffffff-ffff-ffff-ffff-ffffffffffff')]) AS id FROM numbers(10000))",
			strings.Join(counts, " + "), "("+strings.Join(all, ") + (")+")")
		if err := s.Conn().QueryRow(t.Context(), query).Scan(&found, &twice); err != nil {
			t.Fatal(err)
		}
		if found != 40000 || twice != 0 {
			t.Errorf("%d pieces hold %d of 40000 ids; %d are in none or in two", len(all), found, twice)
		}
	}
}
