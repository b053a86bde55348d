//go:build torturebugs

// The torture itself is tested: deliberate bugs are built into the program, one at a time, and each must be caught.
// It takes minutes, so it has a build tag of its own: make torture-bugs.

package torture_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/deploy/lab/torture"
)

// attempts is how many seeds a bug may survive.
const attempts = 8

func TestBugsAreCaught(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("none", func(t *testing.T) { // without a bug the same runs find nothing
		b := bug{faults: []torture.Kind{torture.Kill, torture.Torn, torture.Halted, torture.Letters, torture.Restore}}
		if caught := b.runs(t, program(t, root), 2); caught {
			t.Error("a run without a bug failed")
		}
	})
	for _, b := range slices.Concat(bugs, besideBugs) {
		t.Run(b.name, func(t *testing.T) {
			overlay := b.overlay(t, root)
			if b.test != "" {
				b.testCatches(t, root, overlay)
				return
			}
			if !b.runs(t, program(t, root, "-overlay", overlay), attempts) {
				t.Errorf("not caught with %d seeds", attempts)
			}
		})
	}
}

// runs makes short runs until one of them fails, which it says.
func (b *bug) runs(t *testing.T, program string, seeds uint64) (caught bool) {
	t.Helper()
	for seed := range seeds {
		cfg := runOf(t, seed)
		cfg.Dir, cfg.Environ, cfg.Out = filepath.Join(t.TempDir(), "data"), nil, nil
		cfg.Program, cfg.Faults, cfg.Patience = []string{program}, b.faults, 40*time.Second
		if err := os.Mkdir(cfg.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		report, err := torture.Run(t.Context(), cfg)
		if err != nil {
			t.Logf("caught with seed %d: %v", seed, err)
			return true
		}
		if report.OK() {
			continue
		}
		t.Logf("caught with seed %d: lost %d, counted twice %d", seed, report.Lost, report.Twice)
		for _, o := range report.Oracles {
			if len(o.Faults) > 0 {
				t.Logf("%s: %s", o.Name, o.Faults[0])
			}
		}
		return true
	}
	return false
}

// overlay writes the changed files beside the tree, and what go build needs to take them instead.
func (b *bug) overlay(t *testing.T, root string) string {
	t.Helper()
	dir, replace := t.TempDir(), map[string]string{}
	for file, text := range b.changed(t, root) {
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = changed
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// testCatches wants the named test to fail with the bug and to pass without it.
func (b *bug) testCatches(t *testing.T, root, overlay string) {
	t.Helper()
	run := func(flags ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"test", "-count=1", "-timeout=10m", "-run", b.test}, flags...), b.in)...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err != nil || strings.Contains(out, "no tests to run") {
		t.Fatalf("without the bug: %v\n%s", err, out)
	}
	out, err := run("-overlay", overlay)
	if err == nil || strings.Contains(out, "[build failed]") {
		t.Fatalf("with the bug: %v\n%s", err, out)
	}
	t.Logf("caught by %s in %s", b.test, b.in)
}

// program builds the program with these flags.
func program(t *testing.T, root string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "retorno")
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", path, ".")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}
