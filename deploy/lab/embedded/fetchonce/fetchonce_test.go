package fetchonce_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"retorno/deploy/lab/embedded/fetchonce"
)

// folder is a folder with two files, in a cache of its own; fills counts how often it was filled.
func folder(t *testing.T) (f fetchonce.Folder, fills *atomic.Int32) {
	t.Helper()
	fills = new(atomic.Int32)
	return fetchonce.Folder{Cache: t.TempDir(), Name: "kafka/1", Proof: "libs/kafka.jar", Fill: func(_ context.Context, dir string) error {
		fills.Add(1)
		return errors.Join(put(filepath.Join(dir, "libs", "kafka.jar")), put(filepath.Join(dir, "notice")))
	}}, fills
}

func put(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte("fetched"), 0o644)
}

// names lists what lies in a folder and below.
func names(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

const whole = "kafka/1/libs/kafka.jar kafka/1/notice kafka/1.lock"

func TestSeveralThatWantItGetOneFilling(t *testing.T) {
	f, fills := folder(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			path, err := f.Path(t.Context())
			if err != nil || path != filepath.Join(f.Cache, "kafka/1") {
				t.Errorf("%s %v", path, err)
			}
		})
	}
	wg.Wait()
	if got := names(t, f.Cache); fills.Load() != 1 || got != whole {
		t.Errorf("filled %d times: %s", fills.Load(), got)
	}
}

// What is complete is used without touching anything: the cache may be read-only.
func TestACompleteFolderIsOnlyRead(t *testing.T) {
	f, fills := folder(t)
	if err := put(filepath.Join(f.Cache, f.Name, f.Proof)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Path(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.Cache); fills.Load() != 0 || got != "kafka/1/libs/kafka.jar" {
		t.Errorf("filled %d times: %s", fills.Load(), got)
	}
}

func TestAnIncompleteFolderIsReplaced(t *testing.T) {
	f, _ := folder(t)
	if err := put(filepath.Join(f.Cache, f.Name, "libs", "half.jar.part")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Path(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.Cache); got != whole {
		t.Error(got)
	}
}

func TestWhatCannotBeFilledLeavesNothing(t *testing.T) {
	fault := errors.New("no network")
	for name, c := range map[string]struct {
		fill func(dir string) error
		says string
	}{
		"fault":    {func(dir string) error { return errors.Join(put(filepath.Join(dir, "libs", "kafka.jar")), fault) }, "no network"},
		"no proof": {func(dir string) error { return put(filepath.Join(dir, "notice")) }, "lacks libs/kafka.jar"},
		"read-only": {func(string) error { return fmt.Errorf("mkdir x: %w", fs.ErrPermission) },
			"set XDG_CACHE_HOME to a folder that can be written to"},
	} {
		f, _ := folder(t)
		f.Fill = func(_ context.Context, dir string) error { return c.fill(dir) }
		if _, err := f.Path(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, f.Cache); got != "kafka/1.lock" {
			t.Errorf("%s: left %s", name, got)
		}
	}
}

func TestWaitingForAnotherProcessEndsWithTheContext(t *testing.T) {
	f, _ := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	filling, ended := make(chan struct{}), make(chan error, 1)
	second := f
	f.Fill = func(context.Context, string) error { close(filling); return <-ended }
	first := make(chan error, 1)
	go func() { _, err := f.Path(t.Context()); first <- err }()
	<-filling
	cancel()
	if _, err := second.Path(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("got %v", err)
	}
	fault := errors.New("given up")
	ended <- fault
	if err := <-first; !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
}
