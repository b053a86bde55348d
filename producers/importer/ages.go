package importer

import (
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// piledAge reports whether an age comes more often than the ages around it allow: a code for not stated, or what a program
// writes by default.
func (h *habits) piledAge(age int) bool {
	const oldest = 100 // 115 and more is what a spreadsheet makes of no date of birth
	switch n := h.ages[age].rows; {
	case n == 0:
		return false
	case age == 0:
		return h.piledInfants(n)
	case age >= oldest:
		return n*lone > h.rows
	case age == 77 || age == 88 || age >= 97:
		return h.piledCode(age, n)
	}
	return h.piledDefault(age)
}

// lone is how few are as old as that: not even one in 2,000 people who are returned.
const lone = 2000

func (h *habits) piledCode(age, n int) bool {
	const around = 5
	neighbours := 0
	for a := age - around; a <= age+around; a++ {
		if a != age && a <= codelists.MaxAge && a != 77 && a != 88 && a < 97 {
			neighbours += h.ages[a].rows
		}
	}
	if age < 90 && n < 2 {
		return false
	}
	return n*2*around > 4*neighbours && n*lone > h.rows
}

// piledInfants compares the infants with the children of 1 to 5 years, who are returned about as often.
func (h *habits) piledInfants(n int) bool {
	const years, few, often = 5, 2, 3
	children := 0
	for a := 1; a <= years; a++ {
		children += h.ages[a].rows
	}
	return (n-few)*years > often*children
}

// piledDefault reports whether an age is that of a quarter of the rows while next to none are a year younger or older.
func (h *habits) piledDefault(age int) bool {
	const few, part, often = 20, 4, 10
	n := h.ages[age].rows
	beside := h.ages[age-1].rows
	if age < codelists.MaxAge {
		beside = max(beside, h.ages[age+1].rows)
	}
	return n >= few && n*part >= h.rows && n > often*beside
}

// newborn warns of a birth on the very day of arrival or crossing: a form's today, which is another day in each row.
func (c *conversion) newborn(birth, on calendar.Day) {
	if birth == on {
		c.warn("birth_date", "born_that_day")
	}
}
