package importer

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"retorno/producers/reading"
	"retorno/schemas/calendar"
)

// A cell of a sheet is a number, and its format says that the number is a date. Formats show 30 June 2015 as 06-30-15 or as
// jun-15, and 501199012345 as 5.01E+11; therefore every format is replaced before the cells are read by one that shows the number
// that is stored, with a mark behind it where the number is a date or a time.

// builtInDates are the numbers of formats of dates and times that every workbook has without naming them, and those that
// workbooks of some countries have.
var builtInDates = map[int]string{14: dateFormat, 15: dateFormat, 16: dateFormat, 17: dateFormat, 18: clockFormat, 19: clockFormat, 20: clockFormat, 21: clockFormat,
	22: momentFormat, 45: clockFormat, 46: elapsedFormat, 47: clockFormat}

const (
	dateFormat    = storedDays + `"` + mark + `d"` // may stand over a time that it does not show
	momentFormat  = storedDays + `"` + mark + `m"`
	clockFormat   = storedDays + `"` + mark + `c"`
	elapsedFormat = storedDays + `"` + mark + `e"` // hours since midnight, which go on behind 24

	storedDays = "0.0000000000" // to the hundred-thousandth of a second
	mark       = "\u2060"

	// storedNumber is a number that no format has: the library then gives what is stored, where its own "General" rounds to
	// ten digits.
	storedNumber = 1 << 30
)

// shownTime writes the number of days under a format of dates or times as ISO does; other cells come back as they are. A day has
// no time where the format does not show its midnight, and a number that is no day stays one.
func shownTime(cell string, date1904 bool) string {
	text, format, marked := strings.Cut(cell, mark)
	if !marked {
		return cell
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return cell
	}
	const noise = 1e-9 // what adding days and hours leaves, in days
	days := math.Floor(n + noise)
	h, m, s := reading.DayFraction(math.Max(n-days, 0))
	clock := fmt.Sprintf("%02d:%02d:%02d", h, m, s)
	switch {
	case n < 0 || n > lastDayNumber:
		return strconv.FormatFloat(math.Round(n*1000)/1000, 'f', -1, 64)
	case format == "e" && days < firstSerial:
		return fmt.Sprintf("%02d", h+24*int(days)) + clock[2:]
	case format == "c" && days > 0 && days < firstSerial && h+m+s == 0:
		return fmt.Sprint(days) // shown as 0:00, and typed as 24:00 or counted from 1900-01-01: no time until it is said
	case format == "c" && days < firstSerial:
		return clock
	}
	if date1904 {
		days += macShift
	}
	year, month, day := calendar.Day(days + serialEpoch).Civil()
	date := fmt.Sprintf("%04d-%02d-%02d", year, month, day)
	if format == "d" && h+m+s == 0 {
		return date
	}
	return date + " " + clock
}

// lastDayNumber is the last day of a spreadsheet, 9999-12-31.
const lastDayNumber = 2958466

// plainFormats gives every style of the workbook a format that loses nothing: days for dates and times, the number that is stored
// for numbers, but for formats that put zeros in front, as those of document numbers do.
func plainFormats(f *excelize.File) error {
	if _, err := f.GetStyle(0); err != nil { // reads the styles
		return err
	}
	codes := map[int]string{}
	if f.Styles.NumFmts != nil {
		for _, format := range f.Styles.NumFmts.NumFmt {
			codes[format.NumFmtID] = format.FormatCode
		}
	}
	styles := len(f.Styles.CellXfs.Xf)
	plain := map[string]int{}
	for _, format := range []string{dateFormat, clockFormat, elapsedFormat, momentFormat} {
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			return err
		}
		plain[format] = *f.Styles.CellXfs.Xf[style].NumFmtID
	}
	for i := range f.Styles.CellXfs.Xf[:styles] {
		xf := &f.Styles.CellXfs.Xf[i]
		id := storedNumber
		if xf.NumFmtID != nil {
			id = plainFormat(*xf.NumFmtID, codes, plain)
		}
		xf.NumFmtID = &id
	}
	return nil
}

func plainFormat(id int, codes map[int]string, plain map[string]int) int {
	code, named := codes[id]
	switch {
	case !named && builtInDates[id] != "":
		return plain[builtInDates[id]]
	case !named && (id >= 27 && id <= 36 || id >= 50 && id <= 58):
		return plain[dateFormat]
	case named && timeFormat(code) != "":
		return plain[timeFormat(code)]
	case named && leadingZeros.MatchString(code):
		return id
	}
	return storedNumber
}

var (
	leadingZeros = regexp.MustCompile(`^(\[[^\]]*\])*[\\" -]*00[0\\"/ .-]*(;.*)?$`)
	literals     = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.|(?i:am/pm|a/p)|\[(?:[^hmsHMS\]][^\]]*|[hmsHMS]+[^hmsHMS\]][^\]]*)\]`)
)

// timeFormat is the plain format for a code of dates or times, "" for one of numbers.
func timeFormat(code string) string {
	code, _, _ = strings.Cut(literals.ReplaceAllString(code, ""), ";")
	code = strings.ToLower(code)
	if strings.Contains(code, "general") || strings.ContainsAny(code, "#?") {
		return ""
	}
	day, clock := strings.ContainsAny(code, "yd"), strings.ContainsAny(code, "hs")
	switch {
	case day && clock:
		return momentFormat
	case day, !clock && strings.Contains(code, "m"):
		return dateFormat
	case clock && strings.Contains(code, "["):
		return elapsedFormat
	case clock:
		return clockFormat
	}
	return ""
}
