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
	last   uint64 // number of the last entry
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
func scan(file io.ReaderAt, size int64, each func(uint64, int64, []byte) error) (scanned, error) {
	c := &collector{each: each, copies: counter{where: map[uint64]int64{}}}
	var hurt []Damage
	err := walk(file, size, c.take, func(at, bytes int64) { hurt = append(hurt, Damage{Offset: at, Bytes: bytes}) })
	if err != nil {
		return scanned{}, err
	}
	hurt = slices.DeleteFunc(hurt, func(d Damage) bool { return d.Offset >= c.end })
	return scanned{end: c.end, last: c.last, damage: c.copies.gone(hurt, c.last), single: c.copies.single(c.last)}, nil
}

// collector hands out entries batch by batch: the batch, and the batch once more, stand in the file one after the other.
// An entry that was appended again later, because it had one copy left, keeps its number and its batch.
type collector struct {
	each   func(uint64, int64, []byte) error
	copies counter
	end    int64  // behind the last copy of what was given
	last   uint64 // the last number given, or given up
	open   []held // of the batch of which not every entry was seen
	batch  frame
}

type held struct {
	frame
	at int64
}

func (c *collector) take(f frame, at int64) error {
	end := at + f.size()
	switch inBatch := len(c.open) > 0 && f.batch == c.batch.batch && f.first() == c.batch.first(); {
	case f.number <= c.last:
		c.end = end
		if c.copies.saw(f.number, at) {
			return c.each(f.number, at, f.entry)
		}
		return nil
	case !inBatch && f.first() <= c.last:
		return nil // left of a batch that was torn before, and whose place another one took
	case !inBatch:
		if err := c.hand(c.open); err != nil {
			return err
		}
		if len(c.open) > 0 {
			c.last = max(c.last, c.batch.last())
		}
		c.open, c.batch = c.open[:0], f
		c.batch.entry = nil
	}
	if f.count > 1 {
		f.entry = bytes.Clone(f.entry) // the window moves on
	}
	if c.copies.saw(f.number, at) {
		c.open = append(c.open, held{f, at})
	}
	if len(c.open) < int(f.count) {
		return nil
	}
	whole := c.open
	c.open, c.end, c.last = nil, end, f.last()
	return c.hand(whole)
}

func (c *collector) hand(batch []held) error {
	slices.SortFunc(batch, func(a, b held) int { return cmp.Compare(a.number, b.number) })
	for _, h := range batch {
		if err := c.each(h.number, h.at, h.entry); err != nil {
			return err
		}
		c.end = max(c.end, h.at+h.size())
	}
	return nil
}

// walk goes through all whole copies, and names the places between two of them that are none.
func walk(file io.ReaderAt, size int64, whole func(f frame, at int64) error, hurt func(at, bytes int64)) error {
	r := &reader{file: file, size: size, mem: make([]byte, window)}
	for offset := int64(0); offset < r.size; {
		b, err := r.at(offset)
		if err != nil {
			return err
		}
		if f, ok := parse(b); ok {
			if err := whole(f, offset); err != nil {
				return err
			}
			offset += f.size()
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
			if _, ok := parse(b); ok {
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

// single are the entries up to a number of which one copy was seen.
func (c *counter) single(last uint64) []place {
	var all []place
	for number, at := range c.where {
		if number <= last {
			all = append(all, place{number, at})
		}
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
