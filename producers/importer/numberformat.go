package importer

import (
	"regexp"
	"strings"

	"github.com/xuri/excelize/v2"
)

// A cell of a sheet is a number, and its format says that the number is a date. Formats show 30 June 2015 as 06-30-15 or as
// jun-15; therefore every format of dates is replaced before the cells are read.

// builtInDates are the numbers of formats of dates and times that every workbook has without naming them, and those that
// workbooks of some countries have.
var builtInDates = map[int]string{14: dateFormat, 15: dateFormat, 16: dateFormat, 17: dateFormat, 18: clockFormat, 19: clockFormat, 20: clockFormat, 21: clockFormat,
	22: momentFormat, 45: clockFormat, 46: clockFormat, 47: clockFormat}

const (
	dateFormat   = momentFormat + `"` + dayMark + `"` // a format that shows the day only may stand over a time
	clockFormat  = "hh:mm:ss"
	momentFormat = "yyyy-mm-dd hh:mm:ss"
	dayMark      = "\u2060"
)

// shownDate takes the midnight away that a format of days does not show.
func shownDate(cell string) string {
	text, marked := strings.CutSuffix(cell, dayMark)
	if !marked {
		return cell
	}
	return strings.TrimSuffix(text, " 00:00:00")
}

// plainFormats gives every style of the workbook a format that loses nothing: ISO for dates and times, the number as it is for
// numbers, but for formats that put zeros in front, as those of document numbers do.
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
	for _, format := range []string{dateFormat, clockFormat, momentFormat} {
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			return err
		}
		plain[format] = *f.Styles.CellXfs.Xf[style].NumFmtID
	}
	for i := range f.Styles.CellXfs.Xf[:styles] {
		xf := &f.Styles.CellXfs.Xf[i]
		if xf.NumFmtID == nil {
			continue
		}
		id := plainFormat(*xf.NumFmtID, codes, plain)
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
	case id == 49: // text
		return id
	}
	return 0
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
	case clock:
		return clockFormat
	}
	return ""
}
