package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// at are times of July 2016, one for each day from the first, with that ending.
func at(clock string, days int) (out []string) {
	for day := 1; day <= days; day++ {
		out = append(out, fmt.Sprintf("2016-07-%02dT%s", day, clock))
	}
	return out
}

// Times that are all midnights of a zone other than the one in which they are written are days or moments: that is asked.
func TestMidnightsOfAZoneThatIsNotWrittenAreAskedAbout(t *testing.T) {
	var epoch []string
	for day := range 4 {
		epoch = append(epoch, fmt.Sprint(1467349200000+86_400_000*day))
	}
	for name, c := range map[string]struct {
		dates      []string
		days, noon string // first and last as days
	}{
		"Central time, summer and winter": {[]string{"2016-07-01T05:00:00.000Z", "2016-07-02T05:00:00.000Z", "2016-12-01T06:00:00.000Z"}, "16-07-01", "16-12-01"},
		"the same since 1970":             {epoch, "16-07-01", "16-07-04"},
		"Eastern time":                    {[]string{"2016-07-01T04:00:00Z", "2016-07-02T04:00:00Z", "2016-12-01T05:00:00Z"}, "16-07-01", "16-12-01"},
		"Spain":                           {[]string{"2016-06-30T22:00:00.000Z", "2016-07-01T22:00:00.000Z", "2016-12-30T23:00:00.000Z"}, "16-07-01", "16-12-31"},
		"India":                           {at("18:30:00Z", 3), "16-07-02", "16-07-04"},
		"Argentina, without seconds":      {at("03:00Z", 3), "16-07-01", "16-07-03"},
		"Spain, at UTC":                   {at("22:00:00+00:00", 5), "16-07-02", "16-07-06"},
		"in words":                        {[]string{"01/07/2016 05:00:00 UTC", "13/07/2016 05:00:00 UTC", "14/07/2016 05:00:00 UTC"}, "16-07-01", "16-07-14"},
		"one true time beside":            {append(at("05:00:00Z", 9), "2016-07-09T14:23:11Z"), "16-07-01", "16-07-09 08:23:11"},
	} {
		for _, dates := range [][]string{c.dates, backwards(c.dates)} {
			if got, _ := moments(t, Config{}, crossed("fecha", dates...)); got != "midnights_elsewhere" {
				t.Errorf("%s: %s", name, got)
			}
		}
		got, out := moments(t, Config{Instants: InstantsDays}, crossed("fecha", c.dates...))
		if !strings.HasPrefix(got, c.days+", ") || !strings.HasSuffix(got, ", "+c.noon) || len(out.sum.Warnings) > 0 {
			t.Errorf("%s, as days: %s, %+v", name, got, out.sum.Warnings)
		}
		_, out = moments(t, Config{Instants: InstantsMoments}, crossed("fecha", c.dates...))
		if first := time.UnixMilli(out.records[0].EventTimeMs).UTC(); first.Hour()*60+first.Minute() == 18*60 || out.sum.Accepted != len(c.dates) {
			t.Errorf("%s, as moments: %s, %+v", name, first, out.sum)
		}
	}
}

func backwards(in []string) []string {
	out := slices.Clone(in)
	slices.Reverse(out)
	return out
}

// Many midnights beside a few other times prove neither days nor moments.
func TestMidnightsBesideOtherTimesAreAskedAbout(t *testing.T) {
	same := slices.Repeat([]string{"2016-07-01T00:00:00Z"}, 9)
	for name, dates := range map[string][]string{
		"one time":                append(slices.Clone(same), "2016-06-30T14:00:00Z"),
		"one time of Honduras":    append(slices.Clone(same), "2016-06-30T14:00:00-06:00"),
		"another form":            append(slices.Clone(same), "Thu Jun 30 2016 14:23:00 GMT+0000 (UTC)"),
		"days and times":          append(at("00:00:00Z", 5), "2016-07-08", "2016-06-30T14:00:00Z"),
		"an offset":               append(at("00:00:00+02:00", 5), "2016-07-03T09:12:00+02:00"),
		"a few of many times":     append(at("00:00:00Z", 4), at("15:07:00Z", 30)...),
		"with times of Honduras":  append(at("00:00:00Z", 4), at("09:07:00-06:00", 30)...),
		"two times, since 1970":   append([]string{"1467331200", "1467417600", "1467504000"}, "1467382980", "1467382999"),
		"one midnight in Central": append(at("00:00:00Z", 6), "2016-07-01T05:00:00Z"),
	} {
		for _, dates := range [][]string{dates, backwards(dates)} {
			if got, _ := moments(t, Config{}, crossed("fecha", dates...)); got != "midnights_elsewhere" {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	few := []string{"2016-07-01T00:00:00Z", "2016-07-02T00:00:00Z", "2016-06-30T14:00:00Z"}
	for setting, want := range map[string]string{
		InstantsDays: "16-07-01, 16-07-02, 16-06-30 08:00:00", InstantsMoments: "16-06-30 18:00:00, 16-07-01 18:00:00, 16-06-30 08:00:00",
	} {
		if got, _ := moments(t, Config{Instants: setting}, crossed("fecha", few...)); got != want {
			t.Errorf("%s: %s, want %s", setting, got, want)
		}
	}
	if got, _ := moments(t, Config{Instants: InstantsMoments}, crossed("fecha", "2016-07-01T00:00:00Z")); got != "16-06-30 18:00:00" {
		t.Errorf("midnights alone, as moments: %s", got)
	}
	if err := (Config{Kind: KindCentre, Instants: "hours"}).Validate(); err == nil || !strings.Contains(err.Error(), "instants") {
		t.Errorf("a setting that is none: %v", err)
	}
}

// Times that are what they say are read without a word.
func TestOrdinaryTimesWithAnOffsetAreRead(t *testing.T) {
	var day, hours []string
	for i := range 60 {
		day = append(day, time.Date(2016, 7, 1+i/4, 12, 0, i*7919%36000, 0, time.UTC).Format(time.RFC3339))
		hours = append(hours, time.Date(2016, 7, 1+i/4, 13+i*7%11, 0, 0, 0, time.UTC).Format(time.RFC3339))
	}
	for name, dates := range map[string][]string{
		"spread over the day":           day,
		"on whole hours of the day":     hours,
		"one flight a day, of Honduras": at("09:00:00-06:00", 9),
		"late, of Honduras":             at("23:00:00-06:00", 9),
		"midnights of Honduras":         at("00:00:00-06:00", 9),
		"the same, at UTC":              at("06:00:00.000Z", 9),
		"the same, and a time":          append(at("06:00:00.000Z", 9), "2016-07-09T14:23:11Z"),
		"midnights of Honduras beside":  append(at("00:00:00-06:00", 9), "2016-07-03T14:00:00-06:00"),
		"midnights of California":       at("07:00:00.000Z", 9),
		"noons of Honduras":             at("18:00:00.000Z", 9),
		"noons at UTC":                  at("12:00:00.000Z", 9),
		"the last second of the day":    at("23:59:59Z", 9),
		"one flight":                    slices.Repeat([]string{"2016-07-01T22:00:00Z"}, 130),
		"two flights":                   append(slices.Repeat([]string{"2016-07-01T22:00:00Z"}, 130), slices.Repeat([]string{"2016-07-02T22:00:00Z"}, 130)...),
	} {
		got, out := moments(t, Config{}, crossed("fecha", dates...))
		if out.sum.Accepted != len(dates) || len(out.sum.Warnings) > 0 {
			t.Errorf("%s: %s, %+v", name, got, out.sum.Warnings)
			continue
		}
		for i, r := range out.records {
			if want, _ := time.Parse(time.RFC3339Nano, dates[i]); r.EventTimeMs != want.UnixMilli() {
				t.Errorf("%s: %s became %s", name, dates[i], local(t, r.EventTimeMs))
			}
		}
	}
}
