package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The engine cannot create users: it has no store for them that can be written. So the one role and user that people
// need are in its configuration.
const (
	// ReaderUser is the user who can read the published database and nothing else; his password is EngineConfig.Password.
	ReaderUser = "ceniss"
	// ReaderRole is that user's role.
	ReaderRole = "ceniss_reader"
)

// engineUsers: user default acts with all its roles' rights; a session of ReaderUser with those of ReaderRole alone.
// Few tries of HTTP: a JDBC driver asks by itself for a bridge to other databases, and nobody must wait for it.
// A session makes views that read their tables with their creator's rights, so that the reader needs none on them.
const engineUsers = `<clickhouse>
  <profiles><default><http_max_tries>2</http_max_tries></default></profiles>
  <quotas><default></default></quotas>
  <roles>
    <embedded_admin><grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></embedded_admin>
    <ceniss_reader><grants>
      <query>GRANT SELECT, SHOW ON ceniss.*</query>
      <query>GRANT SELECT ON system.one</query><query>GRANT SELECT ON system.numbers</query>
      <query>GRANT SELECT ON system.databases</query><query>GRANT SELECT ON system.tables</query><query>GRANT SELECT ON system.columns</query>
      <query>GRANT SELECT ON system.settings</query><query>GRANT SELECT ON system.functions</query><query>GRANT SELECT ON system.formats</query>
      <query>GRANT SELECT ON system.build_options</query><query>GRANT SELECT ON system.contributors</query><query>GRANT SELECT ON system.data_type_families</query>
      <query>GRANT SELECT ON system.table_engines</query><query>GRANT SELECT ON system.collations</query><query>GRANT SELECT ON system.keywords</query>
      <query>GRANT SELECT ON system.table_functions</query><query>GRANT SELECT ON system.dictionaries</query>
      <query>GRANT SELECT ON information_schema.*</query><query>GRANT SELECT ON INFORMATION_SCHEMA.*</query>
      <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
    </grants></ceniss_reader>
  </roles>
  <users><default>
    <password></password>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants><query>GRANT embedded_admin</query><query>GRANT ceniss_reader</query></grants>
  </default></users>
</clickhouse>
`

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

// writeEngineConfig writes the engine's configuration anew at each start and returns its path.
func writeEngineConfig(o engineOrder) (string, error) {
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
	for path, text := range map[string]string{users: engineUsers, config: b.String()} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrFolderUnusable, o.Dir, err)
		}
	}
	return config, nil
}

func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
