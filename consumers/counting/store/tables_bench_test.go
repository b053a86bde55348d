package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// BenchmarkTablesOfFacts is why facts stand in one table: the same facts of a flush, crossings, registrations and helps in the proportions of a
// half-year, are inserted into one table with a column for each attribute of any kind, and into three that have only those of a kind. Each
// insert is a statement and a part, which costs more than empty columns do.
func BenchmarkTablesOfFacts(b *testing.B) {
	for _, rows := range []int{600, 10_000, 50_000} {
		for _, one := range []bool{true, false} {
			b.Run(fmt.Sprintf("rows=%d/tables=%d", rows, map[bool]int{true: 1, false: 3}[one]), func(b *testing.B) {
				s := migrated(b)
				conn := &bulk{store: s}
				defer conn.close()
				var inserts []ch.Query
				for kind, part := range factsByKind(b, rows, one) {
					inserts = append(inserts, intoItsOwn(b, s, kind, part))
				}
				for b.Loop() {
					for _, q := range inserts {
						if err := conn.do(b.Context(), q); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
			})
		}
	}
}

// factsByKind makes facts, all in one or each kind apart, of which 4 in 5 are crossings, and 1 in 16 is a help.
func factsByKind(b *testing.B, rows int, one bool) map[string]*facts {
	b.Helper()
	all := map[string]*facts{}
	for i := range rows {
		r := &events.Record{RecordId: fmt.Sprintf("01552000-0000-7000-8000-%012x", i), Revision: 1, SourceId: fmt.Sprintf("L-COR-%d", i%4), SourceSeq: uint64(i + 1),
			PersonKey: fmt.Sprintf("%032x", i), EventTimeMs: 1464760800_000 + int64(i), RecordedTimeMs: 1464760860_000, SchemaVersion: 1}
		kind, age := dictionary.Crossing, uint32(i%80)
		switch {
		case i%16 == 0:
			kind, r.Body = dictionary.Assistance, &events.Record_Assistance{Assistance: &events.Assistance{Kind: "food", Centre: "CAMR-OMO"}}
		case i%7 == 0:
			kind, r.Body = dictionary.Registration, &events.Record_Registration{Registration: &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR", Country: "MX", Mode: "land",
				ReturnType: "deported", Sex: "F", Age: &age, Department: "HN-CR", Reasons: []string{"economic", "violence"}}}
		default:
			r.Body = &events.Record_Crossing{Crossing: &events.Crossing{BorderPoint: "L-COR", Direction: "entry", Returned: true, Sex: "M", Age: &age, Nationality: "HN"}}
		}
		value, err := events.Seal(r, 1464760900_000, 0)
		if err != nil {
			b.Fatal(err)
		}
		f := new(events.Fields)
		if !events.Read(value, f) {
			b.Fatalf("not a usual record: %v", r)
		}
		name := kind.String()
		if one {
			name = "facts"
		}
		if all[name] == nil {
			all[name] = newFacts()
		}
		fact := reconcile.FactFrom(f)
		all[name].add(FactRow{Fields: f, Fact: &fact, Origin: ledger.Origin{Topic: events.TopicCentre, Offset: int64(i)}})
	}
	return all
}

// intoItsOwn makes the table of a kind, or of all, without the columns that no such fact fills, and the insert into it.
func intoItsOwn(b *testing.B, s *Store, name string, part *facts) ch.Query {
	b.Helper()
	unused := func(column string) bool {
		a := dictionary.Get(column)
		kind := slices.IndexFunc(dictionary.Kinds(), func(k dictionary.Kind) bool { return k.String() == name })
		return kind >= 0 && (column == "kind" || a != nil && !a.Has(dictionary.Kinds()[kind]))
	}
	var input proto.Input
	for _, c := range part.input {
		if !unused(c.Name) {
			input = append(input, c)
		}
	}
	var names []string
	for _, c := range input {
		names = append(names, c.Name)
	}
	statement := fmt.Sprintf(`CREATE TABLE retorno.trial_%s ENGINE = ReplacingMergeTree(version) PARTITION BY toYear(UUIDv7ToDateTime(record_id, 'UTC'))
		PRIMARY KEY (kafka_partition, person, record_id) ORDER BY (kafka_partition, person, record_id, place)
		SETTINGS min_bytes_for_wide_part = 268435456, merge_selector_base = 10 AS SELECT %s FROM retorno.facts LIMIT 0`, name, strings.Join(names, ", "))
	if err := s.conn.Exec(b.Context(), statement); err != nil {
		b.Fatal(err)
	}
	b.Logf("trial_%s has %d columns and takes %d rows a time", name, len(input), part.rows())
	return Insert("retorno.trial_"+name, []proto.Input{input})
}
