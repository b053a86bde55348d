// Package register makes a register of returned people: the events that the computers of border posts and reception
// centres would have sent for a published table, in the order of sending and with the mess of everyday life, and
// beside them the truth that must come out at the end.
//
// It promises: the same table and settings give the same bytes; the returns that a centre registered in the table's
// period, reconciled by the method, are exactly the fitted population of the table, so every printed number comes
// out; the truth is what the generator meant, written down while it makes the events, never the result of reconciling
// them. Hours, persons, posts, document numbers and everything else that a table does not fix are assumptions, drawn
// from the named settings World and Mess. It never reads a clock, a file or the network (Live alone asks the clock
// that it is given). On failure: a table that contradicts itself is refused by package fit, wrong settings by Make,
// both before the first event; Events fails only with the error of its callback.
package register

import (
	"context"
	"fmt"
	"slices"

	"retorno/schemas/calendar"
	"retorno/schemas/events"
	"retorno/schemas/tables"
)

// Event is one message on its way to Kafka.
type Event struct {
	events.Message
	// SentAtMs is when it is sent, in made time; milliseconds since 1970-01-01 UTC. Events come in its order.
	SentAtMs int64
	// Broken is the reason code with which a consumer rejects it, "" for a sound one.
	Broken string
}

// Register is a made register. It does not change after Make and may be read by several goroutines.
type Register struct {
	table    *tables.Table
	settings Settings
	sources  *sources
	facts    []fact
	revs     []revision
	sends    []send
	broken   []breakage
	truth    *Truth
}

// Counts says how large a register is.
type Counts struct {
	// Events is how many messages Events gives, broken ones included; Records how many records they are about.
	Events, Records int
	// Registered is the size of the table's population: returns registered in its period.
	Registered int
}

// Make makes the register of a table. It fails when the settings are wrong, when the table contradicts itself (see
// package fit) or when ctx ends.
func Make(ctx context.Context, table *tables.Table, settings Settings) (*Register, error) {
	settings = settings.withDefaults()
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	people, err := fitted(table, settings.Seed)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return makeFrom(ctx, table, settings, people)
}

// makeFrom makes the register of these returns.
func makeFrom(ctx context.Context, table *tables.Table, settings Settings, people *population) (*Register, error) {
	g, err := newGenerator(table, settings, people)
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	if err := g.run(ctx); err != nil {
		return nil, err
	}
	return &Register{table: table, settings: settings, sources: g.sources, facts: g.facts, revs: g.revs, sends: g.sends,
		broken: g.broken, truth: g.truth()}, nil
}

// Counts says how large the register is.
func (r *Register) Counts() Counts {
	return Counts{Events: len(r.sends), Records: r.truth.Records, Registered: r.truth.RegisteredInPeriod}
}

// Truth is what must come out. It is shared: do not change it.
func (r *Register) Truth() *Truth { return r.truth }

// Table is the table that the register was made from.
func (r *Register) Table() *tables.Table { return r.table }

// Period is the first and last day of the table's period.
func (r *Register) Period() (first, last calendar.Day) { return r.table.First, r.table.Last }

// Sources are the ids of the computers, border posts first, each in its order.
func (r *Register) Sources() []string { return slices.Clone(r.sources.ids) }

// Events gives every event to yield, in the order of sending. It stops at the first error of yield and returns it. The
// event's bytes are the caller's to keep.
func (r *Register) Events(yield func(Event) error) error {
	e := newEncoder(r)
	for _, s := range r.sends {
		event, err := e.event(s)
		if err != nil {
			return err
		}
		if err := yield(event); err != nil {
			return err
		}
	}
	return nil
}
