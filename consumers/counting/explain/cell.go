package explain

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/stream"
	"retorno/schemas/dictionary"
)

// Total is the explanation of a cell: what is stored, and what corrections changed in it.
type Total struct {
	Asked         []Field               `json:"asked"`
	MethodVersion int                   `json:"method_version"`
	Counts        reconcile.ReturnCount `json:"counts"`
	// Coverage is registered / reconciled in percent; nil when nothing is counted.
	Coverage *float64 `json:"coverage_percent"`
	// Recounted are the same counts by a replay of the log.
	Recounted reconcile.ReturnCount `json:"recounted_from_log"`
	// Returns are the returns in the cell, by day and id, at most so many as were asked for.
	Returns []Counted `json:"returns"`
	// Changes moved returns into or out of the cell, or between its series: each correction, void, lifted void, settled
	// conflict, released future fact, and each fact that happened before one that was counted already.
	// The newest come first, at most so many as were asked for.
	Changes []Entry `json:"changes"`
	// In and Out are how many returns all changes moved into and out of the cell; Within between its series.
	In     int64 `json:"moved_in"`
	Out    int64 `json:"moved_out"`
	Within int64 `json:"moved_within"`
	// Completed are moves that are no corrections: facts that came in the order in which they happened and told more of
	// a return, as a registration does of a crossing.
	CompletedIn  int64 `json:"completed_in"`
	CompletedOut int64 `json:"completed_out"`
	// Unfollowed are persons with more than 1,000 records each: these are counted, and what each of them moved is not.
	Unfollowed Unfollowed `json:"unfollowed"`
	Log        []Log      `json:"log"`
	// Accounts say what became of the messages that the ledger accounts for, as a replay of the log finds it.
	Accounts Accounts `json:"accounts"`
	// Undecided: the consumers were writing all the while, so that a difference says nothing.
	Undecided   bool     `json:"undecided"`
	Differences []string `json:"differences"`
}

// Accounts are the accounts of the ledger: each message is in exactly one.
type Accounts struct {
	Accepted   int64 `json:"accepted"`
	Duplicate  int64 `json:"duplicate"`
	Superseded int64 `json:"superseded"`
	Rejected   int64 `json:"rejected"`
}

// Unfollowed is how many records of how many persons are not followed one by one.
type Unfollowed struct {
	Persons int   `json:"persons"`
	Records int64 `json:"records"`
}

// Counted is a return in the cell.
type Counted struct {
	Return     ID     `json:"return_id"`
	Person     string `json:"person"`
	Day        string `json:"day"`
	Registered bool   `json:"registered"`
	Checkpoint bool   `json:"checkpoint"`
}

// Direction is how a change concerns a cell.
type Direction string

// What a change can do to a return in regard to a cell.
const (
	In     Direction = "in"
	Out    Direction = "out"
	Within Direction = "within" // it stays, in other series than before
)

// Entry is one return that a change moved.
type Entry struct {
	Direction Direction `json:"direction"`
	Moved
	Person   string `json:"person"`
	At       Place  `json:"at"`
	SentAt   string `json:"sent_at"`
	Recorded string `json:"recorded_time"`
	RecordID ID     `json:"record_id"`
	Kind     string `json:"kind"`
	Revision uint32 `json:"revision"`
	Nature   Nature `json:"nature"`
	Late     bool   `json:"late"`
	sentAt   int64
}

// Log is what there is of one partition.
type Log struct {
	Partition int    `json:"kafka_partition"`
	Spans     []Span `json:"topics"`
	Pending   int    `json:"pending"` // records that are not counted yet
}

// Cell explains a cell. At most limit returns and limit changes are listed; 0 means all. It reads partition after
// partition, so that it holds the facts of one at a time. A difference between the replay and what is stored is looked
// at again before it is told.
func (e *Explainer) Cell(ctx context.Context, q Query, limit int) (*Total, error) {
	for try := 1; ; try++ {
		t, err := e.cell(ctx, q, limit)
		if err != nil || !t.Differs() || try == attempts {
			return t, err
		}
		if err := e.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// Differs reports whether what is stored is not what the log comes to.
func (t *Total) Differs() bool { return len(t.Differences) > 0 && !t.Undecided }

func (e *Explainer) cell(ctx context.Context, q Query, limit int) (*Total, error) {
	t := &Total{Asked: q.Asked, MethodVersion: reconcile.MethodVersion, Returns: []Counted{}, Changes: []Entry{}, Differences: []string{}}
	listed, err := e.still(ctx, t, q, limit)
	if err != nil {
		return nil, err
	}
	if t.Counts.Reconciled > 0 {
		coverage := 100 * float64(t.Counts.Registered) / float64(t.Counts.Reconciled)
		t.Coverage = &coverage
	}
	var total, done int64
	for _, l := range t.Log {
		for _, s := range l.Spans {
			total += s.End - s.First
		}
		t.Differences = append(t.Differences, ahead(l.Partition, l.Spans)...)
	}
	w := &watch{Total: t, query: q, limit: limit}
	for i := range t.Log {
		err := e.partition(ctx, &t.Log[i], w, func() { done++; e.cfg.Progress(done, total) })
		if err != nil {
			return nil, err
		}
	}
	if t.Recounted != t.Counts {
		t.Differences = append(t.Differences, fmt.Sprintf("stored are %s, the log comes to %s", inSeries(t.Counts), inSeries(t.Recounted)))
	}
	if listed != t.Counts.Reconciled {
		t.Differences = append(t.Differences, fmt.Sprintf("retorno.return_counts has %d returns, retorno.returns %d", t.Counts.Reconciled, listed))
	}
	w.keepNewest()
	return t, nil
}

// inSeries names the counts by their series.
func inSeries(n reconcile.ReturnCount) string {
	return fmt.Sprintf("registered %d, checkpoint %d, reconciled %d", n.Registered, n.Checkpoint, n.Reconciled)
}

// still reads what is stored of the cell while the ledger stands still, and tries for a while when it does not.
func (e *Explainer) still(ctx context.Context, t *Total, q Query, limit int) (listed int64, err error) {
	const tries = 3
	for try := 1; ; try++ {
		before, err := e.newest(ctx)
		if err != nil {
			return 0, err
		}
		if t.Log, err = e.logs(ctx); err != nil {
			return 0, err
		}
		if listed, err = e.stored(ctx, t, q, limit); err != nil {
			return 0, err
		}
		after, err := e.newest(ctx)
		if err != nil {
			return 0, err
		}
		t.Undecided = before != after
		if !t.Undecided || try == tries {
			return listed, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		}
	}
}

// newest tells two states of the ledger apart.
func (e *Explainer) newest(ctx context.Context) (state string, err error) {
	err = e.cfg.Store.Conn().QueryRow(ctx, "SELECT concat(toString(max(flushed_at)), ' ', toString(count())) FROM retorno.ledger").Scan(&state)
	if err != nil {
		err = fmt.Errorf("explain: read the ledger: %w", err)
	}
	return state, err
}

func (e *Explainer) logs(ctx context.Context) ([]Log, error) {
	all := make([]Log, len(e.partitions))
	for i, partition := range e.partitions {
		spans, err := e.spans(ctx, partition)
		if err != nil {
			return nil, err
		}
		all[i] = Log{Partition: partition, Spans: spans}
	}
	return all, nil
}

// stored reads the counts and lists the returns of the cell.
func (e *Explainer) stored(ctx context.Context, t *Total, q Query, limit int) (listed int64, err error) {
	where, values := q.where()
	conn := e.cfg.Store.Conn()
	var n dictionary.ReturnCounts[uint64]
	var returns uint64
	if err := conn.QueryRow(ctx, "SELECT sum(registered), sum(checkpoint), sum(reconciled) FROM ceniss.return_counts WHERE "+where, values...).
		Scan(&n.Registered, &n.Checkpoint, &n.Reconciled); err != nil {
		return 0, fmt.Errorf("explain: read the counts: %w", err)
	}
	t.Counts = reconcile.ReturnCount{Registered: int64(n.Registered), Checkpoint: int64(n.Checkpoint), Reconciled: int64(n.Reconciled)}
	if err := conn.QueryRow(ctx, "SELECT count() FROM ceniss.returns WHERE "+where, values...).Scan(&returns); err != nil {
		return 0, fmt.Errorf("explain: count the returns: %w", err)
	}
	query := "SELECT return_id, person, toString(day), registered = 1, checkpoint = 1 FROM ceniss.returns WHERE " + where + " ORDER BY day, return_id"
	if limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", limit)
	}
	rows, err := conn.Query(ctx, query, values...)
	if err != nil {
		return 0, fmt.Errorf("explain: list the returns: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	t.Returns = t.Returns[:0]
	for rows.Next() {
		var c Counted
		var person uuid.UUID
		if err := rows.Scan(&c.Return, &person, &c.Day, &c.Registered, &c.Checkpoint); err != nil {
			return 0, fmt.Errorf("explain: list the returns: %w", err)
		}
		c.Person = hex.EncodeToString(person[:])
		t.Returns = append(t.Returns, c)
	}
	return int64(returns), rows.Err()
}

// partition replays every person of one partition and watches the cell.
func (e *Explainer) partition(ctx context.Context, l *Log, w *watch, read func()) error {
	persons := map[ID]*copies{}
	of := func(person ID) *copies {
		c := persons[person]
		if c == nil {
			c = &copies{}
			persons[person] = c
		}
		return c
	}
	if err := e.lost(ctx, l.Partition, l.Spans, func(r record) { of(r.person).history.begin(&r.fact) }); err != nil {
		return err
	}
	err := e.scan(ctx, l.Partition, l.Spans, func(m *stream.Message) {
		read()
		if !counted(l.Spans, ledger.Origin{Topic: m.Topic, Offset: m.Offset}) {
			l.Pending++
			return
		}
		r, rejection := e.understand(m)
		if rejection != nil {
			w.Accounts.Rejected++
			return
		}
		r.opened = nil
		c, topic := of(r.person), slices.Index(e.topics, m.Topic)
		c.byTopic[topic] = append(c.byTopic[topic], r)
	})
	if err != nil {
		return err
	}
	for person, c := range persons {
		w.replay(person, c)
	}
	return nil
}

// copies are one person's records in the log, and their history.
type copies struct {
	history history
	byTopic [2][]record
}
