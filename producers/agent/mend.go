package agent

import (
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"retorno/producers/form"
	"retorno/producers/spool"
	"retorno/schemas/events"
)

// mark is what a record that was typed while the clock was in doubt bears, so that its time can be mended later: nil when the form states the
// time itself. A revision bears that of the revision before.
func (a *Agent) mark(m *memory, record *events.Record, happened string) *form.Clock {
	if happened != "" || record.GetVoidReason() != "" {
		return nil
	}
	if record.GetRevision() > 1 {
		return m.identity(record.GetRecordId()).Clock
	}
	if !a.clock(m).Doubt {
		return nil
	}
	boot, passed := a.cfg.SinceBoot()
	return &form.Clock{Boot: boot, PassedMs: passed.Milliseconds()}
}

// mend corrects the times of what was typed while the clock was in doubt, once the broker's time is known: by a revision of each record whose
// time is wrong. The time between typing and now is that of a clock which is never set; after a restart of the computer it is not known, and
// the record keeps its mark. a.saving is held.
func (a *Agent) mend(m *memory, clerk string) error {
	marked := m.marked()
	if len(marked) == 0 {
		return nil
	}
	now := a.clock(m)
	boot, passed := a.cfg.SinceBoot()
	if !now.Known || boot == "" {
		return nil
	}
	var entries []spool.Entry
	for _, k := range marked {
		if k.identity.Clock.Boot != boot {
			continue
		}
		typed := now.At.Add(time.Duration(k.identity.Clock.PassedMs)*time.Millisecond - passed)
		if typed.Sub(time.UnixMilli(k.record.GetEventTimeMs())).Abs() < clockSlack {
			continue
		}
		e, err := a.mended(m, k, typed, now.At, clerk)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil
	}
	_, err := a.keep(m, entries)
	return err
}

// mended is the next revision of a record, with the time at which it was typed.
func (a *Agent) mended(m *memory, k kept, typed, now time.Time, clerk string) (spool.Entry, error) {
	record := proto.CloneOf(k.record)
	record.Revision++
	record.EventTimeMs = typed.UnixMilli()
	record.RecordedTimeMs = max(now.UnixMilli(), record.EventTimeMs)
	id := k.identity
	id.Clock, id.Confirmed = nil, nil
	sealed, err := json.Marshal(id)
	if err != nil {
		return spool.Entry{}, err
	}
	news, err := a.news(m, record, id)
	if err != nil {
		return spool.Entry{}, err
	}
	text := fmt.Sprintf(`{"clock":%d}`, record.EventTimeMs)
	return spool.Entry{Record: record, Form: []byte(text), Identity: sealed, News: news, Clerk: clerk, At: a.cfg.Now()}, nil
}

// mendIfKnown is mend where no save is under way.
func (a *Agent) mendIfKnown(m *memory, clerk string) error {
	a.saving.Lock()
	defer a.saving.Unlock()
	return a.mend(m, clerk)
}
