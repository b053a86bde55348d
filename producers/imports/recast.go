package imports

import (
	"maps"
	"slices"
	"time"

	"retorno/schemas/calendar"
)

// shape are the smallest prints of the rows that stand apart from all others, with their days counted from the file's first:
// by them the file is known whose days were all moved. None where most rows are like others, as files of different people
// then are, too.
func (r rows) shape() []uint64 {
	first, _ := r.span()
	count := map[uint64]int{}
	for _, t := range r {
		count[t.shape(first)]++
	}
	var out []uint64
	for print, n := range count {
		if n == 1 {
			out = append(out, print)
		}
	}
	if 2*len(out) < len(r) {
		return nil
	}
	return smallest(out)
}

func (t *traits) shape(first dated) uint64 {
	return t.without() ^ uint64(t.day-first.day)*spread
}

// shapes are the prints that shape chooses from.
func (r rows) shapes() prints {
	first, _ := r.span()
	out := prints{}
	for _, t := range r {
		out[t.shape(first)] = true
	}
	return out
}

// span are the first and last day, with the first time of day of the one and the last of the other.
func (r rows) span() (first, last dated) {
	begun := false
	for _, t := range r {
		at := dated{day: t.day, clock: t.clock}
		if !begun {
			first, last, begun = at, at, true
		}
		if at.before(first) {
			first = at
		}
		if last.before(at) {
			last = at
		}
	}
	return first, last
}

func (d dated) before(other dated) bool {
	return d.day < other.day || d.day == other.day && d.clock < other.clock
}

// ms are the milliseconds from one moment to another.
func (d dated) ms(to dated) int64 {
	return int64(to.day-d.day)*dayMs + to.clock - d.clock
}

const dayMs = int64(24 * time.Hour / time.Millisecond)

// recast looks whether the file is the import with one group of cells otherwise in every row.
func (k *kinship) recast(file rows) {
	counted := rows{}
	for id, s := range k.h.records {
		if !s.void {
			counted = append(counted, row{id: id, traits: s.traits})
		}
	}
	first, last := file.span()
	from, to := counted.span()
	within := counted.during(first.day, last.day)
	for _, group := range groups {
		if len(group.out) > 1 && k.alike > 0 {
			return // one column says it
		}
		n := 0
		switch group.when {
		case sameDay:
			n = alike(file, within, group, 0)
		case oneShift:
			n = max(alike(file, counted, group, first.ms(from)), alike(file, counted, group, last.ms(to)))
		case someShift:
			n = apart(file, counted, group)
		}
		if n > k.alike {
			k.alike, k.but = n, group.name
		}
	}
}

func (r rows) during(first, last calendar.Day) rows {
	out := rows{}
	for _, t := range r {
		if first <= t.day && t.day <= last {
			out = append(out, t)
		}
	}
	return out
}

// at is where a row stands in a group, as many milliseconds earlier.
func (t *traits) at(g group, shift int64) dated {
	out := dated{day: t.day, mark: t.without(g.out...)}
	if g.when == oneShift {
		out.clock = t.clock - shift
		days := out.clock / dayMs
		if out.clock -= days * dayMs; out.clock < 0 {
			days, out.clock = days-1, out.clock+dayMs
		}
		out.day += calendar.Day(days)
	}
	return out
}

// few is how many rows are alike by chance.
const few = 3

// enough reports whether so many rows that are alike make one file the other: four fifths of the fewer rows and half of the more.
func enough(n int, file, counted rows) bool {
	fewer, more := min(len(file), len(counted)), max(len(file), len(counted))
	return n >= few && 5*n >= 4*fewer && 2*n >= more
}

// alike is how many rows of a file are those of an import but for a group, which lie so many milliseconds later there; 0 where
// it may be by chance. It is none where enough are alike, but rows of the next days are so, too: a column that says little
// makes rows of different people alike.
func alike(file, counted rows, g group, shift int64) int {
	times, next := map[dated]int{}, map[calendar.Day]calendar.Day{}
	for _, t := range file {
		times[t.at(g, 0)]++
		next[t.day] = t.day
	}
	days, most := slices.Sorted(maps.Keys(next)), few // rows that say the same prove nothing
	if len(days) == 1 {
		most = 1
	}
	match := func(later int) (n int) {
		for i, day := range days {
			next[day] = days[(i+later)%len(days)]
		}
		left := map[dated]int{}
		for at, n := range times {
			if n <= most {
				left[at] = n
			}
		}
		for _, t := range counted {
			at := t.at(g, shift)
			day, held := next[at.day]
			if at.day = day; held && left[at] > 0 {
				left[at]--
				n++
			}
		}
		return n
	}
	n := match(0)
	if !enough(n, file, counted) || len(days) > 1 && 2*max(match(1), match(len(days)-1)) > n {
		return 0
	}
	return n
}

// apart is how many rows of a file are those of an import but for a group and the day, whichever it is; 0 where it may be by
// chance. Only rows that stand apart from all others, in the file and in the import, prove it.
func apart(file, counted rows, g group) int {
	alone := func(r rows) map[uint64]bool {
		out := map[uint64]bool{}
		for _, t := range r {
			mark := t.without(g.out...)
			_, twice := out[mark]
			out[mark] = !twice
		}
		return out
	}
	there, n := alone(counted), 0
	for mark, once := range alone(file) {
		if once && there[mark] {
			n++
		}
	}
	if !enough(n, file, counted) {
		return 0
	}
	return n
}
