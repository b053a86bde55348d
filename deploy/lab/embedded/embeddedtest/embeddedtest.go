// Package embeddedtest runs the tests of a package beside a ClickHouse engine of their own, on free ports and in a
// temporary folder, both gone afterwards. Without an engine the tests fail and say why; they are never skipped.
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"retorno/deploy/lab/embedded"
)

// startTimeout includes the one download of the engine.
const startTimeout = 10 * time.Minute

// Main is for TestMain: it starts the engine, calls ready with it, runs the tests, and ends the process.
func Main(m *testing.M, ready func(ctx context.Context, engine *embedded.Engine) error) {
	code, err := run(m.Run, ready)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Keep is for Main: it leaves the engine in at.
func Keep(at **embedded.Engine) func(context.Context, *embedded.Engine) error {
	return func(_ context.Context, engine *embedded.Engine) error {
		*at = engine
		return nil
	}
}

func run(tests func() int, ready func(context.Context, *embedded.Engine) error) (code int, err error) {
	dir, err := os.MkdirTemp("", "retorno-engine-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	engine, err := embedded.StartEngine(ctx, embedded.EngineConfig{Dir: dir, Log: os.Stderr})
	if err != nil {
		return 1, fmt.Errorf("these tests need the ClickHouse engine: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Err(), engine.Stop(context.Background())) }()
	if err := ready(ctx, engine); err != nil {
		return 1, err
	}
	return tests(), nil
}

// Patience is how long anything may take before a test takes it to hang; a busy machine is slow, not wrong.
const Patience = 5 * time.Minute

// Eventually waits until ok, asking again and again.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	Await(t, what, func() (bool, string) { return ok(), "not yet" })
}

// Await waits until done, whose text says how far it is. It rests three times as long as each question took: a question
// to the engine costs as much as the work that is waited for, and is not to take a core of its own.
func Await(t testing.TB, what string, done func() (ok bool, now string)) {
	t.Helper()
	for deadline := time.Now().Add(Patience); ; {
		began := time.Now()
		ok, now := done()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s: %s", Patience, what, now)
		}
		<-time.After(max(10*time.Millisecond, 3*time.Since(began)))
	}
}
