package bulletin

import (
	"slices"
	"strconv"

	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// Month is a month of the half-year, and the same month a year before. A count that is not given has the text of its symbol, and no height.
type Month struct {
	Name         string
	Count        string
	Then         string // "" where no vintage of that half-year is published
	Key, ThenKey Key
	X, ThenX     float64 // left edges in percent of the width
	Height       int     // pixels
	ThenHeight   int
	Top, ThenTop int
}

// Bar is a part of a picture of parts.
type Bar struct {
	Name, Count string
	Key         Key
	Width       float64 // in percent
}

// Band is an age group of the pyramid: men to the left, women to the right, in percent of half the width.
type Band struct {
	Name, Men, Women     string
	MenKey, WomenKey     Key
	MenWidth, WomenWidth float64
}

// monthsHeight is the height of the tallest bar of a month, in pixels.
const monthsHeight = 180

func (b *Bulletin) pictures(o, before *vintages.Opened) {
	b.months(o, before)
	b.exits(o)
	b.ages(o)
}

// count is what stands in a picture for a cell: its text, its height's value, and its key.
func (b *Bulletin) count(o *vintages.Opened, codes map[string]string) (text string, value int64, key Key) {
	t, c := cell(o, "returns", codes)
	switch {
	case c == nil:
		return "[" + NotAvailable + "]", 0, Key{}
	case c.Withheld:
		return "[" + Confidential + "]", 0, b.keys.of(t, c)
	}
	text = wording.Number(c.Value)
	if o.Manifest.Rounded > 1 {
		text += " [" + Provisional + "]"
	}
	return text, c.Value, b.keys.of(t, c)
}

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
		m := Month{Name: wording.Months[b.Lang][month-1], X: float64(i)*100/6 + 2, ThenX: float64(i)*100/6 + 9}
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
		m.Height, m.ThenHeight = int(values[i]*monthsHeight/largest), int(then[i]*monthsHeight/largest)
		m.Top, m.ThenTop = monthsHeight-m.Height, monthsHeight-m.ThenHeight
	}
}

// label names a month as periods do: 2016-01.
func label(year, month int) string {
	text := strconv.Itoa(month)
	if month < 10 {
		text = "0" + text
	}
	return strconv.Itoa(year) + "-" + text
}

// exits are the exit points of the half-year with a published count, the largest first.
func (b *Bulletin) exits(o *vintages.Opened) {
	sizes := map[Key]int64{}
	_, total, _ := b.count(o, registered(o.Period))
	for _, code := range finest(breakdown(o, "exit_point"), "exit_point") {
		text, value, key := b.count(o, registered(o.Period, "exit_point", code))
		if value == 0 || total == 0 {
			continue
		}
		sizes[key] = value
		b.Exits = append(b.Exits, Bar{Name: o.Label("exit_point", code, b.Lang), Count: text, Key: key, Width: wording.Share(value, total)})
	}
	slices.SortStableFunc(b.Exits, func(x, y Bar) int { return int(sizes[y.Key] - sizes[x.Key]) })
}

// ages are the finest age groups, the oldest first.
func (b *Bulletin) ages(o *vintages.Opened) {
	var codes []string
	for _, code := range finest(breakdown(o, "sex", "age"), "age") {
		if years(code) > 0 {
			codes = append(codes, code)
		}
	}
	slices.SortFunc(codes, func(x, y string) int { return years(y) - years(x) })
	largest := int64(1)
	var men, women []int64
	for _, code := range codes {
		band := Band{Name: o.Label("age", code, b.Lang)}
		var m, w int64
		band.Men, m, band.MenKey = b.count(o, registered(o.Period, "age", code, "sex", "M"))
		band.Women, w, band.WomenKey = b.count(o, registered(o.Period, "age", code, "sex", "F"))
		if band.MenKey == (Key{}) && band.WomenKey == (Key{}) {
			continue
		}
		men, women, largest = append(men, m), append(women, w), max(largest, m, w)
		b.Ages = append(b.Ages, band)
	}
	for i := range b.Ages {
		b.Ages[i].MenWidth, b.Ages[i].WomenWidth = float64(men[i])*100/float64(largest), float64(women[i])*100/float64(largest)
	}
}
