package importer

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
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

// twoDigits says what a year of two digits means.
type twoDigits func(yy int, build func(year int) (calendar.Day, bool)) (calendar.Day, bool)

// thisCentury is for events: 20yy.
func thisCentury(yy int, build func(int) (calendar.Day, bool)) (calendar.Day, bool) {
	return build(2000 + yy)
}

// notAfter is for births: the latest year that is not after the event.
func notAfter(event calendar.Day) twoDigits {
	return func(yy int, build func(int) (calendar.Day, bool)) (calendar.Day, bool) {
		if d, ok := build(2000 + yy); ok && d <= event {
			return d, true
		}
		return build(1900 + yy)
	}
}

// eitherCentury takes a year of two digits for 20yy where that is a day, else for 19yy: enough to see what can be read.
func eitherCentury(yy int, build func(int) (calendar.Day, bool)) (calendar.Day, bool) {
	if d, ok := build(2000 + yy); ok {
		return d, true
	}
	return build(1900 + yy)
}

// parseMoment reads a date, with a time behind it or not: 30/06/2016, 2016-06-30, 30-06-16, 30.6.2016, 30-jun-2016,
// martes, 30 de junio de 2016, 2016-06-30T23:45:00-06:00, 30/06/2016 11:45 p. m., Thu Jun 30 2016 23:45:00 GMT-0600,
// the day numbers of spreadsheets (42551,5) and the seconds or milliseconds since 1970 of other programs.
func parseMoment(text, order string, century twoDigits) (moment, bool) {
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
	date, clock := splitClock(civil)
	day, ok := parseDate(date, order, century)
	if !ok {
		return moment{}, false
	}
	out := moment{day: day}
	if clock != "" {
		h, m, s, ok := parseClock(clock)
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
	if h, m, s := dayFraction(n - float64(days)); h+m+s > 0 {
		out = out.at(h, m, s)
	}
	return out, true
}

// parseDate reads a date without a time.
func parseDate(text, order string, century twoDigits) (calendar.Day, bool) {
	a, b, c, monthName, ok := dateParts(text)
	if !ok {
		return 0, false
	}
	build := func(y, m, d string) (calendar.Day, bool) {
		month, okM := digits(m, 1, 2)
		day, okD := digits(d, 1, 2)
		if !okM || !okD {
			return 0, false
		}
		make := func(year int) (calendar.Day, bool) { return realDate(year, month, day) }
		if yy, ok := digits(y, 2, 2); ok {
			return century(yy, make)
		}
		year, ok := digits(y, 4, 4)
		if !ok {
			return 0, false
		}
		return make(year)
	}
	switch {
	case len(a) == 4:
		return build(a, b, c)
	case monthName:
		return build(c, b, a)
	case order == MonthFirst:
		return build(c, a, b)
	case order == YearFirst:
		return build(a, b, c)
	}
	return build(c, b, a)
}

func realDate(year, month, day int) (calendar.Day, bool) {
	if year < 1850 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	d := calendar.Date(year, time.Month(month), day)
	_, m, back := d.Civil()
	return d, int(m) == month && back == day
}

// dateWords are the little words of "30 de junio del 2016".
var dateWords = strings.NewReplacer(" de ", " ", " del ", " ", ",", " ")

// parted is a year as a number with thousands: 2,016 or 2.016.
var parted = regexp.MustCompile(`\b([12])[.,](\d{3})$`)

// betweenParts reports whether a character stands between day, month and year.
func betweenParts(r rune) bool {
	switch r {
	case '/', '-', '.', ' ', '\u00a0', '\u202f':
		return true
	}
	return false
}

// dateParts cuts a date at its separators. A month written as a word becomes its number and stands in the middle; the name of
// a day of the week before a date falls away.
func dateParts(text string) (a, b, c string, monthName, ok bool) {
	text = strings.ToLower(text)
	if strings.Contains(text, " ") {
		text = parted.ReplaceAllString(text, "$1$2")
	}
	if strings.ContainsAny(text, ", ") {
		text = dateWords.Replace(text)
	}
	var all [5]string
	n := 0
	for part := range strings.FieldsFuncSeq(text, betweenParts) {
		if n == len(all) {
			return "", "", "", false, false
		}
		all[n] = part
		n++
	}
	parts := all[:n]
	if len(parts) == 1 && len(parts[0]) == 8 {
		if _, all := digits(parts[0], 8, 8); all { // 20160630
			return parts[0][:4], parts[0][4:6], parts[0][6:], false, true
		}
	}
	if len(parts) == 1 {
		if day, month, year, ok := together(parts[0]); ok {
			return day, month, year, true, true
		}
	}
	if len(parts) == 4 && isWeekday(parts[0]) {
		parts = parts[1:]
	}
	if len(parts) != 3 {
		return "", "", "", false, false
	}
	for i, part := range parts {
		if month := monthNumber(part); month != "" {
			if i == 0 { // June 30, 2016
				parts[0], parts[1] = parts[1], parts[0]
			} else if i == 2 {
				return "", "", "", false, false
			}
			parts[1] = month
			return parts[0], parts[1], parts[2], true, true
		}
	}
	return parts[0], parts[1], parts[2], false, true
}

// together reads a date as SAS and Stata write it, in lower case: 30jun2015, 30jun15.
func together(text string) (day, month, year string, ok bool) {
	from := strings.IndexFunc(text, unicode.IsLetter)
	to := strings.LastIndexFunc(text, unicode.IsLetter) + 1
	if from < 1 || to-from != 3 {
		return "", "", "", false
	}
	day, month, year = text[:from], monthNumber(text[from:to]), text[to:]
	_, isDay := digits(day, 1, 2)
	_, isYear := digits(year, 2, 4)
	return day, month, year, isDay && isYear && month != ""
}

// weekdays are the first letters of the days of the week, in Spanish and English.
const weekdays = " lun mar mie jue vie sab dom mon tue wed thu fri sat sun "

func isWeekday(word string) bool {
	word = codelists.Fold(word)
	return len(word) >= 3 && strings.Contains(weekdays, " "+word[:3]+" ")
}

var monthNames = map[string]string{
	"ene": "1", "jan": "1", "feb": "2", "mar": "3", "abr": "4", "apr": "4", "may": "5", "jun": "6", "jul": "7", "ago": "8", "aug": "8",
	"sep": "9", "set": "9", "oct": "10", "nov": "11", "dic": "12", "dec": "12",
}

func monthNumber(word string) string {
	if len(word) < 3 || word[0] < 'a' {
		return ""
	}
	return monthNames[word[:3]]
}

// digits reads a number of at least and at most so many digits, and nothing but digits.
func digits(s string, least, most int) (int, bool) {
	if len(s) < least || len(s) > most {
		return 0, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
