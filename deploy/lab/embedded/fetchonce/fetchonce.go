// Package fetchonce keeps what is fetched from package registries in the user's cache folder, so that it is fetched
// once.
//
// It promises: a folder is there whole or not at all; of two processes that want it at the same time one fills it and
// the other waits; a folder that is complete is used even where nothing can be written. Each folder is the project's
// own: what other projects left in the caches of npm, Maven or pip is neither read nor changed.
package fetchonce

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockEvery is how often a process asks for a lock that another one holds.
const lockEvery = 100 * time.Millisecond

// Folder is a folder that is filled once.
type Folder struct {
	Cache string // the folder of all that is kept; "" = retorno in the user's cache folder
	Name  string // its path in Cache, such as "kafka/4.1.0"; other content needs another name
	Proof string // the path in it of a file that is there when the folder is complete
	// Fill puts the content into dir, an empty folder that becomes the folder asked for when Fill returns nil.
	Fill func(ctx context.Context, dir string) error
}

// Path returns where the folder is, and fills it first when it is not complete. A cache folder that cannot be written
// to is an error only when something has to be fetched; the error names the variable that sets another one.
func (f Folder) Path(ctx context.Context) (string, error) {
	cache := f.Cache
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache folder: %w", err)
		}
		cache = filepath.Join(user, "retorno")
	}
	path := filepath.Join(cache, f.Name)
	if f.complete(path) {
		return path, nil
	}
	if err := f.fillLocked(ctx, path); err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
			err = fmt.Errorf("%w; set XDG_CACHE_HOME to a folder that can be written to", err)
		}
		return "", err
	}
	return path, nil
}

func (f Folder) complete(path string) bool {
	info, err := os.Stat(filepath.Join(path, f.Proof))
	return err == nil && info.Mode().IsRegular()
}

func (f Folder) fillLocked(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if f.complete(path) {
		return nil
	}
	work, err := os.MkdirTemp(filepath.Dir(path), "fetching-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := f.Fill(ctx, work); err != nil {
		return err
	}
	if !f.complete(work) {
		return fmt.Errorf("what was fetched lacks %s", f.Proof)
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	// What one user fetched, others may read.
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	return os.Rename(work, path)
}

// lock waits for the lock on a file, which ends with the process at the latest.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		switch err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return func() { _ = file.Close() }, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for another process that holds %s: %w", path, ctx.Err()), file.Close())
		case <-time.After(lockEvery):
		}
	}
}

// Watch runs work and tells now and then how many bytes lie under dir; tell may be nil.
func Watch(dir string, tell func(bytes int64), work func() error) error {
	if tell == nil {
		return work()
	}
	done := make(chan error, 1)
	go func() { done <- work() }()
	tick := time.NewTicker(lockEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			tell(size(dir))
		}
	}
}

// size sums the files under dir. Files come and go meanwhile, so errors say nothing.
func size(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}
