package processor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// Faults of what is outside of the process: dead letters, the server's settings, clocks, other groups.

// TestF16DeadLettersUnavailable: nothing is in the ledger while what could not be understood is not kept.
func TestF16DeadLettersUnavailable(t *testing.T) {
	s := fresh(t)
	l := &log{step: 10}
	l.addRaw(events.TopicCentre, []byte(ana), []byte{0xff})
	l.add(t, crossing(1, at("2016-06-30", "10:00"), back("L-COR")), at("2016-06-30", "10:00"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiting := &unavailable{asked: make(chan struct{})}
	c, _ := consumer(t, s, waiting)
	ended := make(chan error, 1)
	go func() { ended <- c.run(ctx, &cursor{log: l, next: map[string]int64{}}) }()
	<-waiting.asked
	if a, err := s.Accounted(t.Context()); err != nil || a.Read() != 0 {
		t.Errorf("accounted for %+v before the letter was kept; %v", a, err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if dead := countLog(t, s, l); len(dead.all) != 1 {
		t.Errorf("%d letters", len(dead.all))
	}
	if a, err := s.Accounted(t.Context()); err != nil || a.Rejected != 1 || a.Accepted != 1 {
		t.Errorf("accounts %+v, %v", a, err)
	}
}

// unavailable is a dead-letter topic that does not answer.
type unavailable struct{ asked chan struct{} }

func (u *unavailable) Write(ctx context.Context, _ []deadletter.Letter) error {
	close(u.asked)
	<-ctx.Done()
	return ctx.Err()
}

// TestF22DeduplicationOfTheServer: whether tables forget repeated inserts or not, the numbers are the same.
func TestF22DeduplicationOfTheServer(t *testing.T) {
	part, whole := messy(t, 22)
	want := truthOf(t, whole)
	s := fresh(t)
	for _, table := range flushTables {
		if err := s.Conn().Exec(t.Context(), "ALTER TABLE "+table+" MODIFY SETTING non_replicated_deduplication_window = 1000"); err != nil {
			t.Fatal(err)
		}
	}
	tearAt(t, "retorno.returns", part, whole, want)
	countLog(t, s, whole)
	isTrue(t, s, whole, want)
}

// TestF23WrongClocks: a sender's clock that is a day behind, ahead or steps back moves nothing to another day; what
// lies more than an hour after its sending is held, and seen in a metric, until a later copy.
func TestF23WrongClocks(t *testing.T) {
	s := fresh(t)
	l := &log{step: 10}
	when := at("2016-06-30", "23:30")
	for n, ahead := range []time.Duration{24 * time.Hour, 0, 2 * time.Second, -30 * time.Minute, -24 * time.Hour} {
		l.add(t, crossing(n+1, when.Add(time.Duration(n)*time.Minute), back("L-COR")), when.Add(ahead))
	}
	c, metrics := consumer(t, s, &letters{})
	if err := c.run(t.Context(), &cursor{log: l, next: map[string]int64{}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if got := rows(t, s, "SELECT day, crossings FROM ceniss.crossing_counts"); got != "('2016-06-30',4)" {
		t.Errorf("crossings: %s", got)
	}
	if held := counter(t, metrics, "retorno_future_records_total"); held != 1 {
		t.Errorf("%v records are held", held)
	}
	l.add(t, crossing(5, when.Add(4*time.Minute), back("L-COR")), when.Add(time.Minute))
	countLog(t, s, l)
	if got := rows(t, s, "SELECT day, crossings FROM ceniss.crossing_counts"); got != "('2016-06-30',5)" {
		t.Errorf("crossings after a later copy: %s", got)
	}
	noDifference(t, s)
}

// turns is how two groups that count the same log take turns: one that was overtaken comes again when the other has got on.
type turns struct {
	mu   sync.Mutex
	most int64         // records read by either
	got  chan struct{} // closed when there are more
}

func (t *turns) read(offsets map[string]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := int64(0)
	for _, next := range offsets {
		sum += next
	}
	if sum > t.most {
		t.most = sum
		close(t.got)
		t.got = make(chan struct{})
	}
}

func (t *turns) next() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.got
}

// fighting is a cursor of one of two such groups.
type fighting struct {
	cursor
	turns *turns
}

func (f *fighting) Fetch(ctx context.Context, wait time.Duration) ([]stream.Message, error) {
	f.turns.read(f.next)
	return f.cursor.Fetch(ctx, wait)
}

// TestF33ReplayBesideTheLive: two groups count the same log into one database at once. The one that is overtaken gives up
// and comes again, as the group makes it do.
func TestF33ReplayBesideTheLive(t *testing.T) {
	_, whole := messy(t, 33)
	want := truthOf(t, whole)
	whole.step = 5
	s := fresh(t)
	both, fenced, ended := &turns{got: make(chan struct{})}, new(atomic.Int32), make(chan error, 2)
	over := make(chan struct{}) // one has come to the end
	for range 2 {
		c, _ := consumer(t, s, &letters{})
		go func() {
			for {
				next := both.next()
				err := c.run(t.Context(), &fighting{cursor{log: whole, next: map[string]int64{}}, both})
				if !store.IsFenced(err) {
					ended <- err
					return
				}
				fenced.Add(1)
				select {
				case <-next:
				case <-over:
				}
			}
		}()
	}
	first := <-ended
	close(over)
	if err := errors.Join(first, <-ended); !errors.Is(first, errEnd) || !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	isTrue(t, s, whole, want)
	t.Logf("%d times one was overtaken", fenced.Load())
	if fenced.Load() == 0 {
		t.Error("the two never met")
	}
}

// TestF36NobodyScrapes: the accounts balance at a scrape that comes at any time, and none is needed.
func TestF36NobodyScrapes(t *testing.T) {
	_, whole := messy(t, 36)
	s := fresh(t)
	c, registry := consumer(t, s, &letters{})
	if err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if n, err := testutil.GatherAndCount(registry); err != nil || n == 0 {
		t.Fatalf("%d metrics, %v", n, err)
	}
	noDifference(t, s)
}
