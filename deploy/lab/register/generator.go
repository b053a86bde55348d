package register

import (
	"context"
	"fmt"
	"math/rand/v2"

	"retorno/schemas/calendar"
	"retorno/schemas/tables"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
	// sameReturn is the method's gap: facts at most so far apart are one return.
	sameReturn = 48 * hour
	// futureLimit is how far an event may lie after its latest sending before it is held.
	futureLimit = hour
	// earliest is the first moment at which anything happens: times before the year 2000 are not believed.
	earliest = 946684800 * second
	// latest leaves a year for what is late: times from 2100 on are not believed either.
	latest = 4070930400 * second
	// apart is how far two returns of one person must lie apart to need no care: no fact of one comes near the other.
	apart = 8 * day
)

// generator makes a register. Every list is in the order in which things were made up, which is no order of time.
type generator struct {
	settings Settings
	world    *World
	rates    *Rates
	draws    *draws
	sources  *sources
	outages  [][]span // by source

	tableID     string
	first, last calendar.Day
	from, until int64 // the period in milliseconds, until excluded
	open        [dims]bool
	assistance  bool // the table says how many people were helped
	rows        []row

	facts   []fact
	revs    []revision
	sends   []send
	broken  []breakage
	people  int32
	returns []expected
	helps   []help
	crossed map[crossingKey]int
	held    int

	rng  *rand.Rand // of whatever is being made
	pcg  *rand.PCG
	seen []int32 // places in returns of the person being made
	gave int     // length of helps before that person
}

// row is one return that the table wants.
type row struct {
	said   attributes
	lo, hi calendar.Day // the days on which it may arrive
	at     int64        // when it does
	helped bool
}

func newGenerator(table *tables.Table, settings Settings, people *population) (*generator, error) {
	draws, err := newDraws(settings.World)
	if err != nil {
		return nil, err
	}
	pcg := rand.NewPCG(0, 0)
	g := &generator{settings: settings, world: settings.World, rates: settings.Rates, draws: draws, pcg: pcg, rng: rand.New(pcg),
		tableID: table.ID, first: table.First, last: table.Last, rows: people.rows, open: people.open, assistance: people.assistance,
		from: table.First.Start().UnixMilli(), until: (table.Last + 1).Start().UnixMilli(), crossed: map[crossingKey]int{}}
	if g.from < earliest+366*day || g.until > latest { // what is held may be sent a year before it happens
		return nil, fmt.Errorf("the period of table %s, %s to %s: a register lies between 2001-01-01 and 2098-12-31", table.ID, table.First, table.Last)
	}
	return g, nil
}

// reseed turns to another thing to be made: what is drawn for it depends on nothing else.
func (g *generator) reseed(purpose, n uint64) {
	g.pcg.Seed(mix(g.settings.Seed, purpose, n), splitmix(g.settings.Seed^purpose))
}

// chance is true as often as p says.
func (g *generator) chance(p float64) bool { return p > 0 && g.rng.Float64() < p }

// between draws a whole number from lo to hi, both included.
func (g *generator) between(lo, hi int64) int64 {
	if hi <= lo {
		return lo
	}
	return lo + g.rng.Int64N(hi-lo+1)
}

// number turns an expected number into a whole one, at least one when any is expected.
func (g *generator) number(expected float64) int {
	if expected <= 0 || len(g.rows) == 0 {
		return 0
	}
	return max(1, int(expected+g.rng.Float64()))
}

// run makes everything up, people first.
func (g *generator) run(ctx context.Context) error {
	// Nearly as many facts as there will be; growing a list means having it twice.
	size := len(g.rows) * 7 / 2
	g.facts, g.revs, g.sends = make([]fact, 0, size), make([]revision, 0, size), make([]send, 0, size)
	g.returns = make([]expected, 0, len(g.rows)*4/3)
	g.schedule()
	g.place()
	g.cutOff()
	for i, visits := range g.chains() {
		if i&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		g.reseed(purposePerson, uint64(i))
		g.returnee(visits)
	}
	g.bystanders()
	g.breakMessages()
	g.finish()
	return ctx.Err()
}

// newPerson is a person not met before.
func (g *generator) newPerson() int32 {
	g.people++
	return g.people - 1
}

// place puts the computers where the population passes: at the posts that the table names and the centres that receive
// anybody.
func (g *generator) place() {
	posts, centres := make([]bool, lists[dimEntry].Len()), make([]bool, lists[dimCentre].Len())
	for i := range g.rows {
		posts[g.rows[i].said[dimEntry]] = !g.open[dimEntry]
		centres[g.rows[i].said[dimCentre]] = true
	}
	g.sources = newSources(g.world, posts, centres)
}
