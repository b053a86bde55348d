package explain

import (
	"cmp"
	"encoding/hex"
	"slices"

	"retorno/consumers/counting/reconcile"
)

// watch sees which returns go into and out of a cell.
type watch struct {
	*Total
	query Query
	limit int
}

// count adds what a person comes to at the end.
func (w *watch) count(p *reconcile.Person) {
	for i := range p.Returns {
		r := &p.Returns[i]
		if !w.query.has(r) {
			continue
		}
		w.Recounted.Reconciled++
		if r.Registered {
			w.Recounted.Registered++
		}
		if r.Checkpoint {
			w.Recounted.Checkpoint++
		}
	}
}

// observe looks at what an accepted copy did to the returns of the cell.
func (w *watch) observe(person ID, r *record, o *outcome, factsAfter []reconcile.Fact) {
	if !slices.ContainsFunc(o.before.Returns, w.in) && !slices.ContainsFunc(o.after.Returns, w.in) {
		return
	}
	for _, m := range o.moves(factsAfter) {
		was, is := w.query.has(m.before), w.query.has(m.after)
		var d Direction
		switch {
		case !was && is:
			d = In
		case was && !is:
			d = Out
		case was && (m.before.Registered != m.after.Registered || m.before.Checkpoint != m.after.Checkpoint):
			d = Within
		default:
			continue
		}
		if o.nature == First && !o.late {
			w.completed(d, m)
			continue
		}
		w.moved(d)
		w.Changes = append(w.Changes, Entry{Direction: d, Moved: movedOf(m), Person: hex.EncodeToString(person[:]),
			At: Place{r.origin.Topic, r.origin.Partition, r.origin.Offset}, SentAt: reconcile.LocalTime(r.sentAt),
			Recorded: reconcile.LocalTime(r.recorded), RecordID: r.fact.RecordID, Kind: r.fact.Kind.String(), Revision: revisionOf(&r.fact),
			Nature: o.nature, Late: o.late, sentAt: r.sentAt})
		if w.limit > 0 && len(w.Changes) > 2*w.limit+1000 {
			w.keepNewest()
		}
	}
}

func (w *watch) in(r reconcile.Return) bool { return w.query.has(&r) }

// completed counts a move that is no correction. A return that only appears is none at all.
func (w *watch) completed(d Direction, m move) {
	switch {
	case m.before == nil:
	case d == In:
		w.CompletedIn++
	case d == Out:
		w.CompletedOut++
	}
}

func (w *watch) moved(d Direction) {
	switch d {
	case In:
		w.In++
	case Out:
		w.Out++
	default:
		w.Within++
	}
}

// keepNewest keeps the newest changes, and puts them in order.
func (w *watch) keepNewest() {
	slices.SortFunc(w.Changes, func(a, b Entry) int {
		return cmp.Or(-cmp.Compare(a.sentAt, b.sentAt), -cmp.Compare(a.At.Offset, b.At.Offset), cmp.Compare(a.At.Partition, b.At.Partition),
			cmp.Compare(a.At.Topic, b.At.Topic), slices.Compare(a.Return[:], b.Return[:]), cmp.Compare(a.Direction, b.Direction))
	})
	if w.limit > 0 && len(w.Changes) > w.limit {
		w.Changes = slices.Clip(w.Changes[:w.limit])
	}
}

// replay replays one person's records.
func (w *watch) replay(person ID, c *copies) {
	all := inOrder(c.byTopic[:]...)
	followed := len(all) <= mostFollowed
	if !followed {
		w.Unfollowed.Persons++
		w.Unfollowed.Records += int64(len(all))
	}
	for i := range all {
		if !followed {
			w.account(c.history.merge(&all[i].fact).account)
			continue
		}
		o := c.history.apply(&all[i].fact)
		w.account(o.account)
		if o.account == Accepted {
			w.observe(person, &all[i], &o, c.history.facts)
		}
	}
	c.history.settle()
	w.count(&c.history.person)
}

func (w *watch) account(a Account) {
	switch a {
	case Duplicate:
		w.Accounts.Duplicate++
	case Superseded:
		w.Accounts.Superseded++
	default:
		w.Accounts.Accepted++
	}
}
