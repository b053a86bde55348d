package bulletin

import (
	"fmt"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// Month is a month of the half-year, and the same month a year before. A count that is not given has the text of its symbol, and no point
// on the line.
type Month struct {
	Name         string
	Count        string
	Then         string // "" where no vintage of that half-year is published
	Key, ThenKey Key
	X            float64 // of both points, in percent of the width
	Y, ThenY     int     // in pixels from above; -1: there is none
}

// monthsHeight is the height of the picture of months, in pixels, and monthsWidth its width in units of the lines' own.
const (
	monthsHeight = 180
	monthsWidth  = 600
)

func (b *Bulletin) months(o, before *vintages.Opened) {
	period, err := calendar.ParsePeriod(o.Period)
	if err != nil {
		return
	}
	year, first, _ := period.First.Civil()
	var values, then []int64
	largest, any := int64(1), false
	for i := range 6 {
		month := int(first) + i
		m := Month{Name: wording.Months[b.Lang][month-1], X: float64(i)*100/6 + 100./12}
		var now, earlier int64
		m.Count, now, m.Key = b.count(o, registered(label(year, month)))
		if before != nil {
			m.Then, earlier, m.ThenKey = b.count(before, registered(label(year-1, month)))
		}
		any = any || m.Key != Key{}
		values, then, largest = append(values, now), append(then, earlier), max(largest, now, earlier)
		b.Months = append(b.Months, m)
	}
	if !any {
		b.Months = nil
		return
	}
	for i := range b.Months {
		m := &b.Months[i]
		m.Y, m.ThenY = height(values[i], largest), height(then[i], largest)
	}
	b.Line = line(b.Months, func(m Month) int { return m.Y })
	b.LineThen = line(b.Months, func(m Month) int { return m.ThenY })
}

// height is where a count stands in the picture, whose axis begins at 0.
func height(value, largest int64) int {
	if value == 0 {
		return -1
	}
	return 10 + int((largest-value)*(monthsHeight-20)/largest)
}

// line is the path (SVG 2 §9) that joins points which follow each other: where one is not given there is a gap.
func line(months []Month, y func(Month) int) string {
	var path strings.Builder
	pen := "M"
	for _, m := range months {
		if y(m) < 0 {
			pen = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%d %d", pen, int(m.X*monthsWidth/100), y(m))
		pen = "L"
	}
	return path.String()
}

// label names a month as periods do: 2016-01.
func label(year, month int) string {
	text := strconv.Itoa(month)
	if month < 10 {
		text = "0" + text
	}
	return strconv.Itoa(year) + "-" + text
}
