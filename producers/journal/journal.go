// Package journal is an append-only file of entries in which one damaged place costs no entry.
//
// It promises that Append returns only when the entries are on the disk, all of them or none; that an entry is given
// out with the bytes that were appended or not at all; and that whatever a power cut leaves can be opened. Each entry
// is written twice, each copy with a number and a CRC-32C of its own, and one sync covers both: a flipped bit anywhere
// is known by the checksum and the other copy is taken. The entries of one Append are a batch, and know it: a batch at
// the end of which an entry has no whole copy was torn by a cut, was never confirmed, and is cut off. An entry with one
// copy left is appended once more.
//
// It never changes what was appended, and never reads an entry from a place that it cannot prove. An entry of which
// both copies are damaged is set aside: it stays in the file, and Damage names it. A write that fails (no room, read
// only) leaves the journal as it was, and the next one may succeed. After a failed sync every call fails with
// disk.ErrSync: only a new start knows what is on the disk.
package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"sync"

	"retorno/producers/disk"
)

// MaxEntry is the longest entry, in bytes.
const MaxEntry = 256 << 10

// ErrWrite says that the entries could not be written, and that nothing of them is kept.
var ErrWrite = errors.New("the disk takes nothing")

// Damage is a place in the file that does not hold what was written there.
type Damage struct {
	// Offset and Bytes say where, in bytes from the beginning of the file; Bytes is 0 when Entry is set.
	Offset, Bytes int64
	// Entry is the number of an entry that is gone: both of its copies are damaged. 0: the place cost no entry.
	Entry uint64
}

func (d Damage) String() string {
	if d.Entry == 0 {
		return fmt.Sprintf("%d bytes at %d are damaged", d.Bytes, d.Offset)
	}
	return fmt.Sprintf("entry %d cannot be read and is set aside: both of its copies are damaged", d.Entry)
}

// Journal is an open journal. It is safe for concurrent use.
type Journal struct {
	file   disk.File
	name   string
	damage []Damage

	mu     sync.Mutex
	end    int64  // where the next entry begins
	last   uint64 // number of the last entry
	torn   bool   // bytes of a failed write may stand behind end
	failed error  // nothing can be appended any more
	viewed bool
	buf    []byte
}

// Open opens or makes a journal, and gives each entry that can be read to each, in the order of their numbers; the
// bytes are each's only during the call. at is where Read finds the entry.
func Open(d disk.Disk, name string, each func(number uint64, at int64, entry []byte) error) (*Journal, error) {
	file, err := d.Open(name, true)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{file: file, name: name}
	if err := j.load(d, each); err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", name, err), file.Close())
	}
	return j, nil
}

func (j *Journal) load(d disk.Disk, each func(uint64, int64, []byte) error) error {
	size, err := j.file.Size()
	if err != nil {
		return err
	}
	if size == 0 {
		return syncDir(d, j.name)
	}
	s, err := scan(j.file, size, each)
	if err != nil {
		return err
	}
	j.end, j.last, j.damage = s.end, s.last, s.damage
	j.torn = s.end < size
	// A disk that takes nothing at present keeps no record from being sent: the next start heals.
	if err := j.heal(s.single); !errors.Is(err, ErrWrite) {
		return err
	}
	return nil
}

// heal appends what has one copy left, so that there are two of it, each with its number.
func (j *Journal) heal(single []place) error {
	for _, p := range single {
		f, err := j.read(p.number, p.at)
		if err != nil {
			return err
		}
		j.buf = f.append(f.append(j.buf[:0]))
		if err := j.finish(j.end, true); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(d disk.Disk, name string) error {
	if err := d.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("%w: folder of %s: %w", disk.ErrSync, name, err)
	}
	return nil
}

// View opens a journal for reading that another process may be writing, or a copy of one, and changes nothing. The error
// is fs.ErrNotExist for one that is not there.
func View(d disk.Disk, name string, each func(number uint64, at int64, entry []byte) error) (*Journal, error) {
	file, err := d.OpenRead(name)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{file: file, name: name, failed: fmt.Errorf("%w: it is open for reading only", ErrWrite), viewed: true}
	size, err := file.Size()
	if err == nil {
		var s scanned
		s, err = scan(file, size, each)
		j.end, j.last, j.damage = s.end, s.last, s.damage
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", name, err), file.Close())
	}
	return j, nil
}

// Damage names the places that were found damaged when the journal was opened.
func (j *Journal) Damage() []Damage { return j.damage }

// Last is the number of the last entry, 0 when there is none.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Append appends entries and returns when they are on the disk, and where each is. The error wraps ErrWrite when
// nothing of them is kept and a later call may succeed, and disk.ErrSync when the program has to end.
func (j *Journal) Append(entries ...[]byte) ([]int64, error) { return j.add(true, entries) }

// Note appends an entry that may be lost in a power cut: the sync of the next Append covers it.
func (j *Journal) Note(entry []byte) error {
	_, err := j.add(false, [][]byte{entry})
	return err
}

func (j *Journal) add(synced bool, entries [][]byte) ([]int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return nil, j.failed
	}
	places := make([]int64, len(entries))
	f := frame{batch: rand.Uint32(), count: uint32(len(entries))}
	for i, entry := range entries {
		if len(entry) > MaxEntry {
			return nil, fmt.Errorf("%w: entry %d of %d bytes, at most %d are kept", ErrWrite, i+1, len(entry), MaxEntry)
		}
	}
	at := j.end
	j.buf = j.buf[:0]
	for copies := range 2 {
		for i, entry := range entries {
			if copies == 0 {
				places[i] = at + int64(len(j.buf))
			}
			f.number, f.index, f.entry = j.last+1+uint64(i), uint32(i), entry
			// Written in pieces, a large batch takes no memory of its own.
			if j.buf = f.append(j.buf); len(j.buf) >= maxPiece {
				if err := j.put(at); err != nil {
					return nil, err
				}
				at += int64(len(j.buf))
				j.buf = j.buf[:0]
			}
		}
	}
	if err := j.finish(at, synced); err != nil {
		return nil, err
	}
	j.last += uint64(len(entries))
	return places, nil
}

// maxPiece is about how many bytes are written at once.
const maxPiece = 128 << 10

// put writes buf behind the end of the file. When that fails nothing stands behind the end, or the next one takes it away.
func (j *Journal) put(at int64) error {
	if j.torn {
		if err := j.file.Truncate(j.end); err != nil {
			return fmt.Errorf("%w: %w", ErrWrite, err)
		}
		j.torn = false
	}
	if _, err := j.file.WriteAt(j.buf, at); err != nil {
		j.torn = j.file.Truncate(j.end) != nil
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}

// finish writes the last piece of a batch, and makes all of it the end of the file.
func (j *Journal) finish(at int64, synced bool) error {
	if err := j.put(at); err != nil {
		return err
	}
	if synced {
		if err := j.file.Sync(); err != nil {
			j.failed = fmt.Errorf("%w: %s: %w", disk.ErrSync, j.name, err)
			return j.failed
		}
	}
	j.end = at + int64(len(j.buf))
	return nil
}

// Read returns the entry with this number at the place where it was found or appended. The error wraps ErrDamaged when the
// place does not hold it any more.
func (j *Journal) Read(number uint64, at int64) ([]byte, error) {
	f, err := j.read(number, at)
	return f.entry, err
}

func (j *Journal) read(number uint64, at int64) (frame, error) {
	// Most entries are read with one look.
	b := make([]byte, 1<<10)
	n, err := j.file.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return frame{}, fmt.Errorf("journal: entry %d: %w", number, err)
	}
	if size := frameSize(b[:n]); size > n {
		b = make([]byte, size)
		if n, err = j.file.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
			return frame{}, fmt.Errorf("journal: entry %d: %w", number, err)
		}
	}
	f, ok := parse(b[:n])
	if !ok || f.number != number {
		return frame{}, fmt.Errorf("journal: entry %d at %d: %w", number, at, ErrDamaged)
	}
	return f, nil
}

// Find looks through the file for a whole copy of an entry, and returns where it is. The error wraps ErrDamaged when
// there is none.
func (j *Journal) Find(number uint64) (int64, error) {
	j.mu.Lock()
	end := j.end
	j.mu.Unlock()
	found := int64(-1)
	err := walk(j.file, end, func(f frame, at int64) error {
		if f.number == number && found < 0 {
			found = at
		}
		return nil
	}, func(int64, int64) {})
	if err == nil && found < 0 {
		err = fmt.Errorf("journal: entry %d: %w", number, ErrDamaged)
	}
	return found, err
}

// ErrDamaged says that an entry is not what was appended.
var ErrDamaged = errors.New("the entry is damaged on the disk")

// Close closes the file. What was noted is synced.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.viewed || errors.Is(j.failed, disk.ErrSync) {
		return j.file.Close()
	}
	j.failed = fs.ErrClosed
	return errors.Join(j.file.Sync(), j.file.Close())
}
