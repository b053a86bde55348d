package torture

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"
)

// Config says what a run is like. Zero fields take the defaults named.
type Config struct {
	// Seed draws the register and every fault.
	Seed uint64
	// For is how long faults are made; default 40 s.
	For time.Duration
	// Faults are the kinds to draw from; default all of Kinds. Retention, and Recreate, each alone, is a run of another form.
	Faults []Kind
	// Consumers is how many processes share the work at the start; default 3.
	Consumers int
	// Rate is how many events are sent a second; default 4000.
	Rate int
	// Partitions of each fact topic; default 4.
	Partitions int
	// Every is the mean time between two faults; default 700 ms.
	Every time.Duration
	// Dir keeps the data; default a temporary folder, removed at the end.
	Dir string
	// Keep leaves the temporary folder when the run fails.
	Keep bool
	// Program is the executable of the consumers, with the arguments before `consume`; default this one.
	Program []string
	// Environ is added to the consumers' environment.
	Environ []string
	// Engine is a libchdb to use instead of the pinned one.
	Engine string
	// Patience is how long everything sent may take to be counted once the faults are over; default 2 minutes.
	Patience time.Duration
	// Out hears every step; nil: nothing is said.
	Out io.Writer
	// Log hears what the consumers say, each line as it is; nil: nothing is said.
	Log    io.Writer
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	number := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&c.For, 40*time.Second)
	set(&c.Every, 700*time.Millisecond)
	set(&c.Patience, 2*time.Minute)
	number(&c.Consumers, 3)
	number(&c.Rate, 4000)
	number(&c.Partitions, 4)
	if len(c.Faults) == 0 {
		c.Faults = Kinds()
	}
	if len(c.Program) == 0 {
		if self, err := os.Executable(); err == nil {
			c.Program = []string{self}
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate names the first setting that cannot work.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.For < 0 || c.Every <= 0:
		return errors.New("torture: times must be positive")
	case c.Consumers < 1 || c.Consumers > 16:
		return fmt.Errorf("torture: %d consumers: expected 1 to 16", c.Consumers)
	case c.Rate < 1 || c.Rate > 200_000:
		return fmt.Errorf("torture: rate %d: expected 1 to 200000 events a second", c.Rate)
	case c.Partitions < 1 || c.Partitions > 64:
		return fmt.Errorf("torture: %d partitions: expected 1 to 64", c.Partitions)
	case len(c.Program) == 0:
		return errors.New("torture: this program's own file cannot be found; name one")
	}
	if c.form() != "" {
		return nil
	}
	for _, k := range c.Faults {
		if !slices.Contains(Kinds(), k) {
			return fmt.Errorf("torture: fault %q is not known; choose from %s, or one of %s alone", k, join(Kinds()), join(ownForm))
		}
	}
	return nil
}

func join(kinds []Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, ",")
}
