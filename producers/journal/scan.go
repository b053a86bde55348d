package journal

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
)

// window is how much of the file is in memory while it is read: more than two entries.
const window = 4 * (MaxEntry + headerBytes)

// place is where an entry is.
type place struct {
	number uint64
	at     int64
}

// scanned is what a reading of the whole file found.
type scanned struct {
	end    int64  // behind the last whole copy
	last   uint64 // the largest number
	damage []Damage
	single []place // entries with one whole copy
}

// reader walks the file with a window of it in memory.
type reader struct {
	file io.ReaderAt
	size int64
	base int64  // offset of buf[0]
	buf  []byte // what is in memory from base on
	mem  []byte
}

// at returns what is in memory from offset on: a whole copy and more, or all up to the end of the file.
func (r *reader) at(offset int64) ([]byte, error) {
	ahead := r.base + int64(len(r.buf)) - offset
	if ahead >= MaxEntry+headerBytes || r.base+int64(len(r.buf)) == r.size {
		return r.buf[offset-r.base:], nil
	}
	n := min(int64(window), r.size-offset)
	rest := copy(r.mem, r.buf[min(int64(len(r.buf)), offset-r.base):])
	got, err := r.file.ReadAt(r.mem[rest:n], offset+int64(rest))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	r.base, r.buf = offset, r.mem[:rest+got]
	if int64(rest+got) < n {
		r.size = offset + int64(rest+got) // the file became shorter
	}
	return r.buf, nil
}

// scan reads the file from its beginning. Where no copy begins it looks for the next one.
//
// Copies stand as they were written: a batch, and the batch once more. An entry that is appended again later, because it
// has one copy left, keeps its number; so an entry is known by its number, and the first whole copy is taken.
func scan(file io.ReaderAt, size int64, each func(uint64, int64, []byte) error) (s scanned, err error) {
	copies := &counter{where: make(map[uint64]int64)}
	var hurt []Damage
	err = walk(file, size, func(number uint64, at int64, entry []byte) error {
		s.last = max(s.last, number)
		s.end = at + headerBytes + int64(len(entry))
		if copies.saw(number, at) {
			return each(number, at, entry)
		}
		return nil
	}, func(at, bytes int64) { hurt = append(hurt, Damage{Offset: at, Bytes: bytes}) })
	if err != nil {
		return s, err
	}
	s.single = copies.single()
	s.damage = copies.gone(hurt, s.last)
	return s, nil
}

// walk goes through all whole copies, and names the places between two of them that are none.
func walk(file io.ReaderAt, size int64, whole func(number uint64, at int64, entry []byte) error, hurt func(at, bytes int64)) error {
	r := &reader{file: file, size: size, mem: make([]byte, window)}
	for offset := int64(0); offset < r.size; {
		b, err := r.at(offset)
		if err != nil {
			return err
		}
		number, entry, ok := parse(b)
		if ok {
			if err := whole(number, offset, entry); err != nil {
				return err
			}
			offset += headerBytes + int64(len(entry))
			continue
		}
		next, err := r.next(offset + 1)
		if err != nil {
			return err
		}
		if next < r.size {
			hurt(offset, next-offset)
		}
		offset = next
	}
	return nil
}

// next is where the next whole copy begins, or the end of the file.
func (r *reader) next(offset int64) (int64, error) {
	for offset < r.size {
		b, err := r.at(offset)
		if err != nil {
			return 0, err
		}
		i := bytes.Index(b, []byte(magic))
		switch {
		case i < 0:
			offset += int64(max(len(b)-len(magic)+1, 1))
		case i > 0:
			offset += int64(i) // look again, with a whole copy in memory
		default:
			if _, _, ok := parse(b); ok {
				return offset, nil
			}
			offset++
		}
	}
	return r.size, nil
}

// counter knows of each entry whether one whole copy was seen or more, in two bits an entry.
type counter struct {
	once, more []uint64
	where      map[uint64]int64 // of those seen once, lately: most are seen a second time soon
}

// saw notes a copy, and reports whether it is the first of its entry.
func (c *counter) saw(number uint64, at int64) bool {
	word, bit := number/64, uint64(1)<<(number%64)
	for uint64(len(c.once)) <= word {
		c.once, c.more = append(c.once, 0), append(c.more, 0)
	}
	if c.once[word]&bit == 0 {
		c.once[word] |= bit
		c.where[number] = at
		return true
	}
	c.more[word] |= bit
	delete(c.where, number)
	return false
}

func (c *counter) single() []place {
	all := make([]place, 0, len(c.where))
	for number, at := range c.where {
		all = append(all, place{number, at})
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.number, b.number) })
	return all
}

// gone adds the entries of which no whole copy was seen to the damaged places.
func (c *counter) gone(hurt []Damage, last uint64) []Damage {
	for number := uint64(1); number <= last; number++ {
		word, bit := number/64, uint64(1)<<(number%64)
		if word >= uint64(len(c.once)) || c.once[word]&bit == 0 {
			hurt = append(hurt, Damage{Entry: number})
		}
	}
	return hurt
}
