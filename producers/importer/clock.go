package importer

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"retorno/producers/reading"
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
	n, ok := reading.Digits(text, 10, 13)
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

// timeEvidence is what the cells of a column of times say about a point or comma in them.
type timeEvidence struct{ pointed, fractions int }

func (e *timeEvidence) look(text string) {
	switch reading.FormOf(text) {
	case reading.Pointed:
		e.pointed++
	case reading.Fraction:
		e.fractions++
	}
}

// clockCell reads a cell of a time column; code is the reason why it cannot be read.
func (c *conversion) clockCell(field, text string) (h, m, s int, code string) {
	if strings.Trim(text, "0.,") == "" && strings.Contains(text, "0") {
		return 0, 0, 0, "" // the midnight of a spreadsheet: no part of the day
	}
	if reading.FormOf(text) == reading.Either {
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
	if h, m, s, ok := reading.Clock(clock); ok {
		return h, m, s, ""
	}
	if whole, ok := parseMoment(text, DayFirst, reading.EitherCentury); ok && whole.clock {
		return whole.h, whole.m, whole.s, ""
	}
	// A spreadsheet shows a time without a date on its first days: 1900-01-00, 30/12/1899.
	if date, clock := reading.SplitClock(text); emptyDay.MatchString(date) {
		if h, m, s, ok := reading.Clock(clock); ok {
			return h, m, s, ""
		}
	}
	return 0, 0, 0, "bad_time"
}

var emptyDay = regexp.MustCompile(`^\D*(?:1899|1900|0+)\D+\d\d?\D+\d\d?$|^\d\d?\D+\d\d?\D+(?:1899|1900)$`)
