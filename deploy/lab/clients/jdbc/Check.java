import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.*;

/** What BI tools do through JDBC, against the embedded engine: Check HOST:PORT. Throws when anything is not as with a server. */
public class Check {
    static String url;

    public static void main(String[] args) throws Exception {
        url = "jdbc:clickhouse://" + args[0] + "/default";
        try (Connection c = connect(new Properties())) {
            probe(c);
            readAndWrite(c);
            batch(c);
            failures(c);
        }
        compressed();
        cancel();
        System.out.println("ok " + DriverManager.getDriver(url).getMajorVersion() + "." + DriverManager.getDriver(url).getMinorVersion());
    }

    static Connection connect(Properties p) throws SQLException {
        p.putIfAbsent("user", "default");
        p.putIfAbsent("password", "");
        return DriverManager.getConnection(url, p);
    }

    /** The questions with which a tool opens. */
    static void probe(Connection c) throws SQLException {
        DatabaseMetaData m = c.getMetaData();
        same(m.getDatabaseProductName(), "ClickHouse");
        yes(m.getDatabaseProductVersion().matches("\\d+\\.\\d+.*"), m.getDatabaseProductVersion());
        yes(c.isValid(5), "isValid");
        execute(c, "DROP DATABASE IF EXISTS jdbc_check");
        execute(c, "CREATE DATABASE jdbc_check");
        execute(c, "CREATE OR REPLACE TABLE jdbc_check.t (a Int32, b Nullable(String) COMMENT 'a text') ENGINE = MergeTree ORDER BY a");
        execute(c, "CREATE OR REPLACE VIEW jdbc_check.v AS SELECT a FROM jdbc_check.t");
        try (ResultSet r = m.getTables(null, null, "%", null)) {
            Set<String> names = new TreeSet<>();
            while (r.next()) if (ours(r)) names.add(r.getString("TABLE_NAME"));
            same(names.toString(), "[t, v]");
        }
        try (ResultSet r = m.getColumns(null, null, "t", "%")) {
            Map<String, String> remarks = new TreeMap<>();
            while (r.next()) if (ours(r)) remarks.put(r.getString("COLUMN_NAME"), r.getString("REMARKS"));
            same(remarks.keySet().toString(), "[a, b]");
            same(remarks.get("b"), "a text");
        }
        Set<String> databases = new TreeSet<>();
        try (ResultSet r = m.getSchemas()) { while (r.next()) databases.add(r.getString(1)); }
        try (ResultSet r = m.getCatalogs()) { while (r.next()) databases.add(r.getString(1)); }
        yes(databases.contains("jdbc_check") && databases.contains("system"), databases);
        try (ResultSet r = m.getTypeInfo()) { yes(r.next(), "type info"); }
        try (ResultSet r = m.getTableTypes()) { yes(r.next(), "table types"); }
        try (ResultSet r = m.getFunctions(null, null, "sum")) { yes(r.next(), "functions"); }
        for (String sql : List.of("SELECT version(), timezone(), currentDatabase(), currentUser()", "SELECT name, value FROM system.settings LIMIT 3",
                "SELECT name FROM system.functions WHERE is_aggregate LIMIT 3", "SELECT table_name FROM information_schema.tables LIMIT 3",
                "SELECT column_name, data_type FROM INFORMATION_SCHEMA.COLUMNS LIMIT 3", "SHOW DATABASES", "SELECT * FROM system.data_type_families LIMIT 3",
                "SELECT * FROM system.build_options LIMIT 1", "DESCRIBE TABLE jdbc_check.t", "EXPLAIN SELECT 1"))
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) { yes(r.next(), sql); }
    }

    /** One generation of the driver calls a database a catalog, the other a schema. */
    static boolean ours(ResultSet r) throws SQLException {
        return "jdbc_check".equals(r.getString("TABLE_SCHEM")) || "jdbc_check".equals(r.getString("TABLE_CAT"));
    }

    static void readAndWrite(Connection c) throws SQLException {
        execute(c, "CREATE OR REPLACE TABLE jdbc_check.types (i Int8, u UInt64, f Float64, s String, d Date, dt DateTime('UTC'), d64 DateTime64(3, 'UTC'), "
            + "dec Decimal(18, 4), id UUID, n Nullable(Int32), lc LowCardinality(String), a Array(String), e Enum8('entry' = 1, 'exit' = 2), b Bool) ENGINE = MergeTree ORDER BY i");
        execute(c, "INSERT INTO jdbc_check.types VALUES (-1, 18446744073709551615, 1.5, 'Choluteca ñ', '2016-06-30', '2016-06-30 23:30:00', '2016-06-30 23:30:00.123', "
            + "63.0001, '00000000-0000-0000-0000-000000000007', NULL, 'MX-LAND', ['x', 'y'], 'exit', true)");
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT * FROM jdbc_check.types")) {
            ResultSetMetaData m = r.getMetaData();
            same(m.getColumnCount(), 14);
            same(m.getColumnName(2), "u");
            yes(r.next(), "a row");
            same(r.getInt("i"), -1);
            same(r.getBigDecimal("u").toPlainString(), "18446744073709551615");
            same(r.getDouble("f"), 1.5);
            same(r.getString("s"), "Choluteca ñ");
            same(r.getObject("d", LocalDate.class), LocalDate.of(2016, 6, 30));
            same(r.getObject("dt", LocalDateTime.class), LocalDateTime.of(2016, 6, 30, 23, 30));
            same(r.getBigDecimal("dec").compareTo(new BigDecimal("63.0001")), 0);
            same(r.getString("id"), "00000000-0000-0000-0000-000000000007");
            r.getInt("n");
            yes(r.wasNull(), "null");
            same(r.getString("lc"), "MX-LAND");
            same(r.getString("e"), "exit");
            yes(r.getBoolean("b"), "bool");
            yes(!r.next(), "one row");
        }
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT * FROM jdbc_check.types WHERE i = 100")) {
            same(r.getMetaData().getColumnCount(), 14);
            yes(!r.next(), "no row");
        }
        try (PreparedStatement p = c.prepareStatement("SELECT number, ? AS t FROM numbers(100000) WHERE number >= ?")) {
            p.setString(1, "it's\\");
            p.setLong(2, 5);
            try (ResultSet r = p.executeQuery()) {
                int n = 0;
                while (r.next()) { n++; same(r.getString(2), "it's\\"); }
                same(n, 99995);
            }
        }
    }

    static void batch(Connection c) throws SQLException {
        try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_check.t (a, b) VALUES (?, ?)")) {
            for (int i = 0; i < 1000; i++) {
                p.setInt(1, i);
                if (i % 2 == 0) p.setNull(2, Types.VARCHAR); else p.setString(2, "row " + i);
                p.addBatch();
            }
            p.executeBatch();
        }
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT count(), countIf(b IS NULL) FROM jdbc_check.t")) {
            yes(r.next(), "counts");
            same(r.getLong(1), 1000L);
            same(r.getLong(2), 500L);
        }
    }

    static void failures(Connection c) {
        Map<String, Integer> wrong = new LinkedHashMap<>();
        wrong.put("SELECT * FROM nosuch", 60);
        wrong.put("SELECT nosuch", 47);
        wrong.put("SELECT throwIf(number = 3) FROM numbers(10)", 395);
        wrong.forEach((sql, code) -> {
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
                throw new IllegalStateException("no error: " + sql);
            } catch (SQLException e) {
                yes(e.getErrorCode() == code || e.getMessage().contains("Code: " + code), sql + ": " + e);
            }
        });
        Properties p = new Properties();
        p.setProperty("password", "wrong");
        try (Connection d = connect(p); Statement s = d.createStatement(); ResultSet r = s.executeQuery("SELECT 1")) {
            throw new IllegalStateException("a wrong password was taken");
        } catch (SQLException e) {
            yes(e.getErrorCode() == 516 || String.valueOf(e.getMessage()).contains("516") || String.valueOf(e.getCause()).contains("516"), e);
        }
    }

    static void compressed() throws SQLException {
        for (String option : List.of("compress=1", "compress=0", "decompress=1")) {
            String[] o = option.split("=");
            Properties p = new Properties();
            p.setProperty(o[0], o[1]);
            try (Connection c = connect(p)) {
                execute(c, "CREATE OR REPLACE TABLE jdbc_check.z (n UInt64) ENGINE = MergeTree ORDER BY n");
                execute(c, "INSERT INTO jdbc_check.z SELECT number FROM numbers(200000)");
                try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT n FROM jdbc_check.z")) {
                    long sum = 0;
                    while (r.next()) sum += r.getLong(1);
                    same(sum, 19999900000L);
                }
            }
        }
    }

    /** A tool's cancel button, and a statement's own time limit. */
    static void cancel() throws Exception {
        try (Connection c = connect(new Properties()); Statement s = c.createStatement()) {
            Thread button = new Thread(() -> {
                try {
                    Thread.sleep(1000);
                    s.cancel();
                } catch (SQLException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            button.start();
            long started = System.nanoTime();
            try (ResultSet r = s.executeQuery("SELECT sum(cityHash64(number)) FROM numbers(1000000000000) SETTINGS max_execution_time = 60")) {
                yes(!r.next() || true, "ended");
            } catch (SQLException e) {
                // the expected way to end
            }
            yes(System.nanoTime() - started < 30_000_000_000L, "the statement was not cancelled");
            button.join(); // cancelling is a request of its own, which ends after the statement it cancels
        }
    }

    static void execute(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement()) { s.execute(sql); }
    }

    static void same(Object got, Object want) {
        if (!got.equals(want)) throw new IllegalStateException("got " + got + ", want " + want);
    }

    static void yes(boolean ok, Object what) {
        if (!ok) throw new IllegalStateException(String.valueOf(what));
    }
}
