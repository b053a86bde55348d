package bulletin

import (
	"fmt"
	"slices"

	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
)

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

func (b *Bulletin) pictures(o, before *vintages.Opened) {
	b.months(o, before)
	b.exits(o)
	b.ages(o)
	b.departments(o)
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
	switch {
	case o.Manifest.Rounded > 1:
		text += " [" + Provisional + "]"
	case c.Kept: // of an earlier vintage
		text += fmt.Sprintf(" ⟨%d⟩", c.Of)
	}
	return text, c.Value, b.keys.of(t, c)
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
