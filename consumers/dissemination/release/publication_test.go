package release_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"retorno/consumers/dissemination/release"
	"retorno/schemas/events"
)

// TestAVintageStaysAsItWas: what is counted later is in the next vintage, and the one before stays as it was but for being
// the newest.
func TestAVintageStaysAsItWas(t *testing.T) {
	o := open(t)
	first := o.mustPublish(o.conn, release.Provisional, after)
	before := o.rows("SELECT * EXCEPT newest FROM ceniss.published_counts WHERE publication = '%s'", first.ID)
	o.announce(1, 9)
	o.count(1, 2, "L-COR", 6)
	o.count(1, 3, "L-AMA", 3)
	o.account(1, 7, 9)
	o.compared()
	second := o.mustPublish(o.conn, release.Final, after)
	if now := o.rows("SELECT * EXCEPT newest FROM ceniss.published_counts WHERE publication = '%s'", first.ID); now != before {
		t.Errorf("the first vintage was\n%s\nand is\n%s", before, now)
	}
	if first.Registered != 7 || second.Registered != 9 || first.Checksum == second.Checksum || first.Positions[0].NextOffset != 7 || second.Positions[0].NextOffset != 9 {
		t.Errorf("published are %+v and %+v", first, second)
	}
	if got := o.rows("SELECT vintage, newest, status, registered FROM ceniss.publications"); got != "(1,0,'provisional',7)\n(2,1,'final',9)" {
		t.Errorf("the vintages are\n%s", got)
	}
}

// TestAPublicationWaitsForWhatWasBegun: a flush of which a cell may have been copied is in the ledger before the vintage
// names its positions.
func TestAPublicationWaitsForWhatWasBegun(t *testing.T) {
	o := open(t)
	o.announce(1, 9)
	o.count(1, 2, "L-COR", 9)
	asked := 0
	conn := &watched{Conn: o.conn, text: "FROM retorno.accounts", do: func(n int) error {
		if asked = n; n == 5 { // the gate has asked three times, and the publication once
			o.account(1, 7, 9)
		}
		return nil
	}}
	p := o.mustPublish(conn, release.Provisional, after)
	if p.Registered != 9 || p.Positions[0].NextOffset != 9 || asked < 5 {
		t.Errorf("after %d questions it is %+v", asked, p)
	}
}

// TestAPublicationWaitsForATakeover: who has taken the partition mends what is stored with its first flush, and that is in
// the ledger, though it may be of no record, before anything is published.
func TestAPublicationWaitsForATakeover(t *testing.T) {
	release.Impatient(t, 300*time.Millisecond)
	o := open(t)
	o.take(2)
	if _, err := o.publish(o.conn, release.Provisional, after); !errors.Is(err, release.ErrUnfinished) {
		t.Fatalf("published beside a takeover: %v", err)
	}
	o.account(2, 7, 7)
	if p := o.mustPublish(o.conn, release.Provisional, after); p.Vintage != 1 || p.Positions[0].NextOffset != 7 {
		t.Errorf("%+v", p)
	}
}

// TestATopicMadeAgainIsPublished: what was announced in the log that is gone is not waited for, and the ledger stands in
// the newest log.
func TestATopicMadeAgainIsPublished(t *testing.T) {
	release.Impatient(t, 300*time.Millisecond)
	o := open(t)
	o.announce(1, 5000)
	o.exec("INSERT INTO retorno.ledger (topic, kafka_partition, epoch, log, first_offset, next_offset, read, accepted) VALUES ('retorno.centre.v1', 0, 2, 1, 0, 3, 3, 3)")
	o.ends["retorno.centre.v1"], o.log = 3, 1
	o.compared()
	if p := o.mustPublish(o.conn, release.Provisional, after); p.Positions[0].NextOffset != 3 {
		t.Errorf("%+v", p)
	}
}

// TestCellsThatMove: a copy under which a cell of the period moved is taken again, a cell of another period does not
// matter, and cells that never rest are not published.
func TestCellsThatMove(t *testing.T) {
	o := open(t)
	n := 10
	moves := func(times int, day string) *watched {
		// Between the copy and the comparison.
		return &watched{Conn: o.conn, text: "retorno.published_counts WHERE publication", do: func(seen int) error {
			switch n++; {
			case seen <= times && day > halfYear.Last.String():
				o.cell(day, 1<<40+n, "L-COR", n)
			case seen <= times:
				o.count(1, n, "L-COR", n)
			}
			return nil
		}}
	}
	conn := moves(2, "2016-06-03")
	if p := o.mustPublish(conn, release.Provisional, after); p.Registered != 12 || conn.n != 3 {
		t.Errorf("after %d copies %+v", conn.n, p)
	}
	conn = moves(1, "2016-07-03")
	if p := o.mustPublish(conn, release.Provisional, after); p.Registered != 12 || conn.n != 1 {
		t.Errorf("after %d copies %+v", conn.n, p)
	}
	before := o.rows("SELECT * FROM ceniss.publications")
	if _, err := o.publish(moves(1000, "2016-06-03"), release.Provisional, after); !errors.Is(err, release.ErrMoving) {
		t.Errorf("cells that never rest: %v", err)
	}
	if now := o.rows("SELECT * FROM ceniss.publications"); now != before {
		t.Errorf("published is\n%s", now)
	}
}

// TestATornPublicationIsNone: wherever a publication ends, it is seen whole or not at all, and what follows is whole.
func TestATornPublicationIsNone(t *testing.T) {
	release.Brief(t, 3*time.Second)
	o := open(t)
	gone := errors.New("the process is gone")
	for _, text := range []string{"FROM retorno.claims", "SELECT count(), groupBitXor", "INSERT INTO retorno.vintages", "countIf(publication", "INSERT INTO retorno.released_files", "INSERT INTO retorno.publications"} {
		conn := &watched{Conn: o.conn, text: text, do: func(int) error { return gone }}
		if _, err := o.publish(conn, release.Provisional, after); !errors.Is(err, gone) {
			t.Errorf("ended before %q: %v", text, err)
		}
		if seen := o.rows("SELECT id FROM ceniss.publications") + o.rows("SELECT publication FROM ceniss.published_counts") + o.rows("SELECT path FROM ceniss.released_files"); seen != "" {
			t.Errorf("ended before %q: seen is %s", text, seen)
		}
	}
	p := o.mustPublish(o.conn, release.Provisional, after)
	if sum := o.rows("SELECT vintage, sum(registered) FROM ceniss.published_counts GROUP BY vintage"); sum != fmt.Sprintf("(%d,7)", p.Vintage) {
		t.Errorf("published is %s", sum)
	}
	// An answer that was lost makes the same row be written twice: one publication still.
	o.exec("INSERT INTO retorno.publications SELECT * FROM retorno.publications")
	if n := o.rows("SELECT count() FROM ceniss.publications"); n != "(1)" {
		t.Errorf("%s publications", n)
	}
}

// TestNothingCountedIsNotPublished.
func TestNothingCountedIsNotPublished(t *testing.T) {
	o := open(t)
	o.count(1, 2, "L-COR", 0)
	if _, err := o.publish(o.conn, release.Provisional, after); !errors.Is(err, release.ErrNoCounts) {
		t.Errorf("published without a count: %v", err)
	}
}

// TestAVintageSaysWhatWasGivenUp: offsets that a decision gave up are in each vintage from then on.
func TestAVintageSaysWhatWasGivenUp(t *testing.T) {
	o := open(t)
	o.mustPublish(o.conn, release.Provisional, after)
	o.exec("INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, lost) VALUES ('%s', 0, 1, 7, 57, 50)", events.TopicCentre)
	o.ends[events.TopicCentre] = 57
	o.announce(1, 57) // the flush that the publication waits for has ended
	o.compared()
	p := o.mustPublish(o.conn, release.Final, after)
	if p.Lost != 50 || len(p.Positions) != 1 || p.Positions[0].Lost != 50 {
		t.Errorf("%+v", p)
	}
	if got := o.rows("SELECT vintage, lost FROM ceniss.publications"); got != "(1,0)\n(2,50)" {
		t.Errorf("the vintages are\n%s", got)
	}
}
