// Package documents knows which documents were found false at a post, or reported stolen: what the topic of documents says, and what this
// office adds itself.
//
// It promises that the newest revision of each finding counts, whatever the order and however often it comes; that memory is bounded by
// agents.FindingsKept and MaxFindings, the oldest going first; that a message that cannot be read is counted and never trusted; and
// that without a line, and after a restart without one, it works with what has come so far. It holds keyed hashes only, in memory
// and on the disk: no document.
//
// It writes nothing to a broker. When the brokers do not answer, or the topic is missing or refused, Run tries once more later. When
// the disk takes nothing, what came stays in memory and comes from the broker after the next start.
package documents

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	"retorno/producers/disk"
	"retorno/schemas/agents"
	"retorno/schemas/calendar"
	"retorno/schemas/kafka"
)

// MaxFindings is how many are known at a time.
const MaxFindings = 50_000

// Config says where findings come from and where they are kept. All of it may be left out: a Board without Access knows what it is told by
// Take.
type Config struct {
	// Access says how the brokers are reached; it is asked before each connection that follows a failure.
	Access func() (kafka.Access, error)
	// Dir is the folder in which what came is kept; "" keeps it in memory only.
	Dir string
	// Disk is where Dir is. Default this computer's.
	Disk disk.Disk
	// Every is the time between two looks at the topic. Default 5 s.
	Every time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger receives what fails; nil drops it.
	Logger *slog.Logger
}

// Board is what is known. It is safe for concurrent use.
type Board struct {
	cfg Config

	mu      sync.Mutex
	all     map[string]agents.Finding // by id
	byHash  map[string][]string       // ids
	skipped int
	changed bool // since it was last kept
}

// New returns a board with what was kept of it; Run follows the topic.
func New(cfg Config) *Board {
	if cfg.Disk == nil {
		cfg.Disk = disk.OS{}
	}
	if cfg.Every == 0 {
		cfg.Every = 5 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Board{cfg: cfg, all: map[string]agents.Finding{}, byHash: map[string][]string{}}
	b.load()
	return b
}

// Take takes a message: key and value as they are on the topic. What cannot be read is counted.
func (b *Board) Take(key, value []byte) {
	f, err := agents.ParseFinding(key, value)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.skipped++
		return
	}
	before, known := b.all[f.ID]
	if known && before.Revision >= f.Revision {
		return
	}
	b.drop(before)
	b.all[f.ID], b.changed = f, true
	if f.Hash != "" {
		b.byHash[f.Hash] = append(b.byHash[f.Hash], f.ID)
	}
	if len(b.all) > MaxFindings+MaxFindings/4 {
		b.forget()
	}
}

// drop takes a finding out. b.mu is held.
func (b *Board) drop(f agents.Finding) {
	delete(b.all, f.ID)
	if ids := slices.DeleteFunc(b.byHash[f.Hash], func(id string) bool { return id == f.ID }); len(ids) > 0 {
		b.byHash[f.Hash] = ids
		return
	}
	delete(b.byHash, f.Hash)
}

// forget drops what is too old, and the oldest of what is too much; what was withdrawn first. b.mu is held.
func (b *Board) forget() {
	all := make([]agents.Finding, 0, len(b.all))
	for _, f := range b.all {
		all = append(all, f)
	}
	slices.SortFunc(all, func(x, y agents.Finding) int { return cmp.Or(cmp.Compare(y.Day, x.Day), cmp.Compare(x.ID, y.ID)) })
	oldest := b.oldest()
	for i, f := range all {
		if i >= MaxFindings || !f.Void && f.Day < oldest {
			b.drop(f)
			b.changed = true
		}
	}
}

func (b *Board) oldest() string {
	return calendar.DayOfTime(b.cfg.Now().Add(-agents.FindingsKept)).String()
}

// Find returns what is said of a document, by its hash: the most certain finding that holds, of those the latest. A finding named except
// is passed over.
func (b *Board) Find(hash, except string) (found agents.Finding, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	certain := []string{agents.SuspectedFalse, agents.ReportedStolen, agents.ConfirmedFalse}
	for _, id := range b.byHash[hash] {
		f := b.all[id]
		if id == except || f.Day < b.oldest() {
			continue
		}
		order := cmp.Or(cmp.Compare(slices.Index(certain, f.Result), slices.Index(certain, found.Result)), cmp.Compare(f.Day, found.Day))
		if !ok || order > 0 {
			found, ok = f, true
		}
	}
	return found, ok
}

// Known is how many findings hold, and Unreadable how many messages could not be read.
func (b *Board) Known() (holding, unreadable int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ids := range b.byHash {
		holding += len(ids)
	}
	return holding, b.skipped
}
