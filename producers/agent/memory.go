package agent

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"retorno/producers/form"
	"retorno/producers/identity"
	"retorno/producers/paper"
	"retorno/producers/spool"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// mostRemembered is how many of the latest records the pages know of: some days of the busiest computer.
const mostRemembered = 4000

// lately is of how many records an office's usual choices are counted.
const lately = 500

// kept is what is remembered of a record.
type kept struct {
	record   *events.Record // newest revision
	at       time.Time      // when that was saved
	identity form.Identity  // of that revision; empty after the retention
	doubts   []string       // confirmed, of all revisions that are remembered
}

func (k *kept) void() bool { return k.record.GetVoidReason() != "" }

// memory is what the pages need of the latest records and of arrivals while a clerk is logged in.
type memory struct {
	mu       sync.Mutex
	records  []*kept // in the order of their first saving that is remembered, the oldest first
	byID     map[string]*kept
	byKey    map[string][]*kept      // person key
	byForm   map[paper.Number]string // record that has the paper form
	arrivals map[string]*form.Arrival
	secrets  map[calendar.Day]identity.Secret // opened since the login
	newest   time.Time                        // the latest time at which a record was saved
}

// remember reads what a login opens.
func remember(s *spool.Spool) (*memory, error) {
	m := &memory{byID: map[string]*kept{}, byKey: map[string][]*kept{}, byForm: map[paper.Number]string{}, arrivals: map[string]*form.Arrival{}, secrets: map[calendar.Day]identity.Secret{}}
	recent, err := s.Recent(mostRemembered)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Backward(recent) {
		_, sealed, err := s.Identity(r.Record.GetRecordId(), r.Record.GetRevision())
		if err != nil && !errors.Is(err, spool.ErrErased) && !errors.Is(err, spool.ErrNotFound) {
			return nil, err
		}
		m.add(r.Record, r.At, sealed)
	}
	for _, id := range s.Drafts() {
		if a, ok := openedArrival(s, id); ok {
			m.arrivals[a.ID] = a
		}
	}
	return m, nil
}

// openedArrival reads an arrival, which is kept where drafts are: it is no event, and the clerks alone see it.
func openedArrival(s *spool.Spool, id string) (*form.Arrival, bool) {
	if !isArrivalPlace(id) {
		return nil, false
	}
	d, err := s.Draft(id)
	if err != nil {
		return nil, false
	}
	var held draftText
	if json.Unmarshal(d.Fields, &held) != nil || held.Arrival == nil {
		return nil, false
	}
	return held.Arrival, true
}

// add takes in a record as it was saved. sealed is its identity as JSON, opened.
func (m *memory) add(record *events.Record, at time.Time, sealed []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.byID[record.GetRecordId()]
	if k == nil {
		k = &kept{}
		m.byID[record.GetRecordId()] = k
		m.records = append(m.records, k)
		if key := record.GetPersonKey(); key != "" { // it stays that of the first revision: another person is another record
			m.byKey[key] = append(m.byKey[key], k)
		}
	}
	if n, ok := paper.Parse(k.identity.Form); ok && m.byForm[n] == record.GetRecordId() {
		delete(m.byForm, n)
	}
	if at.After(m.newest) {
		m.newest = at
	}
	k.record, k.at, k.identity = record, at, form.Identity{}
	if len(sealed) > 0 {
		_ = json.Unmarshal(sealed, &k.identity) // an identity that a later program wrote otherwise is shown as empty
	}
	if n, ok := paper.Parse(k.identity.Form); ok && !k.void() {
		m.byForm[n] = record.GetRecordId()
	}
	for _, code := range k.identity.Confirmed {
		if !slices.Contains(k.doubts, code) {
			k.doubts = append(k.doubts, code)
		}
	}
	if len(m.records) > mostRemembered+mostRemembered/4 {
		old := len(m.records) - mostRemembered
		for _, k := range m.records[:old] {
			delete(m.byID, k.record.GetRecordId())
			if n, ok := paper.Parse(k.identity.Form); ok {
				delete(m.byForm, n)
			}
			key := k.record.GetPersonKey()
			m.byKey[key] = slices.DeleteFunc(m.byKey[key], func(other *kept) bool { return other == k })
			if len(m.byKey[key]) == 0 {
				delete(m.byKey, key)
			}
		}
		m.records = slices.Clone(m.records[old:])
	}
}

// identity is what stays here of a record's newest revision.
func (m *memory) identity(id string) form.Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.byID[id]; k != nil {
		return k.identity
	}
	return form.Identity{}
}

// marked are the records that hold and whose time is in doubt.
func (m *memory) marked() (all []kept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.records {
		if k.identity.Clock != nil && !k.void() {
			all = append(all, *k)
		}
	}
	return all
}

// latest is the latest time at which something that is remembered was saved, by the computer's clock.
func (m *memory) latest() (at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest
}

// pageOf is the page at which a record is typed.
func pageOf(r *events.Record) form.Page {
	switch {
	case r.GetCrossing() != nil:
		return form.CrossingPage
	case r.GetRegistration() != nil:
		return form.RegistrationPage
	}
	return form.AssistancePage
}

// registered are those of an arrival, in the order of registration.
func (m *memory) registered(arrival string) []form.Registered {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []form.Registered
	for _, k := range m.records {
		if k.identity.Arrival == arrival && k.record.GetRegistration() != nil && !k.void() {
			out = append(out, form.Registered{RecordID: k.record.GetRecordId(), PersonKey: k.record.GetPersonKey()})
		}
	}
	return out
}

// people counts those of an arrival: returns seen by the post, and registrations.
func (m *memory) people(arrival string) (crossed, registered int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.records {
		switch {
		case k.identity.Arrival != arrival || k.void():
		case k.record.GetCrossing() != nil:
			crossed++
		case k.record.GetRegistration() != nil:
			registered++
		}
	}
	return crossed, registered
}

// crossings are the ids of an arrival's crossings that hold.
func (m *memory) crossings(arrival string) (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.records {
		if k.identity.Arrival == arrival && k.record.GetCrossing() != nil && !k.void() {
			ids = append(ids, k.record.GetRecordId())
		}
	}
	return ids
}

// seen reports whether another record of this office satisfies a condition and has the person key.
func (m *memory) seen(key, except string, is func(*kept) bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.byKey[key], func(k *kept) bool {
		return k.record.GetRecordId() != except && !k.void() && is(k)
	})
}

// secret is the identity secret in force on a day. It is opened once for each login: opening costs more than all the rest of a form.
func (m *memory) secret(s *spool.Spool, day calendar.Day) (identity.Secret, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.secrets[day]; ok {
		return known, true
	}
	opened, err := s.Secret(day)
	if err != nil {
		return identity.Secret{}, false
	}
	m.secrets[day] = opened
	return opened, true
}

// use counts what this office chose lately.
func (m *memory) use() form.Use {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]map[string]int{codelists.Country: {}, codelists.BorderPoint: {}, codelists.Municipality: {}}
	for _, k := range m.records[max(0, len(m.records)-lately):] {
		if x := k.record.GetCrossing(); x != nil {
			out[codelists.Country][x.GetCountry()]++
			out[codelists.Country][x.GetNationality()]++
		}
		if x := k.record.GetRegistration(); x != nil {
			out[codelists.Country][x.GetCountry()]++
			out[codelists.Country][x.GetIntendedCountry()]++
			out[codelists.BorderPoint][x.GetExitPoint()]++
			out[codelists.Municipality][x.GetMunicipality()]++
			out[codelists.Municipality][x.GetDestinationMunicipality()]++
		}
	}
	return form.Use{Lately: out}
}

// last are the n records that were saved last, the last one first.
func (m *memory) last(n int) []kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Clone(m.records)
	slices.SortStableFunc(all, func(a, b *kept) int { return a.at.Compare(b.at) })
	var out []kept
	for _, k := range slices.Backward(all[max(0, len(all)-n):]) {
		out = append(out, *k)
	}
	return out
}

// of are the records of an event day, and those revised on it.
func (m *memory) of(day calendar.Day) []kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []kept
	for _, k := range m.records {
		if calendar.DayOf(k.record.GetEventTimeMs()) == day || calendar.DayOfTime(k.at) == day {
			out = append(out, *k)
		}
	}
	return out
}

func (m *memory) arrival(id string) *form.Arrival {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.arrivals[id]
}

// open are the arrivals that are not closed, the latest first; all also has the others.
func (m *memory) open(all bool) []form.Arrival {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []form.Arrival
	for _, a := range m.arrivals {
		if all || !a.Closed {
			out = append(out, *a)
		}
	}
	slices.SortFunc(out, func(a, b form.Arrival) int { return int(b.AtMs/1000 - a.AtMs/1000) })
	return out
}

func (m *memory) put(a *form.Arrival) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrivals[a.ID] = a
}
