// Package dispatch sends what a spool holds, and the heartbeat of its computer.
//
// It promises that records leave in the order of their numbers, the oldest first; that a record counts as sent only when
// all in-sync replicas have acknowledged it; and that it goes on by itself after any failure: a line that is down, a
// broker that restarts, a password that was changed, rights that were missing, a topic with another partition count.
// What time alone does not mend stands in Status in words meanwhile. It needs no login. Memory is bounded by one batch.
// Before it sends, and at each heartbeat, it reads the source's own heartbeat: when that is ahead of the folder, or of a
// run that the folder does not know, another copy of the folder is at work, and it stops sending for good.
//
// What other offices are told of a record (the exchange) leaves once that is acknowledged, with the same bytes each time;
// an exchange that refuses it never keeps a record back.
//
// It creates no topic, and touches the topics of its records, of the heartbeats, of the exchange and of documents only. Only a spool that
// cannot be read, or whose disk confirms nothing, ends it.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"retorno/producers/producer"
	"retorno/producers/spool"
	"retorno/schemas/agents"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// Config says what is sent, and where. Zero times take the defaults named.
type Config struct {
	Spool *spool.Spool
	// Link says how the brokers are reached. It is asked before each connection that follows a failure, so that a changed
	// enrolment counts without a restart.
	Link func() (Link, error)
	// Version is that of the program.
	Version string
	// FormsMissing counts paper forms that are neither captured nor void; nil: none.
	FormsMissing func() int
	// DocumentsMet counts the records of this run whose document was known to be false or stolen; nil: none.
	DocumentsMet func() int
	// Every is the time between two heartbeats. Default agents.BeatEvery.
	Every time.Duration
	// Retry bounds the wait after a failure that time alone does not mend. Default 15 s.
	Retry time.Duration
	// Patience is how long a batch may go unacknowledged before the link is asked for once more. Default 1 min.
	Patience time.Duration
	// Logger receives what fails; nil drops it.
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Link is how the brokers are reached.
type Link struct {
	Access kafka.Access
	// Partitions of the topic of records, as enrolled.
	Partitions int
}

// batchRecords is how many records wait for one acknowledgement.
const batchRecords = 1000

// Status is how sending stands.
type Status struct {
	// Stop is why nothing is sent; the zero Stop: it is, or the line is down and will come back.
	Stop Stop
	// Exchange is why other offices are not told of people on their way, while records leave; the zero Stop: they are told.
	Exchange Stop
	// ClockOffset is this computer's clock minus the broker's; ClockKnown reports whether it is known.
	ClockOffset time.Duration
	ClockKnown  bool
}

// Dispatcher sends. It is safe for concurrent use.
type Dispatcher struct {
	cfg Config

	mu       sync.Mutex
	stop     Stop
	exchange Stop
	writer   *producer.Writer
	clock    time.Duration
	known    bool
}

// New returns a dispatcher; Run sends.
func New(cfg Config) *Dispatcher {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&cfg.Every, agents.BeatEvery)
	set(&cfg.Retry, 15*time.Second)
	set(&cfg.Patience, time.Minute)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Dispatcher{cfg: cfg}
}

// Status is how sending stands now.
func (s *Dispatcher) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Stop: s.stop, Exchange: s.exchange, ClockOffset: s.clock, ClockKnown: s.known}
	if s.writer != nil {
		if offset, known := s.writer.ClockOffset(); known {
			st.ClockOffset, st.ClockKnown = offset, true
		}
	}
	return st
}

// ClockOffset is this computer's clock minus the broker's; false while it is not known.
func (s *Dispatcher) ClockOffset() (time.Duration, bool) {
	st := s.Status()
	return st.ClockOffset, st.ClockKnown
}

// Run sends until ctx ends, which is no error, or the spool cannot be used any more.
func (s *Dispatcher) Run(ctx context.Context) error {
	backoff := time.Second
	for ctx.Err() == nil {
		began := s.cfg.Now()
		err := s.session(ctx)
		var broken *spoolError
		switch {
		case errors.As(err, &broken):
			return err
		case ctx.Err() != nil:
			return nil
		}
		s.note(err)
		if s.cfg.Now().Sub(began) > s.cfg.Patience {
			backoff = time.Second
		}
		wait(ctx, min(backoff, s.cfg.Retry))
		backoff = min(2*backoff, s.cfg.Retry)
	}
	return nil
}

// spoolError is an error of the spool: no connection mends it.
type spoolError struct{ err error }

func (e *spoolError) Error() string { return e.err.Error() }
func (e *spoolError) Unwrap() error { return e.err }

func ofSpool(err error) error {
	if err == nil {
		return nil
	}
	return &spoolError{err}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// note keeps in words why a session ended.
func (s *Dispatcher) note(err error) {
	stop := stopOf(err)
	s.mu.Lock()
	changed := s.stop != stop
	s.stop = stop
	s.mu.Unlock()
	if err != nil && changed {
		s.cfg.Logger.Warn("sending is interrupted; it goes on by itself", "error", err)
	}
}

// link is one session's connections.
type link struct {
	writer, beats *producer.Writer
	own           *follow.Reader
	latest        *agents.Beat // the source's own heartbeat, as the broker has it
	mute          bool         // the exchange took nothing since the last heartbeat
}

func (s *Dispatcher) open() (*link, error) {
	how, err := s.cfg.Link()
	if err != nil {
		return nil, err
	}
	base := producer.Config{Brokers: how.Access.Brokers, TLS: how.Access.TLS, SASL: how.Access.SASL, ClientID: "retorno-agent", Logger: s.cfg.Logger, LoginGrace: time.Millisecond, TopicGrace: 2 * time.Second}
	records := base
	records.Partitions, records.Compression = how.Partitions, "snappy"
	l := &link{own: follow.New(how.Access, agents.TopicAgents)}
	if l.writer, err = producer.New(records); err != nil {
		return nil, err
	}
	if l.beats, err = producer.New(base); err != nil {
		return nil, errors.Join(err, l.writer.Close())
	}
	s.mu.Lock()
	s.writer = l.writer
	s.mu.Unlock()
	return l, nil
}

func (s *Dispatcher) close(l *link) {
	s.mu.Lock()
	if offset, known := l.writer.ClockOffset(); known {
		s.clock, s.known = offset, true
	}
	s.writer = nil
	s.mu.Unlock()
	_, _ = l.writer.Close(), l.beats.Close() // no call is under way, and nothing is lost
	l.own.Close()
}

// session sends until something fails. Records and heartbeats go out side by side.
func (s *Dispatcher) session(ctx context.Context) error {
	l, err := s.open()
	if err != nil {
		return err
	}
	defer s.close(l)
	next := time.Time{}
	for ctx.Err() == nil {
		if now := s.cfg.Now(); !now.Before(next) {
			err := s.beat(ctx, l)
			if topicMissing(err) {
				// A cluster that is older than the heartbeats: no copy can have sent one.
				s.cfg.Logger.Warn("no heartbeat is sent: topic "+agents.TopicAgents+" is to be made", "error", err)
				err = nil
			}
			if err != nil {
				return err
			}
			next, l.mute = now.Add(s.cfg.Every), false
		}
		more, err := s.send(ctx, l)
		if err == nil && !more {
			more, err = s.tell(ctx, l)
		}
		if err != nil {
			return err
		}
		if more {
			continue
		}
		s.note(nil)
		timer := time.NewTimer(max(next.Sub(s.cfg.Now()), time.Millisecond))
		select {
		case <-ctx.Done():
		case <-s.cfg.Spool.Saves():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// send sends one batch, and reports whether there may be more.
func (s *Dispatcher) send(ctx context.Context, l *link) (bool, error) {
	through := s.cfg.Spool.LastSeq() // before the look: what is saved meanwhile is of the next one
	copies, err := s.cfg.Spool.Unsent(0, batchRecords)
	if err != nil {
		return false, ofSpool(err)
	}
	if len(copies) > 0 {
		through = copies[len(copies)-1].Seq
		if err := s.write(ctx, l, copies); err != nil {
			return false, err
		}
		s.note(nil)
	} else if s.aside() == 0 {
		return false, nil
	}
	// Without a copy, all that is not acknowledged up to there is set aside: it will never be sent.
	return len(copies) == batchRecords, ofSpool(s.cfg.Spool.Acked(through))
}

func (s *Dispatcher) aside() int {
	st, err := s.cfg.Spool.State()
	if err != nil {
		return 0
	}
	return len(st.Aside)
}

func (s *Dispatcher) write(ctx context.Context, l *link, copies []spool.Copy) error {
	offset, _ := s.ClockOffset() // not known yet: our own clock is the best there is
	sent := s.cfg.Now().Add(-offset).UnixMilli()
	msgs := make([]producer.Message, len(copies))
	for i, c := range copies {
		msgs[i] = producer.Message{Topic: c.Topic, Key: []byte(c.Key), Value: events.SealBytes(c.Record, sent, offset.Milliseconds())}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	return l.writer.Write(ctx, msgs...)
}

// beat reads the source's own heartbeat and, when it is this folder's, sends the next one.
func (s *Dispatcher) beat(ctx context.Context, l *link) error {
	source := s.cfg.Spool.Source()
	reading, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	err := l.own.Read(reading, func(m follow.Message) error {
		if string(m.Key) != source {
			return nil
		}
		// What is no heartbeat says nothing of another copy.
		if b, err := agents.ParseBeat(m.Key, m.Value); err == nil {
			l.latest = &b
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("own heartbeat: %w", err)
	}
	if l.latest != nil && (l.latest.LastSeq > s.cfg.Spool.LastSeq() || !slices.Contains(s.cfg.Spool.Runs(), l.latest.Run)) {
		return &copyError{last: l.latest.LastSeq, own: s.cfg.Spool.LastSeq()}
	}
	if s.cfg.Spool.Run() == "" {
		return nil // the folder knows no run yet: the disk took nothing
	}
	value, err := s.now()
	if err != nil {
		return ofSpool(err)
	}
	writing, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	return l.beats.Write(writing, producer.Message{Topic: agents.TopicAgents, Key: []byte(source), Value: value})
}

// now is the heartbeat of this moment.
func (s *Dispatcher) now() ([]byte, error) {
	state, err := s.cfg.Spool.State()
	if err != nil {
		return nil, err
	}
	st := s.Status()
	b := agents.Beat{
		Source: state.Source, Run: s.cfg.Spool.Run(), AtMs: s.cfg.Now().Add(-st.ClockOffset).UnixMilli(),
		LastSeq: state.LastSeq, Unsent: state.Unsent, DiskFree: state.DiskFree, DiskLow: state.DiskLow, Damaged: len(state.Aside),
		Version: s.cfg.Version, Secrets: map[string]string{}, Lists: listsFingerprint(), Stopped: st.Stop.Code,
	}
	if !state.OldestUnsent.IsZero() {
		b.OldestUnsentMs = state.OldestUnsent.UnixMilli()
	}
	if st.ClockKnown {
		ms := st.ClockOffset.Milliseconds()
		b.ClockOffsetMs = &ms
	}
	for _, secret := range s.cfg.Spool.Fingerprints() {
		b.Secrets[secret.From] = secret.Fingerprint
	}
	if s.cfg.FormsMissing != nil {
		b.FormsMissing = s.cfg.FormsMissing()
	}
	if s.cfg.DocumentsMet != nil {
		b.DocumentsMet = s.cfg.DocumentsMet()
	}
	return b.Bytes()
}
