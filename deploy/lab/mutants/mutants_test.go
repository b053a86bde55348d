package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const source = `package p

import "errors"

var errNegative = errors.New("negative")

func sum(ns []int) (total, seen int, err error) {
	for _, n := range ns {
		if err := check(n); err != nil {
			return 0, 0, err
		}
		if n == 0 {
			continue
		}
		total += n
		seen++
	}
	return total, seen, nil
}

func check(n int) error {
	if n < 0 {
		return errNegative
	}
	return nil
}
`

// The test looks at total alone, so that the mutants of seen, of zeros and of errors live.
const tests = `package p

import "testing"

func TestSum(t *testing.T) {
	if total, _, _ := sum([]int{1, 0, 2}); total != 3 {
		t.Error(total)
	}
}
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMutantsAreThoseThatCompileToSomethingElse(t *testing.T) {
	got, err := mutantsOfFile("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range got {
		all = append(all, m.String())
	}
	want := []string{"p.go:9: error ignored: err != nil", "p.go:12: branch dropped: n == 0", "p.go:13: dropped: continue",
		"p.go:15: dropped: total += n", "p.go:16: dropped: seen++", "p.go:22: branch dropped: n < 0"}
	slices.Sort(all)
	slices.Sort(want)
	if !slices.Equal(all, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatTheTestsDoNotNoticeLives(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module p\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "p.go"), source)
	write(t, filepath.Join(dir, "p_test.go"), tests)
	all, err := mutantsOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	run := tester{dir: dir, timeout: time.Minute}
	for _, m := range all {
		compiles, noticed, err := run.run(t.Context(), &m)
		if err != nil || !compiles {
			t.Fatalf("%s: compiles %v, %v", m, compiles, err)
		}
		if want := strings.Contains(m.what, "total"); noticed != want {
			t.Errorf("%s: noticed %v, want %v", m, noticed, want)
		}
	}
	if lived, err := try(t.Context(), run, 0, 1); err != nil || lived != len(all)-1 {
		t.Errorf("%d lived of %d: %v", lived, len(all), err)
	}
	write(t, filepath.Join(dir, "p_test.go"), strings.Replace(tests, "total != 3", "total != 4", 1))
	if _, err := try(t.Context(), run, 0, 1); err == nil {
		t.Error("tests that fail anyway are taken for good ones")
	}
}
