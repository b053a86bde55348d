// Package disktest is a disk in memory for tests: it knows what was synced, can lose the power and can fail.
//
// It promises that Cut gives the disk that a power cut leaves: what was synced, and of the rest any subset of the
// 512-byte sectors of each file and a beginning of the changes of names, drawn from a seed. It never writes to a real
// disk. Failures are those that Fail is told to make.
package disktest

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"

	"retorno/producers/disk"
)

const sector = 512

// Disk is a disk in memory.
type Disk struct {
	mu      sync.Mutex
	names   map[string]*inode // as they are
	durable map[string]*inode // as they are on the disk
	pending []func(map[string]*inode)
	locked  map[string]bool

	// Changed is called after each change, with the disk unlocked; nil is not.
	Changed func()
	// Fail is asked before each "write", "sync", "truncate", "rename" and "syncdir" whether it fails. A write that fails
	// has written half.
	Fail func(op, name string) error
}

// inode is the content of a file: as it is, and as the last sync left it.
type inode struct{ now, synced []byte }

// New returns an empty disk.
func New() *Disk {
	return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}, locked: map[string]bool{}}
}

// Cut returns the disk that a power cut leaves at this moment. With a nil source nothing survives but what was synced.
func (d *Disk) Cut(r *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := maps.Clone(d.durable)
	if r != nil {
		for _, do := range d.pending[:r.IntN(len(d.pending)+1)] {
			do(names)
		}
	}
	cut := New()
	for name, node := range names {
		left := node.cut(r)
		cut.names[name] = &inode{now: left, synced: slices.Clone(left)}
	}
	cut.durable = maps.Clone(cut.names)
	return cut
}

// cut is what is left of a file.
func (n *inode) cut(r *rand.Rand) []byte {
	left := slices.Clone(n.synced)
	if r == nil {
		return left
	}
	// The size is written on its own: it may be the old one, the new one, or that of a sector between.
	size := len(left)
	if len(n.now) != size && r.IntN(3) > 0 {
		size = len(n.now)
	}
	grown := make([]byte, size)
	copy(grown, left)
	for at := 0; at < size; at += sector {
		if r.IntN(2) == 0 && at < len(n.now) {
			copy(grown[at:min(at+sector, size)], n.now[at:min(at+sector, len(n.now))])
		}
	}
	return grown
}

// Flip flips one bit of a file as it is on the disk.
func (d *Disk) Flip(name string, bit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	node := d.names[name]
	node.now[bit/8] ^= 1 << (bit % 8)
	node.synced = slices.Clone(node.now)
}

// Size is the length of a file in bytes; 0 when it is not there.
func (d *Disk) Size(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if node := d.names[name]; node != nil {
		return len(node.now)
	}
	return 0
}

// Copy is the disk as it is, as one that another computer has.
func (d *Disk) Copy() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := New()
	for name, node := range d.names {
		c.names[name] = &inode{now: slices.Clone(node.now), synced: slices.Clone(node.now)}
	}
	c.durable = maps.Clone(c.names)
	return c
}

func (d *Disk) failing(op, name string) error {
	if d.Fail == nil {
		return nil
	}
	return d.Fail(op, name)
}

// change makes a change, and tells of it.
func (d *Disk) change(do func() error) error {
	d.mu.Lock()
	err := do()
	d.mu.Unlock()
	if d.Changed != nil {
		d.Changed()
	}
	return err
}

// rename notes a change of names.
func (d *Disk) rename(do func(map[string]*inode)) {
	do(d.names)
	d.pending = append(d.pending, do)
}

type file struct {
	disk *Disk
	name string
	node *inode
}

// Open opens a file.
func (d *Disk) Open(name string, create bool) (disk.File, error) {
	d.mu.Lock()
	node := d.names[name]
	d.mu.Unlock()
	if node == nil && !create {
		return nil, fs.ErrNotExist
	}
	if node == nil {
		node = &inode{}
		err := d.change(func() error {
			d.rename(func(names map[string]*inode) { names[name] = node })
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &file{d, name, node}, nil
}

// OpenRead opens a file.
func (d *Disk) OpenRead(name string) (disk.File, error) { return d.Open(name, false) }

func (f *file) ReadAt(b []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if at >= int64(len(f.node.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.now[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.disk.change(func() error {
		failed := f.disk.failing("write", f.name)
		if failed != nil {
			b = b[:len(b)/2]
		}
		if end := int(at) + len(b); end > len(f.node.now) {
			f.node.now = append(f.node.now, make([]byte, end-len(f.node.now))...)
		}
		n = copy(f.node.now[at:], b)
		return failed
	})
	return n, err
}

func (f *file) Truncate(size int64) error {
	return f.disk.change(func() error {
		if err := f.disk.failing("truncate", f.name); err != nil {
			return err
		}
		if int(size) <= len(f.node.now) {
			f.node.now = f.node.now[:size:size]
			return nil
		}
		f.node.now = append(f.node.now, make([]byte, int(size)-len(f.node.now))...)
		return nil
	})
}

func (f *file) Sync() error {
	return f.disk.change(func() error {
		if err := f.disk.failing("sync", f.name); err != nil {
			return err
		}
		f.node.synced = slices.Clone(f.node.now)
		return nil
	})
}

func (f *file) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.node.now)), nil
}

func (f *file) Close() error { return nil }

// Rename renames a file.
func (d *Disk) Rename(from, to string) error {
	return d.change(func() error {
		if err := d.failing("rename", to); err != nil {
			return err
		}
		if d.names[from] == nil {
			return fs.ErrNotExist
		}
		d.rename(func(names map[string]*inode) {
			if node := names[from]; node != nil {
				names[to] = node
				delete(names, from)
			}
		})
		return nil
	})
}

// Remove removes a file.
func (d *Disk) Remove(name string) error {
	return d.change(func() error {
		if d.names[name] == nil {
			return fs.ErrNotExist
		}
		d.rename(func(names map[string]*inode) { delete(names, name) })
		return nil
	})
}

// Names lists a folder.
func (d *Disk) Names(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for name := range d.names {
		if filepath.Dir(name) == filepath.Clean(dir) {
			all = append(all, filepath.Base(name))
		}
	}
	slices.Sort(all)
	return all, nil
}

// SyncDir makes all names durable.
func (d *Disk) SyncDir(dir string) error {
	return d.change(func() error {
		if err := d.failing("syncdir", dir); err != nil {
			return err
		}
		d.durable, d.pending = maps.Clone(d.names), nil
		return nil
	})
}

// Lock takes a lock; it is known to this disk only, and waits for no one.
func (d *Disk) Lock(name string, _ bool) (func() error, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked[name] {
		return nil, disk.ErrLocked
	}
	d.locked[name] = true
	return func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.locked, name)
		return nil
	}, nil
}

// Free is plenty.
func (d *Disk) Free(string) (free, size uint64, err error) { return 1 << 40, 1 << 40, nil }
