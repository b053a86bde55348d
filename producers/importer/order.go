package importer

import (
	"slices"

	"retorno/producers/reading"
	"retorno/schemas/calendar"
)

// orders are the orders of day, month and year that a column of figures may have.
var orders = [3]string{DayFirst, MonthFirst, YearFirst}

// dateColumn is how the dates of one column are read.
type dateColumn struct {
	order    string
	instants instants
}

// dateEvidence is what the cells of one column say about the order of their parts. A cell such as 13/04/2016 can be read
// one way only and is a proof; 03/04/2016 is none.
type dateEvidence struct {
	field, name, hint string

	figures int    // cells in which only the order tells day from month
	cannot  [3]int // line of the first cell that cannot be read in this order, though it can in another
	least   [3]calendar.Day
	most    [3]calendar.Day // first and last day of the cells in each order
	apart   [3][3]int       // line of the first cell that is another day in the one order than in the other
	loose   int             // cells in figures whose day and month could change places

	fixed, late int // cells whose order is known (ISO, a month's name, a day number); those of them after the twelfth of a month
	fixedLine   int
	yearDay     int                  // line of the first cell with the year first and then the day
	instants    instantEvidence      // of the times with an offset from UTC
	numbers     map[calendar.Day]int // day numbers of a spreadsheet, with the first line of each
	earliest    calendar.Day         // first day of the earliest year of the other cells
	stated      bool                 // there is one
}

// look takes one cell into the evidence.
func (e *dateEvidence) look(text string, line int) {
	civil, _ := cutZone(text)
	date, _ := reading.SplitClock(civil)
	a, b, c, name, ok := reading.Parts(date)
	if m, read := parseMoment(text, DayFirst, reading.EitherCentury); read && (!ok || name || len(a) == 4) {
		e.lookFixed(m, line)
		return
	}
	if !ok || name {
		return
	}
	if len(a) == 4 {
		if day, okB := reading.Digits(b, 1, 2); okB && day > 12 && day <= 31 && eitherDay(a, c, b) && e.yearDay == 0 {
			e.yearDay = line
		}
		return
	}
	var days [3]calendar.Day
	var can [3]bool
	for i, order := range orders {
		days[i], can[i] = reading.Date(date, order, reading.EitherCentury)
	}
	if !can[0] && !can[1] && !can[2] {
		return
	}
	e.figures++
	if can[0] && can[1] {
		e.loose++
	}
	if year, ok := reading.Digits(c, 4, 4); ok {
		e.lookYear(year)
	}
	for i := range orders {
		if !can[i] && e.cannot[i] == 0 {
			e.cannot[i] = line
		}
		if can[i] {
			if e.least[i] == 0 || days[i] < e.least[i] {
				e.least[i] = days[i]
			}
			e.most[i] = max(e.most[i], days[i])
		}
		for j := range orders {
			if can[i] && can[j] && days[i] != days[j] && e.apart[i][j] == 0 {
				e.apart[i][j] = line
			}
		}
	}
	if _, zone := cutZone(text); zone != nil {
		m, _ := parseMoment(text, DayFirst, reading.EitherCentury)
		e.instants.look(m, line)
	}
}

// eitherDay reports whether year, month and day make a day.
func eitherDay(year, month, day string) bool {
	_, ok := reading.Date(year+"-"+month+"-"+day, DayFirst, reading.EitherCentury)
	return ok
}

func (e *dateEvidence) lookFixed(m moment, line int) {
	day := m.day
	if !m.instant.IsZero() {
		day = m.written
		e.instants.look(m, line)
	}
	if e.fixed++; e.fixed == 1 {
		e.fixedLine = line
	}
	year, _, ofMonth := day.Civil()
	if ofMonth > 12 {
		e.late++
	}
	if !m.number {
		e.lookYear(year)
	} else if _, seen := e.numbers[day]; !seen {
		e.numbers[day] = line
	}
}

func (e *dateEvidence) lookYear(year int) {
	if first := calendar.Date(year, 1, 1); !e.stated || first < e.earliest {
		e.stated, e.earliest = true, first
	}
}

// halfConverted reports whether the column looks as it does after a spreadsheet took the dates that it could read with day and month
// changed places, and left the others as text. Some cells may be typed by hand, before or after.
func (e *dateEvidence) halfConverted() bool {
	return e.fixed > 0 && byHand*e.late <= e.fixed && e.figures > 0 && byHand*e.loose <= e.figures
}

// byHand is the part of its cells, one in so many, that a column may have from other hands than the program's. Of days that no
// program chose, three in five lie after the twelfth.
const byHand = 5

// possible names the orders in which every cell can be read that can be read at all.
func (e *dateEvidence) possible() (out []int) {
	for i := range orders {
		if e.cannot[i] == 0 {
			out = append(out, i)
		}
	}
	return out
}

// proved returns the one order that the cells leave, "" when they leave several or none.
func (e *dateEvidence) proved() string {
	if possible := e.possible(); e.figures > 0 && len(possible) == 1 {
		return orders[possible[0]]
	}
	return ""
}

// open returns the first line at which two possible orders give two days; 0 when none does.
func (e *dateEvidence) open() int {
	line := 0
	for _, i := range e.possible() {
		for _, j := range e.possible() {
			if at := e.apart[i][j]; at > 0 && (line == 0 || at < line) {
				line = at
			}
		}
	}
	return line
}

// orderNames are the orders of dates as the headers of files name them.
var orderNames = map[string]string{DayFirst: " (dd/mm/aaaa)", MonthFirst: " (mm/dd/aaaa)", YearFirst: " (aa/mm/dd)"}

// datedColumns are the names of the columns, each of dates with the order in which they were read: a few rows may not prove it once more.
func (d *dialect) datedColumns() []string {
	out := slices.Clone(d.header.cells)
	for field, column := range d.dates {
		i, ok := d.header.at[field]
		if !ok || column.order == "" {
			continue
		}
		if named := out[i] + orderNames[column.order]; fieldOf(Config{Kind: d.kind}, named) == field {
			if hint, _ := dateHint(out[i]); hint == "" {
				out[i] = named
			}
		}
	}
	return out
}

// dateOrders are the orders in which columns are read, by the column's name in the file.
func (d *dialect) dateOrders() map[string]string {
	out := map[string]string{}
	for field, column := range d.dates {
		if column.order != "" {
			out[d.header.column(field)] = column.order
		}
	}
	return out
}
