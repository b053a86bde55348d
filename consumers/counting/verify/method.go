package verify

import (
	"fmt"
	"slices"
	"strings"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/codelists"
)

// The method, version 1, said a second time: in SQL, with window functions, over the facts. It shares nothing with
// package reconcile but the code lists' names of what is unknown.

// holding selects columns of the facts of a scope that count, each in its latest revision: the largest version holds.
func holding(s scope, where string, columns ...string) string {
	return fmt.Sprintf(`SELECT %[1]s FROM retorno.facts
	WHERE %[2]s AND %[3]s AND void_reason = '' AND future = 0
		AND (person, record_id, version) IN (SELECT person, record_id, max(version) FROM retorno.facts WHERE %[2]s GROUP BY person, record_id)
	LIMIT 1 BY person, record_id`, strings.Join(columns, ", "), s.facts(), where)
}

// numbered are the facts of which returns are made, each with its turn among its person's and the number of the return
// that it belongs to. Rows of this query are narrow: ClickHouse keeps all of one person's at once.
func numbered(s scope) string {
	return fmt.Sprintf(`SELECT person, record_id, version, turn, number
FROM
(
	SELECT *, sum(opens) OVER (PARTITION BY person ORDER BY turn ROWS UNBOUNDED PRECEDING) AS number
	FROM
	(
		SELECT person, record_id, version, leaves, row_number() OVER (PARTITION BY person ORDER BY arrival, bytes) AS turn,
			NOT leaves AND (turn = 1 OR lagInFrame(leaves) OVER before OR dateDiff('millisecond', lagInFrame(arrival) OVER before, arrival) > %d) AS opens
		FROM
		(
			SELECT person, record_id, UUIDToNum(record_id) AS bytes, max(facts.version) AS version, argMax(arrival, version) AS arrival,
				argMax(kind = 'crossing' AND direction = 'exit', version) AS leaves,
				argMax(void_reason = '' AND future = 0 AND (kind = 'registration' OR kind = 'crossing' AND (returned = 1 OR direction = 'exit')), version) AS counts
			FROM retorno.facts AS facts WHERE %s
			GROUP BY person, record_id
		)
		WHERE counts
		WINDOW before AS (PARTITION BY person ORDER BY arrival, bytes ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
	)
)
WHERE NOT leaves`, reconcile.SameReturnGap.Milliseconds(), s.facts())
}

// recounted are the returns that the facts of a scope come to: one row each, in the columns named of returnColumns; none
// named: all. ClickHouse needs longer to plan all of them than to compute them for a few persons.
func recounted(s scope, names ...string) string {
	columns := slices.DeleteFunc(returnColumns(s.partition), func(column string) bool {
		return len(names) > 0 && !slices.Contains(names, column[strings.LastIndex(column, " ")+1:])
	})
	return fmt.Sprintf(`SELECT %s
FROM (SELECT * FROM retorno.facts WHERE %s) AS facts
INNER JOIN (%s) AS numbered ON facts.person = numbered.person AND facts.record_id = numbered.record_id AND facts.version = numbered.version
GROUP BY facts.person, number`, strings.Join(columns, ",\n\t"), s.facts(), numbered(s))
}

const someReason = "arrayExists(r -> r != 'unknown', reasons)"

// returnColumns are expressions over the facts of one return, named as the columns of retorno.returns. A fact that is
// stored twice changes none of them.
func returnColumns(partition uint16) []string {
	columns := []string{
		"argMin(facts.record_id, turn) AS return_id", "facts.person AS person",
		"toDate(if(countIf(kind = 'crossing') > 0, minIf(arrival, kind = 'crossing'), min(arrival))) AS day",
		"min(arrival) AS first_arrival",
		first("entry_point", codelists.BorderPoint, "if(kind = 'crossing', border_point, entry_point)", "kind = 'registration'"),
		first("exit_point", codelists.BorderPoint, "exit_point", "0"),
		"if(countIf(kind = 'registration') = 0, 'X-NON', " + value(codelists.Centre, "centre", "0") + ") AS centre",
		first("department", codelists.Department, "department", "0"),
		first("municipality", codelists.Municipality, "municipality", "0"),
		first("accompanied", codelists.Accompaniment, "accompanied", "0"),
		"if(countIf(age IS NOT NULL) = 0, NULL, argMinIf(assumeNotNull(age), " + turnOf("kind = 'crossing'") + ", age IS NOT NULL)) AS age",
		"if(countIf(" + someReason + ") = 0, ['unknown'], arraySort(argMinIf(arrayFilter(r -> r != 'unknown', reasons), turn, " + someReason + "))) AS reasons",
		"toUInt8(countIf(kind = 'registration') > 0) AS registered", "toUInt8(countIf(kind = 'crossing') > 0) AS checkpoint",
		fmt.Sprintf("toUInt16(%d) AS kafka_partition", partition),
	}
	for column, list := range map[string]string{"country": codelists.Country, "mode": codelists.Mode, "return_type": codelists.ReturnType,
		"sex": codelists.Sex, "nationality": codelists.Country} {
		columns = append(columns, first(column, list, column, "kind = 'crossing'"))
	}
	return columns
}

// first is the value of the earliest fact that states it, those for which last is false before the others.
func first(column, list, expression, last string) string {
	return value(list, expression, last) + " AS " + column
}

func value(list, expression, last string) string {
	unknown := unknownOf(list)
	stated := fmt.Sprintf("(%s) NOT IN ('', '%s')", expression, unknown)
	earliest := fmt.Sprintf("argMinIf(%s, %s, %s)", expression, turnOf(last), stated)
	return fmt.Sprintf("ifNull(nullIf(toString(%s), ''), '%s')", earliest, unknown)
}

// turnOf orders facts by their turn, those for which last is true after the others.
func turnOf(last string) string { return "turn + bitShiftLeft(toUInt64(" + last + "), 48)" }

func unknownOf(list string) string {
	l, ok := codelists.Get(list)
	if !ok {
		panic("verify: no code list " + list)
	}
	return l.Unknown
}

// methodVersion is the version of the method that is said here.
const methodVersion = 1

// routeSQL is the route of a return: country of return and mode.
const routeSQL = "concat(country, '-', multiIf(mode = 'unknown', 'UNK', upper(mode)))"

// nationalSQL is the condition that a return is of a Honduran national, or of a person whose nationality is not stated.
func nationalSQL() string {
	return fmt.Sprintf("nationality IN ('HN', '%s')", unknownOf(codelists.Country))
}

// ageGroup is the age group of a nullable age, from the bounds in the code list.
func ageGroup(age string) string {
	l, _ := codelists.Get(codelists.AgeGroup)
	var cases []string
	for _, c := range l.Codes() {
		if c.Attrs["min"] == "" {
			continue
		}
		high := c.Attrs["max"]
		if high == "" {
			high = fmt.Sprint(codelists.MaxAge)
		}
		cases = append(cases, fmt.Sprintf("%s BETWEEN %s AND %s, '%s'", age, c.Attrs["min"], high, c.Code))
	}
	return fmt.Sprintf("multiIf(isNull(%s), '%s', %s, '%s')", age, l.Unknown, strings.Join(cases, ", "), l.Unknown)
}
