// Package imports keeps account of imported files: what each one brought, under which source, and how a corrected file
// takes the place of an earlier one or an import is taken back.
//
// The account of one source is an Import, kept as JSON in a topic of its own (producer.TopicImports), the latest of a source
// holding. It says where in the logs of facts the records of the source lie; the records themselves, their revisions and numbers
// are read from there and kept nowhere else.
//
// What it promises:
//
//   - A row that an earlier import of the same system has brought is not sent a second time, in whatever order and file it
//     comes. So no revision is ever sent under two numbers.
//   - Rows without a person key that equal rows of another import are taken for the same ones only where the file repeats most
//     rows of their days, or where the caller says so.
//   - A file that repeats an earlier one without some of its rows, or with other cells in some or all of them (a column that
//     was added, hours or days that were moved), is refused until the caller says what it is: a corrected one, one that
//     comes beside it, or another one.
//   - What the question says that a replacement voids is what it voids.
//   - A replaced or voided import ends with exactly the rows of the file counted, of the file's days alone where the caller
//     says so: a row with corrected cells is the next revision of its record, rows that are gone are voided, rows that are
//     there a second time after that are restored, each as the next revision of the same record.
//   - Whose row a corrected one is follows from what was imported and from the file alone. A record is never paired with a row of
//     another person key or kind, so that its revisions stay in one partition; where it is not sure whose row it is, the
//     record is voided and the row is a new one.
//   - No id is used for two people: a row whose own id has come to say something else gets the next one.
//   - Each number of a source up to its highest stands for a record or for a row that is rejected now. A number whose row
//     is gone from the file is used by a later row or, when none is left, by a record that is void from the first.
//   - An import that was cut off is completed by importing the file again.
//
// Two imports of one source at a time are told apart: the later one waits until the other has ended, or has been silent for
// leaseTime.
package imports

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"retorno/producers/importer"
	"retorno/producers/producer"
)

// States of an Import.
const (
	StateSending = "sending" // it has begun and not ended, or was cut off
	StateSent    = "sent"
	StateVoid    = "void" // taken back as a whole
)

// Import is the account of one source of imported rows.
type Import struct {
	Source string `json:"source"` // source_id of its records
	Kind   string `json:"kind"`   // importer.KindCheckpoint or importer.KindCentre
	System string `json:"system"` // what the export came from
	State  string `json:"state"`
	// At is when it was last changed, by the clock of the computer that imported.
	At time.Time `json:"at"`
	// First and Last are the first and last local day of its records, YYYY-MM-DD, "" without any.
	First string `json:"first"`
	Last  string `json:"last"`
	// Counted and Void are its records that count and those that were taken back, Rejected the rows that were rejected when
	// the file was last imported and were not mended apart since, Apart the ones that were, and that the file lacks.
	Counted  int `json:"counted"`
	Void     int `json:"void"`
	Rejected int `json:"rejected"`
	Apart    int `json:"apart,omitempty"`
	// Spans are where in the logs its records lie; other records may lie between them.
	Spans []Span `json:"spans"`
	// Prints are the prints of some rows (see importer.Row), the smallest ones of each file: by them the same file is known
	// under other settings, which make other records of it.
	Prints []uint64 `json:"prints,omitempty"`
	// Shape are prints of some rows without their dates: by them the same file is known when all its days were moved.
	Shape []uint64 `json:"shape,omitempty"`
	// Shares are imports that held rows of a file of this one already, so that they were not sent a second time.
	Shares []string `json:"shares,omitempty"`
	// Turn counts the imports, replacements and voidings of the source. By tells two of one turn apart.
	Turn int    `json:"turn"`
	By   string `json:"by"`
}

// Span is a part of one partition of the topic of the import's kind.
type Span struct {
	Partition int   `json:"partition"`
	From      int64 `json:"from"` // first offset
	To        int64 `json:"to"`   // offset after the last; openEnd while the import goes on
}

// openEnd is the end of a span that is still being written.
const openEnd = -1

// topic is where the records of a kind go.
func topic(kind string) string {
	if kind == importer.KindCheckpoint {
		return producer.TopicCheckpoint
	}
	return producer.TopicCentre
}

// ErrNoTopic says that a topic does not exist.
var ErrNoTopic = errors.New("the topic does not exist")

// Log is one partition of a topic.
type Log interface {
	// Bounds are the first offset that the log holds and the one after its last. The error is ErrNoTopic where there is none.
	Bounds(ctx context.Context) (first, end int64, err error)
	// Read calls fn with the value of each message from one offset up to before another one, in order.
	Read(ctx context.Context, from, to int64, fn func(value []byte) error) error
	Close()
}

// Cluster is the Kafka cluster that holds the facts.
type Cluster struct {
	// Open opens a partition for reading.
	Open func(topic string, partition int) (Log, error)
	// Write returns nil when all messages are acknowledged.
	Write func(ctx context.Context, messages ...producer.Message) error
	// Partitions is the number of partitions of the topics of facts.
	Partitions int
	// Now is the time; nil: time.Now.
	Now func() time.Time
}

func (c *Cluster) now() time.Time {
	if c.Now != nil {
		return c.Now().UTC()
	}
	return time.Now().UTC()
}

// List returns every import, the most recently changed last.
func List(ctx context.Context, c *Cluster) ([]Import, error) {
	heads, err := c.heads(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Import, 0, len(heads))
	for _, h := range heads {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Import) int { return a.At.Compare(b.At) })
	return out, nil
}

// heads reads the latest Import of each source. One that another has overtaken is passed over.
func (c *Cluster) heads(ctx context.Context) (map[string]Import, error) {
	log, err := c.Open(producer.TopicImports, 0)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	heads := map[string]Import{}
	first, end, err := log.Bounds(ctx)
	if errors.Is(err, ErrNoTopic) {
		return heads, nil // nothing was ever imported
	}
	if err != nil {
		return nil, err
	}
	err = log.Read(ctx, first, end, func(value []byte) error {
		var next Import
		if json.Unmarshal(value, &next) != nil || next.Source == "" {
			return nil // no account of ours
		}
		held, known := heads[next.Source]
		if !known || next.Turn == held.Turn+1 || next.Turn == held.Turn && next.By == held.By {
			heads[next.Source] = next
		}
		return nil
	})
	return heads, err
}

// keep writes the account of a source.
func (c *Cluster) keep(ctx context.Context, i Import) error {
	value, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("account of import %s: %w", i.Source, err)
	}
	if err := c.Write(ctx, producer.Message{Topic: producer.TopicImports, Key: []byte(i.Source), Value: value}); err != nil {
		return fmt.Errorf("account of import %s: %w", i.Source, err)
	}
	return nil
}

// nonce is a name that no other process has.
func nonce() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
