package spool

import (
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"retorno/producers/journal"
	"retorno/schemas/calendar"
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

// batch is the entries of one Save on their way to the journal.
type batch struct {
	next    uint64 // number of the next record
	fresh   []entry
	answers []Saved
	byID    map[uuid.UUID][]int // indexes of fresh
}

// Save saves forms with one sync, all or none, and answers in their order. A form that was saved before is answered with
// the number that it has. What is wrong with one entry is an *EntryError, around ErrOtherContent, ErrOrder or an
// *InvalidError; ErrLocked, ErrDisk and disk.ErrSync concern all of them.
func (s *Spool) Save(entries []Entry) ([]Saved, error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	b := &batch{next: s.index.last() + 1, byID: map[uuid.UUID][]int{}}
	if err := s.prepare(entries); err != nil {
		return nil, err
	}
	for i := range entries {
		if err := s.add(b, &entries[i]); err != nil {
			if errors.Is(err, ErrLocked) {
				return nil, err
			}
			return nil, &EntryError{Index: i, Err: err}
		}
	}
	if err := s.write(b); err != nil {
		return nil, err
	}
	for i := range entries {
		s.dropSaved(entries[i].Record.GetRecordId())
	}
	return b.answers, nil
}

// prepare makes the keys of the days on which entries were saved, when these are several: one write serves all of them.
func (s *Spool) prepare(entries []Entry) error {
	var days []calendar.Day
	for i := range entries {
		if day := calendar.DayOfTime(entries[i].At); !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	if len(days) < 2 {
		return nil
	}
	return s.vault.Prepare(days)
}

// add prepares an entry, or finds that it was saved before.
func (s *Spool) add(b *batch, e *Entry) error {
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
func (s *Spool) before(b *batch, id uuid.UUID, revision uint32) (*entry, uint32, error) {
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
func (s *Spool) again(b *batch, e *Entry, before *entry) error {
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
func (s *Spool) fresh(b *batch, id uuid.UUID, e *Entry) error {
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
func (s *Spool) write(b *batch) error {
	if len(b.fresh) == 0 {
		return nil
	}
	bytes := make([][]byte, len(b.fresh))
	for i := range b.fresh {
		bytes[i] = b.fresh[i].bytes()
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
	select {
	case s.saved <- struct{}{}:
	default:
	}
	return nil
}
