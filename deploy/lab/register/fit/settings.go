package fit

import (
	"fmt"
	"strings"

	"retorno/schemas/codelists"
)

// Weight is the share of a code among its neighbours, in whole numbers of any common unit.
type Weight struct {
	Code   string
	Weight int
}

// AgeWeight is the share of the ages From to To, spread evenly over them.
type AgeWeight struct {
	From, To int
	Weight   int
}

// Settings are the assumptions from which everything is drawn that a table does not fix. They decide no number that
// the table prints. Where a publication stands behind one it is named; the others were made up to be plausible.
type Settings struct {
	// Routes are country of return and mode together (codes of the list route). A country without a route of its own
	// is left out of what is drawn freely; where a table demands it, it returns people by air, neighbours by land.
	Routes []Weight
	// ReturnTypes: deported, assisted, voluntary.
	ReturnTypes []Weight
	// EntryPoints are drawn among those that fit the mode.
	EntryPoints []Weight
	// ExitPoints: where people say they left Honduras.
	ExitPoints []Weight
	// Departments of origin.
	Departments []Weight
	// SexOfMinors and SexOfAdults.
	SexOfMinors, SexOfAdults []Weight
	// Ages in completed years.
	Ages []AgeWeight
	// Accompaniment of minors; adults are not asked.
	Accompaniment []Weight
	// Reasons are per mille of the returns whose reasons are known; several answers each.
	Reasons []Weight
	// ReasonsKnown and Assisted are per mille of all returns: those that say why they left, and those helped.
	ReasonsKnown, Assisted int
	// MostReturns is the largest register that is made; larger tables are refused.
	MostReturns int64
	// SearchBudget bounds the search for a solution in whole numbers, in nodes of its tree.
	SearchBudget int
}

// DefaultSettings returns the settings of demos and tests.
func DefaultSettings() Settings {
	return Settings{
		// Seed of the project and CENISS 2016: some two thirds by bus from Mexico, a third by air from the United
		// States; Mexico by air 4 % in 2016; sea 0.1 %, mostly Belize. The small routes are assumptions.
		Routes: []Weight{
			{"US-AIR", 4200}, {"MX-LAND", 5090}, {"MX-AIR", 210}, {"GT-LAND", 350}, {"GT-AIR", 5}, {"BZ-LAND", 30},
			{"BZ-SEA", 10}, {"SV-LAND", 20}, {"NI-LAND", 20}, {"CR-AIR", 5}, {"CR-LAND", 5}, {"PA-AIR", 15}, {"ES-AIR", 20},
			{"CA-AIR", 5}, {"CO-AIR", 3}, {"CL-AIR", 2}, {"CU-AIR", 2}, {"DO-AIR", 2}, {"IT-AIR", 1}, {"FR-AIR", 1},
			{"DE-AIR", 1}, {"BE-AIR", 1}, {"BR-AIR", 1}, {"EC-AIR", 1},
		},
		// INM 2025 prints 70 / 26 / 4 %; before the three-way type nearly all were deported.
		ReturnTypes: []Weight{{"deported", 93}, {"assisted", 5}, {"voluntary", 2}},
		// Guatemala returns of January 2020: 595 Corinto, 100 Agua Caliente, 9 El Florido. Airports and ports are assumptions.
		EntryPoints: []Weight{
			{"L-COR", 595}, {"L-AGC", 100}, {"L-FLO", 9}, {"L-POY", 4}, {"L-AMA", 4}, {"L-LMA", 3}, {"L-GUA", 2},
			{"A-SAP", 970}, {"A-TGU", 30}, {"S-PCR", 80}, {"S-OMO", 20},
		},
		// Corinto 63 %: the seed. The other shares were found nowhere.
		ExitPoints: []Weight{
			{"L-COR", 630}, {"L-AGC", 150}, {"L-FLO", 70}, {"X-BLD", 60}, {"L-POY", 30}, {"L-AMA", 15}, {"L-LMA", 10},
			{"A-SAP", 10}, {"L-GUA", 5}, {"X-UNK", 20},
		},
		// CENISS, 1 January to 9 February 2021, of 3,411; some 3 % not stated (CENISS 2015).
		Departments: []Weight{
			{"HN-CR", 714}, {"HN-FM", 448}, {"HN-YO", 391}, {"HN-CM", 271}, {"HN-SB", 217}, {"HN-CP", 194}, {"HN-AT", 194},
			{"HN-LE", 162}, {"HN-CL", 152}, {"HN-OL", 142}, {"HN-CH", 117}, {"HN-EP", 102}, {"HN-IN", 91}, {"HN-VA", 82},
			{"HN-OC", 68}, {"HN-LP", 43}, {"HN-IB", 21}, {"HN-GD", 2}, {"XX", 100},
		},
		// CONMIGHO 2021: 4,691 boys and 2,904 girls, 37,169 men and 6,595 women.
		SexOfMinors: []Weight{{"M", 4691}, {"F", 2904}},
		SexOfAdults: []Weight{{"M", 37169}, {"F", 6595}},
		// INM, first half of 2025, by ten years; the split inside 11-20 and the tail are assumptions.
		Ages: []AgeWeight{{0, 10, 931}, {11, 17, 800}, {18, 20, 1287}, {21, 30, 7692}, {31, 40, 5652}, {41, 50, 2546},
			{51, 60, 650}, {61, 70, 140}, {71, 85, 27}},
		// CENISS 2020: 2,298 of 6,316 minors unaccompanied.
		Accompaniment: []Weight{{"accompanied", 4018}, {"unaccompanied", 2298}},
		// CENISS 2021 prints the first three; health, study and other share the rest.
		Reasons:      []Weight{{"economic", 929}, {"family", 154}, {"violence", 46}, {"health", 8}, {"study", 10}, {"other", 20}},
		ReasonsKnown: 950,
		Assisted:     900,
		MostReturns:  5_000_000,
		SearchBudget: 5_000,
	}
}

// Validate names the first thing that the settings get wrong.
func (s *Settings) Validate() error {
	lists := []struct {
		name, list string
		weights    []Weight
	}{
		{"routes", codelists.Route, s.Routes}, {"return types", codelists.ReturnType, s.ReturnTypes},
		{"entry points", codelists.BorderPoint, s.EntryPoints}, {"exit points", codelists.BorderPoint, s.ExitPoints},
		{"departments", codelists.Department, s.Departments}, {"sex of minors", codelists.Sex, s.SexOfMinors},
		{"sex of adults", codelists.Sex, s.SexOfAdults}, {"accompaniment", codelists.Accompaniment, s.Accompaniment},
		{"reasons", codelists.Reason, s.Reasons},
	}
	for _, l := range lists {
		codes, _ := codelists.Get(l.list)
		sum := 0
		for _, w := range l.weights {
			if !codes.Has(w.Code) {
				return fmt.Errorf("settings of the fit: %s: %q is not in the list %s", l.name, w.Code, l.list)
			}
			if w.Weight < 0 {
				return fmt.Errorf("settings of the fit: %s: the weight of %s is negative", l.name, w.Code)
			}
			sum += w.Weight
		}
		if sum == 0 {
			return fmt.Errorf("settings of the fit: %s: no weights", l.name)
		}
	}
	for _, a := range s.Ages {
		if a.From < 0 || a.To > codelists.MaxAge || a.From > a.To || a.Weight < 0 {
			return fmt.Errorf("settings of the fit: ages %d to %d with weight %d", a.From, a.To, a.Weight)
		}
	}
	for _, w := range []int{s.ReasonsKnown, s.Assisted} {
		if w < 0 || w > 1000 {
			return fmt.Errorf("settings of the fit: %d per mille", w)
		}
	}
	if s.MostReturns < 1 || s.SearchBudget < 1 {
		return fmt.Errorf("settings of the fit: no returns or no search allowed")
	}
	return nil
}

// mix are the settings over the values of a space.
type mix struct {
	// of are the weights of each value, sex apart.
	of [dims][]int64
	// modes are the weights of the modes of each country; sexes those of minors and of adults.
	modes [][]int64
	sexes [2][]int64
}

// weightUnit stands for what one year of age among published.MaxAge weighs, so that shares stay whole numbers.
const weightUnit = 1000

func newMix(p *problem, set *Settings) *mix {
	s := p.space
	x := &mix{modes: make([][]int64, len(s.codes[country]))}
	fill := func(d dim, weights []Weight) []int64 {
		out := make([]int64, len(s.codes[d]))
		for _, w := range weights {
			out[s.index[d][w.Code]] += int64(w.Weight) * weightUnit
		}
		return out
	}
	for d, weights := range map[dim][]Weight{returnType: set.ReturnTypes, entryPoint: set.EntryPoints,
		exitPoint: set.ExitPoints, department: set.Departments, accompaniment: set.Accompaniment} {
		x.of[d] = fill(d, weights)
	}
	x.sexes = [2][]int64{fill(sex, set.SexOfMinors), fill(sex, set.SexOfAdults)}
	x.of[sex] = x.sexes[1]
	x.of[month] = s.daysIn(p.table.First, p.table.Last)
	x.of[age] = make([]int64, len(s.codes[age]))
	for _, a := range set.Ages {
		for y := a.From; y <= a.To; y++ {
			x.of[age][y+1] += int64(a.Weight) * weightUnit / int64(a.To-a.From+1)
		}
	}
	x.routes(s, set.Routes)
	x.centres(p)
	return x
}

func (x *mix) routes(s *space, routes []Weight) {
	x.of[country] = make([]int64, len(s.codes[country]))
	x.of[mode] = make([]int64, len(s.codes[mode]))
	for i := range x.modes {
		x.modes[i] = make([]int64, len(s.codes[mode]))
	}
	for _, w := range routes {
		c, m, _ := codelists.SplitRoute(w.Code)
		i, j := s.index[country][c], s.index[mode][m]
		x.of[country][i] += int64(w.Weight) * weightUnit
		x.of[mode][j] += int64(w.Weight) * weightUnit
		x.modes[i][j] += int64(w.Weight) * weightUnit
	}
	for i, c := range s.codes[country] {
		if x.of[country][i] == 0 {
			how := "air"
			if i > 0 && codelists.CountryGroup(c) == "CAM" {
				how = "land"
			}
			x.modes[i][s.index[mode][how]] = 1
		}
	}
}

// centres gives every centre that was open throughout the period the same weight; which of them receives a return
// follows from how it arrives and whether it is a minor.
func (x *mix) centres(p *problem) {
	s := p.space
	l, _ := codelists.Get(codelists.Centre)
	x.of[centre] = make([]int64, len(s.codes[centre]))
	for i, c := range s.codes[centre] {
		open := l.ValidAt(c, p.table.First.String()) && l.ValidAt(c, p.table.Last.String())
		if open && !strings.HasPrefix(c, "X-") {
			x.of[centre][i] = weightUnit
		}
	}
}

// weight is that of a value for returns such as p.
func (x *mix) weight(d dim, v uint16, p *point) int64 {
	switch d {
	case mode:
		return x.modes[p[country]][v]
	case sex:
		return x.sexOf(p[age])[v]
	}
	return x.of[d][v]
}

// sexOf are the weights of the sexes at an age (as a value: age + 1).
func (x *mix) sexOf(a uint16) []int64 {
	if a >= 1 && a <= adultAge {
		return x.sexes[0]
	}
	return x.sexes[1]
}

// adultAge is the last value of the dim age that is a minor's: values are ages plus one.
const adultAge = 18
