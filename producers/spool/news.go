package spool

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"retorno/producers/journal"
)

// News is what other offices are told of one record, or of an arrival.
type News struct {
	// RecordID is the key of the message, and Value what was saved as Entry.News or by Tell.
	RecordID string
	Value    []byte
	// At is when it was saved.
	At time.Time
}

// Untold returns what is to be told of the next records that are acknowledged, at most max of them, the oldest first, and the
// number up to which they go, for Told: 0 when all is told.
func (s *Spool) Untold(max uint64) (all []News, through uint64, err error) {
	s.mu.RLock()
	told, acked := s.index.told, s.index.acked
	s.mu.RUnlock()
	if told >= acked {
		return nil, 0, nil
	}
	through = min(acked, told+max)
	for seq := told + 1; seq <= through; seq++ {
		e, err := s.read(seq)
		switch {
		case errors.Is(err, journal.ErrDamaged):
		case err != nil:
			return nil, 0, err
		case len(e.news) > 0:
			all = append(all, News{RecordID: e.id.String(), Value: e.news, At: e.time()})
		}
	}
	return all, through, nil
}

// Told notes that other offices were told of all records up to a number. The note may be lost in a power cut: they are
// told once more then, with the same bytes.
func (s *Spool) Told(through uint64) error {
	s.mu.Lock()
	through = min(through, s.index.last())
	if through <= s.index.told {
		s.mu.Unlock()
		return nil
	}
	s.index.told = through
	s.mu.Unlock()
	err := s.journal.Note(toldEntry(through))
	if errors.Is(err, journal.ErrWrite) {
		return nil // a full disk: known until the process ends
	}
	return err
}

// Tell keeps what other offices are to be told beside the records: of an arrival, by its id. It returns when that is on the
// disk; the errors are those of Save. Like Entry.News it leaves as it is.
func (s *Spool) Tell(id string, news []byte, at time.Time) error {
	u, err := uuid.Parse(id)
	if err != nil || len(news) == 0 {
		return ErrNotFound
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	e := entry{id: u, at: at.UnixMilli(), news: news}
	number := s.journal.Last() + 1
	places, err := s.journal.Append(e.noteBytes())
	if errors.Is(err, journal.ErrWrite) {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.index.notes = append(s.index.notes, place{number, places[0]})
	s.mu.Unlock()
	s.wake()
	return nil
}

// Notes returns at most max of what Tell kept and other offices were not told yet, the oldest first, and up to where they go,
// for Heard: 0 when all is told.
func (s *Spool) Notes(max uint64) (all []News, through uint64, err error) {
	s.mu.RLock()
	notes := slices.Clone(s.index.notes[:min(uint64(len(s.index.notes)), max)])
	s.mu.RUnlock()
	for _, at := range notes {
		through = at.number
		b, err := s.journal.Read(at.number, at.at)
		if errors.Is(err, journal.ErrDamaged) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		e, err := parseEntry(b)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, News{RecordID: e.id.String(), Value: e.news, At: e.time()})
	}
	return all, through, nil
}

// Heard notes that other offices were told of what Notes returned up to there. The note may be lost in a power cut, as that of
// Told.
func (s *Spool) Heard(through uint64) error {
	s.mu.Lock()
	s.index.heard(through)
	s.mu.Unlock()
	err := s.journal.Note(heardEntry(through))
	if errors.Is(err, journal.ErrWrite) {
		return nil // a full disk: known until the process ends
	}
	return err
}
