package offices

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"

	"retorno/producers/disk"
)

// errKilled says that the process is no more.
var errKilled = errors.New("the office was killed")

// Disk is the disk of a made computer. The zero value is this machine's.
type Disk struct {
	disk.OS
	// Unsynced keeps what is written in the kernel's memory: it outlives the process, and no power cut. A show has hundreds of days
	// of 27 computers in a minute.
	Unsynced bool

	full, killed atomic.Bool
	mu           sync.Mutex
	locks        []func() error
}

// Fill makes the disk full, or makes room.
func (d *Disk) Fill(full bool) { d.full.Store(full) }

// kill ends all use of the disk: locks are given back, and nothing more is written.
func (d *Disk) kill() {
	d.killed.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, release := range d.locks {
		_ = release() // the file goes with the process
	}
	d.locks = nil
}

// Open opens a file.
func (d *Disk) Open(name string, create bool) (disk.File, error) {
	if d.killed.Load() {
		return nil, errKilled
	}
	f, err := d.OS.Open(name, create)
	if err != nil {
		return nil, err
	}
	return file{f, d}, nil
}

// Rename renames a file.
func (d *Disk) Rename(from, to string) error {
	if d.killed.Load() {
		return errKilled
	}
	return d.OS.Rename(from, to)
}

// Remove removes a file.
func (d *Disk) Remove(name string) error {
	if d.killed.Load() {
		return errKilled
	}
	return d.OS.Remove(name)
}

// SyncDir syncs a folder.
func (d *Disk) SyncDir(dir string) error {
	if d.killed.Load() {
		return errKilled
	}
	if d.Unsynced {
		return nil
	}
	return d.OS.SyncDir(dir)
}

// Lock locks a file, until it is released or the office is killed.
func (d *Disk) Lock(name string, wait bool) (func() error, error) {
	if d.killed.Load() {
		return nil, errKilled
	}
	release, err := d.OS.Lock(name, wait)
	if err != nil {
		return nil, err
	}
	once := sync.OnceValue(release)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.locks) == 0 { // the folder's lock is the first; the others are held for moments
		d.locks = append(d.locks, once)
	}
	return once, nil
}

// file is an open file of a Disk.
type file struct {
	disk.File
	on *Disk
}

// WriteAt writes, unless the disk is full.
func (f file) WriteAt(p []byte, at int64) (int, error) {
	switch {
	case f.on.killed.Load():
		return 0, errKilled
	case f.on.full.Load():
		return 0, syscall.ENOSPC
	}
	return f.File.WriteAt(p, at)
}

// Truncate sets the size.
func (f file) Truncate(size int64) error {
	if f.on.killed.Load() {
		return errKilled
	}
	return f.File.Truncate(size)
}

// Sync syncs what was written.
func (f file) Sync() error {
	switch {
	case f.on.killed.Load():
		return errKilled
	case f.on.Unsynced:
		return nil
	}
	return f.File.Sync()
}
