// Package spool is the durable store of one computer: what was typed there becomes records here, with the numbers of
// the source, and waits here until it is sent.
//
// It promises that Save returns only when all its records, their numbers and their places in the outbox are on the disk,
// or none of them is; that the source's numbers run 1, 2, 3 … without a gap over any restart; that one form makes one
// record however often it is saved; and that the bytes of a record are made once and stay those of every copy. A flipped
// bit costs no record (see package journal); what cannot be read is set aside and named, and all others are sent. It
// needs no login to send, count or export.
//
// It never keeps a name, a document, a birth date or a clerk in clear: those are sealed (see package vault), and Save
// fails with ErrLocked while no clerk is logged in. It never removes a record. When the disk takes nothing it fails with
// ErrDisk, keeps nothing of the call, and goes on when there is room. When the disk does not confirm what was written it
// fails with disk.ErrSync: the process has to end, and the next one finds what is there.
package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"retorno/producers/disk"
	"retorno/producers/identity"
	"retorno/producers/journal"
	"retorno/producers/vault"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// Errors of a spool.
var (
	// ErrOtherContent says that another form was saved under that id and revision.
	ErrOtherContent = errors.New("another content was saved under this id and revision")
	// ErrOrder says that a revision was left out: the one before it is not there.
	ErrOrder = errors.New("the revision before this one was not saved here")
	// ErrDisk says that the disk takes nothing at present; what was typed is not saved.
	ErrDisk = errors.New("the disk takes nothing")
	// ErrLocked says that no clerk is logged in.
	ErrLocked = vault.ErrLocked
	// ErrErased says that an identity is gone: its retention has passed.
	ErrErased = vault.ErrErased
	// ErrInUse says that another agent runs on the folder.
	ErrInUse = errors.New("another agent runs on this folder")
	// ErrNotFound says that there is no such record or draft.
	ErrNotFound = errors.New("not found")
)

// Config says where a spool is.
type Config struct {
	// Dir is the folder. It belongs to one process at a time.
	Dir string
	// Source is the id of the computer, as records bear it.
	Source string
	// Keys begin the vault of a new folder: those of the enrolment.
	Keys *vault.Keyring
	// Retain is how long identities are kept after their day. Default 30 days.
	Retain time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Disk is where the folder is. Default this computer's.
	Disk disk.Disk
}

// Entry is one form that becomes a record.
type Entry struct {
	// Record is the whole record but for source_id and source_seq, which Save sets. It must be valid with them.
	Record *events.Record
	// Form is what was typed, in one canonical form: equal bytes are the same form again.
	Form []byte
	// Identity is JSON of what stays on this computer (names, document, birth date, slip, form number …). It is sealed
	// with the clerk, and may be empty.
	Identity []byte
	// News is what other offices are told of it, empty for nothing. It leaves as it is, so that it must hold nothing that
	// identifies a person.
	News []byte
	// Clerk is who saved it.
	Clerk string
	// At is when it was saved, by the agent's clock. Its Honduran day is that of the data key.
	At time.Time
}

// Saved is the answer to one entry.
type Saved struct {
	RecordID  string `json:"record_id"`
	Revision  uint32 `json:"revision"`
	SourceSeq uint64 `json:"source_seq"`
	// Again reports whether the same form had been saved before.
	Again bool `json:"-"`
}

// Spool is an open store. It is safe for concurrent use.
type Spool struct {
	cfg     Config
	disk    disk.Disk
	vault   *vault.Vault
	journal *journal.Journal
	unlock  func() error
	run     string

	saving sync.Mutex // one Save at a time: numbers and journal go together

	mu     sync.RWMutex
	index  index
	aside  []string // what is damaged, in words
	drafts map[string]draftFile

	saved chan struct{} // has one element when something was saved since it was last taken
}

// Open opens or makes a spool. The error wraps ErrInUse when another process has it, and disk.ErrLocked.
func Open(cfg Config) (*Spool, error) {
	if cfg.Retain == 0 {
		cfg.Retain = 30 * 24 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Disk == nil {
		cfg.Disk = disk.OS{}
	}
	s := &Spool{cfg: cfg, disk: cfg.Disk, drafts: map[string]draftFile{}, saved: make(chan struct{}, 1)}
	release, err := s.disk.Lock(s.path("lock"), false)
	if errors.Is(err, disk.ErrLocked) {
		return nil, fmt.Errorf("%s: %w: %w", cfg.Dir, ErrInUse, err)
	}
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s.unlock = release
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Spool) path(name string) string { return filepath.Join(s.cfg.Dir, name) }

func (s *Spool) load() (err error) {
	if s.journal, err = journal.Open(s.disk, s.path(journalFile), s.index.take); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.index.acked = min(s.index.acked, s.index.last())
	s.index.told = min(s.index.told, s.index.last())
	for _, d := range s.journal.Damage() {
		s.aside = append(s.aside, journalFile+": "+d.String())
	}
	if s.index.source != "" && s.index.source != s.cfg.Source {
		return fmt.Errorf("spool: %s holds the records of source %s, and the enrolment is of %s", s.cfg.Dir, s.index.source, s.cfg.Source)
	}
	if s.vault, err = vault.Open(s.disk, s.cfg.Dir, s.cfg.Keys, s.cfg.Now); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := s.loadDrafts(); err != nil {
		return fmt.Errorf("spool: drafts: %w", err)
	}
	return s.begin()
}

// begin notes this run in the folder, so that a copy of the folder that runs elsewhere is known as another one.
func (s *Spool) begin() error {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails: it ends the program instead
	s.run = hex.EncodeToString(b[:])
	_, err := s.journal.Append(runEntry(s.cfg.Source, s.run))
	if errors.Is(err, journal.ErrWrite) {
		// A full disk keeps no record from being sent. A run that the folder does not know would be taken for that of a
		// copy by the next one, so this one goes under the name of the run before.
		s.run = ""
		if n := len(s.index.runs); n > 0 {
			s.run = s.index.runs[n-1]
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.index.runs = append(s.index.runs, s.run)
	return nil
}

// Run is the id of this run of the agent: that of the run before when the disk took nothing at the start, and "" when
// there was none.
func (s *Spool) Run() string { return s.run }

// Runs are the ids of all runs of the agent on this folder.
func (s *Spool) Runs() []string { return s.index.runs }

// Dir is the folder.
func (s *Spool) Dir() string { return s.cfg.Dir }

// Source is the id of the computer.
func (s *Spool) Source() string { return s.cfg.Source }

// Unlock logs a clerk in: see vault.Vault.
func (s *Spool) Unlock(clerk, passphrase string) error { return s.vault.Unlock(clerk, passphrase) }

// Lock logs out. Sending goes on.
func (s *Spool) Lock() { s.vault.Lock() }

// Clerk is who is logged in; "" is no clerk.
func (s *Spool) Clerk() string { return s.vault.Clerk() }

// Secret is the identity secret in force on a day, for a person key. The error is ErrLocked or vault.ErrNoSecret.
func (s *Spool) Secret(day calendar.Day) (identity.Secret, error) { return s.vault.Secret(day) }

// Fingerprints are those of the identity secrets, by the day from which each holds; no login is needed.
func (s *Spool) Fingerprints() []vault.Secret { return s.vault.Fingerprints() }

// Close closes the store.
func (s *Spool) Close() error {
	var all []error
	if s.vault != nil {
		s.vault.Lock()
	}
	if s.journal != nil {
		all = append(all, s.journal.Close())
	}
	return errors.Join(append(all, s.unlock())...)
}
