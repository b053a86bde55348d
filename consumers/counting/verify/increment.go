package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/schemas/kafka"
)

// state is what a pass leaves to the next one.
type state struct {
	Marks map[kafka.TopicPartition]mark
	Cells map[string]map[uint16]uint64 // by check: the largest version of a cell by Kafka partition
}

// increment compares what came since the state before. The error is errAgain when that state does not hold any more.
func (p *pass) increment(ctx context.Context, before *state) (Report, *state, error) {
	report := Report{At: time.Now()}
	cells, days, err := newCells(ctx, p.conn, before.Cells)
	if err != nil {
		return report, nil, err
	}
	_, report.Behind, err = p.kafka.stand(ctx, p.conn)
	if err != nil {
		return report, nil, err
	}
	came, err := readNews(ctx, p.conn, before.Marks)
	if err != nil {
		return report, nil, err
	}
	spans, lag, _, err := came.spans(before.Marks)
	if err != nil {
		return report, nil, err
	}
	next := &state{Marks: map[kafka.TopicPartition]mark{}, Cells: cells}
	for _, s := range spans {
		next.Marks[s.TopicPartition] = s.mark
	}
	all := &results{}
	for _, check := range p.checks() {
		all.of(check)
	}
	facts := &newFacts{pass: p, spans: spans, persons: map[uint16]map[uuid.UUID]struct{}{}}
	found, err := facts.compare(ctx)
	if err != nil {
		return report, nil, fmt.Errorf("verify %s: %w", checkFacts, err)
	}
	looks := []look{p.newRuns(before.Marks), facts.again(found)}
	rows, err := p.ofPersons(ctx, facts.persons, all)
	if err == nil {
		looks = append(looks, rows...)
		rows, err = p.ofDays(ctx, days, all)
	}
	if err != nil {
		return report, nil, err
	}
	if err := confirm(ctx, append(looks, rows...), all, settled(p.conn)); err != nil {
		return report, nil, err
	}
	report.Results, report.Partitions, report.Lag = all.all, facts.report, lag
	report.Took = time.Since(report.At)
	return report, next, nil
}

// newRuns looks at the ledger's rows since the marks.
func (p *pass) newRuns(since map[kafka.TopicPartition]mark) look {
	return look{check: checkLedger, find: func(ctx context.Context) (finding, error) {
		came, err := readNews(ctx, p.conn, since)
		if err != nil {
			return finding{}, err
		}
		_, _, found, err := came.spans(since)
		return found, err
	}}
}

// again is a look at the facts that has been made once.
func (n *newFacts) again(first finding) look {
	made := false
	return look{check: checkFacts, find: func(ctx context.Context) (finding, error) {
		if !made {
			made = true
			return first, nil
		}
		return n.compare(ctx)
	}}
}

const (
	// atOnce is how many keys or persons one statement names.
	atOnce = 2000
	// daysAtOnce is how many days one names.
	daysAtOnce = 5000
)

// factsPerPerson is how many facts are compared in the time in which one person's are looked for, about: for many
// persons of few it is quicker to compare all.
var factsPerPerson = 64

// ofPersons compares the rows of persons whose records the pass has read.
func (p *pass) ofPersons(ctx context.Context, persons map[uint16]map[uuid.UUID]struct{}, results *results) (looks []look, err error) {
	for _, partition := range slices.Sorted(maps.Keys(persons)) {
		pieces, err := divide(ctx, p.conn, partition)
		if err != nil {
			return nil, err
		}
		var facts uint64
		for _, piece := range pieces {
			facts += piece.facts
		}
		s := scope{partition: partition}
		of := slices.Collect(maps.Keys(persons[partition]))
		if uint64(len(of)*factsPerPerson) > facts {
			more, err := p.suspects(ctx, s, pieces, rowChecks(), results)
			if err != nil {
				return nil, err
			}
			looks = append(looks, more...)
			continue
		}
		for some := range slices.Chunk(of, atOnce) {
			s.persons = some
			more, err := p.suspects(ctx, s, []piece{{stretch: everyBucket}}, rowChecks(), results)
			if err != nil {
				return nil, err
			}
			looks = append(looks, more...)
		}
	}
	return looks, nil
}

// ofDays compares the cells of the days of which a cell was written.
func (p *pass) ofDays(ctx context.Context, days map[string]map[uint16][]string, results *results) (looks []look, err error) {
	for _, name := range cellChecks {
		for _, partition := range slices.Sorted(maps.Keys(days[name])) {
			pieces, err := divide(ctx, p.conn, partition)
			if err != nil {
				return nil, err
			}
			for some := range slices.Chunk(days[name][partition], daysAtOnce) {
				more, err := p.suspects(ctx, scope{partition: partition, days: some}, pieces, []check{cellCheck(name)}, results)
				if err != nil {
					return nil, err
				}
				looks = append(looks, more...)
			}
		}
	}
	return looks, nil
}

// newCells reads the largest version of each table of cells, and the days of which a cell was written since before, by
// Kafka partition; none when before is nil.
func newCells(ctx context.Context, conn driver.Conn, before map[string]map[uint16]uint64) (now map[string]map[uint16]uint64, days map[string]map[uint16][]string, err error) {
	now, days = map[string]map[uint16]uint64{}, map[string]map[uint16][]string{}
	for _, table := range cellChecks {
		now[table], days[table] = map[uint16]uint64{}, map[uint16][]string{}
		partitions, versions := []string{"65535"}, []string{"0"}
		for partition, version := range before[table] {
			partitions, versions = append(partitions, fmt.Sprint(partition)), append(versions, fmt.Sprint(version))
		}
		wanted := "0"
		if before != nil {
			wanted = fmt.Sprintf("version > transform(kafka_partition, CAST([%s], 'Array(UInt16)'), CAST([%s], 'Array(UInt64)'), toUInt64(0))",
				strings.Join(partitions, ","), strings.Join(versions, ","))
		}
		err := query(ctx, conn, "SELECT kafka_partition, max(version), arraySort(groupUniqArrayIf(toString(day), "+wanted+")) FROM retorno."+table+" GROUP BY kafka_partition",
			func(scan func(...any) error) error {
				var partition uint16
				var version uint64
				var changed []string
				err := scan(&partition, &version, &changed)
				if now[table][partition] = version; len(changed) > 0 {
					days[table][partition] = changed
				}
				return err
			})
		if err != nil {
			return nil, nil, fmt.Errorf("read the versions of %s: %w", table, err)
		}
	}
	return now, days, nil
}
