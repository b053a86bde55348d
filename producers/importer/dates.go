package importer

import (
	"strconv"
	"strings"
	"time"

	"retorno/producers/reading"
	"retorno/schemas/calendar"
)

// moment is a date with or without a time, as a cell states it.
type moment struct {
	day     calendar.Day // in Honduras
	clock   bool         // hour, minute and second were stated
	h, m, s int
	number  bool // a day number of a spreadsheet
	epoch   bool // a number of seconds or milliseconds

	instant  time.Time    // when the cell states its own offset from UTC; else zero
	written  calendar.Day // the day that stands in such a cell
	midnight bool         // such a cell shows 00:00:00
}

// instantMoment is the moment of a time that knows its offset from UTC.
func instantMoment(t time.Time) moment {
	year, month, day := t.Date()
	h, m, s := t.In(calendar.Zone()).Clock()
	return moment{day: calendar.DayOfTime(t), clock: true, h: h, m: m, s: s, instant: t, written: calendar.Date(year, month, day),
		midnight: t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0}
}

// at is the moment with a time of day; 24:00 is the first instant of the next day.
func (t moment) at(h, m, s int) moment {
	if h == 24 {
		t.day, h = t.day+1, 0
	}
	t.clock, t.h, t.m, t.s = true, h, m, s
	return t
}

// ms is the moment in milliseconds since 1970-01-01 UTC. A day without a time is noon in Honduras: far from both
// midnights, so that no rounding moves it to another day.
func (t moment) ms() int64 {
	switch {
	case !t.instant.IsZero():
		return t.instant.UnixMilli()
	case !t.clock:
		return t.day.At(12, 0, 0).UnixMilli()
	}
	return t.day.At(t.h, t.m, t.s).UnixMilli()
}

// parseMoment reads a date, with a time behind it or not: 30/06/2016, 2016-06-30, 30-06-16, 30.6.2016, 30-jun-2016,
// martes, 30 de junio de 2016, 2016-06-30T23:45:00-06:00, 30/06/2016 11:45 p. m., Thu Jun 30 2016 23:45:00 GMT-0600,
// the day numbers of spreadsheets (42551,5) and the seconds or milliseconds since 1970 of other programs.
func parseMoment(text, order string, century reading.Century) (moment, bool) {
	text = strings.TrimSpace(text)
	if t, ok := withOffset(text); ok {
		return instantMoment(t), true
	}
	if t, ok := sinceEpoch(text); ok {
		out := instantMoment(t)
		out.epoch = true
		return out, true
	}
	if t, ok := spreadsheetNumber(text); ok {
		return t, true
	}
	civil, zone := cutZone(text)
	date, clock := reading.SplitClock(civil)
	day, ok := reading.Date(date, order, century)
	if !ok {
		return moment{}, false
	}
	out := moment{day: day}
	if clock != "" {
		h, m, s, ok := reading.Clock(clock)
		if !ok {
			return moment{}, false
		}
		out = out.at(h, m, s)
	}
	if zone != nil {
		year, month, dayOfMonth := out.day.Civil()
		return instantMoment(time.Date(year, month, dayOfMonth, out.h, out.m, out.s, 0, zone)), true
	}
	return out, true
}

// Day numbers of spreadsheets that are believed: 2000-01-01 to 2099-12-31 for events; births reach back to 1900.
const (
	firstSerial, lastSerial = 366, 73050
	serialEpoch             = -25569 // 1899-12-30 as a Day
)

func spreadsheetNumber(text string) (moment, bool) {
	if len(text) < 4 || strings.Trim(text, "0123456789.,") != "" {
		return moment{}, false
	}
	text = strings.Replace(text, ",", ".", 1)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= firstSerial && n < lastSerial+1) {
		return moment{}, false
	}
	// A year alone is no date.
	if whole, _, point := strings.Cut(text, "."); len(whole) < 5 && !point {
		return moment{}, false
	}
	days := int64(n)
	out := moment{day: calendar.Day(days + serialEpoch), number: true}
	if h, m, s := reading.DayFraction(n - float64(days)); h+m+s > 0 {
		out = out.at(h, m, s)
	}
	return out, true
}
