package torture

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"retorno/deploy/lab/register"
	"retorno/producers/producer"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// hotPerson is the key under which several computers file everybody. Its stays follow one another every two hours, each ended
// by an exit, so that each is a return of its own.
type hotPerson struct {
	*besides
	rnd     *rand.Rand
	key     uuid.UUID
	sources []register.Source
	// first is sent at once; later are corrections, records that are taken back, and copies.
	first, later []producer.Message
	err          error
}

const (
	betweenStays = 2 * time.Hour
	// correctedAfter is how long after a record its correction is made, in made time.
	correctedAfter = 20 * 24 * time.Hour
)

// sendHot sends many facts of one person at once, and their corrections when the fault ends.
func (r *run) sendHot(ctx context.Context, s step) error {
	h := &hotPerson{besides: &r.besides, rnd: rand.New(rand.NewPCG(s.pick, 0x686f74))}
	begin := time.Date(2016, 2, 1+h.rnd.IntN(60), h.rnd.IntN(24), 0, 0, 0, time.UTC)
	h.key = idOf(begin.UnixMilli(), h.rnd)
	for i := range 4 {
		h.sources = append(h.sources, register.Source{ID: fmt.Sprintf("hot-%x-%d", h.key[12:], i)})
	}
	for i := range s.n {
		h.stay(begin.Add(time.Duration(i) * betweenStays))
	}
	r.besides.sources = append(r.besides.sources, h.sources...)
	r.besides.sent += len(h.first) + len(h.later)
	if h.err != nil {
		return h.err
	}
	r.machine.background(s.String(), func() error {
		writer, err := r.machine.writer(nil)
		if err != nil {
			return err
		}
		err = r.write(ctx, writer, h.first)
		if err == nil {
			_ = pause(ctx, s.lasts)
			err = r.write(ctx, writer, h.later)
		}
		return errors.Join(err, writer.Close())
	})
	return nil
}

func (h *hotPerson) oneOf(codes ...string) string { return codes[h.rnd.IntN(len(codes))] }

// stay is one stay: seen at a post, registered at a centre and helped there, or one of the two; and the exit.
func (h *hotPerson) stay(at time.Time) {
	x := h.visitor(at)
	if way := h.rnd.IntN(3); way != 0 {
		x.Checkpoint = true
		x.EntryPoint = h.post()
		wrong := h.visitor(at)
		wrong.EntryPoint = h.post()
		x.ReturnID = h.say(at, h.entry(x), h.entry(wrong))
	}
	if !x.Checkpoint || h.rnd.IntN(2) == 0 {
		h.register(&x, at.Add(30*time.Minute))
	}
	h.returns = append(h.returns, x)
	if x.Checkpoint {
		h.crosses(at, x.EntryPoint, "entry")
	}
	at = at.Add(90 * time.Minute)
	exit := h.post()
	h.say(at, h.exit(exit), h.exit(h.post()))
	h.crosses(at, exit, "exit")
}

// register registers a return and helps the person.
func (h *hotPerson) register(x *register.Return, at time.Time) {
	x.Registered, x.Centre, x.Accompaniment, x.Reasons = true, h.centre(), h.oneOf("accompanied", "unaccompanied"), []string{h.oneOf("economic", "family")}
	wrong := h.visitor(at)
	wrong.Centre, wrong.Accompaniment, wrong.Reasons = h.centre(), x.Accompaniment, x.Reasons
	id := h.say(at, h.registration(*x), h.registration(wrong))
	if !x.Checkpoint {
		x.ReturnID, x.Date = id, calendar.DayOfTime(at).String()
	}
	at = at.Add(10 * time.Minute)
	kind := h.oneOf("food", "hygiene_kit")
	h.say(at, h.help(x.Centre, kind, id), h.help(h.centre(), "food", id))
	h.helps[register.HelpCell{Day: calendar.DayOfTime(at).String(), Centre: x.Centre, Kind: kind, Sex: x.Sex, AgeGroup: x.AgeGroup}]++
}

func (h *hotPerson) post() string { return h.oneOf("L-COR", "L-AGC", "A-SAP") }

func (h *hotPerson) centre() string { return h.oneOf("CAMR-SPS", "CAMR-OMO", "CANFM-BEL") }

func (h *hotPerson) crosses(at time.Time, post, direction string) {
	h.crossings[register.CrossingCell{Day: calendar.DayOfTime(at).String(), BorderPoint: post, Direction: direction, DocumentCheck: unknownOf(codelists.DocumentCheck)}]++
}

// visitor draws who comes; what only a registration or a post knows is not stated.
func (h *hotPerson) visitor(at time.Time) register.Return {
	x := register.Return{Person: h.key, Date: calendar.DayOfTime(at).String(), Country: h.oneOf("US", "MX"), Mode: h.oneOf("air", "land"),
		ReturnType: h.oneOf("deported", "assisted"), Sex: h.oneOf("M", "F"), Age: h.rnd.IntN(90), Nationality: "HN", National: true,
		EntryPoint: unknownOf(codelists.BorderPoint), ExitPoint: unknownOf(codelists.BorderPoint), Centre: "X-NON",
		Department: unknownOf(codelists.Department), Municipality: unknownOf(codelists.Municipality), Accompaniment: unknownOf(codelists.Accompaniment)}
	x.Route, x.AgeGroup = codelists.RouteOf(x.Country, x.Mode), codelists.AgeGroupOf(x.Age)
	return x
}

func unknownOf(list string) string {
	l, _ := codelists.Get(list)
	return l.Unknown
}

func (h *hotPerson) entry(x register.Return) *events.Record {
	age := uint32(x.Age)
	return &events.Record{Body: &events.Record_Crossing{Crossing: &events.Crossing{Direction: "entry", Returned: true, BorderPoint: x.EntryPoint,
		Country: x.Country, Mode: x.Mode, ReturnType: x.ReturnType, Sex: x.Sex, Age: &age, Nationality: x.Nationality}}}
}

func (h *hotPerson) exit(post string) *events.Record {
	return &events.Record{Body: &events.Record_Crossing{Crossing: &events.Crossing{Direction: "exit", BorderPoint: post}}}
}

func (h *hotPerson) registration(x register.Return) *events.Record {
	age := uint32(x.Age)
	return &events.Record{Body: &events.Record_Registration{Registration: &events.Registration{Centre: x.Centre, Country: x.Country, Mode: x.Mode,
		ReturnType: x.ReturnType, Sex: x.Sex, Age: &age, Nationality: x.Nationality, Accompanied: x.Accompaniment, Reasons: x.Reasons}}}
}

func (h *hotPerson) help(centre, kind string, under uuid.UUID) *events.Record {
	return &events.Record{Body: &events.Record_Assistance{Assistance: &events.Assistance{Centre: centre, Kind: kind, RegistrationId: under.String()}}}
}

// say makes a record of something that happened. One in four is wrong at first, at another time, and is corrected later;
// beside one in eight stands another that looks like it and is taken back later; some are sent twice.
func (h *hotPerson) say(at time.Time, right, wrong *events.Record) uuid.UUID {
	id := idOf(at.UnixMilli(), h.rnd)
	if h.rnd.IntN(4) == 0 {
		h.send(&h.first, id, 1, at.Add(time.Duration(h.rnd.Int64N(int64(60*24*time.Hour)))-30*24*time.Hour), at, wrong)
		h.send(&h.later, id, 2, at, at.Add(correctedAfter), right)
	} else {
		h.send(&h.first, id, 1, at, at, right)
	}
	if h.rnd.IntN(8) == 0 {
		mistaken := idOf(at.UnixMilli(), h.rnd)
		h.send(&h.first, mistaken, 1, at.Add(time.Minute), at, wrong)
		wrong.VoidReason = "test_record"
		h.send(&h.later, mistaken, 2, at.Add(time.Minute), at.Add(correctedAfter), wrong)
	}
	if n := len(h.first); h.rnd.IntN(10) == 0 {
		h.later = append(h.later, h.first[n-1])
	}
	return id
}

// send puts one revision into its envelope: its computer's next number, sent a little after it was recorded.
func (h *hotPerson) send(to *[]producer.Message, id uuid.UUID, revision uint32, at, recorded time.Time, r *events.Record) {
	source := &h.sources[h.rnd.IntN(len(h.sources))]
	source.HighestSeq++
	source.HighestContiguousSeq++
	r.RecordId, r.Revision, r.SourceId, r.SourceSeq, r.PersonKey = id.String(), revision, source.ID, source.HighestSeq, hex.EncodeToString(h.key[:])
	r.EventTimeMs, r.RecordedTimeMs, r.SchemaVersion = at.UnixMilli(), recorded.Add(time.Minute).UnixMilli(), events.SchemaVersion
	value, err := events.Seal(r, recorded.Add(5*time.Minute).UnixMilli(), h.rnd.Int64N(1000))
	h.err = errors.Join(h.err, err)
	*to = append(*to, producer.Message{Topic: events.Topic(r), Key: []byte(events.Key(r)), Value: value})
}
