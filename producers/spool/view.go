package spool

import (
	"fmt"
	"path/filepath"

	"retorno/producers/disk"
	"retorno/producers/journal"
	"retorno/producers/vault"
	"retorno/schemas/events"
)

// View is a folder that is read and not changed: a copy, or that of a running agent.
type View struct {
	journal *journal.Journal
	index   index
}

// OpenView opens a folder for reading. It needs no login.
func OpenView(dir string) (*View, error) {
	v := new(View)
	var err error
	if v.journal, err = journal.View(disk.OS{}, filepath.Join(dir, journalFile), v.index.take); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return v, nil
}

// Close ends the reading.
func (v *View) Close() error { return v.journal.Close() }

// Damage names what is damaged.
func (v *View) Damage() []string {
	var all []string
	for _, d := range v.journal.Damage() {
		all = append(all, journalFile+": "+d.String())
	}
	return all
}

// Lost is how many numbers cannot be read.
func (v *View) Lost() uint64 { return v.index.last() - v.index.readable() }

// Each gives the records in the order of their numbers, as they were saved: all, or those that no broker has
// acknowledged. What is set aside is left out.
func (v *View) Each(unsent bool, each func(Copy) error) error {
	return v.entries(func(e entry) error {
		if unsent && e.seq <= v.index.acked {
			return nil
		}
		c, err := e.copy()
		if err != nil {
			return err
		}
		return each(c)
	})
}

func (v *View) entries(each func(entry) error) error {
	for _, at := range v.index.slots {
		if at.number == 0 {
			continue
		}
		b, err := v.journal.Read(at.number, at.at)
		if err != nil {
			return err
		}
		e, err := parseEntry(b)
		if err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// Known is an identity that the recovery key opened.
type Known struct {
	RecordID  string
	Revision  uint32
	SourceSeq uint64
	Clerk     string
	// Identity is the JSON of Entry.Identity.
	Identity []byte
}

// Identities gives what a key opens, in the order of numbers: open is vault.Vault.Recovery's. erased is how many it does
// not open.
func (v *View) Identities(open vault.Opener, each func(Known) error) (erased int, err error) {
	err = v.entries(func(e entry) error {
		text, err := open(e.day(), e.name(), e.sealed)
		if err != nil {
			erased++
			return nil
		}
		clerk, identity, err := unseal(text)
		if err != nil {
			return err
		}
		return each(Known{RecordID: e.id.String(), Revision: e.revision, SourceSeq: e.seq, Clerk: clerk, Identity: identity})
	})
	return erased, err
}

// Line is the record as a line of JSON Lines, as `retorno send` reads it; it has no time of sending.
func (c Copy) Line(b []byte) ([]byte, error) {
	o, err := events.Open(events.SealBytes(c.Record, c.At.UnixMilli(), 0))
	if err != nil {
		return b, fmt.Errorf("number %d: %w", c.Seq, err)
	}
	line, err := events.MarshalJSONLine(&events.Envelope{Record: o.Record})
	return append(b, line...), err
}
