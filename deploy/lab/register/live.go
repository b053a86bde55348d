package register

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"retorno/schemas/calendar"
)

// ErrPeriodNotOver is returned by Register.Live while the table's period contains today: arrivals of today would
// change its numbers.
var ErrPeriodNotOver = errors.New("the table's period contains today, and live arrivals would change it")

// LiveSettings say how live arrivals come.
type LiveSettings struct {
	// Clock is asked for the time of each event; nil is time.Now. Timers run by the system's clock all the same.
	Clock func() time.Time
	// ArrivalsPerMinute is how many people arrive a minute on average; 0 is 30. Each makes about three events.
	ArrivalsPerMinute float64
	// InterviewAfter is how long after the arrival the registration comes at most; 0 is one minute. Real ones take
	// hours; a demo wants to see something.
	InterviewAfter time.Duration
}

// Live makes arrivals of now, without end: people like those of the register, at the same posts and centres, whose
// computers go on counting where the register stopped. Nothing of them is random beyond the register's seed and the
// times of the clock. It is used by one goroutine.
type Live struct {
	r        *Register
	settings LiveSettings
	rng      *rand.Rand
	draws    *draws
	encoder  *encoder
	own      Register // holds the live records, a few at a time
	nextSeq  []uint32
	people   int32
	facts    int32
	like     []int32 // registered returns of nationals to be like
	waiting  queue
	arrival  time.Time // when the next person arrives
}

// Live makes a generator of live arrivals. It fails when the settings cannot be, when the register has no person to be
// like, and with ErrPeriodNotOver.
func (r *Register) Live(settings LiveSettings) (*Live, error) {
	if settings.Clock == nil {
		settings.Clock = time.Now
	}
	if settings.ArrivalsPerMinute == 0 {
		settings.ArrivalsPerMinute = 30
	}
	if settings.InterviewAfter == 0 {
		settings.InterviewAfter = time.Minute
	}
	if !(settings.ArrivalsPerMinute > 0) || settings.ArrivalsPerMinute > 60_000 || settings.InterviewAfter < 0 {
		return nil, fmt.Errorf("live arrivals: %v a minute, interviewed within %v: expected more than 0, at most 60,000, and a time that is not negative",
			settings.ArrivalsPerMinute, settings.InterviewAfter)
	}
	start := settings.Clock()
	if today := calendar.DayOfTime(start); r.table.First <= today && today <= r.table.Last {
		return nil, ErrPeriodNotOver
	}
	draws, err := newDraws(r.settings.World)
	if err != nil {
		return nil, fmt.Errorf("live arrivals: %w", err)
	}
	l := &Live{r: r, draws: draws, settings: settings, nextSeq: make([]uint32, len(r.sources.ids)), arrival: start,
		rng: rand.New(rand.NewPCG(mix(r.settings.Seed, purposeLive, 0), uint64(start.UnixMilli())))}
	for i := range r.revs {
		l.nextSeq[r.revs[i].source] = max(l.nextSeq[r.revs[i].source], r.revs[i].seq)
	}
	for i := range r.truth.expected {
		if e := &r.truth.expected[i]; e.registered && e.said.national() && e.said[dimEntry] != 0 {
			l.like = append(l.like, int32(i))
		}
	}
	if len(l.like) == 0 {
		return nil, errors.New("live arrivals: the register has no registered return at a known post to be like")
	}
	l.own = Register{settings: r.settings, sources: r.sources}
	// People and records of another start are others: the seed of their names holds the time of the start.
	l.own.settings.Seed = mix(r.settings.Seed, purposeLive, uint64(start.UnixMilli()))
	l.encoder = newEncoder(&l.own)
	return l, nil
}

// Run gives events to yield as they happen, until ctx ends (the error is ctx.Err()) or yield fails.
func (l *Live) Run(ctx context.Context, yield func(Event) error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := l.settings.Clock()
		if now.Sub(l.arrival) > time.Minute {
			// The machine slept, or yield took its time: no person arrives in the past.
			l.arrival = now
		}
		timer.Reset(max(0, l.due().Sub(now)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		event, err := l.next()
		if err != nil {
			return err
		}
		if err := yield(event); err != nil {
			return err
		}
	}
}

// visitor is one person who arrives, with what is to be remembered of the way through.
type visitor struct {
	who           int32
	said          attributes
	arrived       int64
	registered    int32 // number of the registration's fact
	registeredAt  int64 // when it was minted
	registeringAt uint8 // the centre's computer
}

// step is one thing that a visitor does: pass the post, be registered, be helped.
type step struct {
	due  time.Time
	kind kind
	of   *visitor
}

// queue holds the steps to come, the next one first (container/heap).
type queue []step

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push and Pop are container/heap's.
func (q *queue) Push(x any) { *q = append(*q, x.(step)) }

// Pop takes the last step off.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// due is when the next event happens.
func (l *Live) due() time.Time {
	if len(l.waiting) > 0 && l.waiting[0].due.Before(l.arrival) {
		return l.waiting[0].due
	}
	return l.arrival
}

// next makes the event that is due, dated now.
func (l *Live) next() (Event, error) {
	if len(l.waiting) == 0 || !l.waiting[0].due.Before(l.arrival) {
		l.arrive()
	}
	s := heap.Pop(&l.waiting).(step)
	return l.event(s)
}

// arrive plans the way of one more person and draws when the one after comes.
func (l *Live) arrive() {
	v := &visitor{who: l.people, said: l.r.truth.expected[l.like[l.rng.IntN(len(l.like))]].said}
	l.people++
	heap.Push(&l.waiting, step{l.arrival, kindCrossing, v})
	world := l.r.settings.World
	if l.rng.Float64() < world.Coverage {
		at := l.arrival.Add(time.Duration(l.rng.Float64() * float64(l.settings.InterviewAfter)))
		heap.Push(&l.waiting, step{at, kindRegistration, v})
		for l.rng.Float64() < world.Assisted {
			at = at.Add(time.Duration(l.rng.Float64() * float64(l.settings.InterviewAfter) / 2)).Add(time.Millisecond)
			heap.Push(&l.waiting, step{at, kindHelp, v})
		}
	}
	gap := l.rng.ExpFloat64() / l.settings.ArrivalsPerMinute * float64(time.Minute)
	l.arrival = l.arrival.Add(time.Duration(min(gap, float64(time.Hour))))
}

// event makes the record of a step as it happens.
func (l *Live) event(s step) (Event, error) {
	v, now := s.of, l.settings.Clock().UnixMilli()
	own := fact{minted: now, number: l.facts, person: v.who, under: none, kind: s.kind}
	l.facts++
	r := revision{event: now, recorded: now, said: v.said, fact: 1, number: 1}
	switch s.kind {
	case kindCrossing:
		v.arrived = now
		r.marks = markReturned
		r.source = l.pick(l.r.sources.at[v.said[dimEntry]])
	case kindRegistration:
		r.arrival = v.arrived
		v.registeringAt = l.pick(l.r.sources.in[v.said[dimCentre]])
		v.registered, v.registeredAt, r.source = own.number, now, v.registeringAt
	default:
		own.under = 0
		r.source = v.registeringAt
		r.detail = uint8(l.draws.kinds.pick(l.rng))
	}
	l.nextSeq[r.source]++
	r.seq = l.nextSeq[r.source]
	l.own.facts = append(l.own.facts[:0], fact{minted: v.registeredAt, number: v.registered}, own)
	l.own.revs = append(l.own.revs[:0], r)
	return l.encoder.event(send{at: now, rev: 0})
}

func (l *Live) pick(computers []uint8) uint8 { return computers[l.rng.IntN(len(computers))] }
