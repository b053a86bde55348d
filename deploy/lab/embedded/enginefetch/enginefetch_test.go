package enginefetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// registry makes a package and an npm that packs it, and returns options that use both. Each call of that npm leaves
// a line in calls.
func registry(t *testing.T, content string) (o Options, calls string) {
	t.Helper()
	dir := t.TempDir()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, text := range map[string]string{"package/package.json": "{}", "package/libchdb.so": content} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	tarball := filepath.Join(dir, "engine.tgz")
	if err := os.WriteFile(tarball, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	calls = filepath.Join(dir, "calls")
	// npm pack --loglevel=error --pack-destination DIR …
	npm := script(t, fmt.Sprintf(`echo "$@" >> %s; sleep 0.3; cp %s "$4"/`, calls, tarball))
	sum := sha512.Sum512(b.Bytes())
	return Options{CacheDir: filepath.Join(dir, "cache"), npm: npm, pins: map[string]release{
		runtime.GOOS + "/" + runtime.GOARCH: {name: "@chdb/lib-test", integrity: base64.StdEncoding.EncodeToString(sum[:]), size: int64(b.Len())},
	}}, calls
}

func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "npm")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nset -e\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// Several processes want the library at once: it is fetched once, whole, and found from then on.
func TestFetchedOnce(t *testing.T) {
	o, calls := registry(t, "the engine")
	var mu sync.Mutex
	steps := map[string]bool{}
	o.Progress = func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		steps[p.Step] = true
		if p.Done > p.Total {
			t.Errorf("%d of %d bytes", p.Done, p.Total)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			path, err := Find(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != "the engine" {
				t.Errorf("%s: %q %v", path, b, err)
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(calls)
	if err != nil || strings.Count(string(b), "\n") != 1 || !strings.Contains(string(b), "@chdb/lib-test@"+Version) {
		t.Errorf("npm was called so: %q %v", b, err)
	}
	if !steps["fetching"] || !steps["checking"] || !steps["unpacking"] {
		t.Errorf("steps told: %v", steps)
	}
	left, err := filepath.Glob(filepath.Join(o.CacheDir, "engine", "fetching-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestWhatCannotBeFetchedIsNotUsed(t *testing.T) {
	good, _ := registry(t, "the engine")
	for name, one := range map[string]struct {
		change func(*Options)
		says   string
	}{
		"wrong checksum": {func(o *Options) {
			o.pins = map[string]release{runtime.GOOS + "/" + runtime.GOARCH: {name: "x", integrity: "AAAA", size: 1}}
		}, "pinned is sha512-AAAA"},
		"no network": {func(o *Options) {
			o.npm = script(t, "printf 'npm error code ENET\\nnpm error network is down\\n' >&2; exit 1")
		}, ": network is down); is there a network?"},
		"no route": {func(o *Options) {
			o.npm = script(t, "echo 'npm error FetchError: request to x failed, reason: connect ECONNREFUSED' >&2; exit 1")
		}, ": connect ECONNREFUSED)"},
		"no npm":           {func(o *Options) { o.npm = "/nowhere/npm" }, "RETORNO_ENGINE"},
		"nothing packed":   {func(o *Options) { o.npm = script(t, ":") }, "left 0 packages"},
		"another platform": {func(o *Options) { o.pins = map[string]release{"plan9/mips": {}} }, "no pinned library for " + runtime.GOOS},
		"no cache":         {func(o *Options) { o.CacheDir = "/dev/null/x" }, "--engine"},
	} {
		o := good
		o.CacheDir = t.TempDir()
		one.change(&o)
		path, err := Find(t.Context(), o)
		if !errors.Is(err, ErrNoEngine) || !strings.Contains(err.Error(), one.says) {
			t.Errorf("%s: got %q, %v; want an error saying %q", name, path, err, one.says)
		}
		if isFile(filepath.Join(o.CacheDir, "engine", Version, libraryName)) {
			t.Errorf("%s: a library is in the cache", name)
		}
	}
}

func TestNoNPMOnThePath(t *testing.T) {
	o, _ := registry(t, "x")
	o.npm = ""
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.Context(), o); !errors.Is(err, ErrNoEngine) || !strings.Contains(err.Error(), "npm is not installed") || !strings.Contains(err.Error(), "--engine") {
		t.Errorf("got %v", err)
	}
}

func TestNamedLibraryComesFirst(t *testing.T) {
	o, calls := registry(t, "x")
	dir := t.TempDir()
	own := filepath.Join(dir, libraryName)
	if err := os.WriteFile(own, []byte("own"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{own, dir} {
		o.Library = name
		if path, err := Find(t.Context(), o); err != nil || path != own {
			t.Errorf("%s: %q %v", name, path, err)
		}
	}
	o.Library = ""
	t.Setenv("RETORNO_ENGINE", own)
	if path, err := Find(t.Context(), o); err != nil || path != own {
		t.Errorf("RETORNO_ENGINE: %q %v", path, err)
	}
	t.Setenv("RETORNO_ENGINE", "/nowhere/lib.so")
	if path, err := Find(t.Context(), o); !errors.Is(err, ErrNoEngine) || !strings.Contains(err.Error(), "/nowhere/lib.so") {
		t.Errorf("got %q, %v", path, err)
	}
	if isFile(calls) {
		t.Error("npm was called")
	}
}

// The pinned release is one that this build can use.
func TestPins(t *testing.T) {
	for platform, r := range releases {
		sum, err := base64.StdEncoding.DecodeString(r.integrity)
		if err != nil || len(sum) != sha512.Size || r.name == "" || r.size == 0 {
			t.Errorf("%s: %+v %v", platform, r, err)
		}
	}
	if _, ok := releases["linux/amd64"]; !ok {
		t.Error("linux/amd64 is not pinned")
	}
}
