package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"retorno/producers/disk"
	"retorno/schemas/calendar"
)

// Draft is a form that is not saved yet.
type Draft struct {
	// ID is the record id that the form will have.
	ID string
	// Version counts the changes, from 1.
	Version uint64
	// Fields are what was typed, as JSON.
	Fields []byte
	// At is when it was last changed, by the agent's clock.
	At time.Time
}

// ErrDraftVersion says that the draft was changed elsewhere meanwhile: in another tab.
var ErrDraftVersion = errors.New("the draft was changed elsewhere")

// MaxDraft is the largest draft, in bytes.
const MaxDraft = 64 << 10

const draftPrefix = "draft-"

// draftFile is a draft as its file holds it.
type draftFile struct {
	Version uint64 `json:"version"`
	At      int64  `json:"at"`
	Sealed  []byte `json:"sealed"`
}

func (f draftFile) day() calendar.Day { return calendar.DayOf(f.At) }

func draftName(id string) string { return "draft/" + id }

func (s *Spool) loadDrafts() error {
	names, err := s.disk.Names(s.cfg.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		id, ok := strings.CutPrefix(name, draftPrefix)
		if _, err := uuid.Parse(id); !ok || err != nil {
			continue
		}
		data, err := disk.ReadChecked(s.disk, s.path(name), 2*MaxDraft)
		var f draftFile
		if err == nil {
			err = json.Unmarshal(data, &f)
		}
		if err != nil {
			s.aside = append(s.aside, fmt.Sprintf("%s cannot be read and is set aside: %v", name, err))
			continue
		}
		s.drafts[id] = f
	}
	return nil
}

// PutDraft keeps what was typed so far. version is that of the draft that the form was made from, 0 for a new one; a
// draft that has another one by now is ErrDraftVersion, and stays as it is. It returns the new version when the draft is
// on the disk. Other errors are ErrLocked, ErrDisk and disk.ErrSync.
func (s *Spool) PutDraft(id string, version uint64, fields []byte) (uint64, error) {
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return 0, fmt.Errorf("draft: %w", ErrNotFound)
	}
	if len(fields) > MaxDraft {
		return 0, fmt.Errorf("draft of %d bytes: at most %d are kept", len(fields), MaxDraft)
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.RLock()
	have := s.drafts[id].Version
	s.mu.RUnlock()
	if have != version {
		return have, ErrDraftVersion
	}
	f := draftFile{Version: version + 1, At: s.cfg.Now().UnixMilli()}
	var err error
	if f.Sealed, err = s.vault.Seal(f.day(), draftName(id), fields); err != nil {
		return 0, err
	}
	data, err := json.Marshal(f)
	if err != nil {
		return 0, err
	}
	if err := disk.WriteChecked(s.disk, s.path(draftPrefix+id), data); err != nil {
		return 0, diskError(err)
	}
	s.mu.Lock()
	s.drafts[id] = f
	s.mu.Unlock()
	return f.Version, nil
}

// diskError makes ErrDisk of an error that a write can have and a later write need not.
func diskError(err error) error {
	var code syscall.Errno
	if errors.Is(err, disk.ErrSync) || !errors.As(err, &code) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}

// Draft returns a draft, or ErrNotFound. The error wraps ErrLocked without a login, and ErrErased after the retention.
func (s *Spool) Draft(id string) (Draft, error) {
	s.mu.RLock()
	f, ok := s.drafts[id]
	s.mu.RUnlock()
	if !ok {
		return Draft{}, fmt.Errorf("draft: %w", ErrNotFound)
	}
	fields, err := s.vault.Open(f.day(), draftName(id), f.Sealed)
	if err != nil {
		return Draft{}, err
	}
	return Draft{ID: id, Version: f.Version, Fields: fields, At: time.UnixMilli(f.At)}, nil
}

// Drafts are the ids of all drafts, the one that was changed last first.
func (s *Spool) Drafts() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := make([]string, 0, len(s.drafts))
	for id := range s.drafts {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if d := s.drafts[b].At - s.drafts[a].At; d != 0 {
			return int(d)
		}
		return strings.Compare(a, b)
	})
	return ids
}

// DropDraft drops a draft, if it is there.
func (s *Spool) DropDraft(id string) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	return s.drop(id)
}

func (s *Spool) drop(id string) error {
	s.mu.RLock()
	_, ok := s.drafts[id]
	s.mu.RUnlock()
	if !ok {
		return nil
	}
	// A name that comes back after a power cut is a draft that is dropped once more: it needs no sync.
	if err := s.disk.Remove(s.path(draftPrefix + id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diskError(err)
	}
	s.mu.Lock()
	delete(s.drafts, id)
	s.mu.Unlock()
	return nil
}

// dropSaved drops the draft of a form that is saved. That it stays, on a disk that takes nothing, is no fault of the
// save: saving it once more changes nothing.
func (s *Spool) dropSaved(id string) { _ = s.drop(id) }
