// Package calendar knows Honduran days and the periods that tables are published for: day, ISO week, month, quarter,
// half-year and year, all on local dates in America/Tegucigalpa, never UTC.
//
// It promises one answer everywhere: the zone's rules are compiled in (tegucigalpa.tzif, the zone file of the IANA
// database), so no machine's own zone files decide, and they are the ones ClickHouse uses in
// toDate(x, 'America/Tegucigalpa'). A fixed UTC-6 would not do: summer time was in force from 7 May to 6 August 2006
// (and in 1987 and 1988), which moves what happened around midnight to the other day, and the next decree would too.
// It is pure: no clock, no I/O, no allocation in DayOf. What cannot be parsed comes back as an error that says which
// form was expected; nothing is guessed or rounded into range.
package calendar

import (
	_ "embed"
	"fmt"
	"math"
	"time"
)

//go:embed tegucigalpa.tzif
var zoneRules []byte

// ZoneName is the name of the zone of Honduras in the IANA database.
const ZoneName = "America/Tegucigalpa"

// zone is ZoneName.
var zone = mustLoadZone()

func mustLoadZone() *time.Location {
	l, err := time.LoadLocationFromTZData(ZoneName, zoneRules)
	if err != nil {
		panic(fmt.Sprintf("calendar: the compiled-in zone of Honduras cannot be read: %v", err))
	}
	return l
}

// Zone returns America/Tegucigalpa, with the rules that every day here is worked out by.
func Zone() *time.Location { return zone }

// Day is a local date in Honduras: days since 1970-01-01.
type Day int32

const (
	msPerDay     = 86_400_000
	secondsInDay = 86_400
)

// steady is the stretch of time around 2016 in which the zone keeps one offset, [from, to) in milliseconds since
// 1970-01-01 UTC: since August 2006 and without end as the rules stand. Inside it a day is one division.
var steady = steadyStretch()

type stretch struct{ from, to, offset int64 }

func steadyStretch() stretch {
	t := time.Date(2016, 6, 30, 12, 0, 0, 0, zone)
	_, offset := t.Zone()
	from, to := t.ZoneBounds()
	s := stretch{from: math.MinInt64, to: math.MaxInt64, offset: int64(offset) * 1000}
	if !from.IsZero() {
		s.from = from.UnixMilli()
	}
	// Beyond this the sum with the offset could overflow; such times are no times of ours.
	if s.to = math.MaxInt64 - msPerDay; !to.IsZero() {
		s.to = to.UnixMilli()
	}
	return s
}

// DayOf returns the local date of an instant, in milliseconds since 1970-01-01 UTC. It allocates nothing. Instants
// millions of years away give the first or the last day that a Day can hold.
func DayOf(ms int64) Day {
	if ms >= steady.from && ms < steady.to {
		return dayFrom(floorDiv(ms+steady.offset, msPerDay))
	}
	s := floorDiv(ms, 1000)
	_, offset := time.Unix(s, 0).In(zone).Zone()
	return dayFrom(floorDiv(s+int64(offset), secondsInDay))
}

func dayFrom(n int64) Day {
	return Day(min(max(n, math.MinInt32), math.MaxInt32))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// DayOfTime returns the local date of t.
func DayOfTime(t time.Time) Day { return DayOf(t.UnixMilli()) }

// Date returns the day of that civil date. Month and day of month must be real ones: see ParseDay for input.
func Date(year int, month time.Month, day int) Day {
	return dayFrom(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), secondsInDay))
}

// Civil returns year, month and day of month.
func (d Day) Civil() (year int, month time.Month, day int) {
	return time.Unix(int64(d)*secondsInDay, 0).UTC().Date()
}

// Weekday returns the day of the week.
func (d Day) Weekday() time.Weekday {
	return time.Weekday(((int64(d)+4)%7 + 7) % 7) // 1970-01-01 was a Thursday
}

// Start returns the first instant of the day in Honduras: midnight, or 01:00 on 2006-05-07, when midnight was skipped.
func (d Day) Start() time.Time {
	midnight := int64(d) * secondsInDay
	for _, hoursBehind := range []int64{5, 6} {
		if t := midnight + hoursBehind*3600; DayOf(t*1000) == d {
			return time.Unix(t, 0).In(zone)
		}
	}
	// Before 1921 clocks showed local mean time.
	return d.At(0, 0, 0)
}

// At returns the instant at which clocks in Honduras showed that time on the day. A time that a change of the clock
// skipped is shifted forward by the change, so that it stays on its day; one that came twice is one of the two.
func (d Day) At(hour, minute, second int) time.Time {
	y, m, day := d.Civil()
	t := time.Date(y, m, day, hour, minute, second, 0, zone)
	wanted := int64(d)*secondsInDay + int64(hour)*3600 + int64(minute)*60 + int64(second)
	if _, offset := t.Zone(); t.Unix()+int64(offset) < wanted {
		t = t.Add(time.Duration(wanted-t.Unix()-int64(offset)) * time.Second)
	}
	return t
}

// CompletedYears returns someone's age on a day: completed years since birth. Who was born on 29 February completes a
// year on 1 March of common years. It is negative when the birth lies after the day.
func CompletedYears(birth, on Day) int {
	by, bm, bd := birth.Civil()
	y, m, d := on.Civil()
	years := y - by
	if m < bm || m == bm && d < bd {
		years--
	}
	return years
}
