package explain

import (
	"cmp"
	"slices"

	"retorno/consumers/counting/reconcile"
)

// Change is one copy that changed what a person's facts come to.
type Change struct {
	At       Place  `json:"at"`
	SentAt   string `json:"sent_at"`
	Recorded string `json:"recorded_time"`
	RecordID ID     `json:"record_id"`
	Kind     string `json:"kind"`
	Revision uint32 `json:"revision"`
	Nature   Nature `json:"nature"`
	// Late: the fact happened before one that was counted already.
	Late bool `json:"late"`
	// Held: the fact lies in the future of this copy and is not counted. Mended: it was held before and counts now.
	Held   bool         `json:"held_as_future"`
	Mended bool         `json:"mended_future"`
	Fields []Difference `json:"fields"` // of the record, against the revision that held before
	// Returns, Helps and Cells are what changed by it.
	Returns []Moved     `json:"returns"`
	Helps   []HelpMoved `json:"helps"`
	Cells   []Cell      `json:"cells"`
}

// Difference is a value before and after; empty where there is none.
type Difference struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Moved is a return before and after a copy.
type Moved struct {
	Return ID     `json:"return_id"`
	Effect Effect `json:"effect"`
	// Other is the return that it is now (renamed), was merged into, or was split from.
	Other *ID `json:"other,omitempty"`
	// Attributes that are not the same; of a return that appears or vanishes, all of them.
	Attributes []Difference `json:"attributes"`
}

// HelpMoved is a help that was given to another return, or counts otherwise, than before.
type HelpMoved struct {
	RecordID ID  `json:"record_id"`
	Before   *ID `json:"return_before,omitempty"`
	After    *ID `json:"return_after,omitempty"`
	// Counted before and after: void and future helps are not.
	CountedBefore bool `json:"counted_before"`
	CountedAfter  bool `json:"counted_after"`
}

// Cell is a cell of one of the tables of counts, and by how much it went up or, negative, down.
type Cell struct {
	Table string                `json:"table"`
	Codes []reconcile.Attribute `json:"codes"`
	By    Counts                `json:"by"`
}

// Counts are the measures of a cell; those that its table does not have stay zero.
type Counts struct {
	Registered int64 `json:"registered,omitempty"`
	Checkpoint int64 `json:"checkpoint,omitempty"`
	Reconciled int64 `json:"reconciled,omitempty"`
	Helps      int64 `json:"helps,omitempty"`
	Crossings  int64 `json:"crossings,omitempty"`
}

// changeOf is the change that a copy made; nil: none.
func changeOf(r *record, o *outcome, factsAfter []reconcile.Fact) *Change {
	held := r.fact.Future && !r.fact.Void
	if !o.changed() && !held {
		return nil
	}
	c := &Change{At: Place{r.origin.Topic, r.origin.Partition, r.origin.Offset}, SentAt: reconcile.LocalTime(r.sentAt),
		Recorded: reconcile.LocalTime(r.recorded), RecordID: r.fact.RecordID, Kind: r.fact.Kind.String(), Revision: revisionOf(&r.fact),
		Nature: o.nature, Late: o.late, Held: held, Mended: o.held != nil && o.held.Future && !r.fact.Future,
		Returns: []Moved{}, Helps: helpsMoved(&o.before, &o.after), Cells: cellsMoved(&o.before, &o.after)}
	for _, m := range o.moves(factsAfter) {
		c.Returns = append(c.Returns, movedOf(m))
	}
	return c
}

func movedOf(m move) Moved {
	moved := Moved{Effect: m.effect, Other: some(m.other)}
	var before, after []reconcile.Attribute
	if m.after != nil {
		moved.Return, after = m.after.ID, m.after.Attributes()
	}
	if m.before != nil {
		moved.Return, before = m.before.ID, m.before.Attributes()
	}
	if m.effect == Renamed {
		moved.Other = some(m.after.ID)
	}
	moved.Attributes = changesOf(before, after)
	return moved
}

// changesOf lists the attributes that are not the same in both; one of the two may have none at all.
func changesOf(before, after []reconcile.Attribute) []Difference {
	all := []Difference{}
	for i := range max(len(before), len(after)) {
		var d Difference
		if i < len(before) {
			d.Name, d.Before = before[i].Name, before[i].Value
		}
		if i < len(after) {
			d.Name, d.After = after[i].Name, after[i].Value
		}
		if d.Before != d.After {
			all = append(all, d)
		}
	}
	return all
}

// diff lists the fields of two revisions that are not the same, in the order of the later one.
func diff(before, after []Field) []Difference {
	all := []Difference{}
	value := func(fields []Field, name string) string {
		if i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name }); i >= 0 {
			return fields[i].Value
		}
		return ""
	}
	for _, f := range after {
		if was := value(before, f.Name); was != f.Value {
			all = append(all, Difference{f.Name, was, f.Value})
		}
	}
	for _, f := range before {
		if value(after, f.Name) == "" {
			all = append(all, Difference{f.Name, f.Value, ""})
		}
	}
	return all
}

func helpsMoved(before, after *reconcile.Person) []HelpMoved {
	all := []HelpMoved{}
	was := map[ID]reconcile.Help{}
	for _, h := range before.Helps {
		was[h.RecordID] = h
	}
	for _, h := range after.Helps {
		old, counted := was[h.RecordID]
		if old != h {
			all = append(all, HelpMoved{RecordID: h.RecordID, Before: some(old.Return), After: some(h.Return), CountedBefore: counted, CountedAfter: true})
		}
		delete(was, h.RecordID)
	}
	for _, h := range before.Helps {
		if _, gone := was[h.RecordID]; gone {
			all = append(all, HelpMoved{RecordID: h.RecordID, Before: some(h.Return), CountedBefore: true})
		}
	}
	return all
}

// cellsMoved are the cells that went down and up, down first.
func cellsMoved(before, after *reconcile.Person) []Cell {
	cells := reconcile.NewCells()
	cells.Add(before, -1)
	cells.Add(after, 1)
	all := []Cell{}
	for c, n := range cells.Returns {
		if n != (reconcile.ReturnCount{}) {
			all = append(all, Cell{"return_counts", c.Text(), Counts{Registered: n.Registered, Checkpoint: n.Checkpoint, Reconciled: n.Reconciled}})
		}
	}
	for c, n := range cells.Helps {
		if n != 0 {
			all = append(all, Cell{"assistance_counts", c.Text(), Counts{Helps: n}})
		}
	}
	for c, n := range cells.Crossings {
		if n != 0 {
			all = append(all, Cell{"crossing_counts", c.Text(), Counts{Crossings: n}})
		}
	}
	sum := func(c Cell) int64 { return c.By.Reconciled + c.By.Registered + c.By.Helps + c.By.Crossings }
	slices.SortFunc(all, func(a, b Cell) int {
		return cmp.Or(-cmp.Compare(a.Table, b.Table), cmp.Compare(sum(a), sum(b)),
			slices.CompareFunc(a.Codes, b.Codes, func(x, y reconcile.Attribute) int { return cmp.Compare(x.Value, y.Value) }))
	})
	return all
}
