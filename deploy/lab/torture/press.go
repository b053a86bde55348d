package torture

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/consumers/dissemination/bundle"
)

const (
	// desks is how many publish at once, each of them one period after the other: one waits at the gate while the other goes on.
	desks = 2
	// lastPatience is how long the vintage that ends a run may take: a publisher that died after it had taken a number keeps
	// others out of its period for a minute.
	lastPatience = 10 * time.Minute
)

// press publishes beside the faults, again and again, and counts what came of it. A verifier works for it, without which the
// gate is shut; that one reaches ClickHouse without the network that faults are made on.
type press struct {
	machine  *machine
	say      func(format string, args ...any)
	periods  []string
	key      string // file that signs
	store    *store.Store
	verifier *verify.Verifier

	watching, verifying, publishing side

	mu       sync.Mutex
	outcomes map[string]int
	told     []uuid.UUID // publications whose publisher ended with status 0
	faults   []string
}

// side is work that goes on beside the run.
type side struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func (s *side) begin(ctx context.Context, work ...func(context.Context)) {
	ctx, s.cancel = context.WithCancel(ctx)
	for _, do := range work {
		s.ended.Go(func() { do(ctx) })
	}
}

func (s *side) end() {
	if s.cancel != nil {
		s.cancel()
		s.ended.Wait()
	}
}

// startPress starts to publish.
func (r *run) startPress(ctx context.Context) (*press, error) {
	first, _ := r.made.Period()
	r.report.asked = 5
	p := &press{machine: r.machine, say: r.say, periods: periodsOf(first), outcomes: map[string]int{}}
	var err error
	if p.key, r.machine.witness.key, err = newKey(r.machine.dir); err != nil {
		return nil, err
	}
	if p.store, err = r.machine.store(); err != nil {
		return nil, err
	}
	p.verifier, err = verify.New(verify.Config{Conn: p.store.Conn(), Kafka: r.machine.verified(), AtOnce: r.cfg.Partitions,
		Logger: slog.New(slog.NewTextHandler(r.machine.log, nil)), Registerer: r.report.producer})
	if err == nil {
		// The first pass compares everything, which takes long under load; those after it what came since.
		_, err = p.verifier.Pass(ctx)
	}
	if err != nil {
		p.end()
		return nil, fmt.Errorf("verify: %w", err)
	}
	p.verifying.begin(ctx, p.passes(time.Second))
	p.watching.begin(ctx, r.machine.watchVintages)
	var work []func(context.Context)
	for i := range uint64(desks) {
		rnd := rand.New(rand.NewPCG(r.cfg.Seed, 0x7072657373+i))
		work = append(work, func(ctx context.Context) { p.publishAll(ctx, rnd) })
	}
	p.publishing.begin(ctx, work...)
	return p, nil
}

// newKey makes a key in a file.
func newKey(dir string) (file string, key ed25519.PublicKey, err error) {
	text, err := bundle.NewKey()
	if err != nil {
		return "", nil, err
	}
	private, err := bundle.ParseKey(text)
	if err != nil {
		return "", nil, err
	}
	file = filepath.Join(dir, "signing.key")
	return file, private.Public().(ed25519.PublicKey), os.WriteFile(file, text, 0o600)
}

// publishAll makes one attempt after the other.
func (p *press) publishAll(ctx context.Context, rnd *rand.Rand) {
	for {
		a := drawAttempt(p.periods, rnd)
		if pause(ctx, a.pause) != nil {
			return
		}
		p.try(ctx, a.period, a.fates, "--provisional-every=0s")
	}
}

// passes lets the verifier make one pass after the other.
func (p *press) passes(every time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		for pause(ctx, every) == nil {
			if _, err := p.verifier.Pass(ctx); err != nil {
				_, _ = fmt.Fprintln(p.machine.log, "verify:", err)
			}
		}
	}
}

// compareAll makes a pass that compares everything, instead of the one under way; others follow it closely.
func (p *press) compareAll(ctx context.Context) error {
	p.verifying.end()
	if _, err := p.verifier.Full(ctx); err != nil {
		return fmt.Errorf("verify what was counted: %w", err)
	}
	p.verifying.begin(ctx, p.passes(200*time.Millisecond))
	return nil
}

// finish publishes the register's period as final, by two at once, and tries again until one of them did.
func (p *press) finish(ctx context.Context) error {
	p.publishing.end()
	if p.machine.witness.wasDamaged() {
		if err := p.compareAll(ctx); err != nil {
			return err
		}
	}
	last, cancel := context.WithTimeout(ctx, lastPatience)
	defer cancel()
	for !p.try(last, p.periods[0], []fate{{}, {}}, "--final") {
		if err := pause(last, time.Second); err != nil {
			return fmt.Errorf("%s was not published within %s after the faults: %s", p.periods[0], lastPatience, listed(p.outcomes))
		}
	}
	return nil
}

// end ends everything that is under way; a publisher among it is killed.
func (p *press) end() {
	p.publishing.end()
	p.verifying.end()
	p.watching.end()
	_ = p.store.Close()
}
