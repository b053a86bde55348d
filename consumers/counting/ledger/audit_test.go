package ledger

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"

	"retorno/schemas/events"
)

// TestAnAuditFindsWhatDoesNotAddUp: rows in any order and more than once add up; a row that is missing, another one in
// its place, and one too many do not, and the run of offsets is the right one.
func TestAnAuditFindsWhatDoesNotAddUp(t *testing.T) {
	const seed = 5
	t.Log("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	var entries []Entry
	type row struct { // of retorno.facts
		at  Origin
		sum uint64
	}
	var facts []row
	for log := range 2 {
		for first := int64(0); first < 400; first += 100 {
			e := Entry{Topic: events.TopicCentre, Log: log, FirstOffset: first, NextOffset: first + 100, Bound: true}
			for offset := first; offset < first+100; offset += 1 + rnd.Int64N(3) {
				f := row{at: Origin{Topic: e.Topic, Offset: offset, Log: log}}
				f.sum = FactSum(uuid.New(), uuid.New(), rnd.Uint64(), f.at.Place())
				e.Accounts.Accepted++
				e.Left.FactsSum += f.sum
				facts = append(facts, f)
			}
			entries = append(entries, e)
		}
	}
	audited := func(rows []row) []Shortfall {
		a := NewAudit(entries)
		rows = append(slices.Clone(rows), rows[:len(rows)/3]...)
		rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for i := range rows {
			a.Fact(rows[i].at, rows[i].sum)
		}
		return a.Shortfalls()
	}
	if short := audited(facts); len(short) != 0 {
		t.Errorf("nothing is missing: %v", short)
	}
	for what, damage := range map[string]func(rows []row, i int) []row{
		"missing":         func(rows []row, i int) []row { return slices.Delete(rows, i, i+1) },
		"another version": func(rows []row, i int) []row { rows[i].sum++; return rows },
		"one too many": func(rows []row, i int) []row {
			f := rows[i]
			for f.at.Offset = f.at.Offset / 100 * 100; slices.ContainsFunc(rows, func(r row) bool { return r.at == f.at }); f.at.Offset++ {
			}
			return append(rows, f)
		},
	} {
		i := rnd.IntN(len(facts))
		at := facts[i].at
		short := audited(damage(slices.Clone(facts), i))
		if len(short) != 1 || short[0].Entry.Log != at.Log || short[0].Entry.FirstOffset != at.Offset/100*100 {
			t.Errorf("%s at %+v: %v", what, at, short)
		}
	}
	a := NewAudit(entries)
	beyond := Origin{Topic: events.TopicCentre, Log: 1, Offset: 400}
	a.Fact(facts[0].at, facts[0].sum)
	if a.Beyond() || !a.Stored(facts[0].at) || a.Stored(beyond) {
		t.Error("a row within the ledger is taken for one beyond it")
	}
	a.Fact(beyond, 0)
	if !a.Beyond() || !a.Stored(beyond) {
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
				p := o.Place()
				if OriginAt(p) != o || p < before {
					t.Errorf("%+v is place %x, which is %+v", o, p, OriginAt(p))
				}
				before = p
			}
		}
	}
}
