package kafka

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestASilentBrokerIsAskedAgain: when no broker has answered in the time after which the next one is asked, the question
// is put again.
func TestASilentBrokerIsAskedAgain(t *testing.T) {
	good := example(t, kmsg.Metadata, 4)
	var connections atomic.Int32
	addr := listen(t, func(c net.Conn) {
		if connections.Add(1) == 1 {
			_, _ = io.Copy(io.Discard, c) // silent until the client leaves
			return
		}
		asked := make([]byte, 4096)
		if n, err := io.ReadAtLeast(c, asked, 12); err != nil {
			t.Errorf("%d bytes of a question: %v", n, err)
		}
		copy(good[4:8], asked[8:12])
		_, _ = c.Write(good)
	})
	client := NewClient(Access{Brokers: []string{addr}})
	defer client.Close()
	if _, err := client.Metadata(context.WithoutCancel(t.Context()), "topic"); err != nil {
		t.Error(err)
	}
}

// scripted is a connection from which a byte comes at each read, and which remembers its deadline of reading.
type scripted struct {
	net.Conn
	deadline time.Time
}

func (s *scripted) Read(b []byte) (int, error)        { return copy(b, "x"), nil }
func (s *scripted) SetDeadline(t time.Time) error     { s.deadline = t; return nil }
func (s *scripted) SetReadDeadline(t time.Time) error { s.deadline = t; return nil }

// TestWhatComesMovesADeadlineAway: away by the limit of silence, never nearer; none is made, and one that has passed stays.
func TestWhatComesMovesADeadlineAway(t *testing.T) {
	const silence = time.Hour
	now := time.Now()
	for name, c := range map[string]struct {
		set  time.Time
		want func(time.Time) bool
	}{
		"soon":    {now.Add(time.Minute), func(d time.Time) bool { return !d.Before(now.Add(silence)) }},
		"far":     {now.Add(3 * silence), func(d time.Time) bool { return d.Equal(now.Add(3 * silence)) }},
		"none":    {time.Time{}, time.Time.IsZero},
		"at once": {time.Unix(1, 0), func(d time.Time) bool { return d.Equal(time.Unix(1, 0)) }},
	} {
		for how, set := range map[string]func(net.Conn, time.Time) error{"both": net.Conn.SetDeadline, "read": net.Conn.SetReadDeadline} {
			below := &scripted{}
			l := &lively{Conn: below, silence: silence}
			if err := set(l, c.set); err != nil {
				t.Fatal(err)
			}
			if n, err := l.Read(make([]byte, 8)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if !c.want(below.deadline) {
				t.Errorf("%s, %s: the deadline is %s, now %s", name, how, below.deadline, now)
			}
		}
	}
}
