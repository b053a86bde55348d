package store

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded"
)

// impatient is a store that gives up after so much silence.
func impatient(t *testing.T, e *embedded.Engine, silence time.Duration) *Store {
	t.Helper()
	s, err := Open(Config{Addr: e.Native(), QueryTimeout: silence})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestAStatementMayTakeItsTime: what takes more than twice as long as ClickHouse may be silent comes to its end, in one
// answer, in many rows, and without an answer.
func TestAStatementMayTakeItsTime(t *testing.T) {
	s := impatient(t, engine, 4*time.Second)
	const slow = "SELECT sleepEachRow(0.5) AS slept, number FROM numbers(17) SETTINGS max_block_size = 1, max_threads = 1"
	wanted := map[string]uint64{"one answer": 1, "rows": 17, "no answer": 0}
	var all sync.WaitGroup
	for what, run := range map[string]func() (rows uint64, err error){
		"one answer": func() (n uint64, err error) {
			err = s.Conn().QueryRow(t.Context(), "SELECT count() FROM (SELECT sum(slept) FROM ("+slow+"))").Scan(&n)
			return n, err
		},
		"rows": func() (n uint64, err error) {
			rows, err := s.Conn().Query(t.Context(), slow)
			if err != nil {
				return 0, err
			}
			for n = 0; rows.Next(); n++ {
			}
			return n, errors.Join(rows.Err(), rows.Close())
		},
		"no answer": func() (uint64, error) {
			return 0, s.Conn().Exec(t.Context(), "INSERT INTO FUNCTION null('slept UInt8, number UInt64') "+slow)
		},
	} {
		all.Go(func() {
			began := time.Now()
			if n, err := run(); err != nil || n != wanted[what] {
				t.Errorf("%s: %d, %v", what, n, err)
			}
			if took := time.Since(began); took < 2*s.cfg.QueryTimeout {
				t.Errorf("%s: it took %s, and was not slow", what, took)
			}
		})
	}
	all.Wait()
}

// TestSilenceEndsAStatement: a ClickHouse that hangs is given up, with an error that says so and is worth another try.
func TestSilenceEndsAStatement(t *testing.T) {
	hung, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hung.Kill() })
	s := impatient(t, hung, 3*time.Second)
	var one uint8
	if err := s.Conn().QueryRow(t.Context(), "SELECT 1").Scan(&one); err != nil {
		t.Fatal(err)
	}
	batch, err := s.Conn().PrepareBatch(t.Context(), "INSERT INTO FUNCTION null('n UInt8')")
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Append(one); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(hung.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for what, do := range map[string]func() error{
		"a row":   func() error { return s.Conn().QueryRow(t.Context(), "SELECT 1").Scan(&one) },
		"a batch": batch.Send,
		"nothing": func() error { return s.Conn().Exec(t.Context(), "SELECT 1") },
	} {
		err := do()
		var silent *SilentError
		var network net.Error
		if !errors.As(err, &silent) || !errors.As(err, &network) || IsStop(classify(what, err)) {
			t.Errorf("%s of a ClickHouse that hangs: %v", what, err)
		}
	}
}

// sent is a connection that remembers the contexts of its statements, all of which succeed.
type sent struct {
	driver.Conn
	contexts []context.Context
}

func (s *sent) Exec(ctx context.Context, _ string, _ ...any) error {
	s.contexts = append(s.contexts, ctx)
	return nil
}

func (s *sent) PrepareBatch(ctx context.Context, _ string, _ ...driver.PrepareBatchOption) (driver.Batch, error) {
	s.contexts = append(s.contexts, ctx)
	return succeeds{}, nil
}

type succeeds struct{ driver.Batch }

func (succeeds) Send() error { return nil }

// TestWhatSucceededIsNotCancelled: the client closes the connection of a statement whose context ends, also when the
// statement has just succeeded and the connection serves another.
func TestWhatSucceededIsNotCancelled(t *testing.T) {
	below := &sent{}
	p := patient{below, time.Hour}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	if err := p.Exec(ctx, ""); err != nil {
		t.Fatal(err)
	}
	batch, err := p.PrepareBatch(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for i, one := range below.contexts {
		if _, bounded := one.Deadline(); !bounded || one.Err() != nil {
			t.Errorf("statement %d: deadline %t, %v", i, bounded, one.Err())
		}
	}
	if _, err := p.PrepareBatch(ctx, ""); err != nil {
		t.Fatal(err)
	}
	<-below.contexts[2].Done()
}
