package torture

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/release"
	"retorno/deploy/lab/register"
	"retorno/schemas/kafka"
)

// askVintages asks whether each vintage that was seen is whole, has stayed as it was, and is what the facts before its positions
// come to; whether each publisher that said it has published did; and whether the last one is the register's.
func (r *run) askVintages(ctx context.Context, s *store.Store) (Oracle, error) {
	o := Oracle{Name: "vintages are whole, stay, and are what their positions come to"}
	w := r.machine.witness
	before := len(w.seen)
	if err := w.look(ctx, s); err != nil {
		return o, err
	}
	if len(w.seen) > before {
		o.Faults = append(o.Faults, fmt.Sprintf("%d vintages came after all publishers had ended", len(w.seen)-before))
	}
	o.Faults = slices.Concat(o.Faults, w.faults, r.press.faults)
	for _, id := range r.press.told {
		if w.seen[id] == nil {
			o.Faults = append(o.Faults, fmt.Sprintf("publication %s was said to be published and was never seen", id))
		}
	}
	windows, err := w.windows(ctx, s)
	if err != nil {
		return o, err
	}
	var finals, cells, files, undone, damaged int
	for id, v := range w.seen {
		cells, files = cells+len(v.counts), files+len(v.files)
		switch {
		case v.undone:
			undone++
		case !v.gone:
			if err := v.askSame(ctx, s, id, &o); err != nil {
				return o, err
			}
		}
		if slices.ContainsFunc(windows, v.within) {
			damaged++
		} else {
			v.askCounts(v.recounted, "the facts before its positions come to", &o)
		}
		if v.status == string(release.Final) && !v.undone {
			finals++
			v.askCounts(r.truthOf(v), "the register has", &o)
		}
	}
	if finals != 1 {
		o.Faults = append(o.Faults, fmt.Sprintf("%s was published as final %d times, by two publishers at once", r.press.periods[0], finals))
	}
	sort.Strings(o.Faults)
	r.report.Published, r.report.Vintages, r.report.Undone = r.press.outcomes, len(w.seen), undone
	o.Asked = fmt.Sprintf("%d vintages, %d cells, %d files; %d more are in no backup that ClickHouse was restored to; %d made while a table was damaged, their numbers not asked",
		len(w.seen)-undone, cells, files, undone, damaged)
	return o, nil
}

// askSame asks whether a vintage is as it was when it was first seen.
func (v *vintage) askSame(ctx context.Context, s *store.Store, id uuid.UUID, o *Oracle) error {
	now, err := readVintage(ctx, s, id)
	if err != nil {
		return err
	}
	for what, same := range map[string]bool{
		"row": now.row == v.row, "counts": now.counted == v.counted && maps.Equal(now.counts, v.counts), "files": maps.EqualFunc(now.files, v.files, slices.Equal),
	} {
		if !same {
			o.Faults = append(o.Faults, fmt.Sprintf("the %s of vintage %s changed after it was published", what, v.name))
		}
	}
	return nil
}

// askCounts holds the counts of a vintage against others.
func (v *vintage) askCounts(want map[register.ReturnCell]register.ReturnCount, whose string, o *Oracle) {
	different, example := 0, ""
	note := func(c register.ReturnCell) {
		if v.counts[c] != want[c] {
			different++
			example = fmt.Sprintf("%+v: %+v, and %s %+v", c, v.counts[c], whose, want[c])
		}
	}
	for c := range want {
		note(c)
	}
	for c := range v.counts {
		if _, both := want[c]; !both {
			note(c)
		}
	}
	if different > 0 {
		o.Faults = append(o.Faults, fmt.Sprintf("vintage %s differs in %d cells: %s", v.name, different, example))
	}
}

// truthOf are the cells that the register, and what was sent beside it, have in the period of a vintage.
func (r *run) truthOf(v *vintage) map[register.ReturnCell]register.ReturnCount {
	all := map[register.ReturnCell]register.ReturnCount{}
	for c, n := range r.besides.returnCells(r.made.Truth().ReturnCells()) {
		if c.Day < v.period.First.String() || c.Day > v.period.Last.String() {
			continue
		}
		c.Day = c.Day[:len("2016-01")]
		was := all[c]
		all[c] = register.ReturnCount{Registered: was.Registered + n.Registered, Checkpoint: was.Checkpoint + n.Checkpoint, Reconciled: was.Reconciled + n.Reconciled}
	}
	return all
}

// window is a time in which a table may have been damaged.
type window struct{ begin, end time.Time }

// windows are the times from each damage to the end of the first full pass of the verifier that began after it and found nothing.
// The gate of a publication cannot see what becomes of a table between the verifier's pass and the publication.
func (w *witness) windows(ctx context.Context, s *store.Store) (all []window, err error) {
	for _, at := range w.damages {
		end := time.Time{}
		err := s.Conn().QueryRow(ctx, "SELECT minOrDefault(at) FROM retorno.verifications FINAL WHERE kind = 'ended' AND different = 0 AND began > fromUnixTimestamp64Milli(?)", at.UnixMilli()).Scan(&end)
		if err != nil {
			return nil, err
		}
		if end.Unix() <= 0 {
			end = time.Now()
		}
		all = append(all, window{at, end})
	}
	return all, nil
}

// within reports whether some of the time in which the vintage was made lies in a window.
func (v *vintage) within(w window) bool { return !v.published.Before(w.begin) && !v.begun.After(w.end) }

// recount works out what the facts before its positions come to, for each vintage that was seen: by the method, from facts that
// were read from the log into another database, and of which each revision is there.
func (r *run) recount(ctx context.Context, facts *store.Store) error {
	for _, v := range r.machine.witness.seen {
		v.recounted = map[register.ReturnCell]register.ReturnCount{}
	}
	for p := range r.cfg.Partitions {
		persons := map[uuid.UUID][]store.StoredFact{}
		err := facts.Facts(ctx, p, func(f *store.StoredFact) { persons[f.Person] = append(persons[f.Person], *f) })
		if err != nil {
			return err
		}
		for _, v := range r.machine.witness.seen {
			for _, all := range persons {
				v.add(all)
			}
		}
	}
	return nil
}

// add adds one person, all of whose facts these are.
func (v *vintage) add(all []store.StoredFact) {
	latest := map[uuid.UUID]reconcile.Fact{}
	for _, f := range all {
		before := f.Origin.Offset < v.positions[kafka.TopicPartition{Topic: f.Origin.Topic, Partition: f.Origin.Partition}]
		if held, ok := latest[f.Fact.RecordID]; before && (!ok || held.Version < f.Fact.Version) {
			latest[f.Fact.RecordID] = f.Fact
		}
	}
	for _, x := range reconcile.Reconcile(slices.Collect(maps.Values(latest))).Returns {
		if !x.National() || x.Day < v.period.First || x.Day > v.period.Last {
			continue
		}
		c := register.ReturnCell{Day: x.Day.String()[:len("2016-01")], Route: x.Attribute("route"), ReturnType: x.Attribute("return_type"), EntryPoint: x.Attribute("entry_point"),
			ExitPoint: x.Attribute("exit_point"), Centre: x.Attribute("centre"), Sex: x.Attribute("sex"), AgeGroup: x.Attribute("age_group")}
		v.recounted[c] = v.recounted[c].Plus(x.Registered, x.Checkpoint)
	}
}
