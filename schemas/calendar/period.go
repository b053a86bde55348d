package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kinds of periods, as columns and parameters name them.
const (
	KindDay      = "day"
	KindWeek     = "week" // ISO 8601: Monday to Sunday; week 1 holds the year's first Thursday
	KindMonth    = "month"
	KindQuarter  = "quarter"
	KindHalfYear = "half_year"
	KindYear     = "year"
)

// Kinds returns the kinds of periods from the shortest to the longest. The slice is the caller's.
func Kinds() []string {
	return []string{KindDay, KindWeek, KindMonth, KindQuarter, KindHalfYear, KindYear}
}

// Period is a stretch of whole days with a name.
type Period struct {
	Kind        string // one of the Kind constants
	First, Last Day    // both included
	Label       string // such as "2016-S1"
}

// Years that can be read and written in four digits.
const (
	minYear = 1000
	maxYear = 9999
)

// String returns the day as an ISO 8601 date, "2016-06-30".
func (d Day) String() string {
	y, m, day := d.Civil()
	return fmt.Sprintf("%04d-%02d-%02d", y, int(m), day)
}

// Year returns the year, "2016".
func (d Day) Year() string {
	y, _, _ := d.Civil()
	return fmt.Sprintf("%04d", y)
}

// HalfYear returns the half-year in the SDMX form, "2016-S1".
func (d Day) HalfYear() string {
	y, m, _ := d.Civil()
	return fmt.Sprintf("%04d-S%d", y, (int(m)+5)/6)
}

// Quarter returns the quarter, "2016-Q2".
func (d Day) Quarter() string {
	y, m, _ := d.Civil()
	return fmt.Sprintf("%04d-Q%d", y, (int(m)+2)/3)
}

// Month returns the month, "2016-06".
func (d Day) Month() string {
	y, m, _ := d.Civil()
	return fmt.Sprintf("%04d-%02d", y, int(m))
}

// Week returns the ISO 8601 week, "2016-W26". At the ends of a year its year may be the neighbouring one:
// 2016-01-03 lies in 2015-W53.
func (d Day) Week() string {
	year, week := d.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// ISOWeek returns the year and the number of the ISO 8601 week.
func (d Day) ISOWeek() (year, week int) {
	return time.Unix(int64(d)*secondsInDay, 0).UTC().ISOWeek()
}

// Label returns the name of the period of that kind in which the day lies, "" for a kind that does not exist.
func (d Day) Label(kind string) string {
	switch kind {
	case KindDay:
		return d.String()
	case KindWeek:
		return d.Week()
	case KindMonth:
		return d.Month()
	case KindQuarter:
		return d.Quarter()
	case KindHalfYear:
		return d.HalfYear()
	case KindYear:
		return d.Year()
	}
	return ""
}

// Period returns the period of that kind in which the day lies. A kind that does not exist gives the zero Period.
func (d Day) Period(kind string) Period {
	y, m, _ := d.Civil()
	p := Period{Kind: kind, Label: d.Label(kind)}
	switch kind {
	case KindDay:
		p.First, p.Last = d, d
	case KindWeek:
		p.First = d - Day((int(d.Weekday())+6)%7)
		p.Last = p.First + 6
	case KindMonth:
		p.First, p.Last = months(y, int(m), 1)
	case KindQuarter:
		p.First, p.Last = months(y, (int(m)-1)/3*3+1, 3)
	case KindHalfYear:
		p.First, p.Last = months(y, (int(m)-1)/6*6+1, 6)
	case KindYear:
		p.First, p.Last = months(y, 1, 12)
	default:
		return Period{}
	}
	return p
}

func months(year, first, n int) (Day, Day) {
	return Date(year, time.Month(first), 1), Date(year, time.Month(first+n), 1) - 1
}

// Contains reports whether the day lies in the period.
func (p Period) Contains(d Day) bool { return p.First <= d && d <= p.Last }

// Days returns the number of days.
func (p Period) Days() int { return int(p.Last-p.First) + 1 }

// Next returns the period of the same kind that follows.
func (p Period) Next() Period { return (p.Last + 1).Period(p.Kind) }

// Previous returns the period of the same kind before.
func (p Period) Previous() Period { return (p.First - 1).Period(p.Kind) }

// Bounds returns the first instant of the period and the first instant after it.
func (p Period) Bounds() (from, to time.Time) { return p.First.Start(), (p.Last + 1).Start() }

// ParseDay reads an ISO 8601 date, "2016-06-30". The date must exist.
func ParseDay(s string) (Day, error) {
	y, okY := number(s, 0, 4)
	m, okM := number(s, 5, 7)
	d, okD := number(s, 8, 10)
	if len(s) != 10 || !okY || !okM || !okD || s[4] != '-' || s[7] != '-' || y < minYear {
		return 0, fmt.Errorf("%s is no date; write it as YYYY-MM-DD, such as 2016-06-30", clip(s))
	}
	day := Date(y, time.Month(m), d)
	if gy, gm, gd := day.Civil(); gy != y || int(gm) != m || gd != d {
		return 0, fmt.Errorf("%s is no date: that month has no such day, or the year no such month", clip(s))
	}
	return day, nil
}

// number reads the digits s[from:to].
func number(s string, from, to int) (int, bool) {
	if len(s) < to {
		return 0, false
	}
	for _, c := range []byte(s[from:to]) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s[from:to])
	return n, err == nil
}

// ParsePeriod reads the name of a period and knows its kind by the form: "2016" a year, "2016-S1" a half-year,
// "2016-Q2" a quarter, "2016-06" a month, "2016-W26" an ISO week, "2016-06-30" a day. The period must exist:
// 2015 has a week 53, 2016 has not.
func ParsePeriod(s string) (Period, error) {
	bad := func() (Period, error) {
		return Period{}, fmt.Errorf("%s is no period; write a day 2016-06-30, an ISO week 2016-W26, a month 2016-06, "+
			"a quarter 2016-Q2, a half-year 2016-S1 or a year 2016", clip(s))
	}
	year, ok := number(s, 0, 4)
	if !ok || year < minYear || year > maxYear {
		return bad()
	}
	if len(s) == 4 {
		return Date(year, 1, 1).Period(KindYear), nil
	}
	if len(s) == 10 {
		d, err := ParseDay(s)
		if err != nil {
			return Period{}, err
		}
		return d.Period(KindDay), nil
	}
	var p Period
	switch form := s[4:]; {
	case strings.HasPrefix(form, "-W"):
		n, ok := number(s, 6, 8)
		if !ok || n < 1 {
			return bad()
		}
		// 4 January always lies in week 1.
		p = (Date(year, 1, 4) + Day(7*(n-1))).Period(KindWeek)
	case strings.HasPrefix(form, "-Q"), strings.HasPrefix(form, "-S"):
		n, ok := number(s, 6, 7)
		kind, length := KindQuarter, 3
		if form[1] == 'S' {
			kind, length = KindHalfYear, 6
		}
		if !ok || n < 1 || n > 12/length {
			return bad()
		}
		p = Date(year, time.Month((n-1)*length+1), 1).Period(kind)
	default:
		n, ok := number(s, 5, 7)
		if !ok || n < 1 || n > 12 {
			return bad()
		}
		p = Date(year, time.Month(n), 1).Period(KindMonth)
	}
	if p.Label != s {
		return bad()
	}
	return p, nil
}

// clip quotes what was typed, shortened.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
