import java.sql.*;
import java.time.*;

/** What a program on a computer of another time zone asks through JDBC: Zones HOST:PORT. One line, name and value, for each way to ask. */
public class Zones {
    static final LocalDate DAY = LocalDate.of(2016, 6, 30);
    static final ZonedDateTime MIDNIGHT = DAY.plusDays(1).atStartOfDay(ZoneId.of("America/Tegucigalpa"));

    interface Parameter {
        void set(PreparedStatement p) throws SQLException;
    }

    public static void main(String[] args) throws Exception {
        try (Connection c = DriverManager.getConnection("jdbc:clickhouse://" + args[0] + "/ceniss", "default", "")) {
            day(c, "Date", p -> p.setDate(1, java.sql.Date.valueOf(DAY)));
            day(c, "LocalDate", p -> p.setObject(1, DAY));
            day(c, "String", p -> p.setString(1, DAY.toString()));
            count(c, "before.Timestamp", "sources WHERE last_seen < ?", p -> p.setTimestamp(1, Timestamp.from(MIDNIGHT.toInstant())));
            count(c, "before.ZonedDateTime", "sources WHERE last_seen < ?", p -> p.setObject(1, MIDNIGHT));
            count(c, "before.String", "sources WHERE last_seen < ?", p -> p.setString(1, "2016-07-01 00:00:00"));
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT day, count() AS n FROM returns GROUP BY day ORDER BY day")) {
                while (r.next()) System.out.println("read." + r.getObject(1, LocalDate.class) + " " + r.getDate(1) + " " + r.getString(1) + " " + r.getLong(2));
            }
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT source, last_seen FROM sources ORDER BY source")) {
                while (r.next()) System.out.println("read." + r.getString(1) + " " + r.getObject(2, OffsetDateTime.class).toInstant() + " " + r.getObject(2, LocalDateTime.class));
            }
        }
    }

    /** The returns of a day, and of the half-year up to it. */
    static void day(Connection c, String name, Parameter parameter) throws SQLException {
        count(c, "on." + name, "returns WHERE day = ?", parameter);
        count(c, "until." + name, "returns WHERE half_year = '2016-S1' AND day <= ?", parameter);
    }

    static void count(Connection c, String name, String what, Parameter parameter) throws SQLException {
        try (PreparedStatement p = c.prepareStatement("SELECT count() FROM " + what)) {
            parameter.set(p);
            try (ResultSet r = p.executeQuery()) {
                r.next();
                System.out.println(name + " " + r.getLong(1));
            }
        }
    }
}
