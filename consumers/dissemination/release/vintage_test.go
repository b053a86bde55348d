package release_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"retorno/consumers/dissemination/release"
)

// TestTheNumberOfAVintageIsKept: it comes from what was published before, and not from the publisher's clock.
func TestTheNumberOfAVintageIsKept(t *testing.T) {
	o := open(t)
	first := o.mustPublish(o.conn, release.Provisional, after)
	behind := o.mustPublish(o.conn, release.Provisional, after.Add(-24*time.Hour))
	if first.Vintage != 1 || behind.Vintage != 2 {
		t.Errorf("a clock that is a day behind makes vintages %d and %d", first.Vintage, behind.Vintage)
	}
	got := o.rows("SELECT vintage, newest, toString(as_of) FROM ceniss.publications")
	if got != "(1,0,'2016-08-01 06:00:00.000')\n(2,1,'2016-07-31 06:00:00.000')" {
		t.Errorf("the vintages are\n%s", got)
	}
	o.exec("ALTER TABLE retorno.publications DELETE WHERE id = '%s' SETTINGS mutations_sync = 2", behind.ID)
	third := o.mustPublish(o.conn, release.Provisional, after)
	if third.Vintage != 3 {
		t.Errorf("a number that was given is given again: %d", third.Vintage)
	}
}

// TestTwoPublishersAtOnce: each gets a number of its own, at whatever point they meet.
func TestTwoPublishersAtOnce(t *testing.T) {
	o := open(t)
	// A second publisher runs through while the first one has read which numbers are taken, or has taken one.
	for _, text := range []string{"INSERT INTO retorno.vintages", "countIf(publication"} {
		var other release.Publication
		conn := &watched{Conn: o.conn, text: text, do: func(n int) error {
			if n == 1 {
				other = o.mustPublish(o.conn, release.Provisional, after)
			}
			return nil
		}}
		if p := o.mustPublish(conn, release.Provisional, after); p.Vintage == other.Vintage {
			t.Errorf("met at %q, both have number %d", text, p.Vintage)
		}
	}
	const publishers = 6
	numbers := make([]uint64, publishers)
	var all sync.WaitGroup
	for i := range publishers {
		all.Go(func() {
			p, err := o.publish(o.conn, release.Provisional, after)
			if err != nil {
				t.Error(err)
			}
			numbers[i] = p.Vintage
		})
	}
	all.Wait()
	slices.Sort(numbers)
	if len(slices.Compact(slices.Clone(numbers))) != publishers {
		t.Errorf("the numbers are %d", numbers)
	}
	if n := o.rows("SELECT uniqExact(vintage), count() FROM ceniss.publications WHERE period = '2016-S1'"); n != "(10,10)" {
		t.Errorf("numbers and vintages: %s", n)
	}
}
