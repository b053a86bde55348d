package bench

import (
	"context"
	"fmt"
	"strings"

	"retorno/schemas/codelists"
)

// A column of the flat form of an event: its names are those of events.proto, joined by underscores, which ClickHouse
// takes for the path into a Protobuf message.
type column struct{ name, kind string }

// identity are columns that a store of facts needs and the cubes do not.
var identity = []column{
	{"sent_at_ms", "Int64"}, {"clock_offset_ms", "Int64"}, {"record_record_id", "UUID"}, {"record_revision", "UInt32"},
	{"record_void_reason", "LowCardinality(String)"}, {"record_source_id", "LowCardinality(String)"}, {"record_source_seq", "UInt64"},
	{"record_person_key", "String"}, {"record_recorded_time_ms", "Int64"},
	{"record_crossing_category", "LowCardinality(String)"}, {"record_crossing_nationality", "LowCardinality(String)"},
	{"record_registration_programme", "LowCardinality(String)"}, {"record_registration_nationality", "LowCardinality(String)"},
	{"record_registration_department", "LowCardinality(String)"}, {"record_registration_municipality", "LowCardinality(String)"},
	{"record_registration_destination_department", "LowCardinality(String)"}, {"record_registration_destination_municipality", "LowCardinality(String)"},
	{"record_registration_accompanied", "LowCardinality(String)"}, {"record_registration_travel_company", "LowCardinality(String)"},
	{"record_registration_reasons", "Array(String)"}, {"record_registration_intended_country", "LowCardinality(String)"},
	{"record_registration_displaced_by_violence", "LowCardinality(String)"}, {"record_registration_intends_to_migrate_again", "LowCardinality(String)"},
	{"record_registration_education", "LowCardinality(String)"}, {"record_registration_occupation", "LowCardinality(String)"},
	{"record_assistance_registration_id", "String"},
}

// counted are the columns that the cubes need.
var counted = []column{
	{"record_event_time_ms", "Int64"},
	{"record_crossing_direction", "LowCardinality(String)"}, {"record_crossing_border_point", "LowCardinality(String)"},
	{"record_crossing_returned", "Bool"}, {"record_crossing_document_check", "LowCardinality(String)"},
	{"record_crossing_sex", "LowCardinality(String)"}, {"record_crossing_age", "Nullable(UInt8)"},
	{"record_crossing_country", "LowCardinality(String)"}, {"record_crossing_mode", "LowCardinality(String)"},
	{"record_crossing_return_type", "LowCardinality(String)"},
	{"record_registration_centre", "LowCardinality(String)"}, {"record_registration_arrival_time_ms", "Int64"},
	{"record_registration_entry_point", "LowCardinality(String)"}, {"record_registration_exit_point", "LowCardinality(String)"},
	{"record_registration_country", "LowCardinality(String)"}, {"record_registration_mode", "LowCardinality(String)"},
	{"record_registration_return_type", "LowCardinality(String)"}, {"record_registration_sex", "LowCardinality(String)"},
	{"record_registration_age", "Nullable(UInt8)"},
	{"record_assistance_centre", "LowCardinality(String)"}, {"record_assistance_kind", "LowCardinality(String)"},
}

func declared(columns []column) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c.name + " " + c.kind
	}
	return strings.Join(all, ", ")
}

// asOurs lets a table be merged as seldom as those of the pipeline.
const asOurs = " SETTINGS merge_selector_base = 10"

// newCubes makes a database again with the cubes of the pipeline, of numbers that add up instead of replacing.
func (m *machine) newCubes(ctx context.Context, database string) error {
	code := func(names ...string) string {
		return strings.Join(names, " LowCardinality(String), ") + " LowCardinality(String)"
	}
	return m.exec(ctx,
		"DROP DATABASE IF EXISTS "+database+" SYNC", "CREATE DATABASE "+database,
		"CREATE TABLE "+database+".return_counts (day Date, "+code("route", "return_type", "entry_point", "exit_point", "centre", "sex", "age_group", "country", "mode")+
			", registered UInt64, checkpoint UInt64) ENGINE = SummingMergeTree((registered, checkpoint)) PARTITION BY toYear(day) ORDER BY (day, route, return_type, entry_point, exit_point, centre, sex, age_group)"+asOurs,
		"CREATE TABLE "+database+".assistance_counts (day Date, "+code("centre", "kind", "sex", "age_group")+
			", helps UInt64) ENGINE = SummingMergeTree(helps) PARTITION BY toYear(day) ORDER BY (day, centre, kind, sex, age_group)"+asOurs,
		"CREATE TABLE "+database+".crossing_counts (day Date, "+code("border_point", "direction", "document_check")+
			", crossings UInt64) ENGINE = SummingMergeTree(crossings) PARTITION BY toYear(day) ORDER BY (day, border_point, direction, document_check)"+asOurs)
}

// views are the materialized views from a table of flat events into the cubes. Each adds up a block before it is
// inserted, which is faster than inserting every event.
func views(database, from string) []string {
	day := func(ms string) string { return "toDate(fromUnixTimestamp64Milli(" + ms + ", 'America/Tegucigalpa'))" }
	crossing, registration := "record_crossing_direction != ''", "record_registration_centre != ''"
	either := func(name string) string {
		return fmt.Sprintf("if(%s, record_crossing_%s, record_registration_%s)", crossing, name, name)
	}
	unknown := func(expression, code string) string {
		return fmt.Sprintf("if(%[1]s = '', '%[2]s', %[1]s)", expression, code)
	}
	view := func(cube, columns, where string) string {
		return fmt.Sprintf("CREATE MATERIALIZED VIEW %[1]s.to_%[2]s TO %[1]s.%[2]s AS SELECT %[3]s FROM %[1]s.%[4]s WHERE %[5]s GROUP BY ALL", database, cube, columns, from, where)
	}
	return []string{
		view("crossing_counts", day("record_event_time_ms")+" AS day, record_crossing_border_point AS border_point, record_crossing_direction AS direction, "+
			unknown("record_crossing_document_check", "unknown")+" AS document_check, count() AS crossings", crossing),
		view("return_counts", day("if(record_registration_arrival_time_ms != 0, record_registration_arrival_time_ms, record_event_time_ms)")+" AS day, "+
			unknown(either("country"), "XX")+" AS country, "+unknown(either("mode"), "unknown")+" AS mode, "+
			"concat(country, '-', multiIf(mode = 'unknown', 'UNK', upper(mode))) AS route, "+unknown(either("return_type"), "unknown")+" AS return_type, "+
			fmt.Sprintf("if(%s, record_crossing_border_point, %s) AS entry_point, ", crossing, unknown("record_registration_entry_point", "X-UNK"))+
			unknown("record_registration_exit_point", "X-UNK")+" AS exit_point, "+unknown("record_registration_centre", "X-NON")+" AS centre, "+
			unknown(either("sex"), "U")+" AS sex, "+ageGroup(either("age"))+" AS age_group, "+
			fmt.Sprintf("countIf(%s) AS registered, countIf(%s) AS checkpoint", registration, crossing),
			fmt.Sprintf("%s OR record_crossing_returned", registration)),
		view("assistance_counts", day("record_event_time_ms")+" AS day, record_assistance_centre AS centre, record_assistance_kind AS kind, 'U' AS sex, 'unknown' AS age_group, count() AS helps",
			"record_assistance_kind != ''"),
	}
}

// ageGroup is the age group of a nullable age, from the bounds in the code list.
func ageGroup(age string) string {
	l, _ := codelists.Get(codelists.AgeGroup)
	var cases []string
	for _, c := range l.Codes() {
		if c.Attrs["min"] != "" {
			cases = append(cases, fmt.Sprintf("age >= %s, '%s'", c.Attrs["min"], c.Code))
		}
	}
	for i, j := 0, len(cases)-1; i < j; i, j = i+1, j-1 {
		cases[i], cases[j] = cases[j], cases[i] // the highest bound first
	}
	return fmt.Sprintf("multiIf(isNull(%[1]s AS age), '%[2]s', %[3]s, '%[2]s')", age, l.Unknown, strings.Join(cases, ", "))
}

// countedIn is how many events are in the cubes of a database: every event is a crossing, a registration or help.
func countedIn(database string) string {
	return fmt.Sprintf("(SELECT sum(crossings) FROM %[1]s.crossing_counts) + (SELECT sum(registered) FROM %[1]s.return_counts) + (SELECT sum(helps) FROM %[1]s.assistance_counts)", database)
}
