// Package verify says every number a second time, by other means than the consumer: facts from Kafka by a reader of its
// own with a client library of its own (package wire), returns from facts by the method in SQL, cells from returns, helps
// and crossings from facts, the ledger's offsets without gap or overlap, and, in a full pass, what is missing of each computer.
//
// It promises to change nothing: of ClickHouse it writes only what it has found, into a table of its own. A difference is
// reported with the facts, returns and cells that differ, and never repaired here. A full pass compares everything; an
// incremental pass compares what came since the pass before: the records of the offsets that the ledger accounts for
// since, the returns and helps of their persons, and the cells of the days of which a cell was written. What was right
// once and was changed behind the consumer's back is the full pass's to find. While consumers write, a row may be stored
// between two tables of one flush; so a difference counts only when it is still there, the same, when looked at again
// after each flush that was under way has ended (two minutes at most). After a difference each pass is a full one until
// nothing differs.
//
// A full pass goes Kafka partition after Kafka partition. Both sides of a check are summed first, in a way that the order
// of rows does not matter to: by persons or days, in statements that read at most about 250,000 facts, or one person with
// more. Only where sums differ rows are compared, at most about 100,000 at a time. So its cost grows as the data do, and
// ClickHouse takes under 300 MB for any of its statements, under 1 GB for one person of a million facts. The process
// holds at most 60 bytes for each fact of a partition, and reads the log of a partition of more than four million facts
// several times, so that it never holds more than 250 MB. After each partition the pass is recorded in
// retorno.verifications; a verifier that starts goes on with the pass that was under way, or, when that is complete and
// clean, with what came since. The place is kept in ClickHouse because the process has no disk of its own, and because
// who publishes asks there whether the numbers agree.
//
// An incremental pass holds the facts of about MostAtOnce records of each topic of one partition, at most 250 bytes each.
// Between passes nothing is held but where they ended. No limit of time is on a pass as a whole: when Kafka or ClickHouse
// does not answer, it fails, says so, and is made again later.
package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MostShown is how many differing rows of one check are named; all of them are counted.
const MostShown = 20

// settleFor is how long it takes at least until what differs is looked at again. Variable, so that tests without traffic
// need not wait.
var settleFor = time.Second

// Looks is how often a difference must be seen, the same, before it counts. Twice would not do beside live traffic: the
// counts of a cell that were behind its returns in one look can be ahead of them in the next, and then the same
// recounted row is missing both times.
const Looks = 4

// Difference is one row that the two ways do not agree on.
type Difference struct {
	// Row is the row's columns in the order of the check's columns; of a fact, what is wrong with it.
	Row string `json:"row"`
	// Surplus is how many more of it are stored than recounted; negative: it is missing; 0: it is there and differs.
	Surplus int64 `json:"surplus"`
}

// Result is what one check found.
type Result struct {
	Check       string       `json:"check"`
	Rows        uint64       `json:"rows"` // rows that were compared
	Different   uint64       `json:"different"`
	Differences []Difference `json:"differences,omitempty"` // the first MostShown
}

// Report is what one pass found.
type Report struct {
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took_ns"`
	// Full says that everything was compared, else what came since the pass before.
	Full    bool     `json:"full"`
	Results []Result `json:"results"`
	// Lag is how many records the ledger accounts for that were left to the next pass.
	Lag uint64 `json:"lag"`
	// Behind is how many records the logs held at the begin of the pass that the ledger did not account for then; they
	// are not compared. Nil: the verifier has no Kafka to ask.
	Behind *uint64 `json:"behind,omitempty"`
	// Partitions are what was read from Kafka; none when the verifier has no Kafka.
	Partitions []Partition `json:"partitions,omitempty"`
}

// Different is how many rows differ in all.
func (r Report) Different() uint64 {
	var n uint64
	for _, result := range r.Results {
		n += result.Different
	}
	return n
}

// Read is how many records were read from Kafka.
func (r Report) Read() uint64 {
	var n uint64
	for _, p := range r.Partitions {
		n += p.Read
	}
	return n
}

// finding is what one look of a check found: how many rows it compared, and those that differ, with how many more of
// each are stored than recounted. Of very many that differ some are only counted.
type finding struct {
	rows      uint64
	different map[string]int64
	unnamed   uint64
}

// mostNamed bounds the memory that the differing rows of one look take.
const mostNamed = 2 * rowsAtOnce

func newFinding() finding { return finding{different: map[string]int64{}} }

func (f *finding) add(row string, surplus int64) {
	if len(f.different) >= mostNamed {
		f.unnamed++
		return
	}
	f.different[row] += surplus
}

// look is one check of some rows. It can be made again, and then looks at what is stored then.
type look struct {
	check string
	rows  uint64 // about how many are compared, and so how many can differ
	find  func(context.Context) (finding, error)
}

// confirm makes looks, a group of them at a time, and adds to the results what differs in the same way every time.
func confirm(ctx context.Context, looks []look, results *results, settled func(context.Context) error) error {
	for len(looks) > 0 {
		n, rows := 1, looks[0].rows
		for n < len(looks) && rows+looks[n].rows <= rowsAtOnce {
			rows += looks[n].rows
			n++
		}
		if err := confirmGroup(ctx, looks[:n], results, settled); err != nil {
			return err
		}
		looks = looks[n:]
	}
	return nil
}

func confirmGroup(ctx context.Context, looks []look, results *results, settled func(context.Context) error) error {
	suspects := map[int]finding{}
	for i, l := range looks {
		found, err := l.find(ctx)
		if err != nil {
			return fmt.Errorf("verify %s: %w", l.check, err)
		}
		results.compared(l.check, found.rows)
		if len(found.different) > 0 {
			suspects[i] = found
		}
	}
	for n := 1; n < Looks && len(suspects) > 0; n++ {
		if err := settled(ctx); err != nil {
			return fmt.Errorf("verify: wait for flushes: %w", err)
		}
		for i, before := range suspects {
			again, err := looks[i].find(ctx)
			if err != nil {
				return fmt.Errorf("verify %s: %w", looks[i].check, err)
			}
			if again = before.both(again); len(again.different) > 0 {
				suspects[i] = again
			} else {
				delete(suspects, i)
			}
		}
	}
	for i, found := range suspects {
		results.differ(looks[i].check, found)
	}
	return nil
}

// both are the differences that two looks found, the same.
func (f finding) both(again finding) finding {
	both := finding{unnamed: min(f.unnamed, again.unnamed), different: map[string]int64{}}
	for row, surplus := range f.different {
		if now, still := again.different[row]; still && now == surplus {
			both.different[row] = surplus
		}
	}
	return both
}

// results are what the checks of a pass have found so far, in the order of checkNames.
type results struct{ all []Result }

// of is the result of a check.
func (r *results) of(check string) *Result {
	for i := range r.all {
		if r.all[i].Check == check {
			return &r.all[i]
		}
	}
	r.all = append(r.all, Result{Check: check})
	slices.SortFunc(r.all, func(a, b Result) int {
		return slices.Index(checkNames(), a.Check) - slices.Index(checkNames(), b.Check)
	})
	return r.of(check)
}

func (r *results) compared(check string, rows uint64) { r.of(check).Rows += rows }

// differ adds rows that differ.
func (r *results) differ(check string, found finding) {
	result := r.of(check)
	result.Different += found.unnamed + uint64(len(found.different))
	for row, surplus := range found.different {
		result.Differences = append(result.Differences, Difference{Row: row, Surplus: surplus})
	}
	result.shorten()
}

// add adds what was found elsewhere.
func (r *results) add(others []Result) {
	for _, o := range others {
		result := r.of(o.Check)
		result.Rows += o.Rows
		result.Different += o.Different
		result.Differences = append(result.Differences, o.Differences...)
		result.shorten()
	}
}

// shorten leaves the first of the differing rows, in order.
func (r *Result) shorten() {
	slices.SortFunc(r.Differences, func(a, b Difference) int { return strings.Compare(a.Row, b.Row) })
	r.Differences = r.Differences[:min(len(r.Differences), MostShown)]
}
