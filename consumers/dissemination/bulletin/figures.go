package bulletin

import (
	"math"
	"strconv"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// registered are the codes of the registered returns of a period.
func registered(period string, more ...string) map[string]string {
	codes := map[string]string{"source": "registered", "time_period": period}
	for i := 0; i+1 < len(more); i += 2 {
		codes[more[i]] = more[i+1]
	}
	return codes
}

// figures are the key figures: the total, and of it the largest exit point, the largest route, women and minors.
func (b *Bulletin) figures(o, before *vintages.Opened) {
	t, total := cell(o, "returns", registered(o.Period))
	if total == nil || total.Withheld {
		return
	}
	lang, all := b.Lang, wording.Number(total.Value)
	b.Figures = append(b.Figures, Figure{Name: wording.In(lang, "Migrantes retornados registrados", "Registered returned migrants"), Value: all,
		Note: wording.In(lang, "del "+b.First+" al "+b.Last, "from "+b.First+" to "+b.Last), Change: change(lang, o, before, total, registered), Key: b.keys.of(t, total), Count: total.Value})
	b.Lead = wording.In(lang, "En el "+b.Name+" se registraron "+all+" migrantes retornados.", "In the "+b.Name+", "+all+" returned migrants were registered.")
	for _, part := range []struct{ column, code, es, en string }{
		{"exit_point", largest(o, "exit_point"), "Salieron de Honduras por ", "Left Honduras by "},
		{"route", largest(o, "route"), "Volvieron de ", "Returned from "},
		{"sex", "F", "", ""},
		{"age", "minor", "", ""},
	} {
		t, c := cell(o, "returns", registered(o.Period, part.column, part.code))
		if c == nil || c.Withheld || c.Kept || total.Value == 0 {
			continue
		}
		label, share := o.Label(part.column, part.code, lang), wording.Percent(wording.Share(c.Value, total.Value), lang)
		f := Figure{Name: wording.In(lang, part.es, part.en) + label, Value: wording.Number(c.Value), Key: b.keys.of(t, c), Count: c.Value,
			Note: share + wording.In(lang, " de los "+all+" registrados", " of the "+all+" registered"), Change: change(lang, o, before, c, func(period string, _ ...string) map[string]string {
				return registered(period, part.column, part.code)
			})}
		b.Figures = append(b.Figures, f)
		if part.column == "exit_point" {
			b.Lead = wording.In(lang, "En el "+b.Name+" se registraron "+all+" migrantes retornados; el "+share+" había salido de Honduras por "+label+".",
				"In the "+b.Name+", "+all+" returned migrants were registered, "+share+" of whom had left Honduras by "+label+".")
		}
	}
}

// largest is the finest code of a column that most of the registered returns have, "" where none is published.
func largest(o *vintages.Opened, column string) string {
	code, most := "", int64(-1)
	for _, known := range finest(breakdown(o, column), column) {
		if _, c := cell(o, "returns", registered(o.Period, column, known)); c != nil && !c.Withheld && !c.Kept && c.Value > most {
			code, most = known, c.Value
		}
	}
	return code
}

// change is the change of a count against the same half-year a year before, in percent with its sign, or a symbol.
func change(lang string, o, before *vintages.Opened, now *published.Cell, of func(period string, more ...string) map[string]string) string {
	if before == nil || o.Manifest.Rounded > 1 || before.Manifest.Rounded > 1 || now.Kept {
		return "[" + NotAvailable + "]"
	}
	_, then := cell(before, "returns", of(before.Period))
	switch {
	case then == nil, then.Withheld, then.Kept:
		return "[" + NotAvailable + "]"
	case then.Value < leastBase, now.Value < leastBase:
		return "[" + NotApplicable + "]"
	}
	tenths := math.Round(float64(now.Value-then.Value) / float64(then.Value) * 1000)
	sign := "+"
	if tenths < 0 {
		sign = "−"
	}
	return sign + wording.Percent(math.Abs(tenths)/10, lang)
}

// YearBefore is the half-year a year before one: 2015-S1 for 2016-S1.
func YearBefore(period string) string {
	p, err := calendar.ParsePeriod(period)
	if err != nil {
		return ""
	}
	year, _, _ := p.First.Civil()
	return strconv.Itoa(year-1) + period[4:]
}
