// Package verify says every number a second time, by other means than the consumer: facts from Kafka by a reader of its
// own, returns from facts by the method in SQL, cells from returns, helps and crossings from facts, and the ledger's
// offsets without gap or overlap.
//
// It promises to change nothing. A difference is reported with the facts, returns and cells that differ, and never
// repaired here. A full pass compares everything; an incremental pass compares what came since the pass before: the
// records of the offsets that the ledger accounts for since, the returns and helps of their persons, and the cells of
// the days of which a cell was written. What was right once and was changed behind the consumer's back is the full
// pass's to find. While consumers write, a row may be stored between two tables of one flush; so a difference counts
// only when it is still there, the same, when looked at again after each flush that was under way has ended (two minutes
// at most). After a difference each pass is a full one until nothing differs.
//
// A full pass goes partition after partition and holds the facts of one, at most 250 bytes each (165 measured); an
// incremental one holds those of about MostAtOnce records of each topic of one partition. Between passes nothing is
// held but where they ended. When Kafka or ClickHouse does not answer, the pass fails, says so, and is made again later.
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

// Settle is how long it takes at least until what differs is looked at again.
const Settle = time.Second

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

// mostNamed bounds the memory that differing rows take.
const mostNamed = 10_000

func (f *finding) add(row string, surplus int64) {
	if len(f.different) >= mostNamed {
		f.unnamed++
		return
	}
	f.different[row] += surplus
}

// look is one check of one pass. It can be made again, and then looks at what is stored then.
type look struct {
	check string
	find  func(context.Context) (finding, error)
}

// makePass makes the looks of a pass. What differs is looked at again, and counts only if it differs in the same way
// every time.
func makePass(ctx context.Context, looks []look, settled func(context.Context) error) ([]Result, error) {
	results := make([]Result, len(looks))
	suspects := map[int]finding{}
	for i, l := range looks {
		found, err := l.find(ctx)
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", l.check, err)
		}
		results[i] = Result{Check: l.check, Rows: found.rows}
		if len(found.different) > 0 {
			suspects[i] = found
		}
	}
	for n := 1; n < Looks && len(suspects) > 0; n++ {
		if err := settled(ctx); err != nil {
			return nil, fmt.Errorf("verify: wait for flushes: %w", err)
		}
		for i, before := range suspects {
			again, err := looks[i].find(ctx)
			if err != nil {
				return nil, fmt.Errorf("verify %s: %w", looks[i].check, err)
			}
			results[i].Rows = again.rows
			if again = before.both(again); len(again.different) > 0 {
				suspects[i] = again
			} else {
				delete(suspects, i)
			}
		}
	}
	for i, found := range suspects {
		results[i].name(found)
	}
	return results, nil
}

// both are the differences that two looks found, the same.
func (f finding) both(again finding) finding {
	both := finding{rows: again.rows, unnamed: min(f.unnamed, again.unnamed), different: map[string]int64{}}
	for row, surplus := range f.different {
		if now, still := again.different[row]; still && now == surplus {
			both.different[row] = surplus
		}
	}
	return both
}

// name puts what differs into the result, in order.
func (r *Result) name(found finding) {
	r.Different = found.unnamed + uint64(len(found.different))
	for row, surplus := range found.different {
		r.Differences = append(r.Differences, Difference{Row: row, Surplus: surplus})
	}
	slices.SortFunc(r.Differences, func(a, b Difference) int { return strings.Compare(a.Row, b.Row) })
	r.Differences = r.Differences[:min(len(r.Differences), MostShown)]
}
