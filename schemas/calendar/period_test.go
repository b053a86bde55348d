package calendar

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLabels(t *testing.T) {
	for day, want := range map[string]string{
		"2016-06-30": "2016-W26 2016-06 2016-Q2 2016-S1 2016",
		"2016-07-01": "2016-W26 2016-07 2016-Q3 2016-S2 2016",
		"2016-01-01": "2015-W53 2016-01 2016-Q1 2016-S1 2016",
		"2016-01-03": "2015-W53 2016-01 2016-Q1 2016-S1 2016",
		"2016-01-04": "2016-W01 2016-01 2016-Q1 2016-S1 2016",
		"2018-12-31": "2019-W01 2018-12 2018-Q4 2018-S2 2018",
		"2021-01-03": "2020-W53 2021-01 2021-Q1 2021-S1 2021",
	} {
		d, err := ParseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join([]string{d.Week(), d.Month(), d.Quarter(), d.HalfYear(), d.Year()}, " ")
		if got != want {
			t.Errorf("%s: %s, want %s", day, got, want)
		}
	}
}

func TestParsePeriod(t *testing.T) {
	for s, want := range map[string][3]string{
		"2016":       {"year", "2016-01-01", "2016-12-31"},
		"2016-S1":    {"half_year", "2016-01-01", "2016-06-30"},
		"2016-S2":    {"half_year", "2016-07-01", "2016-12-31"},
		"2016-Q1":    {"quarter", "2016-01-01", "2016-03-31"},
		"2015-Q4":    {"quarter", "2015-10-01", "2015-12-31"},
		"2016-02":    {"month", "2016-02-01", "2016-02-29"},
		"2016-12":    {"month", "2016-12-01", "2016-12-31"},
		"2016-W01":   {"week", "2016-01-04", "2016-01-10"},
		"2015-W53":   {"week", "2015-12-28", "2016-01-03"},
		"2016-06-30": {"day", "2016-06-30", "2016-06-30"},
	} {
		p, err := ParsePeriod(s)
		if err != nil || p.Kind != want[0] || p.First.String() != want[1] || p.Last.String() != want[2] || p.Label != s {
			t.Errorf("%s: %+v (%s to %s), %v", s, p, p.First, p.Last, err)
		}
	}
	for _, s := range []string{"", "16", "2016-S0", "2016-S3", "2016-S9", "2016-Q5", "2016-W53", "2016-W00", "2016-W1", "2016-13", "2016-00",
		"2016-6", "2016-02-30", "2016-13-01", "2016-06-30 ", " 2016", "2016-s1", "2016S1", "2016/06/30", "20160630", "٢٠١٦", "2016-06-30T00", "-016",
		"0000", "2016-S11", "2016-+1", strings.Repeat("9", 10000)} {
		if p, err := ParsePeriod(s); err == nil {
			t.Errorf("%q was read as %+v", s, p)
		} else if !strings.Contains(err.Error(), "2016") && !strings.Contains(err.Error(), "no date") || len(err.Error()) > 300 {
			t.Errorf("%q: the message does not help: %v", s, err)
		}
	}
}

// Periods of a kind cover every day exactly once, read back from their label, and nest in the year (weeks aside).
func TestPeriodsPartitionTheDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Day(rapid.Int32Range(int32(Date(1990, 1, 1)), int32(Date(2100, 12, 31))).Draw(t, "day"))
		kind := rapid.SampledFrom(Kinds()).Draw(t, "kind")
		p := d.Period(kind)
		if !p.Contains(d) || p.Label != d.Label(kind) || p.First.Period(kind) != p || p.Last.Period(kind) != p {
			t.Fatalf("%s does not lie well in %+v", d, p)
		}
		if next := p.Next(); next.First != p.Last+1 || next.Label <= p.Label || next.Previous() != p {
			t.Fatalf("after %+v comes %+v", p, next)
		}
		back, err := ParsePeriod(p.Label)
		if err != nil || back != p {
			t.Fatalf("%s reads back as %+v, %v", p.Label, back, err)
		}
		if year := d.Period(KindYear); kind != KindWeek && (p.First < year.First || p.Last > year.Last) {
			t.Fatalf("%s leaves its year", p.Label)
		}
		if kind == KindWeek && p.Days() != 7 {
			t.Fatalf("%s has %d days", p.Label, p.Days())
		}
		if from, to := p.Bounds(); DayOf(from.UnixMilli()) != p.First || DayOf(to.UnixMilli()-1) != p.Last {
			t.Fatalf("%s does not run from %s to %s", p.Label, from, to)
		}
	})
	if (Period{}) != Day(0).Period("fortnight") || Day(0).Label("fortnight") != "" {
		t.Error("a kind that does not exist has no period")
	}
}
