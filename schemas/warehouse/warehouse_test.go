package warehouse

import (
	"regexp"
	"strings"
	"testing"
)

func allStatements(t *testing.T) []string {
	t.Helper()
	migrations, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	views, err := Views()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i, m := range migrations {
		if m.Number != i+1 || m.Checksum == "" || len(m.Statements) == 0 {
			t.Errorf("migration %+v", m)
		}
		all = append(all, m.Statements...)
	}
	return append(all, views...)
}

var (
	declared = regexp.MustCompile(`(?m)^\s+([a-z_]+)\s+(?:UUID|U?Int\d+|Float64|String|Date|DateTime\S*|Nullable\(\w+\)|Array\(\S+\)|LowCardinality\(String\))\S*(.*)$`)
	comment  = regexp.MustCompile(`COMMENT '([^']*)'`)
)

// TestEveryColumnSpeaksSpanishAndEnglish holds for every table and view that people can describe.
func TestEveryColumnSpeaksSpanishAndEnglish(t *testing.T) {
	columns := 0
	for _, statement := range allStatements(t) {
		if !strings.Contains(statement, "CREATE TABLE") && !strings.Contains(statement, "VIEW") {
			continue
		}
		for _, line := range declared.FindAllStringSubmatch(statement, -1) {
			columns++
			text := comment.FindStringSubmatch(line[0])
			if text == nil || strings.Count(text[1], " / ") != 1 {
				t.Errorf("column %s has no comment in both languages: %s", line[1], line[0])
			}
		}
		all := comment.FindAllStringSubmatch(statement, -1)
		if last := all[len(all)-1][1]; !strings.Contains(last, " / ") || !strings.HasSuffix(statement, "COMMENT '"+last+"'") {
			t.Errorf("no comment on the whole: %.80s", statement)
		}
	}
	if columns < 200 {
		t.Errorf("only %d columns were seen; the pattern of this test misses some", columns)
	}
}

// TestPartitionsFollowFromKeys: ClickHouse replaces rows inside a partition only, so every partition key must be a
// function of the sorting key.
func TestPartitionsFollowFromKeys(t *testing.T) {
	partition, order := regexp.MustCompile(`(?m)^PARTITION BY (.*)$`), regexp.MustCompile(`(?m)^ORDER BY \(?(.*?)\)?$`)
	argument := regexp.MustCompile(`\(([a-z_]+)[,)]`)
	seen := 0
	for _, statement := range allStatements(t) {
		by := partition.FindStringSubmatch(statement)
		if by == nil {
			continue
		}
		seen++
		column := argument.FindStringSubmatch(by[1])[1]
		if keys := ", " + order.FindStringSubmatch(statement)[1] + ","; !strings.Contains(keys, " "+column+",") {
			t.Errorf("partitioned by %s, which is not in the key%s", column, keys)
		}
	}
	if seen < 6 {
		t.Errorf("only %d partitioned tables were seen", seen)
	}
}

// TestStatementsAreCutWhole: a semicolon inside a text must not cut a statement in two.
func TestStatementsAreCutWhole(t *testing.T) {
	for _, statement := range allStatements(t) {
		if !regexp.MustCompile(`^(CREATE|DROP|INSERT|ALTER TABLE) `).MatchString(statement) || strings.Count(statement, "(") != strings.Count(statement, ")") {
			t.Errorf("not a whole statement: %.100s", statement)
		}
	}
}

// TestTheSchemaLogsInNowhere: a dictionary, a remote table or an engine that reads elsewhere logs in as some user, which a
// server need not have, and whose password would stand in the schema.
func TestTheSchemaLogsInNowhere(t *testing.T) {
	login := regexp.MustCompile(`(?i)\b(CREATE (OR REPLACE )?DICTIONARY|SOURCE\s*\(|remote\s*\(|PASSWORD|dictGet\w*|ENGINE = (Distributed|MySQL|PostgreSQL|URL|S3))`)
	for _, statement := range allStatements(t) {
		if found := login.FindString(statement); found != "" {
			t.Errorf("%q in %.100s", found, statement)
		}
	}
}
