// Package disk is the part of a file system that the agent writes to.
//
// It promises that WriteFile leaves the old content of a file or the new one, whatever a power cut does, and that what
// it wrote is on the disk when it returns. It never keeps anything in memory. A write that fails is an error, and the
// old content stands. A sync that fails is ErrSync: the kernel may have dropped what was not written (F24), so the
// program has to end and to read again what is there.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrSync says that the disk did not confirm what was written. To try again proves nothing: the program has to end.
var ErrSync = errors.New("the disk did not confirm what was written")

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns when all that was written is on the disk.
	Sync() error
	// Truncate sets the size, in bytes.
	Truncate(size int64) error
	// Size is the length in bytes.
	Size() (int64, error)
}

// Disk is where files are. Names are paths.
type Disk interface {
	// Open opens a file for reading and writing. The error for one that is not there is fs.ErrNotExist, unless create
	// makes it.
	Open(name string, create bool) (File, error)
	// OpenRead opens a file for reading.
	OpenRead(name string) (File, error)
	// Rename gives a file another name, in place of a file that has it.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// Names lists a folder, sorted.
	Names(dir string) ([]string, error)
	// SyncDir returns when the names of a folder are on the disk.
	SyncDir(dir string) error
	// Lock takes a lock that is given back by release, and by the end of the process. It waits for another holder, or
	// fails with ErrLocked.
	Lock(name string, wait bool) (release func() error, err error)
	// Free is how many bytes this program may still write to the disk of a folder, and how many the disk has.
	Free(dir string) (free, size uint64, err error)
}

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("in use by another process")

// OS is the disk of this computer.
type OS struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Open opens a file for its owner only.
func (OS) Open(name string, create bool) (File, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(name, flags, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// OpenRead opens a file for reading.
func (OS) OpenRead(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename is os.Rename.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is os.Remove.
func (OS) Remove(name string) error { return os.Remove(name) }

// Names lists a folder.
func (OS) Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// SyncDir syncs a folder.
func (OS) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Lock locks a file, which it makes when it is not there.
func (OS) Lock(name string, wait bool) (func() error, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(int(f.Fd()), how)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f.Close, nil
}

// Free asks the file system.
func (OS) Free(dir string) (free, size uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

// ReadFile reads a whole file of at most limit bytes.
func ReadFile(d Disk, name string, limit int64) ([]byte, error) {
	f, err := d.OpenRead(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are read", name, size, limit)
	}
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// WriteFile replaces the content of a file. After a crash it has the old content or the new one.
func WriteFile(d Disk, name string, data []byte) error {
	beside := name + ".new"
	if err := writeSynced(d, beside, data); err != nil {
		if !errors.Is(err, ErrSync) {
			err = errors.Join(err, removeAny(d, beside))
		}
		return err
	}
	if err := d.Rename(beside, name); err != nil {
		return errors.Join(err, removeAny(d, beside))
	}
	if err := d.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("%w: folder of %s: %w", ErrSync, name, err)
	}
	return nil
}

func writeSynced(d Disk, name string, data []byte) (err error) {
	f, err := d.Open(name, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSync, name, err)
	}
	return nil
}

// RemoveFile removes a file, if it is there, and returns when that is on the disk.
func RemoveFile(d Disk, name string) error {
	if err := removeAny(d, name); err != nil {
		return err
	}
	if err := d.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("%w: folder of %s: %w", ErrSync, name, err)
	}
	return nil
}

func removeAny(d Disk, name string) error {
	if err := d.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
