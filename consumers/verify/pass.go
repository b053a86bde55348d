package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// state is what a pass leaves to the next one.
type state struct {
	marks map[place]mark
	cells map[string]map[uint16]uint64 // by check: the largest version of a cell by Kafka partition
}

// errAnew says that what the pass before has seen is not there any more, so that everything is to be compared.
var errAnew = errors.New("verify: the ledger is not the one of the pass before")

// Once makes one full pass over what ClickHouse holds; the facts are not compared with the log. The error says that
// ClickHouse could not be asked.
func Once(ctx context.Context, conn driver.Conn) (Report, error) {
	report, _, err := full(ctx, conn, nil)
	return report, err
}

// Once makes one full pass, the comparison of the facts with the log included. The error says that Kafka or ClickHouse
// could not be asked.
func (k *Kafka) Once(ctx context.Context, conn driver.Conn) (Report, error) {
	report, _, err := full(ctx, conn, k)
	return report, err
}

// full compares everything.
func full(ctx context.Context, conn driver.Conn, kafka *Kafka) (Report, *state, error) {
	report := Report{At: time.Now(), Full: true}
	cells, _, err := newCells(ctx, conn, nil)
	if err != nil {
		return report, nil, err
	}
	next := &state{marks: map[place]mark{}, cells: cells}
	looks := []look{ledgerCheck().look(conn)}
	var facts *factsPass
	if kafka != nil {
		spans, err := kafka.spans(ctx, conn)
		if err != nil {
			return report, nil, err
		}
		for _, s := range spans {
			next.marks[s.place] = s.last
		}
		facts = &factsPass{conn: conn, kafka: kafka, spans: spans}
		looks = append(looks, look{checkFacts, facts.all})
	}
	looks = append(looks, returnsCheck(personScope{}).look(conn), helpsCheck(personScope{}).look(conn))
	for _, name := range cellChecks {
		looks = append(looks, cellCheck(name, "").look(conn))
	}
	report.Results, err = makePass(ctx, looks, settled(conn))
	if err != nil {
		return report, nil, err
	}
	if facts != nil {
		report.Partitions = facts.report
	}
	report.Took = time.Since(report.At)
	return report, next, nil
}

// spans are everything that the ledger accounts for and the logs still hold.
func (k *Kafka) spans(ctx context.Context, conn driver.Conn) ([]span, error) {
	starts := map[place]int64{}
	for _, p := range k.places() {
		first, _, err := k.bounds(ctx, p)
		if err != nil {
			return nil, err
		}
		starts[p] = first
	}
	spans, err := whole(ctx, conn, starts)
	if err != nil {
		return nil, err
	}
	for i := range spans {
		s := &spans[i]
		_, end, err := k.bounds(ctx, s.place)
		if err != nil {
			return nil, err
		}
		if s.to > end { // the topic was made anew
			s.beyond, s.to = s.to, end
			s.from = min(s.from, s.to)
		}
	}
	return spans, nil
}

// increment compares what came since the state before. The error is errAnew when that state is none any more.
func increment(ctx context.Context, conn driver.Conn, kafka *Kafka, before *state) (Report, *state, error) {
	report := Report{At: time.Now()}
	cells, days, err := newCells(ctx, conn, before.cells)
	if err != nil {
		return report, nil, err
	}
	runs, err := runsSince(ctx, conn, before.marks)
	if err != nil {
		return report, nil, err
	}
	taken, err := takeovers(ctx, conn)
	if err != nil {
		return report, nil, err
	}
	spans, lag, _, ok := news(runs, taken, before.marks)
	if !ok {
		return report, nil, errAnew
	}
	next := &state{marks: map[place]mark{}, cells: cells}
	for _, s := range spans {
		next.marks[s.place] = s.last
	}
	facts := &factsPass{conn: conn, kafka: kafka, spans: spans, persons: map[uuid.UUID]struct{}{}}
	looks := []look{{checkLedger, func(ctx context.Context) (finding, error) {
		runs, err := runsSince(ctx, conn, before.marks)
		_, _, found, _ := news(runs, nil, before.marks)
		return found, err
	}}, {checkFacts, facts.increment},
		facts.ofPersons(checkReturns, returnsCheck), facts.ofPersons(checkHelps, helpsCheck)}
	for _, name := range cellChecks {
		if len(days[name]) > 0 {
			looks = append(looks, cellCheck(name, strings.Join(days[name], ",")).look(conn))
		} else {
			looks = append(looks, look{name, func(context.Context) (finding, error) { return finding{}, nil }})
		}
	}
	report.Results, err = makePass(ctx, looks, settled(conn))
	if err != nil {
		return report, nil, err
	}
	report.Partitions, report.Lag = facts.report, lag
	report.Took = time.Since(report.At)
	return report, next, nil
}

// factsPerPerson is how many facts are compared in the time in which one person's are looked for, about: for many
// persons of few it is quicker to compare all.
var factsPerPerson uint64 = 64

// ofPersons restricts a check to the persons whose records the pass has read.
func (p *factsPass) ofPersons(name string, restricted func(personScope) check) look {
	return look{name, func(ctx context.Context) (finding, error) {
		var facts uint64
		if err := p.conn.QueryRow(ctx, "SELECT count() FROM retorno.facts").Scan(&facts); err != nil {
			return finding{}, err
		}
		if uint64(len(p.persons))*factsPerPerson > facts {
			return restricted(personScope{}).compare(ctx, p.conn)
		}
		all := finding{different: map[string]int64{}}
		for some := range slices.Chunk(slices.Collect(maps.Keys(p.persons)), atOnce) {
			found, err := restricted(of(some)).compare(ctx, p.conn)
			if err != nil {
				return all, err
			}
			all.rows += found.rows
			all.unnamed += found.unnamed
			for row, surplus := range found.different {
				all.add(row, surplus)
			}
		}
		return all, nil
	}}
}

// newCells reads the largest version of each table of cells, and the days of which a cell was written since before;
// none when before is nil.
func newCells(ctx context.Context, conn driver.Conn, before map[string]map[uint16]uint64) (now map[string]map[uint16]uint64, days map[string][]string, err error) {
	now, days = map[string]map[uint16]uint64{}, map[string][]string{}
	for _, table := range cellChecks {
		now[table] = map[uint16]uint64{}
		partitions, versions := []string{"65535"}, []string{"0"}
		for partition, version := range before[table] {
			partitions, versions = append(partitions, fmt.Sprint(partition)), append(versions, fmt.Sprint(version))
		}
		wanted := "0"
		if before != nil {
			wanted = fmt.Sprintf("version > transform(kafka_partition, CAST([%s], 'Array(UInt16)'), CAST([%s], 'Array(UInt64)'), toUInt64(0))",
				strings.Join(partitions, ","), strings.Join(versions, ","))
		}
		rows, err := conn.Query(ctx, "SELECT kafka_partition, max(version), groupUniqArrayIf(toString(day), "+wanted+") FROM retorno."+table+" GROUP BY kafka_partition")
		if err != nil {
			return nil, nil, fmt.Errorf("read the versions of %s: %w", table, err)
		}
		defer rows.Close()
		some := map[string]bool{}
		for rows.Next() {
			var partition uint16
			var version uint64
			var changed []string
			if err := rows.Scan(&partition, &version, &changed); err != nil {
				return nil, nil, fmt.Errorf("read the versions of %s: %w", table, err)
			}
			now[table][partition] = version
			for _, day := range changed {
				some["'"+day+"'"] = true
			}
		}
		if err := rows.Err(); err != nil {
			return nil, nil, err
		}
		days[table] = slices.Sorted(maps.Keys(some))
	}
	return now, days, nil
}
