package spool

import (
	"errors"
	"slices"
	"time"

	"retorno/producers/journal"
	"retorno/schemas/calendar"
)

// State is counts of a spool; it says nothing of a person.
type State struct {
	Source string
	// Records are the numbers that can be read, LastSeq the last one given.
	Records, LastSeq uint64
	// Unsent are those that the broker has not acknowledged; OldestUnsent is when the first of them was saved, zero when
	// there is none.
	Unsent       uint64
	OldestUnsent time.Time
	Drafts       int
	Locked       bool
	// DiskFree is in bytes. DiskLow reports that it is less than 50 MB or a tenth of the disk.
	DiskFree uint64
	DiskLow  bool
	// Aside names what is damaged in the folder, in words.
	Aside []string
}

const lowBytes = 50_000_000

// State counts.
func (s *Spool) State() (State, error) {
	st := State{Source: s.cfg.Source, Locked: s.Clerk() == ""}
	free, size, err := s.disk.Free(s.cfg.Dir)
	if err != nil {
		return st, err
	}
	st.DiskFree, st.DiskLow = free, free < lowBytes || free < size/10
	s.mu.RLock()
	st.Records, st.LastSeq, st.Drafts = s.index.readable(), s.index.last(), len(s.drafts)
	st.Unsent = st.LastSeq - s.index.acked
	acked := s.index.acked
	s.mu.RUnlock()
	if st.Unsent > 0 {
		oldest, err := s.read(acked + 1)
		if err != nil && !errors.Is(err, journal.ErrDamaged) {
			return st, err
		}
		if err == nil {
			st.OldestUnsent = oldest.time()
		}
	}
	s.mu.RLock()
	st.Aside = slices.Clone(s.aside)
	s.mu.RUnlock()
	return st, nil
}

// Erase forgets the identities of the days that are older than the retention and whose records are all acknowledged.
// Records stay, and can be corrected and voided.
func (s *Spool) Erase() error {
	before := calendar.DayOfTime(s.cfg.Now().Add(-s.cfg.Retain))
	if acked := s.acknowledged(); acked < s.LastSeq() {
		e, err := s.read(acked + 1)
		switch {
		case errors.Is(err, journal.ErrDamaged):
			return nil // which day it is of is not known
		case err != nil:
			return err
		}
		before = min(before, e.day())
	}
	return s.vault.Erase(before)
}
