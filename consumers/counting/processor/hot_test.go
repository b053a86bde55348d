package processor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// crowd draws facts of one person as a busy post and a centre make them when they type one number for everybody.
type crowd struct {
	rnd *rand.Rand
	// every is the time between two facts on average; with 48 hours and more there are many returns.
	every time.Duration
	// Of 100 facts so many are exits, each of which ends a return, and so many helps.
	exits, helps int
}

// fact is the n-th fact in its order of events; its revision may tell something else altogether.
func (c *crowd) fact(n int, revision uint32) reconcile.Fact {
	when := int64(1_451_628_000_000) + int64(n)*c.every.Milliseconds() + c.rnd.Int64N(c.every.Milliseconds()+1)
	f := reconcile.Fact{RecordID: reconcile.ID{3: byte(n >> 16), 4: byte(n >> 8), 5: byte(n), 6: 0x70, 15: byte(n)}, Arrival: when, Event: when,
		Version: reconcile.Version(revision, c.rnd.Uint64(), false), Age: -1}
	code := func(most int) reconcile.Code { return reconcile.Code(c.rnd.IntN(most)) }
	switch kind := c.rnd.IntN(100); {
	case kind < c.exits:
		f.Kind, f.Codes[dictionary.Direction], f.Codes[dictionary.BorderPoint] = reconcile.Crossing, exits, code(4)
	case kind < c.exits+c.helps:
		f.Kind, f.Codes[dictionary.Centre], f.Codes[dictionary.AssistanceKind] = reconcile.Assistance, code(3), code(4)
	case kind%2 == 0:
		f.Kind, f.Codes[dictionary.Direction], f.Returned, f.Codes[dictionary.BorderPoint], f.Codes[dictionary.DocumentCheck] = reconcile.Crossing, entries, c.rnd.IntN(8) > 0, code(4), code(3)
		f.Codes[dictionary.Country], f.Codes[dictionary.Mode], f.Codes[dictionary.Sex] = code(3), code(3), code(3)
	default:
		f.Kind, f.Codes[dictionary.Centre], f.Codes[dictionary.ExitPoint], f.Codes[dictionary.EntryPoint], f.Age = reconcile.Registration, code(4), code(4), code(4), int16(c.rnd.IntN(90)-1)
		f.Codes[dictionary.Country], f.Codes[dictionary.Sex], f.Codes[dictionary.Nationality], f.Codes[dictionary.Department], f.Reasons = code(3), code(3), code(2), code(5), code(8)
		f.Arrival -= c.rnd.Int64N(4) * c.every.Milliseconds()
	}
	f.Void = c.rnd.IntN(20) == 0
	return f
}

func codeOf(list, code string) reconcile.Code {
	l, _ := codelists.Get(list)
	i, ok := l.Index(code)
	if !ok {
		panic(list + " has no code " + code)
	}
	return i
}

var entries, exits = codeOf(codelists.Direction, "entry"), codeOf(codelists.Direction, "exit")

// drawn is a fact that came, and stays in the log.
type drawn struct {
	n        int
	revision uint32
	fact     reconcile.Fact
}

// history draws n records in an order that is mostly that of their events, with revisions and copies of earlier ones.
func (c *crowd) history(n int) []drawn {
	var all []drawn
	for i := range n {
		d := drawn{n: i, revision: 1, fact: c.fact(i, 1)}
		all = append(all, d)
		switch again := all[c.rnd.IntN(len(all))]; c.rnd.IntN(6) {
		case 0:
			again.revision++
			again.fact = c.fact(max(0, again.n+c.rnd.IntN(3)*c.rnd.IntN(400)-200), again.revision)
			again.fact.RecordID = c.fact(again.n, 1).RecordID
			all = append(all, again)
		case 1:
			all = append(all, again)
		}
	}
	for range len(all) / 10 {
		i, j := c.rnd.IntN(len(all)), c.rnd.IntN(len(all))
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// stateOf is what a person's facts come to, reconciled at once.
func stateOf(person reconcile.ID, facts map[reconcile.ID]reconcile.Fact) *memory {
	p := reconcile.Reconcile(slices.SortedFunc(maps.Values(facts), func(a, b reconcile.Fact) int { return cmp.Compare(a.Version, b.Version) }))
	m := newMemory()
	for i := range p.Returns {
		m.Return(person, &p.Returns[i])
	}
	for i := range p.Helps {
		m.Help(person, &p.Helps[i])
	}
	m.of().Add(&p, 1)
	maps.DeleteFunc(m.of().Returns, func(_ reconcile.ReturnCell, n reconcile.ReturnCount) bool { return n == reconcile.ReturnCount{} })
	return m
}

// TestHotPerson reads histories of one person with thousands of facts, in flushes of all sizes and with takeovers: after
// each flush returns, helps and cells are those that the facts come to when they are reconciled at once.
func TestHotPerson(t *testing.T) {
	for seed, c := range []crowd{
		{every: time.Minute},                           // one return without end
		{every: time.Minute, exits: 20, helps: 20},     // a return between two exits
		{every: 30 * time.Hour, helps: 40},             // returns that grow together and fall apart
		{every: time.Hour, exits: 2, helps: 60},        // long returns with much help
		{every: time.Millisecond, exits: 1, helps: 50}, // all at once
		{every: 60 * time.Hour, exits: 30, helps: 10},  // returns of one fact
		{every: 12 * time.Hour, exits: 5, helps: 5},    // everything
		{every: 47 * time.Hour, exits: 0, helps: 30},   // gaps about the limit
	} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			c.rnd = rand.New(rand.NewPCG(uint64(seed), 64))
			person, stored, latest := reconcile.ID{1}, newMemory(), map[reconcile.ID]reconcile.Fact{}
			state, blocks := newTally(), 0
			for i, d := range c.history(2500) {
				want := accepted
				if held, ok := latest[d.fact.RecordID]; ok && held.Version >= d.fact.Version {
					want = superseded
					if reconcile.SameContent(held.Version, d.fact.Version) {
						want = duplicate
					}
				} else {
					latest[d.fact.RecordID] = d.fact
				}
				if got, _ := state.merge(person, &d.fact); got != want {
					t.Fatalf("record %d is %s, want %s", i, got, want)
				}
				if c.rnd.IntN(1+i/20) > 0 {
					continue
				}
				state.changes(stored)
				same(t, fmt.Sprintf("after %d records", i+1), stored, stateOf(person, latest))
				if h := state.facts.hotAt(state.facts.first[person]); h != nil {
					blocks = max(blocks, len(h.blocks))
				}
				if c.rnd.IntN(10) == 0 {
					state = takenOver(person, latest)
				}
				if t.Failed() {
					t.FailNow()
				}
			}
			state.changes(stored)
			same(t, "at the end", stored, stateOf(person, latest))
			if blocks < 5 || state.facts.largest != len(latest) {
				t.Errorf("%d blocks of a person with %d facts, said to be %d", blocks, len(latest), state.facts.largest)
			}
		})
	}
}

// takenOver is the state of another process that reads these facts from the store.
func takenOver(person reconcile.ID, facts map[reconcile.ID]reconcile.Fact) *tally {
	next := newTally()
	for _, f := range facts {
		next.load(&store.StoredFact{Person: person, Fact: f})
	}
	next.recount(next.facts.first[person])
	return next
}

// TestManyFactsOfOnePerson merges a million facts of one person, and takes them over. It has no limit of time of its own;
// where a fact costs all those before it, it takes hours.
func TestManyFactsOfOnePerson(t *testing.T) {
	c := crowd{rnd: rand.New(rand.NewPCG(1, 64)), every: time.Minute, exits: 5, helps: 30}
	person, facts := reconcile.ID{1}, make([]reconcile.Fact, manyFacts)
	state, rows := newTally(), &nowhere{}
	for i := range facts {
		facts[i] = c.fact(i, 1)
		if account, _ := state.merge(person, &facts[i]); account != accepted {
			t.Fatalf("fact %d is %s", i, account)
		}
		if (i+1)%(manyFacts/20) == 0 {
			state.changes(rows)
		}
	}
	taken := newTally()
	for i := range facts {
		taken.load(&store.StoredFact{Person: person, Fact: facts[i]})
	}
	taken.recount(taken.facts.first[person])
	want := reconcile.Reconcile(facts)
	for what, s := range map[string]*tally{"merged": state, "taken over": taken} {
		h := s.facts.hotAt(s.facts.first[person])
		if h == nil || !slices.Equal(h.returns, want.Returns) || s.facts.largest != manyFacts {
			t.Errorf("%s: not the returns of %d facts", what, manyFacts)
		}
		cells := reconcile.NewCells()
		cells.Add(&want, 1)
		maps.DeleteFunc(cells.Returns, func(_ reconcile.ReturnCell, n reconcile.ReturnCount) bool { return n == reconcile.ReturnCount{} })
		if !maps.Equal(s.cells.Returns, cells.Returns) || !maps.Equal(s.cells.Helps, cells.Helps) || !maps.Equal(s.cells.Crossings, cells.Crossings) {
			t.Errorf("%s: not the cells of %d facts", what, manyFacts)
		}
	}
}

// TestAHotPersonInTheStore counts a post that types one number for everybody, beside ordinary persons: what is stored is
// what the verifier finds, the next process finds nothing to mend, and the metrics show how large the person is.
func TestAHotPersonInTheStore(t *testing.T) {
	s, rnd := fresh(t), rand.New(rand.NewPCG(3, 64))
	l, h := &log{step: 100}, &history{rnd: rnd}
	for n := range 600 {
		when := at("2016-06-01", "00:00").Add(time.Duration(n) * 20 * time.Minute)
		r := h.record(n, when)
		if rnd.IntN(10) == 0 {
			r.PersonKey = fmt.Sprintf("%032x", n)
		}
		l.add(t, r, when.Add(time.Minute))
		if rnd.IntN(5) == 0 {
			next := h.like(r, when.Add(time.Duration(rnd.IntN(100)-50)*time.Hour))
			next.Revision = 2
			l.add(t, next, when.Add(200*time.Hour))
		}
	}
	for range 2 {
		c, metrics := consumer(t, s, &letters{})
		scrape := func() {
			hot := rows(t, s, "SELECT uniqExact(record_id) FROM retorno.facts WHERE person = toUUID('"+ana+"')")
			if got := fmt.Sprintf("(%v)", counter(t, metrics, "retorno_largest_person_facts")); got != hot || counter(t, metrics, "retorno_large_persons") != 1 {
				t.Errorf("the largest person is said to have %s records, and has %s", got, hot)
			}
			if n := counter(t, metrics, "retorno_repaired_rows_total"); n != 0 {
				t.Errorf("%v rows were mended", n)
			}
		}
		if err := c.run(t.Context(), &scraped{cursor: cursor{log: l, next: map[string]int64{}}, scrape: scrape}); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
		noDifference(t, s)
	}
}

// BenchmarkHotPerson merges 1,000,000 facts of one person: in flushes of some size, as they happened or in any order.
// takeover loads them from the store's rows instead.
func BenchmarkHotPerson(b *testing.B) {
	const n = 1_000_000
	for _, kind := range []struct {
		name string
		crowd
	}{
		{"one return", crowd{every: time.Minute, helps: 30}},
		{"many returns", crowd{every: time.Minute, exits: 40, helps: 10}},
	} {
		c := kind.crowd
		c.rnd = rand.New(rand.NewPCG(7, 64))
		inOrder := make([]reconcile.Fact, n)
		for i := range inOrder {
			inOrder[i] = c.fact(i, 1)
		}
		shuffled := slices.Clone(inOrder)
		c.rnd.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for _, order := range []struct {
			name  string
			facts []reconcile.Fact
		}{{"in order", inOrder}, {"shuffled", shuffled}} {
			for _, flush := range []int{n, 50_000, 1_000} {
				b.Run(fmt.Sprintf("%s/%s/flush=%d", kind.name, order.name, flush), func(b *testing.B) {
					for b.Loop() {
						t, out := newTally(), &nowhere{}
						for i := range order.facts {
							t.merge(reconcile.ID{1}, &order.facts[i])
							if (i+1)%flush == 0 {
								t.changes(out)
							}
						}
					}
				})
			}
			b.Run(fmt.Sprintf("%s/%s/takeover", kind.name, order.name), func(b *testing.B) {
				for b.Loop() {
					t := newTally()
					for i := range order.facts {
						t.load(&store.StoredFact{Person: reconcile.ID{1}, Fact: order.facts[i]})
					}
					t.recount(t.facts.first[reconcile.ID{1}])
				}
			})
		}
	}
}
