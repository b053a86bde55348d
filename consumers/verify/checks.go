package verify

import (
	"fmt"

	"retorno/schemas/codelists"
)

// A check compares two ways to the same rows: what is stored, and what is recounted. Both are queries with the same
// columns; a row that is on one side only, or more often there, is a difference.
type check struct {
	name              string
	stored, recounted string
}

// ledgerRuns are the ledger's runs of offsets, each beside where it should have begun and how many it should have read.
const ledgerRuns = `SELECT topic, kafka_partition, first_offset, next_offset, read,
	lagInFrame(next_offset, 1, 0) OVER (PARTITION BY topic, kafka_partition ORDER BY first_offset, next_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS expected
FROM retorno.accounts`

// returnsOf are returns in the columns that both sides of the first check have.
const returnsOf = `SELECT toString(return_id) AS return_id, toString(person) AS person, day, country, mode, return_type, entry_point, exit_point,
	centre, department, municipality, sex, age, accompanied, arraySort(reasons) AS reasons, nationality, registered, checkpoint, kafka_partition`

func checks() []check {
	return []check{
		{
			// Offsets without gap or overlap, and every offset in an account.
			name:      "ledger",
			stored:    "SELECT topic, kafka_partition, first_offset, next_offset, read, accepted + duplicate + superseded + rejected AS accounted FROM retorno.accounts",
			recounted: "SELECT topic, kafka_partition, expected AS first_offset, next_offset, toUInt64(next_offset - expected) AS read, read AS accounted FROM (" + ledgerRuns + ")",
		},
		{
			name:      "returns",
			stored:    returnsOf + " FROM retorno.returns FINAL",
			recounted: returnsOf + " FROM (" + recounted() + ")",
		},
		{
			name: "return_counts",
			stored: `SELECT day, route, country, mode, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
				registered, checkpoint, reconciled FROM retorno.return_counts FINAL`,
			recounted: fmt.Sprintf(`SELECT day, concat(country, '-', multiIf(mode = 'unknown', 'UNK', upper(mode))) AS route, country, mode,
				return_type, entry_point, exit_point, centre, sex, %s AS age_group, kafka_partition,
				sum(toUInt64(returns.registered)) AS registered, sum(toUInt64(returns.checkpoint)) AS checkpoint, count() AS reconciled
				FROM retorno.returns AS returns FINAL WHERE nationality IN ('HN', '%s') GROUP BY ALL`, ageGroup("age"), unknownOf("country")),
		},
		{
			name: "assistance",
			stored: `SELECT toString(record_id) AS record_id, toString(person) AS person, toString(return_id) AS return_id, day, centre, kind, sex, age_group, kafka_partition
				FROM retorno.assistance FINAL`,
			recounted: helpsRecounted(),
		},
		{
			name:   "assistance_counts",
			stored: "SELECT day, centre, kind, sex, age_group, kafka_partition, helps FROM retorno.assistance_counts FINAL",
			recounted: `SELECT day, centre, kind, sex, age_group, kafka_partition, count() AS helps FROM retorno.assistance FINAL
				GROUP BY ALL`,
		},
		{
			name:   "crossing_counts",
			stored: "SELECT day, border_point, direction, document_check, kafka_partition, crossings FROM retorno.crossing_counts FINAL",
			recounted: fmt.Sprintf(`SELECT toDate(event_time) AS day, %s AS border_point, %s AS direction, %s AS document_check, kafka_partition, count() AS crossings
				FROM (%s) AS facts WHERE kind = 'crossing' GROUP BY ALL`,
				orUnknown("border_point", "border_point"), orUnknown("direction", "direction"), orUnknown("document_check", "document_check"), holding),
		},
	}
}

// helpsRecounted attaches each help to its person's latest return that began before it or with it.
func helpsRecounted() string {
	latest := func(what string) string { return "argMaxIf(" + what + ", (began, toString(of_return)), begun)" }
	return fmt.Sprintf(`SELECT toString(record_id) AS record_id, toString(person) AS person, toString(%s) AS return_id,
		toDate(event_time) AS day, %s AS centre, %s AS kind,
		if(max(begun), %s, '%s') AS sex, if(max(begun), %s, '%s') AS age_group, kafka_partition
	FROM
	(
		SELECT h.record_id AS record_id, h.person AS person, h.event_time AS event_time, h.centre AS at, h.assistance_kind AS assistance_kind,
			h.kafka_partition AS kafka_partition, r.return_id AS of_return, r.first_arrival AS began, r.sex AS return_sex,
			%s AS return_age_group, r.there = 1 AND r.first_arrival <= h.event_time AS begun
		FROM (%s AND kind = 'assistance') AS h
		LEFT JOIN (SELECT *, 1 AS there FROM (%s)) AS r ON h.person = r.person
	)
	GROUP BY record_id, person, event_time, at, assistance_kind, kafka_partition`,
		latest("of_return"), orUnknown("at", codelists.Centre), orUnknown("assistance_kind", codelists.AssistanceKind),
		latest("toString(return_sex)"), unknownOf(codelists.Sex), latest("return_age_group"), unknownOf(codelists.AgeGroup),
		ageGroup("r.age"), holding, recounted())
}

func orUnknown(expression, list string) string {
	return fmt.Sprintf("if(%[1]s = '', '%[2]s', toString(%[1]s))", expression, unknownOf(list))
}
