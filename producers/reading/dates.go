package reading

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// Orders in which people write the figures of a date.
const (
	DayFirst   = "dmy"
	MonthFirst = "mdy"
	YearFirst  = "ymd" // of years with two digits; 2016-06-30 needs no order
)

// Century says what a year of two digits means.
type Century func(yy int, build func(year int) (calendar.Day, bool)) (calendar.Day, bool)

// ThisCentury is for events: 20yy.
func ThisCentury(yy int, build func(int) (calendar.Day, bool)) (calendar.Day, bool) {
	return build(2000 + yy)
}

// NotAfter is for births: a year of two digits is the latest one that is not after the event.
func NotAfter(event calendar.Day) Century {
	return func(yy int, build func(int) (calendar.Day, bool)) (calendar.Day, bool) {
		if d, ok := build(2000 + yy); ok && d <= event {
			return d, true
		}
		return build(1900 + yy)
	}
}

// EitherCentury takes a year of two digits for 20yy where that is a day, else for 19yy: enough to see what can be read.
func EitherCentury(yy int, build func(int) (calendar.Day, bool)) (calendar.Day, bool) {
	if d, ok := build(2000 + yy); ok {
		return d, true
	}
	return build(1900 + yy)
}

// Date reads a date without a time in one of the orders above; a year in four figures at the head, and a month in letters, decide by themselves.
func Date(text, order string, century Century) (calendar.Day, bool) {
	a, b, c, monthName, ok := Parts(text)
	if !ok {
		return 0, false
	}
	build := func(y, m, d string) (calendar.Day, bool) {
		month, okM := Digits(m, 1, 2)
		day, okD := Digits(d, 1, 2)
		if !okM || !okD {
			return 0, false
		}
		make := func(year int) (calendar.Day, bool) { return realDate(year, month, day) }
		if yy, ok := Digits(y, 2, 2); ok {
			return century(yy, make)
		}
		year, ok := Digits(y, 4, 4)
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

// Parts cuts a date at its separators. A month written as a word becomes its number and stands in the middle; the name of
// a day of the week before a date falls away.
func Parts(text string) (a, b, c string, monthName, ok bool) {
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
		if _, all := Digits(parts[0], 8, 8); all { // 20160630
			return parts[0][:4], parts[0][4:6], parts[0][6:], false, true
		}
	}
	if len(parts) == 1 {
		if day, month, year, ok := Together(parts[0]); ok {
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
		if month := Month(part); month != "" {
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

// Together reads a date as SAS and Stata write it, in lower case: 30jun2015, 30jun15.
func Together(text string) (day, month, year string, ok bool) {
	from := strings.IndexFunc(text, unicode.IsLetter)
	to := strings.LastIndexFunc(text, unicode.IsLetter) + 1
	if from < 1 || to-from != 3 {
		return "", "", "", false
	}
	day, month, year = text[:from], Month(text[from:to]), text[to:]
	_, isDay := Digits(day, 1, 2)
	_, isYear := Digits(year, 2, 4)
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

// Month is the number of a month by the first letters of its name, in lower case; "" for another word.
func Month(word string) string {
	if len(word) < 3 || word[0] < 'a' {
		return ""
	}
	return monthNames[word[:3]]
}

// Digits reads a number of at least and at most so many digits, and nothing but digits.
func Digits(s string, least, most int) (int, bool) {
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
