package release_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retorno/consumers/dissemination/release"
)

// TestTheNumberOfAVintageIsKept: it comes from what was published before, and not from the publisher's clock.
func TestTheNumberOfAVintageIsKept(t *testing.T) {
	release.Brief(t, 3*time.Second)
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
	if third.Vintage <= behind.Vintage {
		t.Errorf("a number that was given is given again: %d", third.Vintage)
	}
}

// TestTwoPublishersAtOnce: at whatever point two meet, one publishes, the other is told, and no number is given twice.
func TestTwoPublishersAtOnce(t *testing.T) {
	o := open(t)
	// A second publisher runs through while the first one has read which numbers are taken, has taken one, or is about to show
	// its vintage.
	for _, text := range []string{"INSERT INTO retorno.vintages", "SELECT countIf(publication", "INSERT INTO retorno.publications"} {
		var second error
		conn := &watched{Conn: o.conn, text: text, do: func(n int) error {
			if n == 1 {
				_, second = o.publish(o.conn, release.Provisional, after)
			}
			return nil
		}}
		_, first := o.publish(conn, release.Provisional, after)
		if conn.n == 0 || (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), release.ErrConcurrent) {
			t.Errorf("met at %q: %v, %v", text, first, second)
		}
	}
	if n := o.rows("SELECT uniqExact(vintage), count() FROM ceniss.publications"); n != "(3,3)" {
		t.Errorf("numbers and vintages: %s", n)
	}
	const publishers = 6
	var published atomic.Int64
	var all sync.WaitGroup
	for range publishers {
		all.Go(func() {
			switch _, err := o.publish(o.conn, release.Final, after); {
			case err == nil:
				published.Add(1)
			case !errors.Is(err, release.ErrConcurrent) && !errors.As(err, new(*release.RefusedError)):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := o.rows("SELECT count() FROM ceniss.publications WHERE status = 'final'"); published.Load() > 1 || n != fmt.Sprintf("(%d)", published.Load()) {
		t.Errorf("%d of %d are published, and seen are %s", published.Load(), publishers, n)
	}
}
