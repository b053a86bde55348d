package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

// minFree is the least free room on the data folder's disk, in bytes: less than this and the first insert may fail.
const minFree = 64 << 20

// lockPatience is how long a killed engine may take to let go of the folder.
const lockPatience = 2 * time.Second

// claimFolder makes the data folder ready and locks it for this process; free is the room it must have, in bytes.
func claimFolder(dir string, free uint64) (*os.File, error) {
	// "metadata" must be there before the engine's first start: without it the engine starts no cleaner of dropped
	// tables, and DROP … SYNC waits for ever.
	for _, sub := range []string{"spool", filepath.Join("clickhouse", "metadata")} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrFolderUnusable, dir, err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, "engine.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolderUnusable, dir, err)
	}
	if err := lockFolder(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s (by process %s): stop that one or name another folder", err, dir, holder(lock)), lock.Close())
	}
	if err := writable(dir, lock, free); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := defaultDatabase(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrFolderUnusable, dir, err), lock.Close())
	}
	return lock, nil
}

// defaultDatabase makes the database "default" of a new folder, as a server does at its first start.
func defaultDatabase(dir string) error {
	path := filepath.Join(dir, "clickhouse", "metadata", "default.sql")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	text := fmt.Sprintf("ATTACH DATABASE _ UUID '%s'\nENGINE = Atomic\n", uuid.New())
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func lockFolder(lock *os.File) error {
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EWOULDBLOCK) && time.Now().After(deadline):
			return ErrFolderInUse
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("%w: lock: %w", ErrFolderUnusable, err)
		}
	}
}

// holder is the process id the lock's owner wrote into it.
func holder(lock *os.File) string {
	b := make([]byte, 16)
	n, err := lock.ReadAt(b, 0)
	if n == 0 {
		return fmt.Sprintf("unknown, %v", err)
	}
	return string(b[:n])
}

// writable writes our process id into the lock, which also shows that the disk takes data, and asks for free room.
func writable(dir string, lock *os.File, needed uint64) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolderUnusable, dir, err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < needed {
		return fmt.Errorf("%w: %s: its disk has %d MB free, at least %d MB are needed", ErrFolderUnusable, dir, free>>20, needed>>20)
	}
	err := lock.Truncate(0)
	if err == nil {
		_, err = lock.WriteAt([]byte(fmt.Sprint(os.Getpid())), 0)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %s: its disk is full", ErrFolderUnusable, dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolderUnusable, dir, err)
	}
	return nil
}
