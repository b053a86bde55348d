// Command mutants makes small mistakes in a package, one at a time, and says which of them its tests do not notice.
//
// Two classes are made here: a statement is dropped, and an error is ignored (the body of if err != nil is not run).
// make mutants also has gremlins, pinned in deploy/tools, turn comparisons, conditions and loops.
//
//	mutants [-sample N] [-seed N] [-timeout D] FOLDER…
//
// Exit status: 0 every mutant that was tried was noticed; 1 some were not, each named; 2 wrong use; 3 a package's tests
// fail without a mutant, or cannot be run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	sample := flag.Int("sample", 0, "how many mutants of each package to try, drawn at random; 0 = all")
	seed := flag.Uint64("seed", 1, "of the drawing")
	timeout := flag.Duration("timeout", 10*time.Minute, "how long the tests of a package may run; a mutant that hangs is noticed")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "name the folders of packages, such as consumers/counting/reconcile")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	lived := 0
	for _, dir := range flag.Args() {
		n, err := try(ctx, tester{dir: dir, timeout: *timeout}, *sample, *seed)
		if err != nil {
			fmt.Fprintln(os.Stderr, "mutants:", err)
			os.Exit(3)
		}
		lived += n
	}
	if lived > 0 {
		os.Exit(1)
	}
}

// try makes the mutants of one package and returns how many its tests do not notice.
func try(ctx context.Context, t tester, sample int, seed uint64) (lived int, err error) {
	all, err := mutantsOf(t.dir)
	if err != nil {
		return 0, err
	}
	if _, noticed, err := t.run(ctx, nil); err != nil || noticed {
		return 0, fmt.Errorf("%s: its tests fail without a mutant: %w", t.dir, err)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	tried, invalid := 0, 0
	for _, m := range all {
		if sample > 0 && tried == sample {
			break
		}
		compiles, noticed, err := t.run(ctx, &m)
		switch {
		case err != nil:
			return lived, err
		case !compiles:
			invalid++
			continue
		case !noticed:
			lived++
			fmt.Printf("lived: %s\n", m)
		}
		tried++
	}
	fmt.Printf("%s: %d mutants tried of %d, %d lived (%d do not compile; seed %d)\n", t.dir, tried, len(all), lived, invalid, seed)
	return lived, nil
}

// tester runs the tests of a package.
type tester struct {
	dir     string
	timeout time.Duration
}

// run tests with a mutant built in, or without one: whether it compiles, and whether a test fails.
func (t tester) run(ctx context.Context, m *mutant) (compiles, noticed bool, err error) {
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-timeout", t.timeout.String()}
	if m != nil {
		work, err := os.MkdirTemp("", "mutant-")
		if err != nil {
			return false, false, err
		}
		defer func() { _ = os.RemoveAll(work) }()
		overlay, err := m.overlay(work)
		if err != nil {
			return false, false, err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = t.dir
	// The tests' processes end with them.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, false, ctx.Err()
	case err == nil:
		return true, false, nil
	case !errors.As(err, &failed):
		return false, false, err
	case strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "[setup failed]"):
		return false, false, nil
	}
	return true, true, nil
}

// overlay writes the mutated file and what go test wants to know of it.
func (m *mutant) overlay(work string) (string, error) {
	mutated, list := filepath.Join(work, "mutated.go"), filepath.Join(work, "overlay.json")
	file, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutated}})
	if err != nil {
		return "", err
	}
	return list, errors.Join(os.WriteFile(mutated, m.source, 0o644), os.WriteFile(list, text, 0o644))
}
