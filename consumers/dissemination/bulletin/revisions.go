package bulletin

import (
	"fmt"
	"strings"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// reasons are what a revision's amounts are of, by bundle.Reasons.
var reasons = map[string][2]string{"late": {"tardíos", "late"}, "correction": {"corregidos", "corrected"}, "void": {"anulados", "voided"},
	"method": {"por cambio de método", "by a change of method"}, "code_list": {"por cambio de un código", "by a change of a code"}}

// revisions says what a revision changes of the registered total, for which reasons, and which bulletin follows this one.
func (b *Bulletin) revisions(o *vintages.Opened) {
	period, err := calendar.ParsePeriod(o.Period)
	if err == nil {
		next := period.Next()
		b.Next = b.in("del "+wording.HalfYear(next, b.Lang)+", después del "+wording.Date(next.Last, b.Lang), "of the "+wording.HalfYear(next, b.Lang)+", after "+wording.Date(next.Last, b.Lang))
		if o.Status == "provisional" {
			b.Next = b.in("el definitivo de este semestre, después del "+b.Last, "the final one of this half-year, after "+b.Last)
		}
	}
	if day, ok := o.Manifest.Next(); ok {
		b.Next += b.in("; anunciado para el ", "; announced for ") + wording.Date(day, b.Lang)
	} else {
		b.Next += b.in("; no hay fecha anunciada", "; no date has been announced")
	}
	t, total := cell(o, "returns", registered(o.Period))
	if total == nil {
		return
	}
	key := published.Key(t.Measure, t.Columns, total.Codes)
	for _, d := range o.Differences {
		if d.Key != key {
			continue
		}
		var amounts []string
		for _, reason := range bundle.Reasons {
			if n := d.By[reason]; n != 0 {
				amounts = append(amounts, b.in(reasons[reason][0], reasons[reason][1])+" "+signed(n))
			}
		}
		if d.Other != 0 {
			amounts = append(amounts, b.in("sin desglose", "not broken down")+" "+signed(d.Other))
		}
		b.Changed = fmt.Sprintf(b.in("Los retornos registrados pasaron de %s a %s (%s); cambiaron %d conteos en total.", "Registered returns went from %s to %s (%s); %d counts changed in all."),
			wording.Number(d.Before), wording.Number(d.After), strings.Join(amounts, ", "), len(o.Differences))
	}
}

// signed writes an amount with its sign.
func signed(n int64) string {
	if n < 0 {
		return "−" + wording.Number(-n)
	}
	return "+" + wording.Number(n)
}
