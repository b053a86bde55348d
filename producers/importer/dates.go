package importer

import (
	"strconv"
	"strings"
	"time"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// moment is a date with or without a time, as a cell states it.
type moment struct {
	day     calendar.Day
	clock   bool // hour, minute and second were stated
	h, m, s int
	instant time.Time // when the cell states its own offset from UTC; else zero
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

// parseMoment reads a date, with a time behind it or not: 30/06/2016, 2016-06-30, 30-06-16, 30.6.2016, 30-jun-2016,
// 30 de junio de 2016, 2016-06-30T23:45:00-06:00, 30/06/2016 11:45 p. m., and the day numbers of spreadsheets (42551,5).
func parseMoment(text, order string, century twoDigits) (moment, bool) {
	text = strings.TrimSpace(text)
	if t, ok := withOffset(text); ok {
		return moment{day: calendar.DayOfTime(t), clock: true, instant: t}, true
	}
	if t, ok := spreadsheetNumber(text); ok {
		return t, true
	}
	date, clock := splitClock(text)
	day, ok := parseDate(date, order, century)
	if !ok {
		return moment{}, false
	}
	out := moment{day: day}
	if clock != "" {
		if out.h, out.m, out.s, ok = parseClock(clock); !ok {
			return moment{}, false
		}
		out.clock = true
	}
	return out, true
}

// withOffset reads ISO 8601 with an offset or Z.
func withOffset(text string) (time.Time, bool) {
	if len(text) < len("2016-06-30T23:45Z") {
		return time.Time{}, false
	}
	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Day numbers of spreadsheets that are believed: 2000-01-01 to 2099-12-31 for events; births reach back to 1900.
const (
	firstSerial, lastSerial = 366, 73050
	serialEpoch             = -25569 // 1899-12-30 as a Day
)

func spreadsheetNumber(text string) (moment, bool) {
	n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil || !(n >= firstSerial && n < lastSerial+1) || strings.ContainsAny(text, "eExXpPnNiI_+-") || len(text) < 4 {
		return moment{}, false
	}
	// A year alone is no date.
	if whole, _, point := strings.Cut(strings.Replace(text, ",", ".", 1), "."); len(whole) < 5 && !point {
		return moment{}, false
	}
	days := int64(n)
	out := moment{day: calendar.Day(days + serialEpoch)}
	seconds := int((n-float64(days))*86400 + 0.5)
	if seconds > 0 && seconds < 86400 {
		out.clock, out.h, out.m, out.s = true, seconds/3600, seconds/60%60, seconds%60
	}
	return out, true
}

// splitClock divides a date from the time behind it: at the T of ISO, or at the last blank before a colon.
func splitClock(text string) (date, clock string) {
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return text, ""
	}
	at := strings.LastIndexAny(text[:colon], " Tt\u00a0")
	if at < 0 {
		return text, ""
	}
	return strings.TrimRight(text[:at], " ,\u00a0"), strings.TrimSpace(text[at+1:])
}

// parseClock reads 23:45, 23:45:10, 23:45:10.123, 11:45 pm, 11:45 p. m.
func parseClock(text string) (h, m, s int, ok bool) {
	half := ""
	text = strings.ToLower(strings.TrimSpace(text))
	if i := strings.IndexAny(text, "ap"); i > 0 {
		if half = codelists.Fold(text[i:]); half != "am" && half != "pm" && half != "a" && half != "p" {
			return 0, 0, 0, false
		}
		text = strings.TrimSpace(text[:i])
	}
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(text, "hrs"), "h"))
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, 0, 0, false
	}
	numbers := [3]int{}
	for i, part := range parts {
		if i == 2 {
			part, _, _ = strings.Cut(strings.Replace(part, ",", ".", 1), ".")
		}
		n, ok := digits(part, 1, 2)
		if !ok {
			return 0, 0, 0, false
		}
		numbers[i] = n
	}
	h, m, s = numbers[0], numbers[1], numbers[2]
	if half != "" {
		if h < 1 || h > 12 {
			return 0, 0, 0, false
		}
		h %= 12
		if half[0] == 'p' {
			h += 12
		}
	}
	return h, m, s, h < 24 && m < 60 && s < 60
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
	case monthName || order != MonthFirst:
		return build(c, b, a)
	}
	return build(c, a, b)
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

// dateParts cuts a date at its separators. A month written as a word becomes its number and stands in the middle.
func dateParts(text string) (a, b, c string, monthName, ok bool) {
	text = strings.ToLower(text)
	if strings.ContainsAny(text, ", ") {
		text = dateWords.Replace(text)
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/-. \u00a0", r) })
	if len(parts) == 1 && len(parts[0]) == 8 {
		if _, all := digits(parts[0], 8, 8); all { // 20160630
			return parts[0][:4], parts[0][4:6], parts[0][6:], false, true
		}
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

// orderProof reports whether a date with day and month in figures can be read one way only: DayFirst, MonthFirst or "".
func orderProof(text string) string {
	date, _ := splitClock(text)
	a, b, c, name, ok := dateParts(date)
	if !ok || name || len(a) == 4 {
		return ""
	}
	first, okA := digits(a, 1, 2)
	second, okB := digits(b, 1, 2)
	if _, okC := digits(c, 2, 4); !okA || !okB || !okC {
		return ""
	}
	switch {
	case first > 12 && first <= 31 && second >= 1 && second <= 12:
		return DayFirst
	case second > 12 && second <= 31 && first >= 1 && first <= 12:
		return MonthFirst
	}
	return ""
}
