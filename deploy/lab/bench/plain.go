package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"

	"retorno/schemas/events"
)

// When the plain consumer inserts.
const (
	plainRows  = 10_000
	plainEvery = time.Second
)

// plain is the consumer that most people would write: a group Reader, one message after the other decoded and appended
// as a row to a batch, inserted by size and time into a table of events, from which views count; then committed.
type plain struct {
	m    *machine
	l    *load
	want cells
	runs int
}

func (p *plain) name() string { return "plain" }

func (p *plain) run(ctx context.Context) (r result, err error) {
	p.runs++
	if err := p.m.newCubes(ctx, "plain"); err != nil {
		return r, err
	}
	columns := declared(append(append([]column{}, identity...), counted...))
	if err := p.m.exec(ctx, append([]string{"CREATE TABLE plain.events (" + columns + ") ENGINE = MergeTree ORDER BY (record_person_key, record_record_id)" + asOurs}, views("plain", "events")...)...); err != nil {
		return r, err
	}
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{p.m.engine.Native()}, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	used, err := p.m.usage(ctx)
	if err != nil {
		return r, err
	}
	began := time.Now()
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{p.m.broker.Addr()}, GroupID: fmt.Sprintf("plain-%d", p.runs), GroupTopics: factTopics,
		StartOffset: kafka.FirstOffset, MaxBytes: 10e6, MaxWait: 500 * time.Millisecond})
	err = errors.Join(p.consume(ctx, reader, conn), reader.Close())
	r.events, r.wall = len(p.l.messages), time.Since(began)
	if err := errors.Join(err, r.used(ctx, p.m, used)); err != nil {
		return r, err
	}
	have, err := p.m.storedCells(ctx, "plain", false)
	if err != nil {
		return r, err
	}
	r.faults = p.want.differences(have)
	return r, nil
}

// consume reads as many messages as there are.
func (p *plain) consume(ctx context.Context, reader *kafka.Reader, conn driver.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, visiblePatience)
	defer cancel()
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO plain.events")
	if err != nil {
		return err
	}
	defer func() { _ = batch.Close() }() // the last one has nothing in it, or there was an error
	var pending []kafka.Message
	flushed := time.Now()
	for left := len(p.l.messages); left > 0; left-- {
		m, err := reader.FetchMessage(ctx)
		if err != nil {
			return err
		}
		if err := appendEvent(batch, m.Value); err != nil {
			return err
		}
		if pending = append(pending, m); len(pending) < plainRows && time.Since(flushed) < plainEvery && left > 1 {
			continue
		}
		if err := batch.Send(); err != nil {
			return err
		}
		if err := reader.CommitMessages(ctx, pending...); err != nil {
			return err
		}
		pending, flushed = pending[:0], time.Now()
		if batch, err = conn.PrepareBatch(ctx, "INSERT INTO plain.events"); err != nil {
			return err
		}
	}
	return nil
}

// appendEvent adds one event as a row, in the order of the columns identity and counted.
func appendEvent(batch driver.Batch, value []byte) error {
	var e events.Envelope
	if err := proto.Unmarshal(value, &e); err != nil {
		return err
	}
	r := e.GetRecord()
	id, err := uuid.Parse(r.GetRecordId())
	if err != nil {
		return err
	}
	x, g, a := r.GetCrossing(), r.GetRegistration(), r.GetAssistance()
	var crossingAge, registrationAge *uint8
	if x != nil {
		crossingAge = small(x.Age)
	}
	if g != nil {
		registrationAge = small(g.Age)
	}
	return batch.Append(e.GetSentAtMs(), e.GetClockOffsetMs(), id, r.GetRevision(), r.GetVoidReason(), r.GetSourceId(), r.GetSourceSeq(), r.GetPersonKey(), r.GetRecordedTimeMs(),
		x.GetCategory(), x.GetNationality(), g.GetProgramme(), g.GetNationality(), g.GetDepartment(), g.GetMunicipality(), g.GetDestinationDepartment(),
		g.GetDestinationMunicipality(), g.GetAccompanied(), g.GetTravelCompany(), g.GetReasons(), g.GetIntendedCountry(), g.GetDisplacedByViolence(),
		g.GetIntendsToMigrateAgain(), g.GetEducation(), g.GetOccupation(), a.GetRegistrationId(),
		r.GetEventTimeMs(), x.GetDirection(), x.GetBorderPoint(), x.GetReturned(), x.GetDocumentCheck(), x.GetSex(), crossingAge, x.GetCountry(), x.GetMode(), x.GetReturnType(),
		g.GetCentre(), g.GetArrivalTimeMs(), g.GetEntryPoint(), g.GetExitPoint(), g.GetCountry(), g.GetMode(), g.GetReturnType(), g.GetSex(), registrationAge,
		a.GetCentre(), a.GetKind())
}

func small(n *uint32) *uint8 {
	if n == nil {
		return nil
	}
	b := uint8(*n)
	return &b
}
