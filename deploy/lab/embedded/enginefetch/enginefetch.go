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

	"retorno/deploy/lab/embedded/fetchonce"
)

// ErrNoEngine says that there is no engine library and none could be fetched.
var ErrNoEngine = errors.New("no ClickHouse engine")

// ownLibrary tells people what to do without a network.
const ownLibrary = "or name a libchdb.so of your own with --engine FILE or RETORNO_ENGINE=FILE, or use a ClickHouse server by its address"

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
	CacheDir string             // "" = retorno in the user's cache folder
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
	kept := fetchonce.Folder{Cache: o.CacheDir, Name: filepath.Join("engine", Version), Proof: libraryName, Fill: o.fetch}
	dir, err := kept.Path(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: %w; %s", ErrNoEngine, err, ownLibrary)
	}
	return filepath.Join(dir, libraryName), nil
}

// named checks a library that a person has named: a file, or a folder that holds one.
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
