package imports

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"retorno/producers/importer"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// cluster is Kafka in memory: the fact topic has two partitions.
type cluster struct {
	t    *testing.T
	mu   sync.Mutex
	logs map[string][][]byte
	now  time.Time
	left int // messages that are taken before the process dies; -1: all
}

var errDead = errors.New("killed")

func newCluster(t *testing.T) *cluster {
	return &cluster{t: t, logs: map[string][][]byte{}, now: time.Date(2016, 7, 1, 8, 0, 0, 0, time.UTC), left: -1}
}

type memoryLog struct {
	c    *cluster
	name string
}

func (l memoryLog) Close() {}

func (l memoryLog) Bounds(context.Context) (first, end int64, err error) {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	return 0, int64(len(l.c.logs[l.name])), nil
}

func (l memoryLog) Read(_ context.Context, from, to int64, fn func([]byte) error) error {
	l.c.mu.Lock()
	values := slices.Clone(l.c.logs[l.name][from:to])
	l.c.mu.Unlock()
	for _, v := range values {
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) write(name string, value []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return errDead
	}
	c.left--
	c.logs[name] = append(c.logs[name], value)
	return nil
}

func (c *cluster) cluster() *Cluster {
	return &Cluster{
		Open: func(topic string, partition int) (Log, error) {
			return memoryLog{c, fmt.Sprintf("%s/%d", topic, partition)}, nil
		},
		Write: func(_ context.Context, messages ...producer.Message) error {
			for _, m := range messages {
				if err := c.write(m.Topic+"/0", m.Value); err != nil {
					return err
				}
			}
			return nil
		},
		Partitions: 2,
		Now: func() time.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.now = c.now.Add(100 * time.Millisecond)
			return c.now
		},
	}
}

func (c *cluster) outbox() Outbox {
	return Outbox{Flush: func(context.Context) error { return nil }, Put: func(_ context.Context, r *events.Record) error {
		value, err := events.Seal(proto.CloneOf(r), 1467360000_000, 0)
		if err != nil {
			return err
		}
		return c.write(fmt.Sprintf("%s/%d", events.Topic(r), r.GetRecordId()[35]%2), value)
	}}
}

func (c *cluster) read(text string) *importer.File { return c.readAs(text, "") }

// readAs reads a file under the name of a source, which is made of its first row when it is empty.
func (c *cluster) readAs(text, source string) *importer.File {
	c.t.Helper()
	return c.readWith(text, importer.Config{Kind: importer.KindCentre, Source: strings.TrimPrefix(source, "import-")})
}

// readInto imports a text as an export of a system.
func (c *cluster) readInto(text, system string) error {
	plan, err := Make(c.t.Context(), c.cluster(), c.readWith(text, importer.Config{Kind: importer.KindCentre, System: system}), Options{})
	if err != nil {
		return err
	}
	return plan.Send(c.t.Context(), c.outbox())
}

func (c *cluster) readWith(text string, cfg importer.Config) *importer.File {
	c.t.Helper()
	f, err := importer.Read(c.t.Context(), cfg, "f.csv", strings.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = f.Close() })
	return f
}

// replace imports a text in the place of an import, or as a new one.
func (c *cluster) replace(text, source string) error {
	plan, err := Make(c.t.Context(), c.cluster(), c.read(text), Options{Replace: source})
	if err != nil {
		return err
	}
	return plan.Send(c.t.Context(), c.outbox())
}

// state is what counts, by age, and the numbers that never came.
func (c *cluster) state() (counted []int, missing int) {
	c.t.Helper()
	latest, contents, numbers, highest := map[string]*events.Record{}, map[string]*events.Record{}, map[importer.Place]string{}, map[string]uint64{}
	for name, values := range c.logs {
		if strings.HasPrefix(name, producer.TopicImports) {
			continue
		}
		for _, v := range values {
			o, err := events.Open(v)
			if err != nil {
				c.t.Fatal(err)
			}
			r := o.Record
			what := fmt.Sprintf("%s/%d", r.RecordId, r.Revision)
			at := importer.Place{Source: r.SourceId, Seq: r.SourceSeq}
			if held := numbers[at]; held != "" && held != what {
				c.t.Errorf("%v is the place of %s and %s", at, held, what)
			}
			numbers[at], highest[at.Source] = what, max(highest[at.Source], at.Seq)
			if held := contents[what]; held != nil && !proto.Equal(held, r) {
				c.t.Errorf("two contents of %s:\n%v\n%v", what, held, r)
			}
			contents[what] = r
			if held := latest[r.RecordId]; held == nil || held.Revision < r.Revision {
				latest[r.RecordId] = r
			}
		}
	}
	for _, r := range latest {
		if r.VoidReason == "" {
			counted = append(counted, int(r.GetRegistration().GetAge()))
		}
	}
	slices.Sort(counted)
	missing = -len(numbers)
	for _, n := range highest {
		missing += int(n)
	}
	return counted, missing
}

func text(ages ...int) string {
	var b strings.Builder
	b.WriteString("Centro;Fecha de registro;Hora;Edad\n")
	for _, age := range ages {
		if age < 0 {
			b.WriteString("CAMR La Lima;31/02/2016;08:00;1\n") // rejected
			continue
		}
		fmt.Fprintf(&b, "CAMR La Lima;%02d/05/2016;08:00;%d\n", 13+age%15, age)
	}
	return b.String()
}

// Whatever sequence of files takes the place of an import, and wherever a process dies in between: the file that was
// imported last counts, and nothing is missing but its rejected rows.
func TestTheLastFileCountsWhereverAProcessDied(t *testing.T) {
	const seed = 20
	random := rand.New(rand.NewPCG(seed, seed))
	t.Log("seed", seed)
	for range 60 {
		c := newCluster(t)
		first := []int{20, 21, 22, -1, 23, 24}
		if err := c.replace(text(first...), ""); err != nil {
			t.Fatal(err)
		}
		all, err := List(t.Context(), c.cluster())
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		for range 4 {
			var ages []int
			for age := 20; age < 34; age++ {
				if random.IntN(3) > 0 {
					ages = append(ages, age)
				}
			}
			rejected := random.IntN(3)
			for range rejected {
				ages = append(ages, -1)
			}
			random.Shuffle(len(ages), func(i, j int) { ages[i], ages[j] = ages[j], ages[i] })
			c.left = random.IntN(30)
			err := c.replace(text(ages...), all[0].Source)
			if err != nil && !errors.Is(err, errDead) {
				t.Fatal(err)
			}
			c.left = -1
			c.now = c.now.Add(leaseTime)
			if err := c.replace(text(ages...), all[0].Source); err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(slices.Sorted(slices.Values(ages)), func(a int) bool { return a < 0 })
			got, missing := c.state()
			if !slices.Equal(got, want) || missing > rejected {
				t.Fatalf("counted %v, missing %d; want %v and at most %d", got, missing, want, rejected)
			}
			if now, err := List(t.Context(), c.cluster()); err != nil || now[0].State != StateSent || now[0].Counted != len(want) {
				t.Fatalf("account: %+v, %v", now, err)
			}
		}
	}
}

func TestTwoImportsOfOneSourceAtATime(t *testing.T) {
	c := newCluster(t)
	slow, err := Make(t.Context(), c.cluster(), c.read(text(20, 21, 22)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	quick, err := Make(t.Context(), c.cluster(), c.read(text(20, 21, 22)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := quick.Send(t.Context(), c.outbox()); err != nil {
		t.Fatal(err)
	}
	var overtaken *OvertakenError
	if err := slow.Send(t.Context(), c.outbox()); !errors.As(err, &overtaken) {
		t.Errorf("a plan that is out of date: %v", err)
	}
	// One that is overtaken while it sends says so, and nothing is counted twice.
	head := quick.sources[quick.Source].Import
	late, err := Make(t.Context(), c.cluster(), c.read(text(20, 21, 22, 23)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := c.outbox()
	put := out.Put
	out.Put = func(ctx context.Context, r *events.Record) error {
		c.mu.Lock()
		c.now = c.now.Add(leaseTime)
		c.mu.Unlock()
		if err := c.replace(text(20, 21, 22, 23, 24), head.Source); err != nil {
			t.Fatal(err)
		}
		return put(ctx, r)
	}
	if err := late.Send(t.Context(), out); !errors.As(err, &overtaken) {
		t.Errorf("an import that was overtaken: %v", err)
	}
	if counted, missing := c.state(); !slices.Equal(counted, []int{20, 21, 22, 23, 24}) || missing != 0 {
		t.Errorf("counted %v, missing %d", counted, missing)
	}
}

// Rows that were taken back with one import count when another file brings them, in whatever order both are imported, replaced
// and taken back.
func TestARowThatAnotherImportTookBackCountsAgain(t *testing.T) {
	const seed = 21
	random := rand.New(rand.NewPCG(seed, seed))
	t.Log("seed", seed)
	files := map[string][]int{"import-may": {20, 21, 22, 23}, "import-year": {22, 23, 24, 25, 26}}
	for range 60 {
		c := newCluster(t)
		holds, asked := map[string]bool{}, ""
		for range 8 {
			source := []string{"import-may", "import-year"}[random.IntN(2)]
			asked += " " + source
			var plan *Plan
			var err error
			if holds[source] && random.IntN(2) == 0 {
				plan, err = MakeVoid(t.Context(), c.cluster(), source, "test_record")
				holds[source] = false
				asked += " void"
			} else {
				options := Options{Named: true}
				if _, known := holds[source]; known {
					options = Options{Replace: source}
				}
				plan, err = Make(t.Context(), c.cluster(), c.readAs(text(files[source]...), source), options)
				holds[source] = true
			}
			if err != nil {
				t.Fatal(asked, err)
			}
			if err := plan.Send(t.Context(), c.outbox()); err != nil {
				t.Fatal(asked, err)
			}
			if !holds[source] {
				continue
			}
			counted, missing := c.state()
			for _, age := range files[source] {
				if !slices.Contains(counted, age) || missing != 0 {
					t.Fatalf("%s: counted %v, missing %d; the file has %v", asked, counted, missing, files[source])
				}
			}
		}
	}
}

// A number is closed by a record of its own: a further revision of a record that another import has revised meanwhile would be
// a second content of that import's revision.
func TestClosedNumbersMeetNoOtherRevision(t *testing.T) {
	const seed = 31
	random := rand.New(rand.NewPCG(seed, seed))
	t.Log("seed", seed)
	for range 100 {
		c := newCluster(t)
		known := map[string]bool{}
		for range 8 {
			source := []string{"import-a", "import-b"}[random.IntN(2)]
			var plan *Plan
			var err error
			if known[source] && random.IntN(3) == 0 {
				plan, err = MakeVoid(t.Context(), c.cluster(), source, "test_record")
			} else {
				ages := []int{-1, 20, 21, 22, 23, -1}
				random.Shuffle(len(ages), func(i, j int) { ages[i], ages[j] = ages[j], ages[i] })
				options := Options{Named: true}
				if known[source] {
					options = Options{Replace: source}
				}
				plan, err = Make(t.Context(), c.cluster(), c.readAs(text(ages[:3+random.IntN(4)]...), source), options)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := plan.Send(t.Context(), c.outbox()); err != nil {
				t.Fatal(err)
			}
			all, err := List(t.Context(), c.cluster())
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range all {
				known[i.Source] = true
			}
			c.state()
			if t.Failed() {
				return
			}
		}
	}
}

func TestSpansAreMerged(t *testing.T) {
	got := merged([]Span{{1, 5, 9}, {0, 10, openEnd}, {1, 0, 5}, {0, 2, 4}, {1, 20, 30}, {1, 21, 25}, {0, 50, 60}})
	want := []Span{{0, 2, 4}, {0, 10, openEnd}, {1, 0, 9}, {1, 20, 30}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestForeignAccountsAreNoAccounts(t *testing.T) {
	c := newCluster(t)
	for _, value := range []string{"", "{", "null", `{"source": 7}`, `{"spans": [{}]}`} {
		c.logs[producer.TopicImports+"/0"] = append(c.logs[producer.TopicImports+"/0"], []byte(value))
	}
	if all, err := List(t.Context(), c.cluster()); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}
