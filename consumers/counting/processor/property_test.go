package processor

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/schemas/events"
)

var (
	histories = flag.Int("histories", someHistories, "how many random histories the properties are tried on")
	firstSeed = flag.Uint64("first-seed", 0, "seed of the first random history")
)

// memory is a store of derived rows: the rows of every partition, as they were written last.
type memory struct {
	partition int
	returns   map[store.Key]reconcile.Return
	helps     map[store.Key]reconcile.Help
	cells     map[int]*reconcile.Cells // by partition
}

func newMemory() *memory {
	return &memory{returns: map[store.Key]reconcile.Return{}, helps: map[store.Key]reconcile.Help{}, cells: map[int]*reconcile.Cells{}}
}

func (m *memory) of() *reconcile.Cells {
	if m.cells[m.partition] == nil {
		m.cells[m.partition] = reconcile.NewCells()
	}
	return m.cells[m.partition]
}

func (m *memory) Return(person reconcile.ID, r *reconcile.Return) {
	m.returns[store.Key{Person: person, ID: r.ID}] = *r
}
func (m *memory) DeleteReturn(person, id reconcile.ID) {
	delete(m.returns, store.Key{Person: person, ID: id})
}
func (m *memory) Help(person reconcile.ID, h *reconcile.Help) {
	m.helps[store.Key{Person: person, ID: h.RecordID}] = *h
}
func (m *memory) DeleteHelp(person, id reconcile.ID) {
	delete(m.helps, store.Key{Person: person, ID: id})
}
func (m *memory) ReturnCell(c reconcile.ReturnCell, n reconcile.ReturnCount) {
	put(m.of().Returns, c, n)
}
func (m *memory) HelpCell(c reconcile.HelpCell, n int64)         { put(m.of().Helps, c, n) }
func (m *memory) CrossingCell(c reconcile.CrossingCell, n int64) { put(m.of().Crossings, c, n) }

func put[C, N comparable](all map[C]N, cell C, n N) {
	var none N
	if all[cell] = n; n == none {
		delete(all, cell)
	}
}

// sum are the cells of all partitions together.
func (m *memory) sum() *reconcile.Cells {
	all := reconcile.NewCells()
	for _, cells := range m.cells {
		for c, n := range cells.Returns {
			o := all.Returns[c]
			all.Returns[c] = o.Plus(n)
		}
		for c, n := range cells.Helps {
			all.Helps[c] += n
		}
		for c, n := range cells.Crossings {
			all.Crossings[c] += n
		}
	}
	return all
}

// values are the history's messages, as they stand in Kafka.
func (h *history) values(t *testing.T) [][]byte {
	var all [][]byte
	for _, s := range h.sent {
		if s.record == nil {
			all = append(all, s.raw)
			continue
		}
		value, err := events.Seal(s.record, s.at.UnixMilli(), 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, value)
	}
	return all
}

type personFact struct {
	person reconcile.ID
	fact   reconcile.Fact
}

// plainly is what the values come to, said without state: of each record the largest version, and each person's
// facts reconciled at once.
func plainly(values [][]byte) *memory {
	type factKey struct{ person, record reconcile.ID }
	latest := map[factKey]personFact{}
	for _, value := range values {
		var f events.Fields
		if !events.Read(value, &f) {
			continue
		}
		key, fact := factKey{f.Person, f.RecordID}, reconcile.FactFrom(&f)
		if held, ok := latest[key]; !ok || fact.Version > held.fact.Version {
			latest[key] = personFact{f.Person, fact}
		}
	}
	persons := map[reconcile.ID][]reconcile.Fact{}
	for _, f := range latest {
		persons[f.person] = append(persons[f.person], f.fact)
	}
	m := newMemory()
	for person, facts := range persons {
		p := reconcile.Reconcile(facts)
		for i := range p.Returns {
			m.Return(person, &p.Returns[i])
		}
		for i := range p.Helps {
			m.Help(person, &p.Helps[i])
		}
		m.of().Add(&p, 1)
	}
	maps.DeleteFunc(m.of().Returns, func(_ reconcile.ReturnCell, n reconcile.ReturnCount) bool { return n == reconcile.ReturnCount{} })
	return m
}

// split reads values into one tally for each partition, with flushes at random places, and now and then a new
// assignment: a state made of the facts alone, which reads on from any earlier place.
func split(rnd *rand.Rand, values [][]byte, partitions int) *memory {
	m := newMemory()
	lanes := make([][][]byte, partitions)
	var f events.Fields
	for _, value := range values {
		lane := 0
		if events.Read(value, &f) {
			lane = int(f.Person[15]) % partitions
		}
		lanes[lane] = append(lanes[lane], value)
	}
	for partition, lane := range lanes {
		m.partition = partition
		t := newTally()
		flush := func() { t.changes(m) }
		for i := 0; i < len(lane); i++ {
			if events.Read(lane[i], &f) {
				fact := reconcile.FactFrom(&f)
				t.merge(f.Person, &fact)
			}
			switch rnd.IntN(20) {
			case 0, 1, 2:
				flush()
			case 3: // another process takes the partition
				flush()
				next := newTally()
				for person, first := range t.facts.first {
					for _, fact := range t.facts.of(first, nil) {
						next.load(&store.StoredFact{Person: person, Fact: fact})
					}
				}
				for _, first := range next.facts.first {
					next.recount(first)
				}
				t = next
				if rnd.IntN(4) == 0 {
					i = rnd.IntN(i + 1)
				}
			}
		}
		flush()
	}
	return m
}

func same(t *testing.T, what string, got, want *memory) {
	t.Helper()
	if !maps.Equal(got.returns, want.returns) {
		t.Errorf("%s: returns\n%+v\nwant\n%+v", what, got.returns, want.returns)
	}
	if !maps.Equal(got.helps, want.helps) {
		t.Errorf("%s: helps\n%+v\nwant\n%+v", what, got.helps, want.helps)
	}
	g, w := got.sum(), want.sum()
	if !maps.Equal(g.Returns, w.Returns) || !maps.Equal(g.Helps, w.Helps) || !maps.Equal(g.Crossings, w.Crossings) {
		t.Errorf("%s: cells\n%+v\nwant\n%+v", what, g, w)
	}
}

// TestAnyOrderAnyBatchesAnySplit reads random histories in their order and shuffled, with copies, in any batches, split
// into any number of partitions and again from any place: returns, helps and cells are those that the set of facts
// comes to, and the cells of each series add up to the returns.
func TestAnyOrderAnyBatchesAnySplit(t *testing.T) {
	t.Logf("%d histories from seed %d", *histories, *firstSeed)
	returns := 0
	for seed := *firstSeed; seed < *firstSeed+uint64(*histories) && !t.Failed(); seed++ {
		rnd := rand.New(rand.NewPCG(seed, 48))
		h := &history{rnd: rnd}
		h.make(1 + rnd.IntN(4))
		values := h.values(t)
		want := plainly(values)
		same(t, fmt.Sprintf("seed %d, in order", seed), split(rnd, values, 1), want)
		for range rnd.IntN(len(values) + 1) {
			values = append(values, values[rnd.IntN(len(values))])
		}
		rnd.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		same(t, fmt.Sprintf("seed %d, shuffled with copies", seed), split(rnd, values, 1+rnd.IntN(5)), want)
		addsUp(t, seed, want)
		returns += len(want.returns)
	}
	if returns < *histories {
		t.Errorf("%d returns in %d histories: too few to show anything", returns, *histories)
	}
}

// addsUp compares the cells, summed over everything, with the returns that they count.
func addsUp(t *testing.T, seed uint64, m *memory) {
	t.Helper()
	var cells, rows reconcile.ReturnCount
	for _, n := range m.sum().Returns {
		cells.Registered, cells.Checkpoint, cells.Reconciled = cells.Registered+n.Registered, cells.Checkpoint+n.Checkpoint, cells.Reconciled+n.Reconciled
	}
	for _, r := range m.returns {
		if r.National() {
			rows.Reconciled++
			if r.Registered {
				rows.Registered++
			}
			if r.Checkpoint {
				rows.Checkpoint++
			}
		}
	}
	if cells != rows {
		t.Errorf("seed %d: cells sum to %+v, the returns to %+v", seed, cells, rows)
	}
}
