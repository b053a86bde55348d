package register

import (
	"fmt"

	"retorno/deploy/lab/register/fit"
	"retorno/schemas/calendar"
	"retorno/schemas/tables"
)

// population is what a table counts: its returns, and which attributes the table says nothing about.
type population struct {
	rows []row
	open [dims]bool
	// assistance: the table says how many people were helped.
	assistance bool
}

// fitted fits the population to the table. The errors are those of package fit.
func fitted(t *tables.Table, seed uint64) (*population, error) {
	fitted, err := fit.Fit(t, seed)
	if err != nil {
		return nil, err
	}
	p := &population{rows: make([]row, fitted.Len()), assistance: !fitted.Open("assisted")}
	p.open[dimEntry], p.open[dimCentre] = fitted.Open("entry_point"), fitted.Open("centre")
	months := map[string]calendar.Period{}
	for i := range p.rows {
		a := fitted.At(i)
		r := row{said: attributesOf(&a), lo: t.First, hi: t.Last, helped: fitted.Assisted(i)}
		if a.Month != "" {
			month, ok := months[a.Month]
			if !ok {
				if month, err = calendar.ParsePeriod(a.Month); err != nil {
					return nil, fmt.Errorf("month of a fitted return: %w", err)
				}
				months[a.Month] = month
			}
			r.lo, r.hi = max(r.lo, month.First), min(r.hi, month.Last)
		}
		if r.hi < r.lo {
			return nil, fmt.Errorf("a fitted return of %s lies outside the period of table %s", a.Month, t.ID)
		}
		p.rows[i] = r
	}
	return p, nil
}

func attributesOf(a *tables.Attributes) attributes {
	var said attributes
	for d, code := range map[dim]string{dimCountry: a.Country, dimMode: a.Mode, dimReturnType: a.ReturnType, dimSex: a.Sex,
		dimEntry: a.EntryPoint, dimExit: a.ExitPoint, dimCentre: a.Centre, dimDepartment: a.Department, dimAccompanied: a.Accompaniment} {
		said[d] = index(d, code)
	}
	said.setAge(a.Age)
	for _, reason := range a.Reasons {
		if i := indexIn(reasonList, reason); i > 0 {
			said[dimReasons] |= 1 << i
		}
	}
	return said
}
