package fit

import (
	"slices"
	"strconv"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/tables"
)

// dim is an attribute of a return with one value.
type dim int

const (
	country dim = iota
	mode
	returnType
	entryPoint
	exitPoint
	centre
	department
	sex
	accompaniment
	month
	age
	dims
)

var dimLists = map[dim]string{
	country: codelists.Country, mode: codelists.Mode, returnType: codelists.ReturnType,
	entryPoint: codelists.BorderPoint, exitPoint: codelists.BorderPoint, centre: codelists.Centre,
	department: codelists.Department, sex: codelists.Sex, accompaniment: codelists.Accompaniment,
}

// point is one value of each dim, as positions in space.codes; 0 is the unknown one.
type point [dims]uint16

// space holds the values that returns of a period can have. The value 0 of month exists only to keep the dims alike:
// every return has a month.
type space struct {
	codes [dims][]string
	index [dims]map[string]uint16
	// outside are the months that the table names and the period does not have.
	outside map[uint16]bool
	// reasons are the codes of the known reasons; a set of them is a bit mask.
	reasons []string
}

func newSpace(t *tables.Table) *space {
	s := &space{outside: map[uint16]bool{}}
	for d := range dims {
		switch d {
		case age:
			s.codes[d] = []string{""}
			for a := range tables.MaxAge + 1 {
				s.codes[d] = append(s.codes[d], strconv.Itoa(a))
			}
		case month:
			s.codes[d] = append([]string{""}, months(t)...)
		default:
			l, _ := codelists.Get(dimLists[d])
			for _, c := range l.Codes() {
				if stands(d, c.Code) {
					s.codes[d] = append(s.codes[d], c.Code)
				}
			}
		}
	}
	inside := len(s.codes[month])
	for _, c := range t.Cells() {
		for _, m := range c.Where.Months {
			if !slices.Contains(s.codes[month], m) {
				s.codes[month] = append(s.codes[month], m)
			}
		}
	}
	for i := inside; i < len(s.codes[month]); i++ {
		s.outside[uint16(i)] = true
	}
	for d := range dims {
		s.index[d] = make(map[string]uint16, len(s.codes[d]))
		for i, c := range s.codes[d] {
			s.index[d][c] = uint16(i)
		}
	}
	l, _ := codelists.Get(codelists.Reason)
	for _, c := range l.Codes() {
		if c.Code != l.Unknown {
			s.reasons = append(s.reasons, c.Code)
		}
	}
	return s
}

// stands reports whether a registered return can have the code: no person enters by a blind crossing, and everybody who is
// registered is so at some centre.
func stands(d dim, code string) bool {
	switch d {
	case entryPoint:
		return codelists.ValidFor(code, "entry")
	case exitPoint:
		return codelists.ValidFor(code, "exit")
	case centre:
		return code != "X-NON"
	}
	return true
}

// months are the months that the period of the table touches.
func months(t *tables.Table) []string {
	var out []string
	for d := t.First; d <= t.Last; d++ {
		if m := d.Month(); len(out) == 0 || out[len(out)-1] != m {
			out = append(out, m)
		}
	}
	return out
}

// daysIn counts the days of each month that lie in the period, by position in codes[month].
func (s *space) daysIn(first, last calendar.Day) []int64 {
	days := make([]int64, len(s.codes[month]))
	for d := first; d <= last; d++ {
		days[s.index[month][d.Month()]]++
	}
	return days
}

// selector is a tables.Filter over points.
type selector struct {
	in [dims][]bool // nil: any
	// reason is the position of the reason that is asked for, -1 for none; known asks for any.
	reason int
	known  bool
	except []selector
}

func (s *space) selector(f *tables.Filter) selector {
	out := selector{reason: slices.Index(s.reasons, f.Reason), known: f.ReasonKnown}
	lists := map[dim][]string{
		country: f.Countries, mode: f.Modes, returnType: f.ReturnTypes, entryPoint: f.EntryPoints,
		exitPoint: f.ExitPoints, centre: f.Centres, department: f.Departments, sex: f.Sexes,
		accompaniment: f.Accompaniments, month: f.Months,
	}
	for d, list := range lists {
		if list == nil {
			continue
		}
		out.in[d] = make([]bool, len(s.codes[d]))
		for _, c := range list {
			out.in[d][s.index[d][c]] = true
		}
	}
	if f.Ages != nil {
		out.in[age] = make([]bool, len(s.codes[age]))
		for a := f.Ages.Min; a <= f.Ages.Max; a++ {
			out.in[age][a+1] = true
		}
	}
	for i := range f.Except {
		out.except = append(out.except, s.selector(&f.Except[i]))
	}
	return out
}

// matches judges the values of a point, not its reasons.
func (f *selector) matches(p *point) bool {
	for d := range dims {
		if f.in[d] != nil && !f.in[d][p[d]] {
			return false
		}
	}
	return !f.excepts(p)
}

// excepts reports whether an exception takes the point out.
func (f *selector) excepts(p *point) bool {
	for i := range f.except {
		if f.except[i].matches(p) {
			return true
		}
	}
	return false
}

// admits judges one dim alone.
func (f *selector) admits(d dim, value uint16) bool { return f.in[d] == nil || f.in[d][value] }

// classes splits the values of a dim so that each of the sets holds all or nothing of a class. The unknown value is a
// class of its own, the first. It returns the class of each value and the values of each class.
func classes(n int, sets [][]bool) (classOf []int, members [][]uint16) {
	classOf = make([]int, n)
	byKey := map[string]int{}
	members = [][]uint16{{0}}
	key := make([]byte, len(sets))
	for v := 1; v < n; v++ {
		for i, set := range sets {
			key[i] = '0'
			if set[v] {
				key[i] = '1'
			}
		}
		c, ok := byKey[string(key)]
		if !ok {
			c = len(members)
			byKey[string(key)] = c
			members = append(members, nil)
		}
		classOf[v] = c
		members[c] = append(members[c], uint16(v))
	}
	return classOf, members
}
