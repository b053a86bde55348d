package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Config says what to measure. Zero fields take the defaults named.
type Config struct {
	// Seed draws the register.
	Seed uint64
	// Only names the figures to measure; empty: all.
	Only []string
	// Quick makes everything small: it shows that the harness works, and its times mean nothing.
	Quick bool
	// Events is about how many events the contenders catch up with; default 2,000,000: what is paid once, starting and taking over, is a small part then.
	Events int
	// Rounds is how often each contender runs; default 3.
	Rounds int
	// GrowthEvents are how many events the state is grown with, which is compared with a twentieth of it; default 4,000,000.
	GrowthEvents int
	// Rate is how many events are sent a second where that matters; default 10,000.
	Rate int
	// SteadySeconds is how long they are sent steadily; default 30.
	SteadySeconds int
	// OutageSeconds is how long ClickHouse is away; default 60.
	OutageSeconds int
	// StoredReturns is how many returns the half-year table is asked of; default 100,000,000.
	StoredReturns int
	// StoredFacts is how many facts are stored at a restart; default 10,000,000.
	StoredFacts int
	// AgentRecords is how many records wait at a post; default 200,000.
	AgentRecords int
	// Persons is how many persons the state is weighed with; default 10,000,000.
	Persons int
	// Partitions of each fact topic; default 12, as in production.
	Partitions int
	// Dir is where the temporary folder of the data is made; default the system's.
	Dir string
	// Program is the executable of the consumers, with the arguments before `consume`; default this one.
	Program []string
	// Environ is added to the consumers' environment.
	Environ []string
	// Engine is a libchdb to use instead of the pinned one.
	Engine string
	// CPUProfile is a file that takes a CPU profile of the first consumer that is measured; "": none.
	CPUProfile string
	// Version of this program, for the report.
	Version string
	// Out hears how far it is; nil: nothing is said.
	Out io.Writer
	// Log hears what the processes say; nil: nothing is said.
	Log io.Writer
}

func (c Config) withDefaults() Config {
	number := func(n *int, full, quick int) {
		switch {
		case *n == 0 && c.Quick:
			*n = quick
		case *n == 0:
			*n = full
		}
	}
	number(&c.Events, 2_000_000, 4_000)
	number(&c.Rounds, 3, 1)
	number(&c.Partitions, 12, 4)
	number(&c.GrowthEvents, 4_000_000, 100_000)
	number(&c.Rate, 10_000, 500)
	number(&c.SteadySeconds, 30, 3)
	number(&c.OutageSeconds, 60, 3)
	number(&c.StoredReturns, 100_000_000, 100_000)
	number(&c.StoredFacts, 10_000_000, 20_000)
	number(&c.AgentRecords, 200_000, 6_000)
	number(&c.Persons, 10_000_000, 100_000)
	if len(c.Program) == 0 {
		if self, err := os.Executable(); err == nil {
			c.Program = []string{self}
		}
	}
	return c
}

// Validate names the first setting that cannot work.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Events < 1000 || c.Events > 20_000_000:
		return fmt.Errorf("bench: %d events: expected 1,000 to 20,000,000", c.Events)
	case c.Rounds < 1 || c.Rounds > 99:
		return fmt.Errorf("bench: %d rounds: expected 1 to 99", c.Rounds)
	case c.Partitions < 1 || c.Partitions > 64:
		return fmt.Errorf("bench: %d partitions: expected 1 to 64", c.Partitions)
	case len(c.Program) == 0:
		return errors.New("bench: this program's own file cannot be found; name one")
	}
	for _, name := range c.Only {
		known := func(s section) bool { return s.name == name || slices.Contains(s.figures, name) }
		if !slices.ContainsFunc(sections(), known) {
			return fmt.Errorf("bench: figure %q is not known; choose from %s", name, strings.Join(Names(), ", "))
		}
	}
	return nil
}
