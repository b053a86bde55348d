package command

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/lab/offices"
	"retorno/deploy/lab/register"
	"retorno/deploy/lab/torture/proxy"
	"retorno/producers/dispatch"
	"retorno/producers/producer"
	"retorno/producers/vault"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// country is all posts and centres of a made half-year, each an agent, on a line that fails.
type country struct {
	t       *testing.T
	dir     string
	keys    *vault.Keyring
	made    *register.Register
	forms   map[string][]register.Form
	line    *proxy.Proxy
	rng     *rand.Rand
	offices map[string]*desk
}

// desk is an office that runs.
type desk struct {
	*offices.Office
	computer register.Computer
	disk     *offices.Disk
	end      func()
}

func newCountry(t *testing.T, line *proxy.Proxy, seed uint64) *country {
	t.Logf("seed %d", seed)
	table, err := register.LoadTable(2500)
	if err != nil {
		t.Fatal(err)
	}
	made, err := register.Make(t.Context(), table, register.Settings{Seed: seed, Mess: register.Hard})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := offices.Keys()
	if err != nil {
		t.Fatal(err)
	}
	c := &country{t: t, dir: t.TempDir(), keys: keys, made: made, forms: map[string][]register.Form{}, line: line, rng: rand.New(rand.NewPCG(seed, 27)), offices: map[string]*desk{}}
	if err := made.Forms(func(f register.Form) error {
		c.forms[f.Source] = append(c.forms[f.Source], f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, d := range c.offices {
			d.end()
			_ = d.Close()
		}
	})
	return c
}

func (c *country) link() (dispatch.Link, error) {
	return dispatch.Link{Access: kafka.Access{Brokers: []string{c.line.Addr()}}, Partitions: 4}, nil
}

// open opens the office of a computer in a folder; it does not send yet.
func (c *country) open(computer register.Computer, dir string) *desk {
	c.t.Helper()
	d := &desk{computer: computer, disk: &offices.Disk{Unsynced: true}, end: func() {}}
	var err error
	if d.Office, err = offices.Open(offices.Config{Computer: computer, Dir: dir, Keys: c.keys, Link: c.link, Retry: 200 * time.Millisecond, Disk: d.disk}); err != nil {
		c.t.Fatal(err)
	}
	return d
}

// online lets an office send until end is called.
func (c *country) online(d *desk) {
	ctx, cancel := context.WithCancel(context.Background())
	var sending sync.WaitGroup
	sending.Go(func() { _ = d.Send(ctx) }) // a killed office ends with an error
	d.end = func() { cancel(); sending.Wait() }
}

// kill ends an office without a word, and opens it once more.
func (c *country) kill(d *desk) {
	c.t.Helper()
	d.Kill()
	d.end()
	c.offices[d.Source()] = c.open(d.computer, c.dir)
}

// part types the forms of an office from one share of them to another.
func (c *country) part(d *desk, from, to float64) []register.Form {
	all := c.forms[d.Source()]
	return all[int(from*float64(len(all))):int(to*float64(len(all)))]
}

func (c *country) types(d *desk, forms []register.Form) {
	c.t.Helper()
	if err := d.Type(context.Background(), forms); err != nil {
		c.t.Fatal(err)
	}
}

func (c *country) unsent() (n uint64) {
	for _, d := range c.offices {
		s, err := d.State()
		if err != nil {
			c.t.Fatal(err)
		}
		n += s.Unsent
	}
	return n
}

// away reports whether the line of a computer is down for days: one of the busiest, and of the others one in nine.
func away(i int) bool { return i%9 == 0 }

// All computers of a made half-year are agents: with lines that are cut and slow, killed in between, with clocks that are wrong, a full
// disk, a copied folder, and lines that are down for days. What comes out is the same table to the unit. While something is missing,
// ceniss.sources and ceniss.coverage say what.
func TestAllComputersOfAHalfYearAreAgents(t *testing.T) {
	s, _ := migratedStore(t)
	line, err := proxy.New(true, 17)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	broker, err := fakekafka.Start(fakekafka.Config{Advertise: line.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	line.Target(broker.Addr())
	flags := kafkaFlags{Brokers: []string{line.Addr()}, Partitions: 4}
	settings := producerWithTopics(t, flags)
	flags.ensureAgentTopics(t.Context(), settings)
	consume(t, flags, s)
	c := newCountry(t, line, 2016)
	writer, err := producer.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	c.sendBeside(writer)

	computers := c.made.Computers()
	for i, computer := range computers {
		d := c.open(computer, c.dir)
		c.offices[computer.Source] = d
		if !away(i) {
			c.online(d)
		}
	}
	copied := c.badDays(computers)
	embeddedtest.Await(t, "the lines that are up to be empty", func() (bool, string) {
		n := uint64(0)
		for i, computer := range computers {
			if st, err := c.offices[computer.Source].State(); err == nil && !away(i) {
				n += st.Unsent
			}
		}
		return n == 0, fmt.Sprintf("%d unsent", n)
	})
	c.secondStickFirst(s, writer, c.offices[computers[0].Source])
	for i, computer := range computers {
		if away(i) {
			c.online(c.offices[computer.Source])
		}
	}
	embeddedtest.Await(t, "all that was typed to be sent", func() (bool, string) { n := c.unsent(); return n == 0, fmt.Sprintf("%d unsent", n) })
	c.copySendsNothing(copied)
	counts := c.made.Counts()
	awaitRead(t, s, uint64(counts.Forms+counts.Beside))
	embeddedtest.Await(t, "every number of every computer", func() (bool, string) { n := missing(t, s, ""); return n == lost(c.made), fmt.Sprintf("%d missing", n) })
	sameTable(t, s, c.made)
	for _, want := range c.made.Truth().Sources {
		var got register.Source
		row := s.Conn().QueryRow(t.Context(), "SELECT source, highest_contiguous_seq, highest_seq, missing FROM ceniss.sources WHERE source = ?", want.ID)
		if err := row.Scan(&got.ID, &got.HighestContiguousSeq, &got.HighestSeq, &got.Missing); want.HighestSeq > 0 && (err != nil || got != want) {
			t.Errorf("ceniss.sources: %+v (%v), the truth is %+v", got, err, want)
		}
	}
}

// sendBeside sends what no agent sends.
func (c *country) sendBeside(writer *producer.Writer) {
	c.t.Helper()
	if err := c.made.Events(func(e register.Event) error {
		if !e.Beside {
			return nil
		}
		return writer.Write(c.t.Context(), producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
	}); err != nil {
		c.t.Fatal(err)
	}
}

// badDays types all forms in three parts, with trouble between them. It returns a folder of an office as it was after the first.
func (c *country) badDays(computers []register.Computer) (copied register.Computer) {
	c.t.Helper()
	troubles := []proxy.Trouble{{Cut: true, Budget: 20_000}, {Swallow: true}, {Delay: 10 * time.Millisecond}}
	for i, trouble := range troubles {
		c.line.Set(trouble, false)
		from, to := float64(i)/3, float64(i+1)/3
		for j, computer := range computers {
			d := c.offices[computer.Source]
			if i == 1 && j == 2 {
				c.fullDisk(d, c.part(d, from, to))
			}
			c.types(d, c.part(d, from, to))
		}
		for j, computer := range computers {
			if d := c.offices[computer.Source]; c.rng.IntN(3) == 0 || i == 0 && j == 1 {
				c.kill(d)
				if i == 0 && j == 1 {
					copied = computer
					if err := os.CopyFS(filepath.Join(c.dir, "copy", computer.Source), os.DirFS(filepath.Join(c.dir, computer.Source))); err != nil {
						c.t.Fatal(err)
					}
				}
				if !away(j) {
					c.online(c.offices[computer.Source])
				}
			}
		}
		c.line.Heal()
	}
	return copied
}

// fullDisk lets an office type while its disk takes nothing: that is said, and nothing of it is saved.
func (c *country) fullDisk(d *desk, forms []register.Form) {
	c.t.Helper()
	before, err := d.State()
	if err != nil {
		c.t.Fatal(err)
	}
	d.disk.Fill(true)
	var refused *offices.RefusedError
	err = d.Type(c.t.Context(), forms)
	d.disk.Fill(false)
	after, stateErr := d.State()
	if len(forms) == 0 || !errors.As(err, &refused) || refused.Status != 507 || stateErr != nil || after.LastSeq != before.LastSeq {
		c.t.Errorf("%d forms on a full disk: %v; last number %d, %d before", len(forms), err, after.LastSeq, before.LastSeq)
	}
}

// secondStickFirst brings the later half of what an office without a line holds by hand: the earlier half is missing, and said to be.
func (c *country) secondStickFirst(s *store.Store, writer *producer.Writer, d *desk) {
	t := c.t
	t.Helper()
	copies, err := d.Unsent()
	if err != nil || len(copies) < 4 {
		t.Fatalf("%s has %d records unsent: %v", d.Source(), len(copies), err)
	}
	later := copies[len(copies)/2:]
	for _, one := range later {
		m := producer.Message{Topic: one.Topic, Key: []byte(one.Key), Value: events.SealBytes(one.Record, time.Now().UnixMilli(), 0)}
		if err := writer.Write(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	want := uint64(len(copies) - len(later))
	embeddedtest.Await(t, "ceniss.sources to say what is missing", func() (bool, string) {
		n := missing(t, s, d.Source())
		return n == want, fmt.Sprintf("%d missing of %s, in truth %d", n, d.Source(), want)
	})
	var months uint64
	if err := s.Conn().QueryRow(t.Context(), "SELECT sum(missing) FROM ceniss.coverage").Scan(&months); err != nil || months < want {
		t.Errorf("ceniss.coverage says that %d records are missing, at least %d are: %v", months, want, err)
	}
}

// copySendsNothing runs a copy of an office's folder, which is behind: it notices, says so and sends nothing.
func (c *country) copySendsNothing(computer register.Computer) {
	c.t.Helper()
	d := c.open(computer, filepath.Join(c.dir, "copy"))
	c.online(d)
	embeddedtest.Await(c.t, "the copy to stop", func() (bool, string) { code := d.Status().Stop.Code; return code == dispatch.StopCopy, code })
	d.end()
	if err := d.Close(); err != nil {
		c.t.Error(err)
	}
}

// missing are the numbers that ceniss.sources misses, of one source or of all.
func missing(t *testing.T, s *store.Store, source string) (n uint64) {
	t.Helper()
	if err := s.Conn().QueryRow(t.Context(), "SELECT sum(missing) FROM ceniss.sources WHERE ? IN ('', source)", source).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// lost are the numbers that never arrive.
func lost(made *register.Register) (n uint64) {
	for _, s := range made.Truth().Sources {
		n += s.Missing
	}
	return n
}
