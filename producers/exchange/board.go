// Package exchange knows which returned persons are on their way from posts to centres, and which of them were registered:
// what the topic of the exchange says, and what this office adds itself.
//
// It promises that the newest revision of each record counts, whatever the order and however often it comes; that memory is
// bounded by the seven days of the topic and by MaxRecords, the oldest going first; that a message that cannot be read is
// counted and never trusted; and that without a line, and after a restart without one, it works with what has come so far.
// It holds pseudonyms and codes only, in memory and on the disk: no document, no name, no birth date.
//
// It writes nothing to a broker. When the brokers do not answer, or the topic is missing or refused, Run tries once more
// later. When the disk takes nothing, what came stays in memory and comes from the broker after the next start.
package exchange

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	"retorno/producers/disk"
	"retorno/schemas/agents"
	"retorno/schemas/calendar"
	"retorno/schemas/kafka"
)

// MaxRecords is how many crossings, and how many registrations, are known at a time.
const MaxRecords = 20_000

// Config says where messages come from and where they are kept. All of it may be left out: a Board without Access knows what
// it is told by Take.
type Config struct {
	// Access says how the brokers are reached; it is asked before each connection that follows a failure.
	Access func() (kafka.Access, error)
	// Dir is the folder in which what came is kept; "" keeps it in memory only.
	Dir string
	// Disk is where Dir is. Default this computer's.
	Disk disk.Disk
	// Post leaves out who is on the way: a post needs to know only who was registered.
	Post bool
	// Every is the time between two looks at the topic. Default 5 s.
	Every time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger receives what fails; nil drops it.
	Logger *slog.Logger
}

// Person is a crossing as it is known here.
type Person struct {
	ID string // record id of the crossing
	agents.Crossing
	// Registered reports whether a centre has registered it.
	Registered bool
}

// Arrival is a bus, a flight or a group, of which people are on their way.
type Arrival struct {
	ID, Post, Country, Mode, ReturnType string
	ArrivedMs                           int64
	// Centre is the one to which it was sent on, "" while the post told of none, and Expected how many people were said to be in it.
	Centre   string
	Expected int
	// People are all that were told of, and Waiting those of them that no centre has registered.
	People  int
	Waiting []Person
}

// state is what is known of one record.
type state struct {
	news agents.News
	at   time.Time // when the broker got the newest message of it, or this office saved it
}

// Board is what is known. It is safe for concurrent use.
type Board struct {
	cfg Config

	mu      sync.Mutex
	records map[string]*state   // by record id
	byKey   map[string][]string // crossings by person key
	of      map[string][]string // registrations by crossing
	skipped int
	changed bool // since it was last kept
	heard   time.Time
	refused bool // the topic is missing, or the brokers refuse it
}

// New returns a board with what was kept of it; Run follows the topic.
func New(cfg Config) *Board {
	if cfg.Disk == nil {
		cfg.Disk = disk.OS{}
	}
	if cfg.Every == 0 {
		cfg.Every = 5 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Board{cfg: cfg, records: map[string]*state{}, byKey: map[string][]string{}, of: map[string][]string{}}
	b.load()
	return b
}

// Take takes a message: key and value as they are on the topic, at as the broker dates it. What cannot be read is counted.
func (b *Board) Take(key, value []byte, at time.Time) {
	n, err := agents.ParseNews(key, value)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.skipped++
		return
	}
	before := b.records[n.Record]
	if before != nil && before.news.Revision >= n.Revision {
		return
	}
	if b.cfg.Post && n.Registered == "" {
		return
	}
	if before != nil {
		b.unlink(before.news)
	}
	b.records[n.Record], b.changed = &state{n, at}, true
	if c := n.Crossing; c != nil && c.Key != "" {
		b.byKey[c.Key] = append(b.byKey[c.Key], n.Record)
	}
	if n.Registered != "" {
		b.of[n.Registered] = append(b.of[n.Registered], n.Record)
	}
	if len(b.records) > 2*MaxRecords+MaxRecords/4 {
		b.forget()
	}
}

func drop(all map[string][]string, key, id string) {
	all[key] = slices.DeleteFunc(all[key], func(other string) bool { return other == id })
	if len(all[key]) == 0 {
		delete(all, key)
	}
}

func (b *Board) unlink(n agents.News) {
	if n.Crossing != nil {
		drop(b.byKey, n.Crossing.Key, n.Record)
	}
	if n.Registered != "" {
		drop(b.of, n.Registered, n.Record)
	}
}

// forget drops what the topic has forgotten, and the oldest of what is too much. b.mu is held.
func (b *Board) forget() {
	all := make([]*state, 0, len(b.records))
	for _, s := range b.records {
		all = append(all, s)
	}
	slices.SortFunc(all, func(x, y *state) int { return cmp.Or(y.at.Compare(x.at), cmp.Compare(x.news.Record, y.news.Record)) })
	oldest := b.cfg.Now().Add(-agents.ExchangeKept)
	for i, s := range all {
		if i >= 2*MaxRecords || s.at.Before(oldest) {
			b.unlink(s.news)
			delete(b.records, s.news.Record)
			b.changed = true
		}
	}
}

// Unreadable is how many messages could not be read.
func (b *Board) Unreadable() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.skipped
}

// Heard is when the topic was last read to its end by this process; zero: never.
func (b *Board) Heard() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heard
}

// Stopped says in Spanish and English why the topic is not read, when time alone does not mend that; "" otherwise.
func (b *Board) Stopped() (spanish, english string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.refused {
		return "", ""
	}
	return "El intercambio entre oficinas no se puede leer: el tema " + agents.TopicExchange + " no existe o el servidor no lo permite",
		"The exchange between offices cannot be read: topic " + agents.TopicExchange + " does not exist, or the broker does not allow it"
}

// Person returns a crossing that holds; false when it did not come, or was voided.
func (b *Board) Person(id string) (Person, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.person(id)
}

func (b *Board) person(id string) (Person, bool) {
	s := b.records[id]
	if s == nil || s.news.Crossing == nil {
		return Person{}, false
	}
	return Person{ID: id, Crossing: *s.news.Crossing, Registered: b.registered(id, "")}, true
}

// ByKey returns the latest crossing with a person key.
func (b *Board) ByKey(key string) (found Person, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range b.byKey[key] {
		if p, holds := b.person(id); holds && (!ok || cmp.Or(cmp.Compare(p.AtMs, found.AtMs), cmp.Compare(p.ID, found.ID)) > 0) {
			found, ok = p, true
		}
	}
	return found, ok
}

// Days are those on which people arrived who are known.
func (b *Board) Days() []calendar.Day {
	b.mu.Lock()
	defer b.mu.Unlock()
	var days []calendar.Day
	for _, s := range b.records {
		if c := s.news.Crossing; c != nil && !slices.Contains(days, calendar.DayOf(c.ArrivedMs)) {
			days = append(days, calendar.DayOf(c.ArrivedMs))
		}
	}
	slices.Sort(days)
	return days
}

// Registered reports whether a centre has registered a crossing by another record than except.
func (b *Board) Registered(crossing, except string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.registered(crossing, except)
}

func (b *Board) registered(crossing, except string) bool {
	for _, id := range b.of[crossing] {
		if id != except && !b.records[id].news.Void {
			return true
		}
	}
	return false
}

// Arrivals are those with people, the latest first; the people that wait are in the order in which they crossed. People
// without an arrival stand under the arrival "" of their post.
func (b *Board) Arrivals() []Arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := map[[2]string]*Arrival{}
	for id := range b.records {
		p, ok := b.person(id)
		if !ok {
			continue
		}
		name := [2]string{p.Arrival, p.Post}
		a := found[name]
		if a == nil {
			a = &Arrival{ID: p.Arrival, Post: p.Post, Country: p.Country, Mode: p.Mode, ReturnType: p.ReturnType, ArrivedMs: p.ArrivedMs}
			if s := b.records[p.Arrival]; s != nil && s.news.Arrival != nil {
				a.Centre, a.Expected = s.news.Arrival.Centre, s.news.Arrival.Expected
			}
			found[name] = a
		}
		a.ArrivedMs = max(a.ArrivedMs, p.ArrivedMs)
		a.People++
		if !p.Registered {
			a.Waiting = append(a.Waiting, p)
		}
	}
	out := make([]Arrival, 0, len(found))
	for _, a := range found {
		slices.SortFunc(a.Waiting, func(x, y Person) int { return cmp.Or(cmp.Compare(x.AtMs, y.AtMs), cmp.Compare(x.ID, y.ID)) })
		out = append(out, *a)
	}
	slices.SortFunc(out, func(x, y Arrival) int {
		return cmp.Or(cmp.Compare(y.ArrivedMs, x.ArrivedMs), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Post, y.Post))
	})
	return out
}
