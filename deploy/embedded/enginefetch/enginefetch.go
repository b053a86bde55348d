// Package enginefetch finds the ClickHouse engine library (libchdb) and, when there is none, fetches it once.
//
// It promises: what it fetched has the pinned version and the pinned checksum, checked here and not by the package
// manager; a half-fetched library is never found by anybody; of two processes that want it at once one fetches and
// the other waits. It fetches with the ordinary npm client and the settings that client has on this machine.
// Without npm or a network the error is ErrNoEngine and says how to name a library of one's own.
package enginefetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// ErrNoEngine says that there is no engine library and none could be fetched.
var ErrNoEngine = errors.New("no ClickHouse engine")

// ownLibrary tells people what to do without a network.
const ownLibrary = "name a libchdb.so of your own with --engine FILE or RETORNO_ENGINE=FILE, or use a ClickHouse server by its address"

// libraryName is the library's name in the cache and in the package.
const libraryName = "libchdb.so"

// Progress says how far the fetching is: Done of Total bytes of the package (Total is an estimate until it is
// whole), or what is being done after that.
type Progress struct {
	Step        string // "fetching", "checking", "unpacking"
	Done, Total int64
}

// Options say where to look.
type Options struct {
	Library  string             // a library of one's own; "" = RETORNO_ENGINE, then the cache
	CacheDir string             // "" = the user's cache folder
	Progress func(p Progress)   // may be nil
	npm      string             // the npm client; "" = found on the PATH
	pins     map[string]release // the packages known; nil = the pinned ones
}

// Find returns the path of an engine library, fetching it when needed.
func Find(ctx context.Context, o Options) (string, error) {
	if o.Library == "" {
		o.Library = os.Getenv("RETORNO_ENGINE")
	}
	if o.Library != "" {
		return named(o.Library)
	}
	dir, err := o.cache()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, libraryName)
	if isFile(path) {
		return path, nil
	}
	if err := o.fetchOnce(ctx, dir, path); err != nil {
		return "", err
	}
	return path, nil
}

// named checks a library somebody has named: a file, or a folder that holds one.
func named(path string) (string, error) {
	for _, p := range []string{path, filepath.Join(path, libraryName)} {
		if isFile(p) {
			return filepath.Abs(p)
		}
	}
	return "", fmt.Errorf("%w: %s is no file (--engine and RETORNO_ENGINE name a libchdb.so)", ErrNoEngine, path)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// cache is the folder of the pinned version.
func (o Options) cache() (string, error) {
	base := o.CacheDir
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("%w: no cache folder for it (%w); %s", ErrNoEngine, err, ownLibrary)
		}
		base = filepath.Join(user, "retorno", "engine")
	}
	dir := filepath.Join(base, Version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("%w: cannot make its cache folder (%w); %s", ErrNoEngine, err, ownLibrary)
	}
	return dir, nil
}

// fetchOnce fetches under a lock on the cache folder.
func (o Options) fetchOnce(ctx context.Context, dir, path string) error {
	lock, err := os.OpenFile(filepath.Join(dir, "fetch.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("%w: cannot lock its cache folder: %w", ErrNoEngine, err)
	}
	defer lock.Close()
	if err := flock(ctx, lock); err != nil {
		return fmt.Errorf("%w: waiting for another process that fetches it: %w", ErrNoEngine, err)
	}
	if isFile(path) {
		return nil
	}
	pins := o.pins
	if pins == nil {
		pins = releases
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	r, ok := pins[platform]
	if !ok {
		return fmt.Errorf("%w: no pinned library for %s; %s", ErrNoEngine, platform, ownLibrary)
	}
	return o.fetch(ctx, r, dir, path)
}

// flock waits for an exclusive lock, or for ctx.
func flock(ctx context.Context, f *os.File) error {
	got := make(chan error, 1)
	go func() {
		for {
			if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
				got <- err
				return
			}
		}
	}()
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
