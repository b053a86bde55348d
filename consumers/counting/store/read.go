package store

import (
	"context"
	"fmt"
	"maps"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// StoredFact is a row of retorno.facts: a revision of a fact, and where it was read.
type StoredFact struct {
	Person reconcile.ID
	Fact   reconcile.Fact
	Origin ledger.Origin
	Sum    uint64 // what the row adds to the checksum of its flush
}

// Facts reads every fact of a Kafka partition in each revision that was accepted, in no order; a row may come twice. The
// fact is the caller's.
func (s *Store) Facts(ctx context.Context, partition int, yield func(*StoredFact)) error {
	c := &Claim{store: s, conn: bulk{store: s}, partition: partition}
	defer c.conn.close()
	return c.Facts(ctx, yield)
}

// Facts reads every fact of the claim's Kafka partition; see Store.Facts.
func (c *Claim) Facts(ctx context.Context, yield func(*StoredFact)) error {
	if c.first {
		return nil
	}
	f := newFacts()
	unneeded := []string{"registration_id", "content_hash", "source_seq", "revision", "person_known", "recorded_time", "sent_at", "source_id"}
	for i := dictionary.FactCodes; i < dictionary.AllCodes; i++ {
		unneeded = append(unneeded, dictionary.Coded(i).Attribute().Name)
	}
	needed := f.without(unneeded...)
	n, err := c.pieces(ctx, "retorno.facts")
	for i := 0; err == nil && i < int(n); i++ {
		err = c.stored(ctx, "retorno.facts", n.where("person", i), needed, func(i int) error {
			fact, err := f.fact(i)
			if err == nil {
				yield(&fact)
			}
			return err
		})
	}
	return err
}

// Audit reads what lies at places in Kafka beside the facts: see Audit.
func (c *Claim) Audit(ctx context.Context, a *ledger.Audit) error {
	if c.first {
		return nil
	}
	s := newSendings()
	places := s.without("kafka_partition", "source_id", "source_seq", "sent_at", "clock_offset_ms")
	err := c.stored(ctx, "retorno.sendings", "1", places, func(i int) error {
		a.SendingAt(ledger.OriginAt(s.place.Row(i)))
		return nil
	})
	if err != nil {
		return err
	}
	r := newRedriven()
	places = r.without("topic", "kafka_partition", "kafka_offset", "again", "account", "read_partition", "content", "elsewhere")
	return c.store.retry(ctx, "read retorno.redriven", func() error {
		return readRows(ctx, &c.conn, fmt.Sprintf("SELECT place FROM retorno.redriven WHERE read_partition = %d", c.partition), places, func(i int) error {
			a.RedrivenAt(ledger.OriginAt(r.place.Row(i)))
			return nil
		})
	})
}

func (f *facts) fact(i int) (StoredFact, error) {
	kind := reconcile.Kind(f.kind.Stated(i))
	if kind == 0 {
		return StoredFact{}, fmt.Errorf("retorno.facts: record %s is of no known kind", f.recordID.Row(i))
	}
	fact := reconcile.Fact{
		RecordID: f.recordID.Row(i), Version: f.version.Row(i), Kind: kind,
		Arrival: int64(f.arrival.Data[i]), Event: int64(f.event.Data[i]),
		Void: f.voidReason.Stated(i) != 0, Future: f.future.Row(i) != 0, Returned: f.returned.Row(i) != 0,
		Age: -1, Reasons: f.reasons.Set(i),
	}
	for c := range fact.Codes {
		fact.Codes[c] = f.attributes[c].Code(i)
	}
	if age := f.age.Row(i); age.Set {
		fact.Age = int16(age.Value)
	}
	place := f.place.Row(i)
	origin := ledger.Origin{Topic: f.topic.Row(i), Partition: int(f.partition.Row(i)), Offset: int64(f.offset.Row(i)), Log: ledger.LogOf(place)}
	person := f.person.Row(i)
	return StoredFact{Person: person, Fact: fact, Origin: origin, Sum: ledger.FactSum(person, fact.RecordID, fact.Version, place)}, nil
}

// Key names a derived row: whose it is, and the record id it is named after.
type Key struct{ Person, ID reconcile.ID }

// Versioned is a stored row of a derived table and what orders it among those of its key.
type Versioned[R any] struct {
	Row     R
	version uint64
	gone    bool // a tombstone
}

// Derived is what one Kafka partition has stored of what follows from the facts of some persons.
type Derived struct {
	Returns map[Key]Versioned[reconcile.Return]
	Helps   map[Key]Versioned[reconcile.Help]
}

// DerivedPieces is into how many pieces of persons the returns and helps of the claim's Kafka partition are divided.
func (c *Claim) DerivedPieces(ctx context.Context) (Pieces, error) {
	if c.first {
		return 1, nil
	}
	return c.pieces(ctx, "retorno.returns", "retorno.assistance")
}

// Derived reads what the claim's Kafka partition has stored of the persons of piece i. Which row of a key holds is found
// out here: FINAL costs more.
func (c *Claim) Derived(ctx context.Context, n Pieces, i int) (*Derived, error) {
	d := &Derived{Returns: map[Key]Versioned[reconcile.Return]{}, Helps: map[Key]Versioned[reconcile.Help]{}}
	if c.first {
		return d, nil
	}
	r, h := newReturns(), newHelps()
	err := c.stored(ctx, "retorno.returns", n.where("person", i), &r.block, func(i int) error {
		newest(d.Returns, Key{r.person.Row(i), r.id.Row(i)}, r.version.Row(i), r.deleted.Row(i), func() reconcile.Return { return r.get(i) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = c.stored(ctx, "retorno.assistance", n.where("person", i), &h.block, func(i int) error {
		newest(d.Helps, Key{h.person.Row(i), h.recordID.Row(i)}, h.version.Row(i), h.deleted.Row(i), func() reconcile.Help { return h.get(i) })
		return nil
	})
	dropGone(d.Returns)
	dropGone(d.Helps)
	return d, err
}

// Cells reads the counts that the claim's Kafka partition has stored.
func (c *Claim) Cells(ctx context.Context) (*reconcile.Cells, error) {
	if c.first {
		return reconcile.NewCells(), nil
	}
	rc, hc, cc := newReturnCounts(), newHelpCounts(), newCrossingCounts()
	returnCells := map[reconcile.ReturnCell]Versioned[reconcile.ReturnCount]{}
	helpCells, crossingCells := map[reconcile.HelpCell]Versioned[int64]{}, map[reconcile.CrossingCell]Versioned[int64]{}
	for _, read := range []struct {
		table string
		block *block
		row   func(i int)
	}{
		{"retorno.return_counts", &rc.block, func(i int) {
			newest(returnCells, rc.cell(i), rc.version.Row(i), rc.deleted.Row(i), func() reconcile.ReturnCount {
				return reconcile.ReturnCount{Registered: int64(rc.registered.Row(i)), Checkpoint: int64(rc.checkpoint.Row(i)), Reconciled: int64(rc.reconciled.Row(i))}
			})
		}},
		{"retorno.assistance_counts", &hc.block, func(i int) {
			newest(helpCells, hc.cell(i), hc.version.Row(i), hc.deleted.Row(i), func() int64 { return int64(hc.helps.Row(i)) })
		}},
		{"retorno.crossing_counts", &cc.block, func(i int) {
			newest(crossingCells, cc.cell(i), cc.version.Row(i), cc.deleted.Row(i), func() int64 { return int64(cc.crossings.Row(i)) })
		}},
	} {
		if err := c.stored(ctx, read.table, "1", read.block, func(i int) error { read.row(i); return nil }); err != nil {
			return nil, err
		}
	}
	return &reconcile.Cells{Returns: holding(returnCells), Helps: holding(helpCells), Crossings: holding(crossingCells)}, nil
}

// newest keeps a row if no other of its key has a larger version; of equal ones, which are the same, the last.
func newest[K comparable, R any](all map[K]Versioned[R], key K, version uint64, deleted uint8, row func() R) {
	if old, ok := all[key]; !ok || old.version <= version {
		all[key] = Versioned[R]{row(), version, deleted != 0}
	}
}

func dropGone[K comparable, R any](all map[K]Versioned[R]) {
	maps.DeleteFunc(all, func(_ K, v Versioned[R]) bool { return v.gone })
}

// holding are the rows that are no tombstones.
func holding[K comparable, R any](all map[K]Versioned[R]) map[K]R {
	rows := make(map[K]R, len(all))
	for key, v := range all {
		if !v.gone {
			rows[key] = v.Row
		}
	}
	return rows
}

func dayAt(c days, i int) calendar.Day { return calendar.Day((*c)[i]) }

func (r *returns) get(i int) reconcile.Return {
	x := reconcile.Return{
		ID: r.id.Row(i), Arrival: int64(r.arrival.Data[i]), Day: dayAt(r.day, i), Age: -1, Reasons: r.reasons.Set(i),
		Registered: r.registered.Row(i) != 0, Checkpoint: r.checkpoint.Row(i) != 0,
	}
	for c := range x.Codes {
		x.Codes[c] = r.attributes[c].Code(i)
	}
	if age := r.age.Row(i); age.Set {
		x.Age = int16(age.Value)
	}
	return x
}

func (h *helps) get(i int) reconcile.Help {
	return reconcile.Help{RecordID: h.recordID.Row(i), Return: h.returnID.Row(i), Day: dayAt(h.day, i), Centre: h.centre.Code(i),
		Kind: h.kind.Code(i), Sex: h.sex.Code(i), AgeGroup: h.ageGroup.Code(i)}
}

func (c *returnCounts) cell(i int) reconcile.ReturnCell {
	cell := reconcile.ReturnCell{Day: dayAt(c.day, i), AgeGroup: c.ageGroup.Code(i)}
	for d := range cell.Codes {
		cell.Codes[d] = c.dimensions[d].Code(i)
	}
	return cell
}

func (c *helpCounts) cell(i int) reconcile.HelpCell {
	return reconcile.HelpCell{Day: dayAt(c.day, i), Centre: c.centre.Code(i), Kind: c.kind.Code(i),
		Sex: c.sex.Code(i), AgeGroup: c.ageGroup.Code(i)}
}

func (c *crossingCounts) cell(i int) reconcile.CrossingCell {
	return reconcile.CrossingCell{Day: dayAt(c.day, i), BorderPoint: c.borderPoint.Code(i),
		Direction: c.direction.Code(i), DocumentCheck: c.check.Code(i)}
}
