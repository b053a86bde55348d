package importer

import (
	"slices"
	"strings"

	"retorno/producers/reading"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// concludeDates decides how each column of dates is read: as the setting says, as its header says, as its cells prove,
// as those of another column prove, in this sequence. Where nothing decides, or two things disagree, the file is refused.
func (d *dialect) concludeDates(cfg Config, columns []*dateEvidence) error {
	d.dates = map[string]dateColumn{}
	if err := checkDayNumbers(cfg, columns); err != nil {
		return err
	}
	for _, e := range columns {
		order, err := d.orderOf(cfg, e)
		if err != nil {
			return err
		}
		instants, err := e.instants.of(cfg, e.name)
		if err != nil {
			return err
		}
		d.dates[e.field] = dateColumn{order: order, instants: instants}
	}
	for _, e := range columns {
		if d.dates[e.field].order != "" {
			continue
		}
		order, from := borrowed(e, columns)
		switch {
		case order != "" && !e.speaksAgainst(order):
			d.warnings = append(d.warnings, Warning{Code: "date_order_borrowed", Column: e.name + " ← " + from, Line: e.open()})
		case e.likelyDayFirst() && d.noneOtherThanDayFirst():
			order = DayFirst
			d.warnings = append(d.warnings, Warning{Code: "date_order_assumed", Column: e.name, Line: e.open()})
		default:
			return undecided(e)
		}
		d.dates[e.field] = dateColumn{order: order, instants: d.dates[e.field].instants}
	}
	return nil
}

// likelyDayFirst reports whether a column without a proof may be read as people in Honduras write, with a warning: its dates, the
// day first, lie within half the time that they span with the month first; or they are births, which lie decades apart in
// any order and are no more than an age. One date alone is read so, too.
func (e *dateEvidence) likelyDayFirst() bool {
	name := codelists.Fold(e.name)
	month, day := strings.Index(name, "mes"), strings.Index(name, "dia")
	if slices.Contains(e.possible(), 2) || month >= 0 && month < day {
		return false
	}
	return e.field == "birth_date" || 2*(e.most[0]-e.least[0]) <= e.most[1]-e.least[1]
}

// speaksAgainst reports whether the dates of a column lie far closer together in another order than in the one that another column proves:
// a program writes the one in its own order, and people the other.
func (e *dateEvidence) speaksAgainst(order string) bool {
	span := func(i int) calendar.Day { return e.most[i] - e.least[i] }
	i := slices.Index(orders[:], order)
	for _, j := range e.possible() {
		if j != i && e.field != "birth_date" && far*span(j) < span(i) {
			return true
		}
	}
	return false
}

// far is how many times as wide a column's dates lie in an order that is hardly theirs.
const far = 5

// noneOtherThanDayFirst reports whether no column is read in another order.
func (d *dialect) noneOtherThanDayFirst() bool {
	for _, column := range d.dates {
		if column.order != "" && column.order != DayFirst {
			return false
		}
	}
	return true
}

// orderOf returns the order of a column, "" when neither the settings nor the column itself decide.
func (d *dialect) orderOf(cfg Config, e *dateEvidence) (string, error) {
	if cfg.DateOrder != "" {
		if e.hint != "" && e.hint != cfg.DateOrder && e.figures > 0 {
			d.warnings = append(d.warnings, Warning{Code: "date_order_against_header", Column: e.name, Line: d.header.line})
		}
		if e.halfConverted() {
			d.warnings = append(d.warnings, Warning{Code: "dates_half_converted", Column: e.name, Line: e.fixedLine})
		}
		return cfg.DateOrder, nil
	}
	possible, proved := e.possible(), e.proved()
	switch {
	case e.yearDay > 0:
		return "", fileError("year_then_day", e.name, e.yearDay)
	case e.hint == yearDay:
		return "", fileError("year_then_day", e.name, d.header.line)
	case len(possible) == 0:
		return "", fileError("mixed_date_orders", e.name, min(e.cannot[0], e.cannot[1]), max(e.cannot[0], e.cannot[1]))
	case e.halfConverted():
		return "", fileError("dates_half_converted", e.name, e.fixedLine)
	case e.hint != "":
		if line := e.cannot[slices.Index(orders[:], e.hint)]; line > 0 {
			return "", fileError("date_order_against_header", e.name, line)
		}
		return e.hint, nil
	case proved == MonthFirst:
		return "", fileError("month_first", e.name, e.cannot[0])
	case proved == YearFirst:
		return "", fileError("year_first", e.name, e.cannot[0])
	case proved != "":
		return proved, nil
	case e.open() == 0:
		return orders[possible[0]], nil // each cell is the same day in each order
	}
	return "", nil
}

// borrowed returns the order that the cells of another column prove, when e can be read in it, and that column.
func borrowed(e *dateEvidence, columns []*dateEvidence) (order, column string) {
	for _, other := range columns {
		if order := other.proved(); order != "" && other.hint == "" && slices.Index(orders[:], order) >= 0 && e.cannot[slices.Index(orders[:], order)] == 0 {
			return order, other.name
		}
	}
	return "", ""
}

// undecided asks for the order of a column.
func undecided(e *dateEvidence) error {
	if slices.Contains(e.possible(), 2) {
		return fileError("two_digit_years", e.name, e.open())
	}
	return fileError("date_order_unproved", e.name, e.open())
}

const (
	// macShift is by how much a day number of a workbook that counts from 1904 is smaller than one that counts from 1900.
	macShift = 1462
	// farOlder is by how much day numbers must lie before all other dates of the file to be doubted.
	farOlder = 1000
)

// checkDayNumbers refuses a file some of whose day numbers are years older than every other date of an event.
func checkDayNumbers(cfg Config, columns []*dateEvidence) error {
	if cfg.DayNumbers != "" {
		return nil
	}
	var days []calendar.Day
	earliest, stated := calendar.Day(0), false
	for _, e := range columns {
		if e.field == "birth_date" {
			continue
		}
		for day := range e.numbers {
			days = append(days, day)
		}
		if e.stated && (!stated || e.earliest < earliest) {
			earliest, stated = e.earliest, true
		}
	}
	slices.Sort(days)
	for i, day := range days {
		next := day
		if i+1 < len(days) {
			next = days[i+1]
		}
		if stated && (i+1 == len(days) || earliest < next) {
			next = earliest
		}
		if next-day >= farOlder {
			for _, e := range columns {
				if line, ok := e.numbers[days[0]]; ok {
					return fileError("old_day_numbers", e.name, line)
				}
			}
		}
		if stated && next <= day {
			break
		}
	}
	return nil
}

// date reads a cell of a date column.
func (c *conversion) date(field, text string, century reading.Century) (moment, bool) {
	column := c.dialect.dates[field]
	t, ok := parseMoment(text, column.order, century)
	switch {
	case !ok:
		return moment{}, false
	case t.number && c.cfg.DayNumbers == DayNumbers1904:
		t.day += macShift
	case t.number && c.cfg.DayNumbers == "":
		c.warn(field, "day_numbers")
	case t.epoch && c.cfg.Instants == "":
		c.warn(field, "seconds_since_1970")
	}
	if day, ok := column.instants.day(t); ok {
		if day == t.day && c.cfg.Instants == "" {
			return t, true // midnight of Honduras, at another offset
		}
		if c.cfg.Instants == "" {
			c.warn(field, "midnight_elsewhere")
		}
		return moment{day: day}, true
	}
	return t, true
}
