package spool

import (
	"errors"
	"time"

	"retorno/producers/journal"
)

// News is what other offices are told of one record.
type News struct {
	// RecordID is the key of the message, and Value what was saved as Entry.News.
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
