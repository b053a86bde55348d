package release_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/release"
	"retorno/schemas/events"
)

// TestTheGateNamesEveryReason: each thing that must hold is missing once, and then the gate is shut, says so with numbers
// and what to do, and nothing is published.
func TestTheGateNamesEveryReason(t *testing.T) {
	release.Impatient(t, 300*time.Millisecond)
	status := release.Provisional
	for _, c := range []struct {
		name, code string
		why        []string
		do         func(o *office)
	}{
		{"the logs are ahead", release.Behind, []string{"2470 records of 1 partitions", events.TopicCentre + "/0 at 7 of 2477"},
			func(o *office) { o.ends[events.TopicCentre] = 2477 }},
		{"a log that nothing was counted of", release.Behind, []string{"3 records of 1 partitions", events.TopicCheckpoint + "/0 at 0 of 3"},
			func(o *office) { o.ends[events.TopicCheckpoint] = 3 }},
		{"a log is shorter than what was counted", release.Ahead, []string{"4 records of 1 partitions", events.TopicCentre + "/0 at 3 of 7"},
			func(o *office) { o.ends[events.TopicCentre] = 3 }},
		{"a log is gone", release.Ahead, []string{"7 records of 1 partitions"}, func(o *office) { delete(o.ends, events.TopicCentre) }},
		{"a partition has stopped", release.Stopped, []string{"partition 3 of both topics", "offset_gap (50 records are gone)"}, func(o *office) {
			o.exec("INSERT INTO retorno.stops (kafka_partition, reason, detail, since, seen_at) VALUES (3, 'offset_gap', '50 records are gone', now64(3), now64(3))")
			o.exec("INSERT INTO retorno.stops (kafka_partition, topic, reason, since, seen_at, cleared) VALUES (4, 'it goes on', 'offset_gap', now64(3), now64(3), 1)")
		}},
		{"nothing was verified", release.NotVerified, []string{"no full pass"}, func(o *office) { o.exec("TRUNCATE TABLE retorno.verifications") }},
		{"the latest full pass bears a time to come", release.NotVerified, []string{"lies", "ahead"}, func(o *office) { o.verified(time.Now().Add(3*time.Hour), 0) }},
		{"the latest full pass is old", release.NotVerified, []string{"2h0m", "1h0m0s"}, func(o *office) {
			o.exec("TRUNCATE TABLE retorno.verifications")
			o.verified(time.Now().Add(-2*time.Hour), 0)
			o.record("began", time.Now(), time.Now(), 0)
			o.record("part", time.Now(), time.Now(), 0)
		}},
		{"a full pass disagreed later", release.Differs, []string{"41 rows"}, func(o *office) { o.verified(time.Now().Add(time.Second), 41) }},
		{"a pass under way has found something", release.Differs, []string{"5 rows"}, func(o *office) { o.record("part", time.Now().Add(-time.Minute), time.Now().Add(time.Second), 5) }},
		{"an incremental pass disagreed later", release.Differs, []string{"6 rows"}, func(o *office) {
			o.record("increment", time.Now().Add(time.Second), time.Now().Add(time.Second), 6)
		}},
		{"the second count is behind", release.NotVerified, []string{"has not compared 2 records of 1 partitions", "/0 at 7 of 9"}, func(o *office) { o.account(1, 7, 9) }},
		{"what was compared is of a log that is gone", release.NotVerified, []string{"has not compared 3 records"}, func(o *office) {
			o.exec("INSERT INTO retorno.ledger (topic, kafka_partition, epoch, log, first_offset, next_offset, read, accepted, flushed_at) VALUES ('%s', 0, 2, 1, 0, 3, 3, 3, '2016-10-01 00:00:00')", events.TopicCentre)
			o.ends[events.TopicCentre] = 3
		}},
		{"a provisional one soon after another", release.TooSoon, []string{"2016-08-01 05:59:59"}, func(o *office) {
			o.mustPublish(o.conn, release.Provisional, after.Add(-time.Second))
			o.every = time.Minute
		}},
		{"records are missing", release.Incomplete, []string{"3 records", "at most 2"}, func(o *office) { o.sent("camr-sps-1", 1, 5) }},
		{"a computer is silent", release.Incomplete, []string{"1 computers", "at most 0"}, func(o *office) {
			o.sent("camr-sps-1", 1, 2)
			o.exec("INSERT INTO retorno.sendings (kafka_partition, place, source_id, source_seq, sent_at) VALUES (0, 99, 'camr-omo-1', 1, '2016-09-01 10:00:00')")
		}},
		{"a provisional one after a final one", release.AfterFinal, []string{"its final vintage exists"}, func(o *office) { o.mustPublish(o.conn, release.Final, after) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t)
			c.do(o)
			before := o.rows("SELECT id FROM ceniss.publications")
			_, err := o.publish(o.conn, status, after)
			var refused *release.RefusedError
			if !errors.As(err, &refused) || len(refused.Reasons) != 1 || refused.Reasons[0].Code != c.code || refused.Reasons[0].Do == "" {
				t.Fatalf("refused is %+v, %v", refused, err)
			}
			for _, text := range c.why {
				if !strings.Contains(refused.Reasons[0].Why, text) {
					t.Errorf("%q does not say %q", refused.Reasons[0].Why, text)
				}
			}
			if now := o.rows("SELECT id FROM ceniss.publications"); now != before {
				t.Errorf("published is\n%s", now)
			}
		})
	}
}

// TestTheGateOpens: what was shut opens when the reason is gone, and every reason is named while there are several.
func TestTheGateOpens(t *testing.T) {
	release.Impatient(t, 300*time.Millisecond)
	o := open(t)
	o.ends[events.TopicCentre] = 9
	o.verified(time.Now().Add(time.Millisecond), 3)
	o.exec("INSERT INTO retorno.stops (kafka_partition, reason, since, seen_at) VALUES (0, 'offset_gap', now64(3), now64(3))")
	_, err := o.publish(o.conn, release.Final, time.Date(2016, 6, 30, 12, 0, 0, 0, time.UTC))
	var refused *release.RefusedError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	for _, code := range []string{release.NotOver, release.Stopped, release.Differs, release.Behind} {
		if !refused.Has(code) || !strings.Contains(err.Error(), code) {
			t.Errorf("%s is not named: %v", code, err)
		}
	}
	o.account(1, 7, 9)
	o.verified(time.Now().Add(time.Second), 0)
	o.exec("INSERT INTO retorno.stops (kafka_partition, reason, since, seen_at, cleared) VALUES (0, 'offset_gap', now64(3), now64(3) + 1, 1)")
	if p := o.mustPublish(o.conn, release.Final, after); p.Vintage != 1 || p.Positions[0].NextOffset != 9 {
		t.Errorf("%+v", p)
	}
}

// TestTheEndsAreThoseOfTheBegin: the logs that grow while a publication waits for the ledger do not hold it up.
func TestTheEndsAreThoseOfTheBegin(t *testing.T) {
	release.Impatient(t, 30*time.Second)
	o := open(t)
	o.ends[events.TopicCentre] = 9
	conn := &watched{Conn: o.conn, text: "retorno.accounts", do: func(n int) error {
		if n == 2 {
			o.account(1, 7, 9)
			o.compared()
			o.ends[events.TopicCentre] = 1000
		}
		return nil
	}}
	if p := o.mustPublish(conn, release.Final, after); p.Positions[0].NextOffset != 9 {
		t.Errorf("%+v", p)
	}
}

// TestAGateThatAsksNothingIsNone: who gives no way to ask Kafka, or no age, has a mistake and no open gate.
func TestAGateThatAsksNothingIsNone(t *testing.T) {
	o := open(t)
	gone := errors.New("Kafka is away")
	for name, gate := range map[string]release.Gate{
		"no ends": {VerifiedWithin: time.Hour}, "no age": {Ends: o.gate().Ends},
		"Kafka is away": {VerifiedWithin: time.Hour, Ends: func(context.Context) ([]release.Position, error) { return nil, gone }},
	} {
		var refused *release.RefusedError
		if _, err := release.Publish(t.Context(), o.conn, gate, o.public, order(release.Final, after)); err == nil || errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFinalOnceThenRevisions: a period has one final vintage, revisions follow it and say why, and a period that is not over has
// neither.
func TestFinalOnceThenRevisions(t *testing.T) {
	o := open(t)
	refused := func(status release.Status, asOf time.Time, code string) {
		t.Helper()
		var no *release.RefusedError
		if _, err := o.publish(o.conn, status, asOf); !errors.As(err, &no) || !no.Has(code) {
			t.Errorf("%s at %s: %v", status, asOf, err)
		}
	}
	refused(release.Revision, after, release.NoFinal)
	o.mustPublish(o.conn, release.Final, after)
	refused(release.Final, after, release.AfterFinal)
	refused(release.Revision, time.Date(2016, 6, 30, 12, 0, 0, 0, time.UTC), release.NotOver)
	without := order(release.Revision, after)
	without.Reason = ""
	if _, err := release.Publish(t.Context(), o.conn, o.gate(), o.public, without); err == nil || !strings.Contains(err.Error(), "needs a reason") {
		t.Errorf("a revision without a reason: %v", err)
	}
	refused(release.Revision, after, release.Unchanged)
	o.count(1, 2, "L-AMA", 5)
	if p := o.mustPublish(o.conn, release.Revision, after); p.Vintage != 2 || p.Reason != "late records" {
		t.Errorf("%+v", p)
	}
	if got := o.rows("SELECT vintage, status, reason, software FROM ceniss.publications"); got != "(1,'final','','test')\n(2,'revision','late records','test')" {
		t.Errorf("the vintages are\n%s", got)
	}
}

// TestIncompleteAndAccepted: what is missing is published once it is accepted, and the vintage says so.
func TestIncompleteAndAccepted(t *testing.T) {
	o := open(t)
	o.sent("camr-sps-1", 1, 9)
	accepted := order(release.Provisional, after)
	accepted.Accepted = "the post was flooded"
	if _, err := release.Publish(t.Context(), o.conn, o.gate(), o.public, accepted); err != nil {
		t.Fatal(err)
	}
	if got := o.rows("SELECT missing, silent, accepted FROM ceniss.publications"); got != "(7,0,'the post was flooded')" {
		t.Errorf("the vintage is %s", got)
	}
}

// TestAnIncrementalPassCounts: what came after the full pass counts as compared when an incremental pass found nothing there.
func TestAnIncrementalPassCounts(t *testing.T) {
	release.Impatient(t, 300*time.Millisecond)
	o := open(t)
	o.account(1, 7, 9)
	o.compared()
	if p := o.mustPublish(o.conn, release.Provisional, after); p.Positions[0].NextOffset != 9 {
		t.Errorf("%+v", p)
	}
}

// TestTheSecondCountIsWaitedFor: while records come the second count is always a little behind; the publication waits for its next pass.
func TestTheSecondCountIsWaitedFor(t *testing.T) {
	o := open(t)
	o.account(1, 7, 9)
	conn := &watched{Conn: o.conn, text: "AS clean", do: func(times int) error {
		if times == 2 {
			o.compared()
		}
		return nil
	}}
	gate := o.gate()
	gate.Wait = time.Hour
	if _, err := release.Publish(t.Context(), conn, gate, o.public, order(release.Final, after)); err != nil || conn.n < 2 {
		t.Errorf("asked %d times: %v", conn.n, err)
	}
}
