package store

import (
	"context"
	"fmt"
	"maps"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/reconcile"
	"retorno/schemas/calendar"
)

// stored reads the rows that one Kafka partition has in a table, block by block; row is called for each row of t. With
// once it is the row that holds of each key, else every row that is stored, also those that another replaces.
func stored(ctx context.Context, conn *bulk, table string, once bool, partition int, t *block, row func(i int) error) error {
	if once {
		table += " FINAL"
	}
	query := ch.Query{
		Body:     fmt.Sprintf("SELECT %s FROM %s WHERE kafka_partition = %d", t.columns(), table, partition),
		Settings: settings(0),
		Result:   t.result,
		OnResult: func(_ context.Context, b proto.Block) error {
			for i := range b.Rows {
				if err := row(i); err != nil {
					return err
				}
			}
			return nil
		},
	}
	if err := conn.do(ctx, query); err != nil {
		return classify("read "+table, err)
	}
	return nil
}

// StoredFact is a fact as retorno.facts holds it, and where it was read.
type StoredFact struct {
	Person reconcile.ID
	Fact   reconcile.Fact
	Origin Origin
}

// Facts reads every fact of a Kafka partition once, in no order. The fact is the caller's.
func (s *Store) Facts(ctx context.Context, partition int, yield func(StoredFact)) error {
	conn := bulk{store: s}
	defer conn.close()
	return factsOf(ctx, &conn, partition, true, yield)
}

// FactRows reads the facts of the claim's Kafka partition for who merges facts anyway: every row that is stored comes, of
// one record perhaps several, and the one of the largest version holds. It costs ClickHouse half as much as Facts.
func (c *Claim) FactRows(ctx context.Context, yield func(StoredFact)) error {
	if c.first {
		return nil
	}
	return factsOf(ctx, &c.conn, c.partition, false, yield)
}

func factsOf(ctx context.Context, conn *bulk, partition int, once bool, yield func(StoredFact)) error {
	f := newFacts()
	needed := f.without("registration_id", "content_hash", "source_seq", "revision", "person_known", "recorded_time", "sent_at", "source_id",
		"category", "programme", "destination_department", "destination_municipality", "travel_company", "intended_country",
		"displaced_by_violence", "intends_to_migrate_again", "education", "occupation")
	return stored(ctx, conn, "retorno.facts", once, partition, needed, func(i int) error {
		fact, err := f.fact(i)
		if err == nil {
			yield(fact)
		}
		return err
	})
}

func (f *facts) fact(i int) (StoredFact, error) {
	kind := reconcile.Kind(f.kind.places[i])
	if kind == 0 {
		return StoredFact{}, fmt.Errorf("retorno.facts: record %s is of no known kind", f.recordID.Row(i))
	}
	fact := reconcile.Fact{
		RecordID: f.recordID.Row(i), Version: f.version.Row(i), Kind: kind,
		Arrival: int64(f.arrival.Data[i]), Event: int64(f.event.Data[i]),
		Void: f.voidReason.places[i] != 0, Future: f.future.Row(i) != 0, Returned: f.returned.Row(i) != 0,
		Age: -1, Reasons: reasonBits(f.reasons, i),
		Direction: f.direction.Code(i), BorderPoint: f.borderPoint.Code(i), DocumentCheck: f.check.Code(i),
		Centre: f.centre.Code(i), EntryPoint: f.entryPoint.Code(i), ExitPoint: f.exitPoint.Code(i),
		Country: f.country.Code(i), Mode: f.mode.Code(i), ReturnType: f.returnType.Code(i),
		Sex: f.sex.Code(i), Nationality: f.nationality.Code(i),
		Department: f.department.Code(i), Municipality: f.municipality.Code(i),
		Accompanied: f.accompanied.Code(i), HelpKind: f.helpKind.Code(i),
	}
	if age := f.age.Row(i); age.Set {
		fact.Age = int16(age.Value)
	}
	origin := Origin{Topic: f.topic.Row(i), Partition: int(f.partition.Row(i)), Offset: int64(f.offset.Row(i))}
	return StoredFact{Person: f.person.Row(i), Fact: fact, Origin: origin}, nil
}

// Key names a derived row: whose it is, and the record id it is named after.
type Key struct{ Person, ID reconcile.ID }

// Versioned is a stored row of a derived table and what orders it among those of its key.
type Versioned[R any] struct {
	Row     R
	version uint64
	gone    bool // a tombstone
}

// Derived is everything that one Kafka partition has stored of what follows from its facts.
type Derived struct {
	Returns map[Key]Versioned[reconcile.Return]
	Helps   map[Key]Versioned[reconcile.Help]
	Cells   *reconcile.Cells
}

// Derived reads what the claim's Kafka partition has stored. Which row of a key holds is found out here: FINAL costs more.
func (c *Claim) Derived(ctx context.Context) (*Derived, error) {
	if c.first {
		return &Derived{Cells: reconcile.NewCells()}, nil
	}
	return derivedOf(ctx, &c.conn, c.partition)
}

func derivedOf(ctx context.Context, conn *bulk, partition int) (*Derived, error) {
	d := &Derived{Returns: map[Key]Versioned[reconcile.Return]{}, Helps: map[Key]Versioned[reconcile.Help]{}}
	r, h, rc, hc, cc := newReturns(), newHelps(), newReturnCounts(), newHelpCounts(), newCrossingCounts()
	returnCells := map[reconcile.ReturnCell]Versioned[reconcile.ReturnCount]{}
	helpCells, crossingCells := map[reconcile.HelpCell]Versioned[int64]{}, map[reconcile.CrossingCell]Versioned[int64]{}
	for _, read := range []struct {
		table string
		block *block
		row   func(i int)
	}{
		{"retorno.returns", &r.block, func(i int) {
			newest(d.Returns, Key{r.person.Row(i), r.id.Row(i)}, r.version.Row(i), r.deleted.Row(i), func() reconcile.Return { return r.get(i) })
		}},
		{"retorno.assistance", &h.block, func(i int) {
			newest(d.Helps, Key{h.person.Row(i), h.recordID.Row(i)}, h.version.Row(i), h.deleted.Row(i), func() reconcile.Help { return h.get(i) })
		}},
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
		if err := stored(ctx, conn, read.table, false, partition, read.block, func(i int) error { read.row(i); return nil }); err != nil {
			return nil, err
		}
	}
	dropGone(d.Returns)
	dropGone(d.Helps)
	d.Cells = &reconcile.Cells{Returns: holding(returnCells), Helps: holding(helpCells), Crossings: holding(crossingCells)}
	return d, nil
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
		ID: r.id.Row(i), Arrival: int64(r.arrival.Data[i]), Day: dayAt(r.day, i), Age: -1, Reasons: reasonBits(r.reasons, i),
		Country: r.country.Code(i), Mode: r.mode.Code(i), ReturnType: r.returnType.Code(i),
		EntryPoint: r.entryPoint.Code(i), ExitPoint: r.exitPoint.Code(i), Centre: r.centre.Code(i),
		Department: r.department.Code(i), Municipality: r.municipality.Code(i), Sex: r.sex.Code(i),
		Accompanied: r.accompanied.Code(i), Nationality: r.nationality.Code(i),
		Registered: r.registered.Row(i) != 0, Checkpoint: r.checkpoint.Row(i) != 0,
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
	return reconcile.ReturnCell{Day: dayAt(c.day, i), Country: c.country.Code(i), Mode: c.mode.Code(i),
		ReturnType: c.returnType.Code(i), EntryPoint: c.entryPoint.Code(i), ExitPoint: c.exitPoint.Code(i),
		Centre: c.centre.Code(i), Sex: c.sex.Code(i), AgeGroup: c.ageGroup.Code(i)}
}

func (c *helpCounts) cell(i int) reconcile.HelpCell {
	return reconcile.HelpCell{Day: dayAt(c.day, i), Centre: c.centre.Code(i), Kind: c.kind.Code(i),
		Sex: c.sex.Code(i), AgeGroup: c.ageGroup.Code(i)}
}

func (c *crossingCounts) cell(i int) reconcile.CrossingCell {
	return reconcile.CrossingCell{Day: dayAt(c.day, i), BorderPoint: c.borderPoint.Code(i),
		Direction: c.direction.Code(i), DocumentCheck: c.check.Code(i)}
}
