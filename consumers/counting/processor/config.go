package processor

import (
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
)

// Config says how the consumer works. Zero fields take the defaults named.
type Config struct {
	Store       *store.Store
	DeadLetters DeadLetters
	// Topics are those of the shards.
	Topics []string
	// Partitions is how many partitions each topic has.
	Partitions int
	// FlushEvery is how long a record may wait for others before it is written; default 200 ms.
	FlushEvery time.Duration
	// FlushRecords is how many records are written at once at most; default 50,000.
	FlushRecords int
	// FlushBytes is how many bytes of keys and values are read for one flush, about; default 16 MiB. It bounds the memory
	// that records take which go to the dead letters as they came.
	FlushBytes int
	// CheckEvery is how often the claim to a partition is checked while nothing is written; default 2 s.
	CheckEvery time.Duration
	// LeaveWithin is how long it may take to write what has been read of a partition that goes to another member, or when
	// the process ends; 0: it is left, and read again.
	LeaveWithin time.Duration
	// StallAfter is how long a partition's goroutine may give no sign of life before Watch gives it up; longer than a
	// statement, a request or FlushEvery may take; default 2 minutes.
	StallAfter time.Duration
	// Name names this process in the ledger.
	Name       string
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	switch {
	case c.Store == nil:
		return errors.New("the consumer needs a store")
	case c.DeadLetters == nil:
		return errors.New("the consumer needs a place for dead letters")
	case len(c.Topics) == 0 || c.Partitions < 1:
		return errors.New("the consumer needs topics and their number of partitions")
	case c.FlushEvery < 0 || c.FlushRecords < 0 || c.FlushBytes < 0 || c.CheckEvery < 0 || c.LeaveWithin < 0 || c.StallAfter < 0:
		return errors.New("flush every, flush records, flush bytes, check every, leave within and stall after must not be negative")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.FlushEvery == 0 {
		c.FlushEvery = 200 * time.Millisecond
	}
	if c.FlushRecords == 0 {
		c.FlushRecords = 50_000
	}
	if c.FlushBytes == 0 {
		c.FlushBytes = 16 << 20
	}
	if c.CheckEvery == 0 {
		c.CheckEvery = 2 * time.Second
	}
	if c.StallAfter == 0 {
		c.StallAfter = 2 * time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
