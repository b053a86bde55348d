package register

import (
	"iter"
	"slices"

	"github.com/google/uuid"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// Truth is what must come out of a register's events, as the generator meant it.
type Truth struct {
	// Table, Seed and Mess say which register; First and Last are the table's period.
	Table       string
	Seed        uint64
	Mess        Level
	First, Last calendar.Day
	// Events is how many messages are sent, Rejected how many of them cannot be understood, by reason code. Every
	// other message is accepted, a duplicate or superseded.
	Events   int
	Rejected map[string]int
	// Records is how many record ids arrive in sound messages, Held how many of them stay in the future for ever.
	Records, Held int
	// RegisteredInPeriod is the number of registered returns of nationals in the period: the table's population.
	RegisteredInPeriod int
	// AssistedInPeriod is the number of distinct people helped in the period.
	AssistedInPeriod int
	// Sources are the computers, in the order of Register.Sources.
	Sources []Source

	facts    []fact
	expected []expected
	helps    []help
	crossed  map[crossingKey]int
}

// Source is what must be known of one computer in the end.
type Source struct {
	ID string `json:"source"`
	// HighestContiguousSeq, HighestSeq and Missing are about the numbers that arrive: see ceniss.sources.
	HighestContiguousSeq uint64 `json:"highest_contiguous_seq"`
	HighestSeq           uint64 `json:"highest_seq"`
	Missing              uint64 `json:"missing"`
}

// Return is one return as it must stand in retorno.returns, and in ceniss.returns where it is National. Codes that
// nothing states are the unknown codes of their lists.
type Return struct {
	ReturnID      uuid.UUID    `json:"return_id"`
	Person        uuid.UUID    `json:"person"`
	Day           calendar.Day `json:"-"`
	Date          string       `json:"day"`
	Route         string       `json:"route"`
	Country       string       `json:"country"`
	Mode          string       `json:"mode"`
	ReturnType    string       `json:"return_type"`
	EntryPoint    string       `json:"entry_point"`
	ExitPoint     string       `json:"exit_point"`
	Centre        string       `json:"centre"`
	Department    string       `json:"department"`
	Municipality  string       `json:"municipality"`
	Sex           string       `json:"sex"`
	Age           int          `json:"age"` // -1: not stated
	AgeGroup      string       `json:"age_group"`
	Accompaniment string       `json:"accompanied"`
	Reasons       []string     `json:"reasons"` // in list order; empty: not stated
	Nationality   string       `json:"nationality"`
	National      bool         `json:"national"`
	Registered    bool         `json:"registered"`
	Checkpoint    bool         `json:"checkpoint"`
}

// ReturnCell is a cell of the cube of returns.
type ReturnCell struct {
	Day        string `json:"day"`
	Route      string `json:"route"`
	ReturnType string `json:"return_type"`
	EntryPoint string `json:"entry_point"`
	ExitPoint  string `json:"exit_point"`
	Centre     string `json:"centre"`
	Sex        string `json:"sex"`
	AgeGroup   string `json:"age_group"`
}

// ReturnCount is what stands in a cell of the cube.
type ReturnCount struct {
	Registered int `json:"registered"`
	Checkpoint int `json:"checkpoint"`
	Reconciled int `json:"reconciled"`
}

// HelpCell is a cell of the counts of help.
type HelpCell struct {
	Day      string `json:"day"`
	Centre   string `json:"centre"`
	Kind     string `json:"kind"`
	Sex      string `json:"sex"`
	AgeGroup string `json:"age_group"`
}

// CrossingCell is a cell of the counts of crossings: every crossing in force, returns and bystanders alike.
type CrossingCell struct {
	Day           string `json:"day"`
	BorderPoint   string `json:"border_point"`
	Direction     string `json:"direction"`
	DocumentCheck string `json:"document_check"`
}

// crossingKey is CrossingCell in small.
type crossingKey struct {
	day         calendar.Day
	post        uint16
	exit, check uint8
}

func crossingOf(r *revision) crossingKey {
	return crossingKey{calendar.DayOf(r.event), r.said[dimEntry], r.marks & markExit, r.detail}
}

// truth sums up what the generator meant.
func (g *generator) truth() *Truth {
	t := &Truth{Table: g.tableID, Seed: g.settings.Seed, Mess: g.settings.Mess, First: g.first, Last: g.last, Events: len(g.sends),
		Rejected: map[string]int{}, Held: g.held, facts: g.facts, expected: g.returns, helps: g.helps, crossed: g.crossed}
	for i := range g.broken {
		t.Rejected[g.broken[i].code()]++
	}
	for i := range g.returns {
		if e := &g.returns[i]; e.registered && e.said.national() && g.first <= e.day && e.day <= g.last {
			t.RegisteredInPeriod++
		}
	}
	helped := map[int64]struct{}{}
	for i := range g.helps {
		if h := &g.helps[i]; g.from <= h.event && h.event < g.until {
			helped[h.to] = struct{}{}
		}
	}
	t.AssistedInPeriod = len(helped)
	g.countSent(t)
	return t
}

// countSent counts the records and the numbers of each computer that are sent at all.
func (g *generator) countSent(t *Truth) {
	sent := make([]bool, len(g.revs))
	for _, s := range g.sends {
		if s.rev >= 0 {
			sent[s.rev] = true
		}
	}
	records := make([]bool, len(g.facts))
	arrived := make([][]uint32, len(g.sources.ids))
	for i, ok := range sent {
		if r := &g.revs[i]; ok {
			records[r.fact] = true
			arrived[r.source] = append(arrived[r.source], r.seq)
		}
	}
	for _, ok := range records {
		if ok {
			t.Records++
		}
	}
	for i, id := range g.sources.ids {
		s := Source{ID: id}
		slices.Sort(arrived[i])
		for k, seq := range arrived[i] {
			if uint64(seq) == uint64(k+1) {
				s.HighestContiguousSeq = uint64(seq)
			}
			s.HighestSeq = uint64(seq)
		}
		s.Missing = s.HighestSeq - uint64(len(arrived[i]))
		t.Sources = append(t.Sources, s)
	}
}

// Returns gives every return that must come out, in no particular order: registered or not, in the period or outside
// it, nationals and others.
func (t *Truth) Returns() iter.Seq[Return] {
	return func(yield func(Return) bool) {
		for i := range t.expected {
			if !yield(t.returnAt(&t.expected[i])) {
				return
			}
		}
	}
}

func (t *Truth) returnAt(e *expected) Return {
	a := &e.said
	id := t.facts[e.first].id(t.Seed)
	person := id
	if e.person != none {
		person = personKey(t.Seed, e.person)
	}
	return Return{ReturnID: id, Person: person, Day: e.day, Date: e.day.String(),
		Route: codelists.RouteOf(a.code(dimCountry), a.code(dimMode)), Country: a.code(dimCountry), Mode: a.code(dimMode),
		ReturnType: a.code(dimReturnType), EntryPoint: a.code(dimEntry), ExitPoint: a.code(dimExit), Centre: a.code(dimCentre),
		Department: a.code(dimDepartment), Municipality: a.code(dimMunicipality), Sex: a.code(dimSex), Age: a.age(),
		AgeGroup: codelists.AgeGroupOf(a.age()), Accompaniment: a.code(dimAccompanied), Reasons: a.reasons(),
		Nationality: a.code(dimNationality), National: a.national(), Registered: e.registered, Checkpoint: e.checkpoint}
}

// Cell is the cell that the return is counted in.
func (r *Return) Cell() ReturnCell {
	return ReturnCell{Day: r.Date, Route: r.Route, ReturnType: r.ReturnType, EntryPoint: r.EntryPoint, ExitPoint: r.ExitPoint,
		Centre: r.Centre, Sex: r.Sex, AgeGroup: r.AgeGroup}
}

// Plus counts one return more.
func (n ReturnCount) Plus(registered, checkpoint bool) ReturnCount {
	n.Reconciled++
	if registered {
		n.Registered++
	}
	if checkpoint {
		n.Checkpoint++
	}
	return n
}

// cellKey is ReturnCell in small: the day and the attributes that it has.
type cellKey struct {
	day                               calendar.Day
	country, mode, returnType         uint16
	entry, exit, centre, sex, ageBand uint16
}

// ReturnCells are the cells of the cube in which something stands: returns of nationals, on all days.
func (t *Truth) ReturnCells() map[ReturnCell]ReturnCount {
	small := map[cellKey]ReturnCount{}
	for i := range t.expected {
		e := &t.expected[i]
		if !e.said.national() {
			continue
		}
		a := &e.said
		k := cellKey{e.day, a[dimCountry], a[dimMode], a[dimReturnType], a[dimEntry], a[dimExit], a[dimCentre], a[dimSex], ageBand(a)}
		small[k] = small[k].Plus(e.registered, e.checkpoint)
	}
	cells := make(map[ReturnCell]ReturnCount, len(small))
	for k, n := range small {
		cells[ReturnCell{k.day.String(), codelists.RouteOf(lists[dimCountry].At(k.country), lists[dimMode].At(k.mode)),
			lists[dimReturnType].At(k.returnType), lists[dimEntry].At(k.entry), lists[dimExit].At(k.exit), lists[dimCentre].At(k.centre),
			lists[dimSex].At(k.sex), ageGroupList.At(k.ageBand)}] = n
	}
	return cells
}

func ageBand(a *attributes) uint16 { return indexIn(ageGroupList, codelists.AgeGroupOf(a.age())) }

// HelpCells are the counts of help, by its own day and by sex and age group of the return it belongs to.
func (t *Truth) HelpCells() map[HelpCell]int {
	cells := map[HelpCell]int{}
	var nothing attributes
	for i := range t.helps {
		h := &t.helps[i]
		a := &nothing
		if h.visit >= 0 {
			a = &t.expected[h.visit].said
		}
		cells[HelpCell{calendar.DayOf(h.event).String(), lists[dimCentre].At(h.centre), kindList.At(h.kind), a.code(dimSex),
			codelists.AgeGroupOf(a.age())}]++
	}
	return cells
}

// CrossingCells are the counts of crossings.
func (t *Truth) CrossingCells() map[CrossingCell]int {
	cells := make(map[CrossingCell]int, len(t.crossed))
	for k, n := range t.crossed {
		direction := "entry"
		if k.exit != 0 {
			direction = "exit"
		}
		cells[CrossingCell{k.day.String(), lists[dimEntry].At(k.post), direction, checkList.At(uint16(k.check))}] = n
	}
	return cells
}
