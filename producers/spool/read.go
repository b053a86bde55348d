package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"retorno/producers/journal"
	"retorno/schemas/events"
)

// Revision is one saved revision of a record.
type Revision struct {
	Record *events.Record
	// At is when it was saved, by the agent's clock.
	At time.Time
	// Sent reports whether the broker has acknowledged it.
	Sent bool
}

// Copy is a record as it is sent.
type Copy struct {
	Seq        uint64
	Topic, Key string
	// Record is the record's bytes, to be sealed with the time of sending: see events.SealBytes.
	Record []byte
	At     time.Time
}

// read returns the entry of a number. The error wraps journal.ErrDamaged when it is set aside.
func (s *Spool) read(seq uint64) (entry, error) {
	s.mu.RLock()
	if seq < 1 || seq > s.index.last() {
		s.mu.RUnlock()
		return entry{}, ErrNotFound
	}
	at := s.index.slots[seq-1]
	s.mu.RUnlock()
	if at.number == 0 {
		return entry{}, fmt.Errorf("number %d: %w", seq, journal.ErrDamaged)
	}
	b, err := s.journal.Read(at.number, at.at)
	if errors.Is(err, journal.ErrDamaged) {
		b, err = s.readOther(seq, at)
	}
	if err != nil {
		return entry{}, err
	}
	return parseEntry(b)
}

// readOther reads the other copy of an entry whose first one was damaged after the journal was opened.
func (s *Spool) readOther(seq uint64, at slot) ([]byte, error) {
	found, err := s.journal.Find(at.number)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.index.slots[seq-1].number = 0
		s.aside = append(s.aside, fmt.Sprintf("%s: number %d cannot be read and is set aside", journalFile, seq))
		return nil, fmt.Errorf("number %d: %w", seq, err)
	}
	s.aside = append(s.aside, fmt.Sprintf("%s: number %d was damaged; its other copy is whole", journalFile, seq))
	s.index.slots[seq-1].at = found
	return s.journal.Read(at.number, found)
}

func (s *Spool) revision(e entry) (Revision, error) {
	r := new(events.Record)
	if err := proto.Unmarshal(e.record, r); err != nil {
		return Revision{}, fmt.Errorf("number %d: %w", e.seq, err)
	}
	return Revision{Record: r, At: e.time(), Sent: e.seq <= s.acknowledged()}, nil
}

func (s *Spool) acknowledged() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.acked
}

// Recent returns the latest revisions of the n records that were saved last, the last one first.
func (s *Spool) Recent(n int) ([]Revision, error) {
	var all []Revision
	for seq := s.LastSeq(); seq > 0 && len(all) < n; seq-- {
		r, err := s.BySeq(seq)
		if errors.Is(err, journal.ErrDamaged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if latest, err := s.latest(r.Record.GetRecordId()); err != nil || uint64(latest) != seq {
			continue
		}
		all = append(all, r)
	}
	return all, nil
}

// BySeq returns the revision with a number of the source. The error wraps journal.ErrDamaged when it is set aside.
func (s *Spool) BySeq(seq uint64) (Revision, error) {
	e, err := s.read(seq)
	if err != nil {
		return Revision{}, err
	}
	return s.revision(e)
}

// latest is the number of the latest revision of a record.
func (s *Spool) latest(id string) (uint32, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return 0, ErrNotFound
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if seq := s.index.latest[u]; seq != 0 {
		return seq, nil
	}
	return 0, ErrNotFound
}

// Record returns all revisions of a record, the oldest first, or ErrNotFound. One that is set aside is left out.
func (s *Spool) Record(id string) ([]Revision, error) {
	seq, err := s.latest(id)
	if err != nil {
		return nil, err
	}
	var all []Revision
	for seq != 0 {
		r, err := s.BySeq(uint64(seq))
		if err != nil && !errors.Is(err, journal.ErrDamaged) {
			return nil, err
		}
		if err == nil {
			all = append([]Revision{r}, all...)
		}
		s.mu.RLock()
		seq = s.index.slots[seq-1].before
		s.mu.RUnlock()
	}
	return all, nil
}

// Identity returns who saved a revision, and what stays here of it: the JSON of Entry.Identity. The error wraps
// ErrLocked, ErrErased after the retention, or ErrNotFound.
func (s *Spool) Identity(id string, revision uint32) (clerk string, identity []byte, err error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return "", nil, ErrNotFound
	}
	s.mu.RLock()
	seq, _ := s.index.find(u, revision)
	s.mu.RUnlock()
	e, err := s.read(uint64(seq))
	if err != nil {
		return "", nil, err
	}
	text, err := s.vault.Open(e.day(), e.name(), e.sealed)
	if err != nil {
		return "", nil, err
	}
	return unseal(text)
}

func unseal(text []byte) (clerk string, identity []byte, err error) {
	var t sealedText
	if err := json.Unmarshal(text, &t); err != nil {
		return "", nil, fmt.Errorf("identity: %w", err)
	}
	return t.Clerk, t.Identity, nil
}

// Unsent returns at most max copies of records that follow a number and are not acknowledged, the oldest first. What is
// set aside is left out.
func (s *Spool) Unsent(after uint64, max int) ([]Copy, error) {
	var all []Copy
	last := s.LastSeq()
	if acked := s.acknowledged(); after < acked {
		after = acked
	}
	for seq := after + 1; seq <= last && len(all) < max; seq++ {
		e, err := s.read(seq)
		if errors.Is(err, journal.ErrDamaged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c, err := e.copy()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (e *entry) copy() (Copy, error) {
	r := new(events.Record)
	if err := proto.Unmarshal(e.record, r); err != nil {
		return Copy{}, fmt.Errorf("number %d: %w", e.seq, err)
	}
	return Copy{Seq: e.seq, Topic: events.Topic(r), Key: events.Key(r), Record: e.record, At: e.time()}, nil
}

// Acked notes that all records up to a number are acknowledged. The note may be lost in a power cut: they are sent once
// more then, with the same bytes.
func (s *Spool) Acked(through uint64) error {
	s.mu.Lock()
	if through > s.index.last() {
		through = s.index.last()
	}
	if through <= s.index.acked {
		s.mu.Unlock()
		return nil
	}
	s.index.acked = through
	s.mu.Unlock()
	err := s.journal.Note(ackEntry(through))
	if errors.Is(err, journal.ErrWrite) {
		return nil // a full disk: known until the process ends, and found out again by the next one
	}
	return err
}

// LastSeq is the last number that was given.
func (s *Spool) LastSeq() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.last()
}

// Saves has an element when something was saved since it was last taken.
func (s *Spool) Saves() <-chan struct{} { return s.saved }
