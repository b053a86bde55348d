package calendar_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"retorno/deploy/lab/embedded"
	"retorno/schemas/calendar"
)

// ClickHouse gives every instant the same day, and every day the same periods, as this package: otherwise what the
// consumers count and what statisticians ask would differ around midnight.
func TestClickHouseAgrees(t *testing.T) {
	engine, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir(), Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := engine.Kill(); err != nil {
			t.Error(err)
		}
	}()
	at := func(s string) int64 {
		day, err := calendar.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return day.Start().UnixMilli()
	}
	for name, c := range map[string]struct{ from, step, to int64 }{
		"every quarter of an hour of 2006":      {at("2006-01-01"), 15 * 60_000, at("2007-01-01")},
		"around the start of summer time":       {at("2006-05-07") - 7_200_000, 1_000, at("2006-05-07") + 7_200_000},
		"around the end of summer time":         {at("2006-08-07") - 7_200_000, 1_000, at("2006-08-07") + 7_200_000},
		"every 7 hours and a bit, 2000 to 2099": {at("2000-01-01"), 25_260_001, at("2099-12-31")},
		"around 30 June 2016":                   {at("2016-07-01") - 60_000, 7, at("2016-07-01") + 60_000},
	} {
		query := fmt.Sprintf(`SELECT ms, day, toISOYear(day) || '-W' || leftPad(toString(toISOWeek(day)), 2, '0'), formatDateTime(day, '%%Y-%%m'),
			toString(toYear(day)) || '-Q' || toString(toQuarter(day)), toString(toYear(day)) || if(toMonth(day) <= 6, '-S1', '-S2'), toString(toYear(day))
			FROM (SELECT %d + number * %d AS ms, toDate(fromUnixTimestamp64Milli(ms), 'America/Tegucigalpa') AS day FROM numbers(%d)) FORMAT TSV`,
			c.from, c.step, (c.to-c.from)/c.step)
		query = strings.Replace(query, "toISOYear(day)", "toString(toISOYear(day))", 1)
		compare(t, name, engine.HTTP(), query, (c.to-c.from)/c.step)
	}
}

func compare(t *testing.T, name, address, query string, rows int64) {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Minute}
	answer, err := client.Post("http://"+address+"/", "text/plain", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	scan := bufio.NewScanner(answer.Body)
	var seen int64
	for scan.Scan() {
		var ms int64
		if _, err := fmt.Sscan(scan.Text(), &ms); err != nil {
			t.Fatalf("%s: the engine says %q", name, scan.Text())
		}
		d := calendar.DayOf(ms)
		ours := strings.Join([]string{fmt.Sprint(ms), d.String(), d.Week(), d.Month(), d.Quarter(), d.HalfYear(), d.Year()}, "\t")
		if ours != scan.Text() {
			t.Fatalf("%s: ClickHouse says %q, we say %q", name, scan.Text(), ours)
		}
		seen++
	}
	if err := scan.Err(); err != nil || seen != rows {
		t.Fatalf("%s: %d of %d instants came, %v", name, seen, rows, err)
	}
}
