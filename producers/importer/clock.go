package importer

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"retorno/schemas/codelists"
)

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

// The seconds since 1970 that are believed: from 2000 to 2099. All of them have ten digits, as milliseconds thirteen.
const firstSecond, lastSecond = 946_684_800, 4_102_444_799

// sinceEpoch reads the seconds or milliseconds since 1970 in UTC by which programs write an instant.
func sinceEpoch(text string) (time.Time, bool) {
	if len(text) != 10 && len(text) != 13 {
		return time.Time{}, false
	}
	n, ok := digits(text, 10, 13)
	if !ok {
		return time.Time{}, false
	}
	ms := int64(n)
	if len(text) == 10 {
		ms *= 1000
	}
	return time.UnixMilli(ms).UTC(), ms/1000 >= firstSecond && ms/1000 <= lastSecond
}

var (
	// yearLast is how C and Java write a time: Thu Jun 30 23:45:00 CST 2016.
	yearLast = regexp.MustCompile(`^\p{L}{3} (\p{L}{3}) +(\d{1,2}) (\d{1,2}:\d\d:\d\d)( [A-Z]{3}(?:[+-]\d\d:\d\d)?)? (\d{4})$`)
	// zoned is a time of day, and behind it UTC, GMT, Honduras's CST, or an offset, and the zone's name in brackets.
	zoned = regexp.MustCompile(`(?i)^(.*?:\d.*?)\s*(?:(Z|UTC|GMT|CST)|(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?)(?:\s*\(.*\))?$`)
)

// cutZone takes the zone off a date and time; nil without one. CST is the time of Honduras.
func cutZone(text string) (civil string, zone *time.Location) {
	// Both forms have a colon, and a letter or a sign behind it or, as C writes a date, in front.
	colon := strings.IndexByte(text, ':')
	if colon < 0 || !strings.ContainsAny(text[colon:], "zZtT+-") && text[0] < 'A' {
		return text, nil
	}
	if p := yearLast.FindStringSubmatch(text); p != nil {
		text = p[1] + " " + p[2] + " " + p[5] + " " + p[3] + p[4]
	}
	p := zoned.FindStringSubmatch(text)
	if p == nil {
		return text, nil
	}
	if p[2] != "" {
		if strings.EqualFold(p[2], "CST") {
			return p[1], honduras
		}
		return p[1], time.UTC
	}
	hours, _ := strconv.Atoi(p[4])
	minutes, _ := strconv.Atoi("0" + p[5])
	if hours > 14 || minutes > 59 {
		return text, nil
	}
	offset := hours*3600 + minutes*60
	if p[3] == "-" {
		offset = -offset
	}
	if offset == hondurasOffset {
		return p[1], honduras
	}
	return p[1], time.FixedZone("", offset)
}

const hondurasOffset = -6 * 3600

// honduras is the offset that Honduras's clocks name, CST or -06:00.
var honduras = time.FixedZone("CST", hondurasOffset)

// lateClock is a time without a colon behind a date: 14h30, 14.30, 1430, 2 p. m.
var lateClock = regexp.MustCompile(`(?i)^(.*\d)[ \x{a0}\x{202f}T]+(\d{1,2} ?h ?(?:\d\d)?|\d{1,2}\.\d\d(?:\.\d\d)?|\d{4}|\d{6}|\d{1,2}[ \x{a0}\x{202f}]?[ap]\.?[ \x{a0}\x{202f}]?m\.?)$`)

// splitClock divides a date from the time behind it: at the T of ISO, or at the last blank before a colon.
func splitClock(text string) (date, clock string) {
	colon := strings.IndexByte(text, ':')
	if colon > 0 {
		if _, _, _, ok := together(strings.ToLower(text[:colon])); ok { // as SAS writes: 30JUN2015:23:45:00
			return text[:colon], text[colon+1:]
		}
	}
	if colon < 0 {
		if _, _, _, _, ok := dateParts(text); ok {
			return text, ""
		}
		if p := lateClock.FindStringSubmatch(text); p != nil {
			return strings.TrimRight(p[1], ", "), p[2]
		}
		return text, ""
	}
	at := strings.LastIndexAny(text[:colon], " Tt\u00a0\u202f")
	if at < 0 {
		return text, ""
	}
	return strings.TrimRight(text[:at], " ,\u00a0\u202f"), strings.TrimLeft(text[at:], " Tt\u00a0\u202f")
}

// halves are the letters about a time of day: which half of the day it is in, or none.
var halves = map[string]string{"": "", "h": "", "hs": "", "hr": "", "hrs": "", "hora": "", "horas": "", "a": "a", "am": "a", "p": "p", "pm": "p", "m": "m", "md": "m"}

// parseClock reads 23:45, 23:45:10, 23:45:10.123, 11:45 pm, 11:45 p. m., 12 m. (noon), 14h30, 14.30, 1430, 24:00 and the
// fraction of a day that a spreadsheet keeps, where it can be nothing else: 0.604166667.
func parseClock(text string) (h, m, s int, ok bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if codelists.Fold(text) == "mediodia" {
		return 12, 0, 0, true
	}
	from, to := strings.IndexAny(text, "0123456789"), strings.LastIndexAny(text, "0123456789")+1
	if from < 0 {
		return 0, 0, 0, false
	}
	switch clockForm(text) {
	case clockEither:
		return 0, 0, 0, false
	case clockFraction:
		day, _ := strconv.ParseFloat("0"+strings.Replace(strings.TrimPrefix(text, "0"), ",", ".", 1), 64)
		h, m, s = dayFraction(day)
		return h, m, s, true
	}
	before, knownBefore := halves[codelists.Fold(text[:from])]
	after, known := halves[codelists.Fold(text[to:])]
	if !known || !knownBefore || before != "" && after != "" || strings.ContainsAny(text[:from], "-+") {
		return 0, 0, 0, false
	}
	half := before + after
	if h, m, s, ok = clockFigures(text[from:to], codelists.Fold(text[to:]) != "" || half != ""); !ok {
		return 0, 0, 0, false
	}
	switch {
	case half == "":
		return h, m, s, h < 24 && m < 60 && s < 60 || h == 24 && m == 0 && s == 0
	case h < 1 || h > 12 || half == "m" && h != 12:
		return 0, 0, 0, false
	case half == "m":
		return h, m, s, m < 60 && s < 60
	}
	h %= 12
	if half == "p" {
		h += 12
	}
	return h, m, s, m < 60 && s < 60
}

// clockFigures reads the figures of a time of day. An hour alone needs a letter beside it that says what it is.
func clockFigures(text string, marked bool) (h, m, s int, ok bool) {
	text = strings.ReplaceAll(text, " ", "")
	parts := strings.Split(text, ":")
	if len(parts) == 1 {
		switch _, number := digits(text, 3, 6); {
		case strings.Contains(text, "h"):
			parts = strings.Split(text, "h")
		case strings.ContainsAny(text, ".,"):
			if parts = strings.Split(strings.Replace(text, ",", ".", 1), "."); len(parts[1]) != 2 {
				return 0, 0, 0, false
			}
		case number && len(text) != 5:
			parts = nil
			for len(text) > 2 {
				parts, text = append([]string{text[len(text)-2:]}, parts...), text[:len(text)-2]
			}
			parts = append([]string{text}, parts...)
		case !marked:
			return 0, 0, 0, false
		}
	}
	if len(parts) > 3 {
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
	return numbers[0], numbers[1], numbers[2], true
}

// dayFraction is the time of day of a fraction of a day, to the second.
func dayFraction(part float64) (h, m, s int) {
	seconds := int(math.Round(part * 86400))
	if seconds >= 86400 {
		seconds = 86399
	}
	return seconds / 3600, seconds / 60 % 60, seconds % 60
}

// Forms of a time of day in which a point or comma may part hours from minutes, or a whole day from its fraction.
const (
	clockPlain    = iota
	clockPointed  // 14.30: hours and minutes
	clockFraction // 0.604166667: a fraction of a day
	clockEither   // 0.30: half past midnight, or 07:12
)

var fraction = regexp.MustCompile(`^0?[.,](\d+)$`)
var pointed = regexp.MustCompile(`^\d{1,2}[.,]\d\d(?:[.,]\d\d)?$`)

func clockForm(text string) int {
	if !strings.ContainsAny(text, ".,") {
		return clockPlain
	}
	if p := fraction.FindStringSubmatch(text); p != nil {
		if len(p[1]) == 2 && p[1] < "60" && text[0] == '0' {
			return clockEither
		}
		return clockFraction
	}
	if pointed.MatchString(text) {
		return clockPointed
	}
	return clockPlain
}

// timeEvidence is what the cells of a column of times say about a point or comma in them.
type timeEvidence struct{ pointed, fractions int }

func (e *timeEvidence) look(text string) {
	switch clockForm(text) {
	case clockPointed:
		e.pointed++
	case clockFraction:
		e.fractions++
	}
}

// clockCell reads a cell of a time column; code is the reason why it cannot be read.
func (c *conversion) clockCell(field, text string) (h, m, s int, code string) {
	if strings.Trim(text, "0.,") == "" && strings.Contains(text, "0") {
		return 0, 0, 0, "" // the midnight of a spreadsheet: no part of the day
	}
	if clockForm(text) == clockEither {
		switch e := c.dialect.times[field]; {
		case e == nil || (e.fractions > 0) == (e.pointed > 0):
			return 0, 0, 0, "ambiguous_time"
		case e.fractions > 0:
			text += "00" // only a fraction has more than two digits
		default:
			text = "0" + text // only an hour has two digits
		}
	}
	clock := text
	if civil, zone := cutZone(text); zone == honduras {
		clock = civil
	}
	if h, m, s, ok := parseClock(clock); ok {
		return h, m, s, ""
	}
	if whole, ok := parseMoment(text, DayFirst, eitherCentury); ok && whole.clock {
		return whole.h, whole.m, whole.s, ""
	}
	// A spreadsheet shows a time without a date on its first days: 1900-01-00, 30/12/1899.
	if date, clock := splitClock(text); emptyDay.MatchString(date) {
		if h, m, s, ok := parseClock(clock); ok {
			return h, m, s, ""
		}
	}
	return 0, 0, 0, "bad_time"
}

var emptyDay = regexp.MustCompile(`^\D*(?:1899|1900|0+)\D+\d\d?\D+\d\d?$|^\d\d?\D+\d\d?\D+(?:1899|1900)$`)
