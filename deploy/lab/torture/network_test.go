package torture

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/torture/proxy"
	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// rig is an engine with the schema, and a store that reaches it through a proxy only.
type rig struct {
	engine   *embedded.Engine
	dir      string
	proxy    *proxy.Proxy
	store    *store.Store
	claim    *store.Claim
	registry *prometheus.Registry
	at       int64 // the ledger's position
}

// silence is how long ClickHouse may say nothing where a test wants to see silence noticed; elsewhere it may take the
// usual time, for a busy machine is silent, too.
const silence = 3 * time.Second

// newRig takes as silence what the store takes by default when silence is 0.
func newRig(t *testing.T, silence time.Duration) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), registry: prometheus.NewRegistry()}
	r.start(t, "127.0.0.1:0")
	t.Cleanup(func() {
		if err := r.engine.Kill(); err != nil {
			t.Error(err)
		}
	})
	var err error
	if r.proxy, err = proxy.New(false, 1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.proxy.Close() })
	r.proxy.Target(r.engine.Native())
	r.store, err = store.Open(store.Config{Addr: r.proxy.Addr(), QueryTimeout: silence, RetryFirst: time.Millisecond,
		RetryMost: 20 * time.Millisecond, Registerer: r.registry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	patient, err := store.Open(store.Config{Addr: r.engine.Native()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = patient.Close() }()
	if _, err := patient.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.claim, err = r.store.Claim(t.Context(), 0, t.Name()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.claim.Close() })
	return r
}

func (r *rig) start(t *testing.T, native string) {
	t.Helper()
	var err error
	if r.engine, err = embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: r.dir, Native: native}); err != nil {
		t.Fatal(err)
	}
}

// cellsOf is how many cells a flush of the tests has, over three years: three inserts of one table.
const cellsOf = 300

// write writes the next flush: each time the same cells with another count, and a run of the ledger.
func (r *rig) write(ctx context.Context, n int64) error {
	f := store.NewFlush(0, r.claim.Epoch())
	for i := range cellsOf {
		f.ReturnCell(reconcile.ReturnCell{Day: calendar.Day(16_600 + i%3*366 + i/3), Codes: reconcile.DimensionCodes{dictionary.Centre: 1}}, reconcile.ReturnCount{Reconciled: n})
	}
	f.Ledger(ledger.Entry{Topic: "t", FirstOffset: r.at, NextOffset: r.at + 10, Accounts: ledger.Accounts{Accepted: 10}, At: time.Now()})
	r.at += 10
	return r.claim.Write(ctx, f, map[string]int64{"t": r.at})
}

// holds fails the test unless every cell holds n, and the ledger is whole up to the position.
func (r *rig) holds(t *testing.T, n int64) {
	t.Helper()
	var cells, least, most uint64
	err := r.store.Conn().QueryRow(t.Context(), "SELECT count(), min(reconciled), max(reconciled) FROM retorno.return_counts FINAL").Scan(&cells, &least, &most)
	if err != nil || cells != cellsOf || least != uint64(n) || most != uint64(n) {
		t.Errorf("%d cells hold %d to %d, want %d with %d; %v", cells, least, most, cellsOf, n, err)
	}
	positions, err := r.store.Positions(t.Context(), 0)
	if err != nil || len(positions) != 1 || positions[0].NextOffset != r.at || positions[0].Accounts.Read() != uint64(r.at) {
		t.Errorf("positions %+v, want %d; %v", positions, r.at, err)
	}
}

// retries is the metric that shows that ClickHouse gave no definite answer.
func (r *rig) retries(t *testing.T) float64 {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "retorno_store_retries_total" {
			return sum(f)
		}
	}
	return 0
}

// under writes while there is trouble, which ends once it was noticed.
func (r *rig) under(t *testing.T, n int64, made proxy.Trouble) {
	t.Helper()
	before := r.retries(t)
	r.proxy.Set(made, made.Refuse)
	written := make(chan error, 1)
	go func() { written <- r.write(t.Context(), n) }()
	if err := waitFor(t.Context(), 5*time.Minute, func() bool { return r.retries(t) > before }); err != nil {
		t.Errorf("the trouble was not noticed: %v", err)
	}
	r.proxy.Set(proxy.Trouble{}, true)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	r.holds(t, n)
}

// TestF03ConnectionCutMidInsert: nothing or all of an insert is visible, and it is written again.
// TestF19 is the same of a flush over several partitions of one table, of which some were written.
func TestF03F19ConnectionCutMidInsert(t *testing.T) {
	r := newRig(t, 0)
	if err := r.write(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for i, budget := range []int64{0, 100, 700, 1500, 2500, 4000} {
		r.under(t, int64(2+i), proxy.Trouble{Cut: true, Budget: budget})
	}
}

// TestF04AnswerLost: an insert was made and not confirmed; it is made again.
func TestF04AnswerLost(t *testing.T) {
	r := newRig(t, silence)
	r.under(t, 1, proxy.Trouble{Swallow: true})
	r.under(t, 2, proxy.Trouble{Swallow: true})
}

// TestF17ClickHouseAway: refusing, silent or slow: the flush waits and is written. Killed and started again: the flush waits
// until it answers, and then the partition is to be taken over, because ClickHouse may have lost what it had written.
func TestF17ClickHouseAway(t *testing.T) {
	r := newRig(t, silence)
	r.under(t, 1, proxy.Trouble{Refuse: true})
	r.under(t, 2, proxy.Trouble{Hang: true})
	r.under(t, 3, proxy.Trouble{Delay: silence + time.Second})
	native := r.engine.Native()
	if err := r.engine.Kill(); err != nil {
		t.Fatal(err)
	}
	before := r.retries(t)
	written := make(chan error, 1)
	go func() { written <- r.write(t.Context(), 4) }()
	if err := waitFor(t.Context(), 5*time.Minute, func() bool { return r.retries(t) > before }); err != nil {
		t.Error(err)
	}
	r.start(t, native)
	if err := <-written; !store.IsFenced(err) {
		t.Fatalf("the claim of before: %v", err)
	}
	r.claim.Close()
	var err error
	if r.claim, err = r.store.Claim(t.Context(), 0, t.Name()); err != nil {
		t.Fatal(err)
	}
	r.at -= 10
	if err := r.write(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	r.holds(t, 4)
}

// TestF18ErrorCodes: what passes is waited out; what does not stops with a message that says what to do.
func TestF18ErrorCodes(t *testing.T) {
	r := newRig(t, 0)
	for i, code := range passing {
		r.under(t, int64(1+i), proxy.Trouble{Exception: code})
	}
	for code, what := range map[int32]string{516: "set the user and the password right", 16: "mend the schema or the settings", 497: "roles.sql", 164: "readonly = 0", 452: "settings profile"} {
		r.claim.Close()
		r.proxy.Set(proxy.Trouble{Exception: code}, true)
		err := r.write(t.Context(), 99)
		if !store.IsStop(err) || !strings.Contains(err.Error(), what) {
			t.Errorf("code %d, which should say %q: %v", code, what, err)
		}
		r.proxy.Set(proxy.Trouble{}, true)
		r.at -= 10
		r.holds(t, int64(len(passing)))
	}
}

// TestF20RepeatedLongAfter: the same flush again after a thousand other inserts, when no window of deduplication
// remembers it, changes nothing.
func TestF20RepeatedLongAfter(t *testing.T) {
	r := newRig(t, 0)
	f := store.NewFlush(0, r.claim.Epoch())
	f.ReturnCell(reconcile.ReturnCell{Day: 16_900}, reconcile.ReturnCount{Reconciled: 7})
	f.Ledger(ledger.Entry{Topic: "t", NextOffset: 10, Accounts: ledger.Accounts{Accepted: 10}, At: time.Now()})
	write := func() {
		if err := r.claim.Write(t.Context(), f, map[string]int64{"t": 10}); err != nil {
			t.Fatal(err)
		}
	}
	write()
	for range 4 { // of 250 blocks of a row each; every block is an insert of its own to the window
		const others = `INSERT INTO retorno.return_counts (day, centre, reconciled, version) SELECT '2016-01-01', 'other', number, number FROM numbers(250)
			SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, min_insert_block_size_bytes = 1, max_threads = 1`
		if err := r.store.Conn().Exec(t.Context(), others); err != nil {
			t.Fatal(err)
		}
	}
	write()
	var cells, reconciled uint64
	err := r.store.Conn().QueryRow(t.Context(), "SELECT count(), sum(reconciled) FROM retorno.return_counts FINAL WHERE centre != 'other'").Scan(&cells, &reconciled)
	if err != nil || cells != 1 || reconciled != 7 {
		t.Errorf("%d cells hold %d; %v", cells, reconciled, err)
	}
}

// TestF21EqualRevisions: of two contents of one revision the same one wins, whichever came first: on every replica.
func TestF21EqualRevisions(t *testing.T) {
	r := newRig(t, 0)
	small, large := reconcile.Version(3, 1<<40, false), reconcile.Version(3, 2<<40, false)
	for replica, order := range [][]uint64{{small, large}, {large, small}} {
		for _, version := range order {
			insert := fmt.Sprintf("INSERT INTO retorno.facts (person, record_id, version, content_hash, kind) VALUES (reinterpretAsUUID(toUInt128(%d)), '01552000-0000-7000-8000-000000000001', %d, %d, 'crossing')", replica, version, version)
			if err := r.store.Conn().Exec(t.Context(), insert); err != nil {
				t.Fatal(err)
			}
		}
	}
	var rows, winner, other uint64
	err := r.store.Conn().QueryRow(t.Context(), "SELECT count(), min(version), max(version) FROM retorno.facts FINAL").Scan(&rows, &winner, &other)
	if err != nil || rows != 2 || winner != large || other != large {
		t.Errorf("%d rows, %d and %d win, want %d; %v", rows, winner, other, large, err)
	}
}
