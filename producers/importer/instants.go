package importer

import "retorno/schemas/calendar"

// What times that know their offset from UTC stand for, where midnights of another zone leave that open.
const (
	InstantsDays    = "days"
	InstantsMoments = "moments"
)

// Quarters of an hour of the Honduran day, from 0 at midnight.
const (
	quarters     = 96
	hour         = 4
	firstOfNext  = 7 * hour  // from here on a midnight elsewhere is that of the next day; before it, that of the same day
	noon         = 12 * hour // at which programs write days too, in Honduras or an hour east of it: no such day moves
	firstEvening = 14 * hour // from here on it is midnight in Europe, Africa and America
)

// instantEvidence is what the times with an offset of one column say about whether they are days, written as midnights of some zone.
type instantEvidence struct {
	home      int // times that are written at Honduras's offset, and are no midnights: these are what they say
	foreign   int // times at other offsets
	midnights int // of which these are midnights as they are written
	line      int // of the first of these

	days  [quarters]map[calendar.Day]bool // days with a time that falls exactly on this quarter
	rows  [quarters]int
	lines [quarters]int
}

// quarter is the quarter of the Honduran day on which a time exactly falls, -1 when it falls on none.
func (t moment) quarter() int {
	if t.instant.IsZero() || t.m%15 != 0 || t.s != 0 || t.instant.Nanosecond() != 0 {
		return -1
	}
	return t.h*hour + t.m/15
}

// elsewhere reports whether a time is written at another offset than Honduras's.
func (t moment) elsewhere() bool {
	_, offset := t.instant.Zone()
	return !t.instant.IsZero() && offset != hondurasOffset
}

func (e *instantEvidence) look(t moment, line int) {
	if !t.elsewhere() {
		if !t.midnight {
			e.home++
		}
		return
	}
	e.foreign++
	if t.midnight {
		if e.midnights++; e.midnights == 1 {
			e.line = line
		}
	}
	q := t.quarter()
	if q < 0 {
		return
	}
	if e.days[q] == nil {
		e.days[q], e.lines[q] = map[calendar.Day]bool{}, line
	}
	e.days[q][t.day] = true
	e.rows[q]++
}

// allDays reports whether each time is a midnight as it is written: the cells are days, and the offset is the program's.
func (e *instantEvidence) allDays() bool {
	return e.midnights > 0 && e.midnights == e.foreign && e.home == 0
}

// usual returns the quarter at which, with the one an hour later (a zone with summer time), the most days have a time, of those that
// would move a day if they were midnights of a zone; -1 when there is none.
func (e *instantEvidence) usual() int {
	best, most := -1, 0
	for q := firstOfNext; q < quarters; q++ {
		if n := len(e.days[q]) + len(e.days[(q+hour)%quarters]); len(e.days[q]) > 0 && n >= most {
			best, most = q, n
		}
	}
	return best
}

// tooManyMidnights reports whether midnights are more than chance makes of times that are stated to the minute or the second. Where times
// are written by the quarter of an hour, one in 96 is a midnight, and at busy hours more.
func (e *instantEvidence) tooManyMidnights() bool {
	all, round := e.foreign+e.home, 0
	for _, rows := range e.rows {
		round += rows
	}
	const some, many = 2, 20
	return e.midnights >= some && many*e.midnights >= all && 2*(round-e.midnights) < all-e.midnights
}

// doubtful returns the first line of times that look like midnights of another zone and are not proved to be; 0 when none do.
func (e *instantEvidence) doubtful() int {
	if e.allDays() {
		return 0
	}
	if e.midnights >= 2 && 2*e.midnights >= e.foreign+e.home || e.tooManyMidnights() {
		return e.line
	}
	q := e.usual()
	if q < 0 || q == noon || q == noon-hour {
		return 0
	}
	later := (q + hour) % quarters
	together, round := map[calendar.Day]bool{}, 0
	for i, days := range e.days {
		round += len(days)
		for day := range days {
			together[day] = together[day] || i == q || i == later
		}
	}
	apart := 0
	for _, in := range together {
		if in {
			apart++
		}
	}
	rows, days := e.rows[q]+e.rows[later], len(e.days[q])+len(e.days[later])
	switch {
	case apart < 3:
		return 0
	case q < firstEvening && rows < e.foreign: // ordinary hours of work
		return 0
	case 5*days < 4*round || 50*rows < e.foreign: // times of any hour, some of which fall here by chance
		return 0
	}
	if e.lines[later] > 0 {
		return min(e.lines[q], e.lines[later])
	}
	return e.lines[q]
}

// instants says which times with an offset of a column are days.
type instants struct {
	midnights bool // those that are midnights as they are written
	usual     int  // and those on this quarter of the day, or an hour later; -1: no others
}

// of concludes how the column's times are read.
func (e *instantEvidence) of(cfg Config, name string) (instants, error) {
	switch {
	case cfg.Instants == InstantsMoments:
		return instants{usual: -1}, nil
	case cfg.Instants == InstantsDays:
		return instants{midnights: true, usual: e.usual()}, nil
	case e.doubtful() > 0:
		return instants{}, fileError("midnights_elsewhere", name, e.doubtful())
	}
	return instants{midnights: e.allDays(), usual: -1}, nil
}

// day returns the day for which a time stands; false when it stands for itself.
func (i instants) day(t moment) (calendar.Day, bool) {
	q := t.quarter()
	switch {
	case !t.elsewhere():
		return 0, false
	case i.midnights && t.midnight:
		return t.written, true
	case q < 0 || i.usual < 0 || q != i.usual && q != (i.usual+hour)%quarters:
		return 0, false
	case q >= firstOfNext:
		return t.day + 1, true
	}
	return t.day, true
}
