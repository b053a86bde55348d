package calendar

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata" // the reference: the zone as the Go release knows it

	"pgregory.net/rapid"
)

func ms(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func TestDayOfAroundMidnight(t *testing.T) {
	for at, want := range map[string]string{
		"2016-07-01T05:30:00Z":     "2016-06-30", // 23:30 at Corinto
		"2016-07-01T05:59:59.999Z": "2016-06-30",
		"2016-07-01T06:00:00Z":     "2016-07-01",
		"2016-01-01T05:59:59Z":     "2015-12-31",
		"2016-01-01T06:00:00Z":     "2016-01-01",
		"2006-05-07T05:59:59Z":     "2006-05-06", // the last second before summer time
		"2006-05-07T06:00:00Z":     "2006-05-07",
		"2006-06-15T05:30:00Z":     "2006-06-15", // 00:30 in summer time; UTC-6 would say the 14th
		"2006-06-15T04:59:59Z":     "2006-06-14",
		"2006-08-07T05:30:00Z":     "2006-08-06", // the hour that came twice
		"2006-08-07T06:00:00Z":     "2006-08-07",
		"2007-06-15T05:30:00Z":     "2007-06-14", // no summer time any more
		"1970-01-01T00:00:00Z":     "1969-12-31",
	} {
		if got := DayOf(ms(t, at)).String(); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	if DayOf(math.MaxInt64) < DayOf(math.MaxInt64/2) || DayOf(math.MinInt64) > DayOf(math.MinInt64/2) {
		t.Error("instants beyond every calendar must stay in order")
	}
}

// The compiled-in rules and the fast path agree with the zone that the Go release carries.
func TestAgreesWithTheZoneDatabase(t *testing.T) {
	reference, err := time.LoadLocation("America/Tegucigalpa")
	if err != nil {
		t.Fatal(err)
	}
	end := ms(t, "2060-01-01T00:00:00Z")
	for at := ms(t, "1985-01-01T00:00:00Z"); at < end; at += 30 * 60_000 {
		utc := time.UnixMilli(at)
		_, offset := utc.In(reference).Zone()
		want := Day(floorDiv(at+int64(offset)*1000, msPerDay))
		if got := DayOf(at); got != want {
			t.Fatalf("%s: %s, the zone database says %s", utc.UTC(), got, want)
		}
	}
}

func TestDaysFollowEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Day(rapid.Int32Range(int32(Date(1930, 1, 1)), int32(Date(2299, 12, 31))).Draw(t, "day"))
		start := d.Start()
		if DayOf(start.UnixMilli()) != d || DayOf(start.UnixMilli()-1) != d-1 {
			t.Fatalf("%s does not start at %s", d, start)
		}
		if got := DayOfTime(d.At(12, 30, 0)); got != d {
			t.Fatalf("noon of %s lies on %s", d, got)
		}
		y, m, day := d.Civil()
		if Date(y, m, day) != d || d.Weekday() != time.Date(y, m, day, 12, 0, 0, 0, time.UTC).Weekday() {
			t.Fatalf("%s is not %d-%d-%d, %s", d, y, m, day, d.Weekday())
		}
		back, err := ParseDay(d.String())
		if err != nil || back != d {
			t.Fatalf("%s parses to %s, %v", d, back, err)
		}
	})
}

// Times that a change of the clock skipped or repeated stay on their day.
func TestTimesOfTheClockStayOnTheirDay(t *testing.T) {
	for _, day := range []string{"2006-05-06", "2006-05-07", "2006-05-08", "2006-08-06", "2006-08-07", "1987-05-03", "1988-09-24", "2016-06-30"} {
		d, err := ParseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		for minute := 0; minute < 24*60; minute++ {
			if at := d.At(minute/60, minute%60, 0); DayOfTime(at) != d {
				t.Errorf("%s %02d:%02d became %s", day, minute/60, minute%60, at)
			}
		}
	}
	gap := Date(2006, 5, 7)
	if got := gap.At(0, 30, 0).Format(time.RFC3339); got != "2006-05-07T01:30:00-05:00" {
		t.Errorf("half past midnight, which was skipped, is %s", got)
	}
}

func TestDayOfIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, 8e12).Draw(t, "instant")
		b := a + rapid.Int64Range(0, 3*msPerDay).Draw(t, "later by")
		if DayOf(a) > DayOf(b) {
			t.Fatalf("%d lies on %s, the later %d on %s", a, DayOf(a), b, DayOf(b))
		}
	})
}

func TestDayOfAllocatesNothing(t *testing.T) {
	summer, winter := ms(t, "2006-06-15T05:30:00Z"), ms(t, "2016-06-30T23:30:00-06:00")
	var sum Day
	if n := testing.AllocsPerRun(100, func() { sum += DayOf(summer) + DayOf(winter) }); n != 0 || sum == 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDayOf(b *testing.B) {
	at := time.Date(2016, 6, 30, 23, 30, 0, 0, zone).UnixMilli()
	var sum Day
	for b.Loop() {
		sum += DayOf(at)
		at += 1000
	}
	_ = sum
}

func TestCompletedYears(t *testing.T) {
	for _, c := range []struct {
		birth, on string
		want      int
	}{
		{"2000-06-30", "2016-06-29", 15},
		{"2000-06-30", "2016-06-30", 16},
		{"2000-02-29", "2015-02-28", 14},
		{"2000-02-29", "2015-03-01", 15},
		{"2000-02-29", "2016-02-29", 16},
		{"2016-06-30", "2016-06-30", 0},
		{"2016-07-01", "2016-06-30", -1},
		{"1930-12-31", "2016-01-01", 85},
	} {
		birth, _ := ParseDay(c.birth)
		on, _ := ParseDay(c.on)
		if got := CompletedYears(birth, on); got != c.want {
			t.Errorf("born %s, on %s: %d, want %d", c.birth, c.on, got, c.want)
		}
	}
}
