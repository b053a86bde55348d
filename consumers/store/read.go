package store

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/reconcile"
	"retorno/schemas/calendar"
)

// stored reads every row that one Kafka partition has in a table, block by block; row is called for each row of t.
func stored(ctx context.Context, s *Store, table string, partition int, t *block, row func(i int) error) error {
	conn := bulk{store: s}
	defer conn.close()
	query := ch.Query{
		Body: fmt.Sprintf("SELECT %s FROM %s FINAL WHERE kafka_partition = %d", t.columns(), table, partition),
		// FINAL inside partitions is enough: every partition key is a function of the sorting key.
		Settings: []ch.Setting{
			{Key: "do_not_merge_across_partitions_select_final", Value: "1", Important: true},
			// Many small queries at once: compiling each, and a thread for each core, costs more than it brings.
			{Key: "compile_expressions", Value: "0"}, {Key: "compile_sort_description", Value: "0"}, {Key: "max_threads", Value: "2"},
		},
		Result: t.result,
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

// Facts reads every fact of a Kafka partition, in no order. The fact is the caller's.
func (s *Store) Facts(ctx context.Context, partition int, yield func(StoredFact)) error {
	f := newFacts()
	needed := f.without("registration_id", "content_hash", "source_seq", "revision", "person_known", "recorded_time", "sent_at", "source_id",
		"category", "programme", "destination_department", "destination_municipality", "travel_company", "intended_country",
		"displaced_by_violence", "intends_to_migrate_again", "education", "occupation")
	return stored(ctx, s, "retorno.facts", partition, needed, func(i int) error {
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

// Derived is everything that one Kafka partition has stored of what follows from its facts.
type Derived struct {
	Returns map[Key]reconcile.Return
	Helps   map[Key]reconcile.Help
	Cells   *reconcile.Cells
}

// Derived reads what a Kafka partition has stored.
func (s *Store) Derived(ctx context.Context, partition int) (*Derived, error) {
	d := &Derived{Returns: map[Key]reconcile.Return{}, Helps: map[Key]reconcile.Help{}, Cells: reconcile.NewCells()}
	r, h, rc, hc, cc := newReturns(), newHelps(), newReturnCounts(), newHelpCounts(), newCrossingCounts()
	for _, read := range []func() error{
		func() error {
			return stored(ctx, s, "retorno.returns", partition, &r.block, func(i int) error {
				d.Returns[Key{r.person.Row(i), r.id.Row(i)}] = r.get(i)
				return nil
			})
		},
		func() error {
			return stored(ctx, s, "retorno.assistance", partition, &h.block, func(i int) error {
				d.Helps[Key{h.person.Row(i), h.recordID.Row(i)}] = h.get(i)
				return nil
			})
		},
		func() error {
			return stored(ctx, s, "retorno.return_counts", partition, &rc.block, func(i int) error {
				d.Cells.Returns[rc.cell(i)] = reconcile.ReturnCount{Registered: int64(rc.registered.Row(i)),
					Checkpoint: int64(rc.checkpoint.Row(i)), Reconciled: int64(rc.reconciled.Row(i))}
				return nil
			})
		},
		func() error {
			return stored(ctx, s, "retorno.assistance_counts", partition, &hc.block, func(i int) error {
				d.Cells.Helps[hc.cell(i)] = int64(hc.helps.Row(i))
				return nil
			})
		},
		func() error {
			return stored(ctx, s, "retorno.crossing_counts", partition, &cc.block, func(i int) error {
				d.Cells.Crossings[cc.cell(i)] = int64(cc.crossings.Row(i))
				return nil
			})
		},
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return d, nil
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
