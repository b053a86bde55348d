package verify

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/schemas/codelists"
)

// A check compares two ways to the same rows: what is stored, and what is recounted. Both are queries with the same
// columns; a row that is on one side only, or more often there, is a difference.
type check struct {
	name              string
	stored, recounted string
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
)

// cellChecks are those of tables of cells.
var cellChecks = []string{checkReturnCounts, checkHelpCounts, checkCrossingCounts}

func checkNames() []string {
	return append([]string{checkLedger, checkFacts, checkReturns, checkHelps}, cellChecks...)
}

// ledgerRuns are the ledger's runs of offsets, each beside where it should have begun and how many it should have read.
const ledgerRuns = `SELECT topic, kafka_partition, log, first_offset, next_offset, read,
	lagInFrame(next_offset, 1, 0) OVER (PARTITION BY topic, kafka_partition, log ORDER BY first_offset, next_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS expected
FROM retorno.accounts`

// ledgerCheck: offsets without gap or overlap, and every offset in an account.
func ledgerCheck() check {
	return check{name: checkLedger,
		stored:    "SELECT topic, kafka_partition, log, first_offset, next_offset, read + control + lost AS offsets, accepted + duplicate + superseded + rejected AS accounted FROM retorno.accounts",
		recounted: "SELECT topic, kafka_partition, log, expected AS first_offset, next_offset, toUInt64(next_offset - expected) AS offsets, read AS accounted FROM (" + ledgerRuns + ")",
	}
}

// returnsOf are returns in the columns that both sides of their check have.
const returnsOf = `SELECT toString(return_id) AS return_id, toString(person) AS person, day, country, mode, return_type, entry_point, exit_point,
	centre, department, municipality, sex, age, accompanied, arraySort(reasons) AS reasons, nationality, registered, checkpoint, kafka_partition`

// personScope restricts a check to persons: conditions that begin with AND, on facts and on rows named after a fact.
type personScope struct{ facts, returns, helps string }

// of names persons. Returns and helps are looked for under the ids of their persons' facts, by which they are sorted.
func of(persons []uuid.UUID) personScope {
	names := make([]string, len(persons))
	for i, p := range persons {
		names[i] = "'" + p.String() + "'"
	}
	in := " AND person IN (SELECT arrayJoin(CAST([" + strings.Join(names, ",") + "], 'Array(UUID)')))"
	ids := " IN (SELECT record_id FROM retorno.facts WHERE 1" + in + ")"
	return personScope{facts: in, returns: in + " AND return_id" + ids, helps: in + " AND record_id" + ids}
}

func returnsCheck(s personScope) check {
	return check{name: checkReturns,
		stored:    returnsOf + " FROM retorno.returns FINAL WHERE 1" + s.returns,
		recounted: returnsOf + " FROM (" + recounted(s.facts) + ")",
	}
}

func helpsCheck(s personScope) check {
	return check{name: checkHelps,
		stored: `SELECT toString(record_id) AS record_id, toString(person) AS person, toString(return_id) AS return_id, day, centre, kind, sex, age_group, kafka_partition
			FROM retorno.assistance FINAL WHERE 1` + s.helps,
		recounted: helpsRecounted(s.facts),
	}
}

// cellCheck restricts the check of a table of cells to days: text such as '2016-06-01','2016-06-02'; all when empty.
func cellCheck(name, days string) check {
	on := func(day string) string {
		if days == "" {
			return ""
		}
		return " AND " + day + " IN (" + days + ")"
	}
	c := check{name: name}
	switch name {
	case checkReturnCounts:
		c.stored = `SELECT day, route, country, mode, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
			registered, checkpoint, reconciled FROM retorno.return_counts FINAL WHERE 1` + on("day")
		c.recounted = fmt.Sprintf(`SELECT day, concat(country, '-', multiIf(mode = 'unknown', 'UNK', upper(mode))) AS route, country, mode,
			return_type, entry_point, exit_point, centre, sex, %s AS age_group, kafka_partition,
			sum(toUInt64(returns.registered)) AS registered, sum(toUInt64(returns.checkpoint)) AS checkpoint, count() AS reconciled
			FROM retorno.returns AS returns FINAL WHERE nationality IN ('HN', '%s')%s GROUP BY ALL`, ageGroup("age"), unknownOf("country"), on("day"))
	case checkHelpCounts:
		c.stored = "SELECT day, centre, kind, sex, age_group, kafka_partition, helps FROM retorno.assistance_counts FINAL WHERE 1" + on("day")
		c.recounted = `SELECT day, centre, kind, sex, age_group, kafka_partition, count() AS helps FROM retorno.assistance FINAL
			WHERE 1` + on("day") + ` GROUP BY ALL`
	case checkCrossingCounts:
		c.stored = "SELECT day, border_point, direction, document_check, kafka_partition, crossings FROM retorno.crossing_counts FINAL WHERE 1" + on("day")
		c.recounted = fmt.Sprintf(`SELECT toDate(event_time) AS day, %s AS border_point, %s AS direction, %s AS document_check, kafka_partition, count() AS crossings
			FROM (%s) AS facts WHERE kind = 'crossing' GROUP BY ALL`,
			orUnknown("border_point", "border_point"), orUnknown("direction", "direction"), orUnknown("document_check", "document_check"),
			holding(on("toDate(event_time)")))
	}
	return c
}

// helpsRecounted attaches each help to its person's latest return that began before it or with it.
func helpsRecounted(persons string) string {
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
		ageGroup("r.age"), holding(persons), recounted(persons))
}

func orUnknown(expression, list string) string {
	return fmt.Sprintf("if(%[1]s = '', '%[2]s', toString(%[1]s))", expression, unknownOf(list))
}

// compare finds every differing row, with how many more of it are stored than recounted, and how many are stored.
func (c check) compare(ctx context.Context, conn driver.Conn) (found finding, err error) {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"prefer_column_name_to_alias": 1, // the queries name what they compute after the column it stands for
		"max_query_size":              1 << 20,
	}))
	if err := conn.QueryRow(ctx, "SELECT count() FROM ("+c.stored+")").Scan(&found.rows); err != nil {
		return found, err
	}
	rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT toString(row), sum(side) AS surplus
		FROM (SELECT tuple(*) AS row, 1 AS side FROM (%s) UNION ALL SELECT tuple(*) AS row, -1 AS side FROM (%s))
		GROUP BY row HAVING surplus != 0`, c.stored, c.recounted))
	if err != nil {
		return found, err
	}
	defer rows.Close()
	found.different = map[string]int64{}
	for rows.Next() {
		var row string
		var surplus int64
		if err := rows.Scan(&row, &surplus); err != nil {
			return found, err
		}
		found.add(row, surplus)
	}
	return found, rows.Err()
}

// look makes a look out of a check.
func (c check) look(conn driver.Conn) look {
	return look{c.name, func(ctx context.Context) (finding, error) { return c.compare(ctx, conn) }}
}
