package verify

import (
	"fmt"
	"slices"
	"strings"

	"retorno/schemas/codelists"
)

// check compares two ways to the same rows of one Kafka partition: what is stored, and what is recounted.
type check struct {
	name string
	// keys are the columns that name a row, and counts those that add up; without counts a row counts as one.
	keys, counts []string
	// bucket tells rows apart when they are summed: a number of 32 bits, in SQL.
	bucket string
	// stored and recounted select these columns; recounted may select rows that only add up to the ones that are stored.
	stored, recounted func(scope) string
	// inPieces says that what recounted reads is bounded by a stretch of persons.
	inPieces bool
	// narrow limits a scope to some buckets.
	narrow func(scope, []uint32) scope
}

// Names of the checks.
const (
	checkLedger         = "ledger"
	checkFacts          = "facts"
	checkReturns        = "returns"
	checkReturnCounts   = "return_counts"
	checkHelps          = "assistance"
	checkHelpCounts     = "assistance_counts"
	checkCrossingCounts = "crossing_counts"
	checkSources        = "sources"
)

// cellChecks are those of tables of cells.
var cellChecks = []string{checkReturnCounts, checkHelpCounts, checkCrossingCounts}

func checkNames() []string {
	return slices.Concat([]string{checkLedger, checkFacts, checkReturns, checkHelps}, cellChecks, []string{checkSources})
}

var (
	// returnKeys are all columns of retorno.returns but those that say which of several writes holds.
	returnKeys = []string{"return_id", "person", "method_version", "day", "arrival", "route", "country", "mode", "return_type", "entry_point", "exit_point", "centre", "department",
		"municipality", "sex", "age", "age_group", "accompanied", "sorted_reasons", "nationality", "national", "registered", "checkpoint", "kafka_partition"}
	helpKeys       = []string{"record_id", "person", "return_id", "day", "centre", "kind", "sex", "age_group", "kafka_partition"}
	returnCellKeys = []string{"day", "route", "country", "mode", "return_type", "entry_point", "exit_point", "centre", "sex", "age_group", "kafka_partition"}
	helpCellKeys   = []string{"day", "centre", "kind", "sex", "age_group", "kafka_partition"}
	crossingKeys   = []string{"day", "border_point", "direction", "document_check", "kafka_partition"}
)

// byPerson is a check of rows of persons.
func byPerson(c check) check {
	c.bucket, c.inPieces, c.narrow = personBucket, true, scope.narrow
	return c
}

// byDay is a check of cells.
func byDay(c check) check {
	c.bucket = "toUInt32(day)"
	c.narrow = func(s scope, buckets []uint32) scope {
		s.days = nil
		for _, day := range buckets {
			s.days = append(s.days, dayOf(day))
		}
		return s
	}
	return c
}

func returnsCheck() check {
	sorted := func(from string) string { return "SELECT *, arraySort(reasons) AS sorted_reasons FROM (" + from + ")" }
	return byPerson(check{name: checkReturns, keys: returnKeys,
		stored: func(s scope) string {
			return sorted("SELECT * FROM retorno.returns FINAL WHERE " + s.named("return_id"))
		},
		recounted: func(s scope) string {
			return sorted(fmt.Sprintf("SELECT *, first_arrival AS arrival, %s AS route, %s AS age_group, toUInt8(%s) AS national, %d AS method_version FROM (%s)",
				routeSQL, ageGroup("age"), nationalSQL(), methodVersion, recounted(s)))
		},
	})
}

func helpsCheck() check {
	return byPerson(check{name: checkHelps, keys: helpKeys,
		stored:    func(s scope) string { return "SELECT * FROM retorno.assistance FINAL WHERE " + s.named("record_id") },
		recounted: helpsRecounted,
	})
}

// rowChecks are those of rows of persons.
func rowChecks() []check { return []check{returnsCheck(), helpsCheck()} }

// cellCheck is the check of a table of cells.
func cellCheck(name string) check {
	stored := func(s scope) string {
		return fmt.Sprintf("SELECT * FROM retorno.%s FINAL WHERE kafka_partition = %d AND %s", name, s.partition, s.onDays("day"))
	}
	switch name {
	case checkReturnCounts:
		return byDay(check{name: name, keys: returnCellKeys, counts: []string{"registered", "checkpoint", "reconciled"}, stored: stored,
			recounted: func(s scope) string {
				return fmt.Sprintf(`SELECT day, %s AS route, country, mode, return_type,
					entry_point, exit_point, centre, sex, %s AS age_group, kafka_partition, registered, checkpoint, 1 AS reconciled
					FROM retorno.returns FINAL WHERE %s AND kafka_partition = %d AND %s`,
					routeSQL, ageGroup("age"), nationalSQL(), s.partition, s.onDays("day"))
			}})
	case checkHelpCounts:
		return byDay(check{name: name, keys: helpCellKeys, counts: []string{"helps"}, stored: stored,
			recounted: func(s scope) string {
				return fmt.Sprintf("SELECT day, centre, kind, sex, age_group, kafka_partition, 1 AS helps FROM retorno.assistance FINAL WHERE kafka_partition = %d AND %s",
					s.partition, s.onDays("day"))
			}})
	}
	c := byDay(check{name: name, keys: crossingKeys, counts: []string{"crossings"}, stored: stored, recounted: crossings, inPieces: true})
	return c
}

// crossings are the crossings of a scope that count, each in the columns of its cell. Of a scope with days only the facts
// are read of which some revision lies on one of them.
func crossings(s scope) string {
	where := "kind = 'crossing'"
	if len(s.days) > 0 {
		where += " AND " + s.onDays("toDate(event_time)") + fmt.Sprintf(
			" AND (person, record_id) IN (SELECT person, record_id FROM retorno.facts WHERE %s AND kind = 'crossing' AND %s)", s.facts(), s.onDays("toDate(event_time)"))
	}
	return fmt.Sprintf("SELECT toDate(event_time) AS day, %s AS border_point, %s AS direction, %s AS document_check, kafka_partition, 1 AS crossings FROM (%s)",
		orUnknown("border_point", "border_point"), orUnknown("direction", "direction"), orUnknown("document_check", "document_check"),
		holding(s, where, "event_time", "border_point", "direction", "document_check", "kafka_partition"))
}

// helpsRecounted attaches each help to its person's latest return that began before it or with it.
func helpsRecounted(s scope) string {
	s.with = "kind = 'assistance'"
	newest := func(what string) string { return "argMax(" + what + ", toString(return_id))" }
	return fmt.Sprintf(`SELECT h.record_id AS record_id, h.person AS person, r.return_id AS return_id, toDate(h.event_time) AS day, %s AS centre, %s AS kind,
		if(r.there = 1, r.return_sex, '%s') AS sex, if(r.there = 1, r.return_age_group, '%s') AS age_group, h.kafka_partition AS kafka_partition
	FROM (%s) AS h
	ASOF LEFT JOIN
	(
		SELECT person, first_arrival, %s AS return_id, %s AS return_sex, %s AS return_age_group, 1 AS there FROM (%s) GROUP BY person, first_arrival
	) AS r ON h.person = r.person AND h.event_time >= r.first_arrival`,
		orUnknown("h.centre", codelists.Centre), orUnknown("h.assistance_kind", codelists.AssistanceKind), unknownOf(codelists.Sex), unknownOf(codelists.AgeGroup),
		holding(s, "kind = 'assistance'", "person", "record_id", "event_time", "centre", "assistance_kind", "kafka_partition"),
		newest("return_id"), newest("toString(sex)"), newest(ageGroup("age")), recounted(s, "return_id", "person", "first_arrival", "sex", "age"))
}

func orUnknown(expression, list string) string {
	return fmt.Sprintf("if(%[1]s = '', '%[2]s', toString(%[1]s))", expression, unknownOf(list))
}

// columns are all columns of a row, as one text.
func rowText(columns ...[]string) string {
	return "toString(tuple(" + strings.Join(slices.Concat(columns...), ", ") + "))"
}

// rows selects the rows of a side, as text.
func (c check) rows(from string) string {
	if len(c.counts) == 0 {
		return "SELECT " + rowText(c.keys) + " AS row FROM (" + from + ")"
	}
	added := make([]string, len(c.counts))
	for i, count := range c.counts {
		added[i] = "sum(toUInt64(" + count + "))"
	}
	return fmt.Sprintf("SELECT %s AS row FROM (%s) GROUP BY %s", rowText(c.keys, added), from, strings.Join(c.keys, ", "))
}

// weight is a number for each row of a side. Of rows that add up to others the weights add up, too.
func (c check) weight() string {
	if len(c.counts) == 0 {
		return "cityHash64(" + rowText(c.keys) + ")"
	}
	nothing, sum := "1", ""
	for i, count := range c.counts {
		nothing += " AND " + count + " = 0"
		sum += fmt.Sprintf("intHash64(key + %d) * %s + ", i, count)
	}
	return "cityHash64(" + rowText(c.keys) + ") AS key, " + sum + "if(" + nothing + ", key, 0)" // a cell of nothing is one too many
}
