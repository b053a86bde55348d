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
		{"a provisional one after a final one", release.AfterFinal, []string{"1 final"}, func(o *office) { o.mustPublish(o.conn, release.Final, after) }},
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
		if _, err := release.Take(t.Context(), o.conn, gate, halfYear, release.Final, after); err == nil || errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
