package spool

import (
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"retorno/producers/journal"
	"retorno/schemas/events"
)

// EntryError says which of the entries of a Save is to blame: Index counts from 0.
type EntryError struct {
	Index int
	Err   error
}

func (e *EntryError) Error() string { return fmt.Sprintf("form %d: %v", e.Index+1, e.Err) }

// Unwrap is what is wrong with the entry.
func (e *EntryError) Unwrap() error { return e.Err }

// InvalidError says that a record would not be counted.
type InvalidError struct{ Faults []events.Fault }

func (e *InvalidError) Error() string { return events.AsRejection(e.Faults).Error() }

// Batch is forms that are saved together, with one sync: all of them, or none. It holds of each what is written, so that a
// large one takes little memory. Other saves wait until End.
type Batch struct {
	spool   *Spool
	next    uint64 // number of the next record
	fresh   []entry
	answers []Saved
	byID    map[uuid.UUID][]int // indexes of fresh
}

// Begin begins a batch. End must follow.
func (s *Spool) Begin() *Batch {
	s.saving.Lock()
	return &Batch{spool: s, next: s.index.last() + 1, byID: map[uuid.UUID][]int{}}
}

// End ends the batch. Without Save before it, nothing of the batch is kept.
func (b *Batch) End() { b.spool.saving.Unlock() }

// Add adds a form. The errors are those of Spool.Save; the batch cannot be saved then.
func (b *Batch) Add(e *Entry) error {
	err := b.spool.add(b, e)
	if err == nil || errors.Is(err, ErrLocked) {
		return err
	}
	return &EntryError{Index: len(b.answers), Err: err}
}

// Save saves the batch and answers in the order of Add. The errors are ErrDisk and disk.ErrSync.
func (b *Batch) Save() ([]Saved, error) {
	if err := b.spool.write(b); err != nil {
		return nil, err
	}
	for _, a := range b.answers {
		b.spool.dropSaved(a.RecordID)
	}
	return b.answers, nil
}

// Save saves forms with one sync, all or none, and answers in their order. A form that was saved before is answered with
// the number that it has. What is wrong with one entry is an *EntryError, around ErrOtherContent, ErrOrder or an
// *InvalidError; ErrLocked, ErrDisk and disk.ErrSync concern all of them.
func (s *Spool) Save(entries []Entry) ([]Saved, error) {
	b := s.Begin()
	defer b.End()
	for i := range entries {
		if err := b.Add(&entries[i]); err != nil {
			return nil, err
		}
	}
	return b.Save()
}

// add prepares an entry, or finds that it was saved before.
func (s *Spool) add(b *Batch, e *Entry) error {
	id, err := uuid.Parse(e.Record.GetRecordId())
	if err != nil || id.String() != e.Record.GetRecordId() {
		return &InvalidError{[]events.Fault{{Field: "record_id", Code: events.CodeInvalidID, Detail: "a UUID version 7 in canonical lower-case text"}}}
	}
	before, latest, err := s.before(b, id, e.Record.GetRevision())
	if err != nil {
		return err
	}
	if before != nil {
		return s.again(b, e, before)
	}
	if e.Record.GetRevision() != latest+1 {
		return ErrOrder
	}
	return s.fresh(b, id, e)
}

// before returns the entry of that id and revision, if there is one, and the latest revision of the record.
func (s *Spool) before(b *Batch, id uuid.UUID, revision uint32) (*entry, uint32, error) {
	s.mu.RLock()
	seq, latest := s.index.find(id, revision)
	last := uint32(0)
	if latest != 0 {
		last = s.index.slots[latest-1].revision
	}
	s.mu.RUnlock()
	for _, i := range b.byID[id] {
		last = max(last, b.fresh[i].revision)
		if b.fresh[i].revision == revision {
			return &b.fresh[i], last, nil
		}
	}
	if seq == 0 {
		return nil, last, nil
	}
	e, err := s.read(uint64(seq))
	return &e, last, err
}

// again answers a form that was saved before.
func (s *Spool) again(b *Batch, e *Entry, before *entry) error {
	mac, err := s.vault.MAC(before.day(), e.Form)
	if errors.Is(err, ErrLocked) {
		return err
	}
	// Once the key of its day is erased, what was typed then cannot be compared any more: it is not taken for the same.
	if err != nil || !hmac.Equal(mac, before.mac) {
		return ErrOtherContent
	}
	b.answers = append(b.answers, Saved{RecordID: before.id.String(), Revision: before.revision, SourceSeq: before.seq, Again: true})
	return nil
}

// fresh makes the bytes of a new record.
func (s *Spool) fresh(b *Batch, id uuid.UUID, e *Entry) error {
	r := e.Record
	r.SourceId, r.SourceSeq = s.cfg.Source, b.next
	if faults := events.Validate(r); len(faults) > 0 {
		return &InvalidError{faults}
	}
	raw, err := events.Bytes(r)
	if err != nil {
		return err
	}
	made := entry{id: id, revision: r.GetRevision(), seq: b.next, at: e.At.UnixMilli(), record: raw, news: e.News}
	text, err := json.Marshal(sealedText{Clerk: e.Clerk, Identity: e.Identity})
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if made.sealed, err = s.vault.Seal(made.day(), made.name(), text); err != nil {
		return err
	}
	if made.mac, err = s.vault.MAC(made.day(), e.Form); err != nil {
		return err
	}
	written := made.bytes()
	if made, err = parseEntry(written); err != nil { // its parts are those of what is written
		return err
	}
	made.written = written
	b.byID[id] = append(b.byID[id], len(b.fresh))
	b.fresh = append(b.fresh, made)
	b.answers = append(b.answers, Saved{RecordID: r.GetRecordId(), Revision: r.GetRevision(), SourceSeq: b.next})
	b.next++
	return nil
}

// sealedText is what stays on this computer.
type sealedText struct {
	Clerk    string          `json:"clerk"`
	Identity json.RawMessage `json:"identity,omitempty"`
}

// write puts the new records on the disk and into the index.
func (s *Spool) write(b *Batch) error {
	if len(b.fresh) == 0 {
		return nil
	}
	bytes := make([][]byte, len(b.fresh))
	for i := range b.fresh {
		bytes[i] = b.fresh[i].written
	}
	first := s.journal.Last() + 1
	places, err := s.journal.Append(bytes...)
	if errors.Is(err, journal.ErrWrite) {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	for i, e := range b.fresh {
		s.index.put(e.id, e.revision, e.seq, first+uint64(i), places[i])
	}
	s.mu.Unlock()
	s.wake()
	return nil
}

// wake tells Saves that something was saved.
func (s *Spool) wake() {
	select {
	case s.saved <- struct{}{}:
	default:
	}
}
