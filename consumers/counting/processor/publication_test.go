package processor

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/release"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

var halfYear = calendar.Date(2016, 1, 1).Period(calendar.KindHalfYear)

// published is what stands of a vintage, byte for byte.
func published(t *testing.T, s *store.Store, p release.Publication) string {
	t.Helper()
	return rows(t, s, fmt.Sprintf("SELECT * FROM retorno.publications WHERE id = '%s'", p.ID)) + "\n" +
		rows(t, s, fmt.Sprintf("SELECT * FROM retorno.published_counts WHERE publication = '%s'", p.ID))
}

// gateOf is the gate of a publication of what is counted of a log, which the verifier has found right.
func gateOf(t *testing.T, s *store.Store, l *log) release.Gate {
	t.Helper()
	noDifference(t, s)
	exec(t, s, `INSERT INTO retorno.verifications (kind, pass, began, at, detail) SELECT kind, toUUID('11111111-1111-4111-8111-111111111111'), now64(3), now64(3),
		(SELECT concat('{"Marks": {', arrayStringConcat(groupArray(concat('"', topic, '/', toString(kafka_partition), '": {"Next": ', toString(next), '}')), ','), '}}')
			FROM (SELECT topic, kafka_partition, max(next_offset) AS next FROM retorno.accounts GROUP BY topic, kafka_partition))
		FROM (SELECT arrayJoin(['began', 'ended']) AS kind)`)
	return release.Gate{VerifiedWithin: time.Hour, MaxMissing: 100, Ends: func(context.Context) ([]release.Position, error) {
		var all []release.Position
		for topic, messages := range l.topics {
			all = append(all, release.Position{Topic: topic, NextOffset: uint64(len(messages))})
		}
		return all, nil
	}}
}

// public is the lattice that comes with the program, with a key.
func public(t *testing.T) release.Public {
	t.Helper()
	l, err := lattice.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return release.Public{Lattice: l, Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
}

func take(t *testing.T, conn release.Conn, gate release.Gate, status release.Status, asOf time.Time) release.Publication {
	t.Helper()
	p, err := release.Publish(t.Context(), conn, gate, public(t), release.Order{Period: halfYear, Status: status, AsOf: asOf})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// someReturns are three returns of 2016-S1, one of them registered, and one of 2016-S2.
func someReturns(t *testing.T) (l *log, registered *events.Record) {
	t.Helper()
	l = &log{step: 10}
	for n, day := range []string{"2016-06-02", "2016-06-09", "2016-07-16"} {
		r := crossing(n+1, at(day, "10:00"), back("L-AGC"))
		r.PersonKey = fmt.Sprintf("%032x", n+1)
		l.add(t, r, at(day, "11:00"))
	}
	registered = registration(10, at("2016-05-30", "10:00"), &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR", Country: "MX", Mode: "land", Sex: "F"})
	l.add(t, registered, at("2016-05-30", "12:00"))
	return l, registered
}

// corrected is the registration with another exit point.
func corrected(r *events.Record) *events.Record {
	again := registration(10, at("2016-05-30", "10:00"), &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-AMA", Country: "MX", Mode: "land", Sex: "F"})
	again.RecordId, again.Revision = r.RecordId, 2
	return again
}

// TestF14CorrectionForAPublishedPeriod: a correction changes the next vintage by exactly itself, and the one before not
// in a byte; each says when it was counted, from where in the log, and how complete it is.
func TestF14CorrectionForAPublishedPeriod(t *testing.T) {
	s := fresh(t)
	l, registered := someReturns(t)
	countLog(t, s, l)
	first := take(t, s.Conn(), gateOf(t, s, l), release.Provisional, at("2016-08-01", "09:00"))
	if first.Vintage != 1 || first.Registered != 1 || first.Checkpoint != 2 || first.Reconciled != 3 || first.Cells != 2 || len(first.Positions) != 2 {
		t.Errorf("the first vintage is %+v", first)
	}
	before := published(t, s, first)

	l.add(t, corrected(registered), at("2016-08-20", "10:00"))
	countLog(t, s, l)
	second := take(t, s.Conn(), gateOf(t, s, l), release.Final, at("2016-09-01", "09:00"))
	if after := published(t, s, first); after != before {
		t.Errorf("the first vintage was\n%s\nand is now\n%s", before, after)
	}
	cell := "SELECT month, exit_point, centre, registered, checkpoint, reconciled FROM ceniss.published_counts WHERE vintage = %d"
	for _, c := range []struct{ query, want string }{
		{fmt.Sprintf(cell+" EXCEPT "+cell, 1, 2), "('2016-05','L-COR','CAMR-OMO',1,0,1)"},
		{fmt.Sprintf(cell+" EXCEPT "+cell, 2, 1), "('2016-05','L-AMA','CAMR-OMO',1,0,1)"},
		{"SELECT vintage, newest, status, toString(as_of), registered, reconciled, round(coverage, 3), arraySum(next_offsets) FROM ceniss.publications WHERE period = '2016-S1'",
			"(1,0,'provisional','2016-08-01 09:00:00.000',1,3,0.333,4)\n(2,1,'final','2016-09-01 09:00:00.000',1,3,0.333,5)"},
	} {
		if got := rows(t, s, c.query); got != c.want {
			t.Errorf("%s\nanswers %s\nand should %s", c.query, got, c.want)
		}
	}
	if second.Checksum == first.Checksum {
		t.Error("both vintages have one checksum")
	}
	// The newest vintage is what is counted now, whatever table one asks.
	sums := "SELECT exit_point, sum(registered), sum(checkpoint), sum(reconciled) FROM "
	now := rows(t, s, sums+"ceniss.return_counts WHERE half_year = '2016-S1' GROUP BY exit_point")
	if got := rows(t, s, sums+"ceniss.published_counts WHERE period = '2016-S1' AND newest GROUP BY exit_point"); got != now {
		t.Errorf("published is\n%s\ncounted is\n%s", got, now)
	}
}

// hooked is ClickHouse with something before the published counts are read again.
type hooked struct {
	driver.Conn
	compare func()
}

func (h *hooked) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	if h.compare != nil && strings.Contains(query, "FROM retorno.published_counts") {
		do := h.compare
		h.compare = nil
		do()
	}
	return h.Conn.QueryRow(ctx, query, args...)
}

// TestAPublicationIsOfOnePosition: what is counted while it is taken is in it as a whole, or not at all.
func TestAPublicationIsOfOnePosition(t *testing.T) {
	s := fresh(t)
	l, registered := someReturns(t)
	countLog(t, s, l)
	gate := gateOf(t, s, &log{topics: maps.Clone(l.topics)}) // the ends as they are now
	l.add(t, corrected(registered), at("2016-08-20", "10:00"))
	p := take(t, &hooked{Conn: s.Conn(), compare: func() { countLog(t, s, l) }}, gate, release.Provisional, at("2016-08-01", "09:00"))
	if n := slices.IndexFunc(p.Positions, func(x release.Position) bool { return x.Topic == events.TopicCentre }); p.Positions[n].NextOffset != 2 {
		t.Errorf("it stands at %+v", p.Positions)
	}
	if got := rows(t, s, "SELECT exit_point FROM ceniss.published_counts WHERE registered > 0"); got != "('L-AMA')" {
		t.Errorf("published is %s", got)
	}
}
