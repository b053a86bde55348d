package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"retorno/deploy/clickhouse"
)

// ReaderUser is the user who can read the database for people and nothing else: role ceniss_reader of
// deploy/clickhouse/roles.sql. Every other role there has a user of its own name.
const ReaderUser = "ceniss"

// readerRole is the role of ReaderUser.
const readerRole = "ceniss_reader"

// adminGrants are the rights of user default: all that stays inside the engine's folder. What would reach files, other
// computers or programs (SOURCES, other TABLE ENGINEs, dictionaries, backups, named collections) and what would end the
// engine (SYSTEM SHUTDOWN) is not among them.
var adminGrants = []string{
	"CHECK, SHOW, SELECT, INSERT, ALTER, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY, MOVE PARTITION BETWEEN SHARDS, dictGet ON *.*",
	"CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, CREATE ARBITRARY TEMPORARY TABLE, CREATE FUNCTION, DROP FUNCTION ON *.*",
	"SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM MOVES, SYSTEM FLUSH, SYSTEM DROP CACHE, SYSTEM VIEWS ON *.*",
}

// everybodyTables are the tables of database system that everybody may read, and that tools for tables and charts ask
// about: what the server is, and of its tables those that one may read. The others tell of everybody's statements.
const everybodyTables = "one numbers databases tables columns settings functions formats build_options contributors data_type_families table_engines " +
	"collations keywords table_functions dictionaries"

// everybodyGrants are the rights of every role beside its own.
func everybodyGrants() []string {
	grants := []string{"SELECT ON information_schema.*", "SELECT ON INFORMATION_SCHEMA.*", "CREATE TEMPORARY TABLE ON *.*"}
	for _, table := range strings.Fields(everybodyTables) {
		grants = append(grants, "SELECT ON system."+table)
	}
	return grants
}

// usersXML is the engine's configuration of users. It has no store for them that can be written, so what people need is
// in its configuration: one user, and roles of which a session is bound to one. User default is no member of a role
// that may do more than default itself.
// Few tries of HTTP: a JDBC driver asks by itself for a bridge to other databases, and no client should wait for it.
func usersXML(o engineOrder, roles []clickhouse.Role) string {
	var b strings.Builder
	b.WriteString("<clickhouse>\n  <profiles>\n    <default><http_max_tries>2</http_max_tries></default>\n")
	for _, r := range roles {
		b.WriteString(profileXML(r))
	}
	b.WriteString("  </profiles>\n  <quotas><default></default></quotas>\n  <roles>\n")
	for _, r := range roles {
		fmt.Fprintf(&b, "    <%s>%s</%s>\n", r.Name, grantsXML(append(r.Grants, everybodyGrants()...)), r.Name)
	}
	admin := adminGrants
	if o.Outside {
		admin = []string{"ALL ON *.* WITH GRANT OPTION"}
	}
	b.WriteString("    <embedded_admin>" + grantsXML(admin) + "</embedded_admin>\n  </roles>\n")
	b.WriteString("  <users><default>\n    <password></password>\n    <networks><ip>::/0</ip></networks>\n    <profile>default</profile>\n    <quota>default</quota>\n    <grants>")
	for _, r := range append(roles, clickhouse.Role{Name: "embedded_admin"}) {
		b.WriteString("<query>GRANT " + r.Name + "</query>")
	}
	b.WriteString("</grants>\n  </default></users>\n</clickhouse>\n")
	return b.String()
}

func grantsXML(grants []string) string {
	var b strings.Builder
	for _, g := range grants {
		b.WriteString("<query>GRANT " + escapeXML(g) + "</query>")
	}
	return "<grants>" + b.String() + "</grants>"
}

// fitting are limits of which those of memory are at most half of what the engine has: roles.sql is written for larger
// machines.
func fitting(limits []clickhouse.Limit, memory uint64) []clickhouse.Limit {
	limits = slices.Clone(limits)
	for i, l := range limits {
		if l.Name == "max_memory_usage" {
			limits[i].Value, limits[i].Max = atMost(l.Value, memory/2), atMost(l.Max, memory/2)
		}
	}
	return limits
}

// profileXML is a role's settings profile, of the role's name.
func profileXML(r clickhouse.Role) string {
	if len(r.Limits) == 0 {
		return ""
	}
	var values, bounds strings.Builder
	for _, l := range r.Limits {
		fmt.Fprintf(&values, "<%s>%s</%s>", l.Name, l.Value, l.Name)
		fmt.Fprintf(&bounds, "<%s>", l.Name)
		if l.Min != "" {
			fmt.Fprintf(&bounds, "<min>%s</min>", l.Min)
		}
		if l.Max != "" {
			fmt.Fprintf(&bounds, "<max>%s</max>", l.Max)
		}
		fmt.Fprintf(&bounds, "</%s>", l.Name)
	}
	return fmt.Sprintf("    <%s>%s<constraints>%s</constraints></%s>\n", r.Name, values.String(), bounds.String(), r.Name)
}

// atMost bounds a number that is written in digits.
func atMost(value string, most uint64) string {
	if n, err := strconv.ParseUint(value, 10, 64); err == nil && n <= most {
		return value
	}
	return strconv.FormatUint(most, 10)
}

// serverSettings keep the engine small: it shares a machine with everything else of a demo. Sizes in bytes.
func serverSettings(o engineOrder) [][2]string {
	return [][2]string{
		{"max_server_memory_usage", fmt.Sprint(o.MemoryLimit)},
		{"ignore_empty_sql_security_in_create_view_query", "0"}, // so that default_normal_view_sql_security counts
		{"mark_cache_size", fmt.Sprint(64 << 20)},
		{"index_mark_cache_size", fmt.Sprint(16 << 20)},
		{"primary_index_cache_size", fmt.Sprint(32 << 20)},
		{"uncompressed_cache_size", "0"},
		{"index_uncompressed_cache_size", "0"},
		{"mmap_cache_size", "100"},
		{"query_condition_cache_size", fmt.Sprint(8 << 20)},
		{"compiled_expression_cache_size", fmt.Sprint(16 << 20)},
		{"background_pool_size", "2"},
		{"background_merges_mutations_concurrency_ratio", "2"},
		{"background_schedule_pool_size", "4"},
		{"background_common_pool_size", "2"},
		{"background_fetches_pool_size", "1"},
		{"background_move_pool_size", "1"},
		{"background_buffer_flush_schedule_pool_size", "1"},
		{"background_message_broker_schedule_pool_size", "1"},
		{"background_distributed_schedule_pool_size", "1"},
		{"max_thread_pool_free_size", "8"},
		{"max_io_thread_pool_free_size", "0"},
		{"tables_loader_foreground_pool_size", "2"},
		{"tables_loader_background_pool_size", "2"},
	}
}

// mergeTreeSettings: a pipeline of many small inserts leaves many merged parts behind; keep them for a minute, not for
// eight, so that they fill neither memory nor disk. Seconds.
const mergeTreeSettings = `  <merge_tree>
    <old_parts_lifetime>60</old_parts_lifetime>
    <cleanup_delay_period>10</cleanup_delay_period>
    <cleanup_delay_period_random_add>2</cleanup_delay_period_random_add>
  </merge_tree>
`

// writeEngineConfig writes the engine's configuration again at each start and returns its path.
func writeEngineConfig(o engineOrder, roles []clickhouse.Role) (string, error) {
	dir := filepath.Join(o.Dir, "config")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrFolderUnusable, o.Dir, err)
	}
	users, config := filepath.Join(dir, "users.xml"), filepath.Join(dir, "config.xml")
	var b strings.Builder
	b.WriteString("<clickhouse>\n")
	fmt.Fprintf(&b, "  <users_config>%s</users_config>\n", escapeXML(users))
	// Without these the engine lays a database over "default" in which every file of the machine is a table.
	b.WriteString("  <default_database></default_database>\n  <database>default</database>\n")
	for _, s := range serverSettings(o) {
		fmt.Fprintf(&b, "  <%s>%s</%s>\n", s[0], s[1], s[0])
	}
	b.WriteString(mergeTreeSettings)
	b.WriteString("</clickhouse>\n")
	for path, text := range map[string]string{users: usersXML(o, roles), config: b.String()} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrFolderUnusable, o.Dir, err)
		}
	}
	return config, nil
}

func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
