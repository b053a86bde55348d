// Package explain shows which facts, revisions and rules made a return or a cell of the counts, and what each
// correction changed.
//
// History is read from Kafka, which keeps every copy of every record: nothing is stored twice for it, and the way of
// the data does not know of it. Where the log's beginning is gone, the history is known from there on, and the facts
// of before come from retorno.facts in the revision that is stored. The reasons come from reconcile.Trace.
//
// It promises that what it explains is what is stored: the end of the history is compared with ClickHouse, and a
// difference that lasts is reported, never hidden. It changes nothing, joins no group and commits nothing. It never
// guesses: an id that is nowhere, a code that no list holds and a log that cannot be read are errors.
package explain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// ErrUnknown says that an id is neither a return's nor a record's.
var ErrUnknown = errors.New("unknown id")

// attempts is how often a difference is looked for before it counts: consumers may be writing.
const attempts = 3

// Config says where to read.
type Config struct {
	Store *store.Store
	// Kafka says how to reach the brokers, with the partition count; topics and group are filled in here.
	Kafka stream.Config
	// Progress, when not nil, hears how many messages of how many have been read.
	Progress func(done, total int64)
	// Settle is how long to wait before a difference is looked at again: longer than a flush takes. Default 2 s.
	Settle time.Duration
	Logger *slog.Logger
}

// Explainer reads and explains. It is for one goroutine.
type Explainer struct {
	cfg        Config
	topics     []string
	reader     *stream.Consumer
	partitions []int
}

// New makes an explainer. The error is for wrong settings. The caller closes it.
func New(cfg Config) (*Explainer, error) {
	if cfg.Store == nil {
		return nil, errors.New("explain: needs a store")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Settle == 0 {
		cfg.Settle = 2 * time.Second
	}
	if cfg.Progress == nil {
		cfg.Progress = func(int64, int64) {}
	}
	topics := []string{events.TopicCheckpoint, events.TopicCentre}
	cfg.Kafka.Topics, cfg.Kafka.Group = topics, "retorno-explain"
	reader, err := stream.New(cfg.Kafka)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	return &Explainer{cfg: cfg, topics: topics, reader: reader, partitions: stream.Partitions(cfg.Kafka.Partitions)}, nil
}

// Close closes the connections to the brokers.
func (e *Explainer) Close() error { return e.reader.Close() }

// pause waits before a difference is looked at again.
func (e *Explainer) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(e.cfg.Settle):
		return nil
	}
}

// ID is a record id, a return id or a person's key.
type ID = reconcile.ID

// ParseID reads the id of a return or a record.
func ParseID(text string) (ID, error) {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		return ID{}, fmt.Errorf("%q is not the id of a return: 36 characters such as 01531c2a-7b00-7000-8000-00000000002a", text)
	}
	return id, nil
}
