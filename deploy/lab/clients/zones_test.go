package clients_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retorno/deploy/lab/clients"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/enginetest"
	"retorno/schemas/calendar"
)

// zones are those of servers and of the computers that ask them, the first that of Honduras.
var zones = []string{calendar.ZoneName, "UTC", "Asia/Tokyo"}

// arrivals are moments on the clocks of Honduras at the edges of half-years, with how many returns arrive then.
var arrivals = []struct {
	day, time, utc string
	n              int
}{
	{"2015-12-31", "23:45", "2016-01-01T05:45:00Z", 1},
	{"2016-01-01", "00:15", "2016-01-01T06:15:00Z", 2},
	{"2016-06-30", "23:30", "2016-07-01T05:30:00Z", 3},
	{"2016-07-01", "00:30", "2016-07-01T06:30:00Z", 4},
}

// atTheEdges starts a server of a zone that has the arrivals: as returns and counts of their days, and as moments at which
// a computer each was seen last.
func atTheEdges(t *testing.T, zone string) *embedded.Engine {
	t.Helper()
	e, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir(), Zone: zone, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Kill(); err != nil {
			t.Error(err)
		}
	})
	s := enginetest.Fresh(t, e)
	for i, a := range arrivals {
		at := fmt.Sprintf("toDateTime64('%s %s:00', 3, '%s')", a.day, a.time, calendar.ZoneName)
		for _, statement := range []string{
			fmt.Sprintf(`INSERT INTO retorno.returns (return_id, version, person, method_version, day, arrival, route, exit_point, national, registered)
				SELECT generateUUIDv7(number), 1, generateUUIDv4(number), 1, toDate(at), at, 'MX-LAND', 'L-COR', 1, 1 FROM (SELECT number, %s AS at FROM numbers(%d))`, at, a.n),
			fmt.Sprintf("INSERT INTO retorno.return_counts (day, route, exit_point, registered, reconciled, version) VALUES ('%s', 'MX-LAND', 'L-COR', %d, %[2]d, 1)", a.day, a.n),
			fmt.Sprintf("INSERT INTO retorno.sendings SELECT 0, %d + 10 * number, 'L-COR-%d', 1 + 2 * number, %s, 0 FROM numbers(2)", i, i+1, at), // number 2 is missing
		} {
			if err := s.Conn().Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	return e
}

// lines are what a program in that zone says, by the first word of each line.
func lines(t *testing.T, zone, program string, args ...string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "TZ="+zone)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = value
	}
	return all
}

// The counts to be found on 30 June, in the half-year up to then, and of computers last seen before midnight.
const onDay, untilDay, beforeMidnight = "3", "5", "3"

// TestJDBCAtTheEdgesOfDays: a day and a moment are found, and are read as they are, by every generation of the driver, in
// every zone of the server and of the program, by LocalDate, by text, and read as LocalDate or OffsetDateTime. The way of the
// old tools, setDate and setTimestamp, holds too where server and program are in Honduras.
func TestJDBCAtTheEdgesOfDays(t *testing.T) {
	java := need(t, "java")
	jars, err := clients.JDBC(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range zones {
		e := atTheEdges(t, server)
		for _, client := range zones {
			for _, generation := range []string{"old", "middle", "new"} {
				want := map[string]string{"on.LocalDate": onDay, "until.LocalDate": untilDay, "on.String": onDay, "until.String": untilDay, "before.ZonedDateTime": beforeMidnight,
					"before.String": beforeMidnight}
				if server == client && client == calendar.ZoneName {
					maps.Copy(want, map[string]string{"on.Date": onDay, "until.Date": untilDay, "before.Timestamp": beforeMidnight})
				}
				for i, a := range arrivals {
					want["read."+a.day] = fmt.Sprintf("%s %[1]s %d", a.day, a.n)
					want[fmt.Sprintf("read.L-COR-%d", i+1)] = a.utc + " " + a.day + "T" + a.time
				}
				got := lines(t, client, java, "-Duser.timezone="+client, "-cp", filepath.Join(jars, generation, "*"), filepath.Join("jdbc", "Zones.java"), e.HTTP())
				has(t, fmt.Sprintf("server in %s, program in %s, %s driver", server, client, generation), got, want)
			}
		}
	}
}

// TestPandasAndRAtTheEdgesOfDays: the same by clickhouse-connect and pandas, by R, and by CSV, whose text is the same everywhere. A
// moment as a parameter without a type means the server's zone: it holds where that is Honduras.
func TestPandasAndRAtTheEdgesOfDays(t *testing.T) {
	for _, server := range zones {
		e := atTheEdges(t, server)
		host, port := split(t, e.HTTP())
		for _, client := range zones {
			want := map[string]string{"on.date": onDay, "until.date": untilDay, "on.string": onDay, "until.string": untilDay, "on.typed": onDay,
				"before.typed": beforeMidnight, "before.string": beforeMidnight,
				"R.on": onDay, "R.until": untilDay, "R.before": beforeMidnight, "R.kept": untilDay, "R.earlier": beforeMidnight}
			if server == calendar.ZoneName {
				maps.Copy(want, map[string]string{"before.datetime": beforeMidnight, "before.Timestamp": beforeMidnight})
			}
			for i, a := range arrivals {
				want["read."+a.day] = fmt.Sprint(a.n)
				want["csv."+a.day] = fmt.Sprintf("00:00:00 %d", a.n)
				want[fmt.Sprintf("read.L-COR-%d", i+1)] = a.utc + " " + a.day + "T" + a.time
				want[fmt.Sprintf("csv.L-COR-%d", i+1)] = a.day + " " + a.time + ":00"
				want["R."+a.day] = fmt.Sprint(a.n)
				want[fmt.Sprintf("R.L-COR-%d", i+1)] = a.utc + " " + a.day + "T" + a.time
			}
			got := lines(t, client, python(t), "-I", "zones.py", host, port)
			maps.Copy(got, lines(t, client, need(t, "Rscript"), "--vanilla", "zones.R", e.HTTP()))
			has(t, fmt.Sprintf("server in %s, program in %s", server, client), got, want)
		}
	}
}

// has compares what is wanted, and nothing else.
func has(t *testing.T, where string, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: %s is %q, want %q", where, name, got[name], want[name])
		}
	}
}

// TestWhatIsReadDoesNotMoveWithTheServersZone: every view for people gives the same bytes, as CSV, TSV and JSON, from servers
// of different zones, also in a session of a zone of its own.
func TestWhatIsReadDoesNotMoveWithTheServersZone(t *testing.T) {
	questions := []string{
		"SELECT * EXCEPT (return_id, person) FROM ceniss.returns ORDER BY ALL", "SELECT * FROM ceniss.return_counts ORDER BY ALL", "SELECT * FROM ceniss.source_gaps ORDER BY ALL",
		"SELECT source, first_seen, last_seen FROM ceniss.sources ORDER BY ALL", "SELECT * FROM ceniss.coverage ORDER BY ALL",
		"SELECT half_year, quarter, month, sum(registered) FROM ceniss.return_counts GROUP BY ALL ORDER BY ALL", "SELECT toString(last_seen), toDate(last_seen) FROM ceniss.sources ORDER BY ALL",
		"SELECT count() FROM ceniss.sources WHERE last_seen < '2016-07-01 00:00:00'", "SELECT max(counted_at) FROM ceniss.state",
	}
	first := map[string]string{}
	for _, zone := range zones {
		e := atTheEdges(t, zone)
		for _, session := range []string{"", "Asia/Kathmandu"} {
			for _, format := range []string{"CSVWithNames", "TSV", "JSONCompact"} {
				for _, question := range questions {
					got := answer(t, e.HTTP(), question+" FORMAT "+format, session)
					name := format + " of " + question
					if first[name] == "" {
						first[name] = got
					}
					if got != first[name] || !strings.Contains(got, "20") && !strings.Contains(got, "3") { // a year, or the count of computers
						t.Errorf("server in %s, session in %q, %s:\n%s\nin %s:\n%s", zone, session, name, got, zones[0], first[name])
					}
				}
			}
		}
	}
}

// answer is that of the HTTP interface, without what JSON says of the time that it took.
func answer(t *testing.T, address, question, session string) string {
	t.Helper()
	values := url.Values{"query": {question}, "output_format_write_statistics": {"0"}}
	if session != "" {
		values.Set("session_timezone", session)
	}
	res, err := http.Get("http://" + address + "/?" + values.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v, %s", question, err, text)
	}
	return string(text)
}
