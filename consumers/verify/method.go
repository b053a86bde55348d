package verify

import (
	"fmt"
	"strings"

	"retorno/consumers/reconcile"
	"retorno/schemas/codelists"
)

// The method, version 1, said a second time: in SQL, with window functions, over the facts. It shares nothing with
// package reconcile but the code lists' names of what is unknown.

// holding are the facts that count, of the persons of the scope, with the order in which the method takes them.
func holding(persons string) string {
	return `SELECT person, record_id, kind, direction, returned, arrival, event_time, kafka_partition,
	border_point, document_check, entry_point, exit_point, centre, country, mode, return_type, sex, age, nationality,
	department, municipality, accompanied, reasons, assistance_kind, (arrival, toString(record_id)) AS place
FROM retorno.latest_facts
WHERE void_reason = '' AND future = 0` + persons
}

// recounted are the returns that the facts come to: one row each, in the columns of returnColumns.
func recounted(persons string) string {
	return fmt.Sprintf(`SELECT %s
FROM
(
	SELECT *, sum(opens) OVER (PARTITION BY person ORDER BY place ROWS UNBOUNDED PRECEDING) AS number
	FROM
	(
		SELECT *,
			kind = 'crossing' AND direction = 'exit' AS leaves,
			count() OVER before AS earlier,
			lagInFrame(leaves) OVER before AS left_before,
			lagInFrame(arrival) OVER before AS arrival_before,
			NOT leaves AND (earlier = 1 OR left_before OR dateDiff('millisecond', arrival_before, arrival) > %d) AS opens
		FROM (%s)
		WHERE kind = 'registration' OR (kind = 'crossing' AND (returned = 1 OR direction = 'exit'))
		WINDOW before AS (PARTITION BY person ORDER BY place ROWS UNBOUNDED PRECEDING)
	)
)
WHERE NOT leaves
GROUP BY person, number, kafka_partition`, strings.Join(returnColumns(), ",\n\t"), reconcile.SameReturnGap.Milliseconds(), holding(persons))
}

const someReason = "arrayExists(r -> r != 'unknown', reasons)"

// returnColumns are expressions over the facts of one return, named as the columns of retorno.returns.
func returnColumns() []string {
	columns := []string{
		"argMin(record_id, place) AS return_id", "person",
		"toDate(if(countIf(kind = 'crossing') > 0, minIf(arrival, kind = 'crossing'), min(arrival))) AS day",
		"min(arrival) AS first_arrival",
		first("entry_point", codelists.BorderPoint, "if(kind = 'crossing', border_point, entry_point)", "kind = 'registration'"),
		first("exit_point", codelists.BorderPoint, "exit_point", "0"),
		"if(countIf(kind = 'registration') = 0, 'X-NON', " + value(codelists.Centre, "centre", "0") + ") AS centre",
		first("department", codelists.Department, "department", "0"),
		first("municipality", codelists.Municipality, "municipality", "0"),
		first("accompanied", codelists.Accompaniment, "accompanied", "0"),
		"if(countIf(age IS NOT NULL) = 0, NULL, argMinIf(assumeNotNull(age), (kind = 'crossing', place), age IS NOT NULL)) AS age",
		"if(countIf(" + someReason + ") = 0, ['unknown'], arraySort(argMinIf(arrayFilter(r -> r != 'unknown', reasons), place, " + someReason + "))) AS reasons",
		"toUInt8(countIf(kind = 'registration') > 0) AS registered", "toUInt8(countIf(kind = 'crossing') > 0) AS checkpoint",
		"kafka_partition",
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
	return fmt.Sprintf("if(countIf(%[1]s) = 0, '%[2]s', argMinIf(toString(%[3]s), (%[4]s, place), %[1]s))", stated, unknown, expression, last)
}

func unknownOf(list string) string {
	l, ok := codelists.Get(list)
	if !ok {
		panic("verify: no code list " + list)
	}
	return l.Unknown
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
