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
		Settings: []ch.Setting{{Key: "do_not_merge_across_partitions_select_final", Value: "1", Important: true}},
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

// Facts reads every fact of a Kafka partition, in no order. The fact is the caller's.
func (s *Store) Facts(ctx context.Context, partition int, yield func(StoredFact)) error {
	f := newFacts()
	return stored(ctx, s, "retorno.facts", partition, &f.block, func(i int) error {
		fact, err := f.fact(i)
		if err == nil {
			yield(fact)
		}
		return err
	})
}

func (f *facts) fact(i int) (StoredFact, error) {
	kind := reconcile.KindOf(f.kind.Row(i))
	if kind == 0 {
		return StoredFact{}, fmt.Errorf("retorno.facts: record %s has the unknown kind %q", f.recordID.Row(i), f.kind.Row(i))
	}
	fact := reconcile.Fact{
		RecordID: f.recordID.Row(i), Version: f.version.Row(i), Kind: kind,
		Arrival: int64(f.arrival.Data[i]), Event: int64(f.event.Data[i]),
		Void: f.voidReason.Row(i) != "", Future: f.future.Row(i) != 0, Returned: f.returned.Row(i) != 0,
		Age: -1, Reasons: reconcile.ReasonBits(f.reasons.Row(i)),
		Direction: directions.code(f.direction.Row(i)), BorderPoint: points.code(f.borderPoint.Row(i)), DocumentCheck: checks.code(f.check.Row(i)),
		Centre: centres.code(f.centre.Row(i)), EntryPoint: points.code(f.entryPoint.Row(i)), ExitPoint: points.code(f.exitPoint.Row(i)),
		Country: countries.code(f.country.Row(i)), Mode: modes.code(f.mode.Row(i)), ReturnType: returnTypes.code(f.returnType.Row(i)),
		Sex: sexes.code(f.sex.Row(i)), Nationality: countries.code(f.nationality.Row(i)),
		Department: departments.code(f.department.Row(i)), Municipality: towns.code(f.municipality.Row(i)),
		Accompanied: companions.code(f.accompanied.Row(i)), HelpKind: helpKinds.code(f.helpKind.Row(i)),
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
		ID: r.id.Row(i), Arrival: int64(r.arrival.Data[i]), Day: dayAt(r.day, i), Age: -1, Reasons: reconcile.ReasonBits(r.reasons.Row(i)),
		Country: countries.code(r.country.Row(i)), Mode: modes.code(r.mode.Row(i)), ReturnType: returnTypes.code(r.returnType.Row(i)),
		EntryPoint: points.code(r.entryPoint.Row(i)), ExitPoint: points.code(r.exitPoint.Row(i)), Centre: centres.code(r.centre.Row(i)),
		Department: departments.code(r.department.Row(i)), Municipality: towns.code(r.municipality.Row(i)), Sex: sexes.code(r.sex.Row(i)),
		Accompanied: companions.code(r.accompanied.Row(i)), Nationality: countries.code(r.nationality.Row(i)),
		Registered: r.registered.Row(i) != 0, Checkpoint: r.checkpoint.Row(i) != 0,
	}
	if age := r.age.Row(i); age.Set {
		x.Age = int16(age.Value)
	}
	return x
}

func (h *helps) get(i int) reconcile.Help {
	return reconcile.Help{RecordID: h.recordID.Row(i), Return: h.returnID.Row(i), Day: dayAt(h.day, i), Centre: centres.code(h.centre.Row(i)),
		Kind: helpKinds.code(h.kind.Row(i)), Sex: sexes.code(h.sex.Row(i)), AgeGroup: ageGroups.code(h.ageGroup.Row(i))}
}

func (c *returnCounts) cell(i int) reconcile.ReturnCell {
	return reconcile.ReturnCell{Day: dayAt(c.day, i), Country: countries.code(c.country.Row(i)), Mode: modes.code(c.mode.Row(i)),
		ReturnType: returnTypes.code(c.returnType.Row(i)), EntryPoint: points.code(c.entryPoint.Row(i)), ExitPoint: points.code(c.exitPoint.Row(i)),
		Centre: centres.code(c.centre.Row(i)), Sex: sexes.code(c.sex.Row(i)), AgeGroup: ageGroups.code(c.ageGroup.Row(i))}
}

func (c *helpCounts) cell(i int) reconcile.HelpCell {
	return reconcile.HelpCell{Day: dayAt(c.day, i), Centre: centres.code(c.centre.Row(i)), Kind: helpKinds.code(c.kind.Row(i)),
		Sex: sexes.code(c.sex.Row(i)), AgeGroup: ageGroups.code(c.ageGroup.Row(i))}
}

func (c *crossingCounts) cell(i int) reconcile.CrossingCell {
	return reconcile.CrossingCell{Day: dayAt(c.day, i), BorderPoint: points.code(c.borderPoint.Row(i)),
		Direction: directions.code(c.direction.Row(i)), DocumentCheck: checks.code(c.check.Row(i))}
}
