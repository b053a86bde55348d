// Package paper accounts for the numbered paper forms of an office: which were received, and what became of each.
//
// It promises that each number that was received is in exactly one state (captured, void with a reason, or missing), that a number is
// void or captured once, and that what a call changed is on the disk when it returns without an error. The file holds numbers,
// states and reasons, and nothing of a person or a record: it is readable without a login, so that missing forms are told of
// while the agent is locked. A change that the disk does not take is kept in memory and written with the next one. A file of which
// both copies are damaged is an error of Open, with an empty Book: the ranges have to be entered once more.
package paper

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"retorno/producers/disk"
)

// FileName is the file in the folder of an agent.
const FileName = "forms"

// MostNumbers is how many numbers may be received in all.
const MostNumbers = 200_000

const (
	maxFile   = 32 << 20
	maxPrefix = 20
	maxDigits = 12
)

// Number is the number of a form: what stands before its last digits, and these. 007 and 7 are one number.
type Number struct {
	Prefix string
	N      uint64
}

func (n Number) String() string {
	digits := strconv.FormatUint(n.N, 10)
	if n.Prefix == "" {
		return digits
	}
	return n.Prefix + "-" + digits
}

// Parse reads a number as people type it: capitals, blanks and signs make no difference.
func Parse(text string) (Number, bool) {
	text = strings.ToUpper(strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, text))
	prefix := strings.TrimRight(text, "0123456789")
	digits := text[len(prefix):]
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || len(digits) > maxDigits || len(prefix) > maxPrefix {
		return Number{}, false
	}
	return Number{prefix, n}, true
}

// Range are numbers from First to Last, both included.
type Range struct {
	Prefix string `json:"prefix,omitempty"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
}

func (r Range) has(n Number) bool { return n.Prefix == r.Prefix && n.N >= r.First && n.N <= r.Last }

func (r Range) String() string {
	if r.First == r.Last {
		return Number{r.Prefix, r.First}.String()
	}
	return Number{r.Prefix, r.First}.String() + "–" + Number{r.Prefix, r.Last}.String()
}

// Reasons why a form is void: they stand in the file.
const (
	Spoiled  = "spoiled"  // written on and of no use
	Lost     = "lost"     // not to be found
	Returned = "returned" // given back blank
)

// Reasons are all reasons why a form is void.
func Reasons() []string { return []string{Spoiled, Lost, Returned} }

// What is wrong with what is entered.
var (
	ErrNumber  = errors.New("not the number of a form")
	ErrRange   = errors.New("not a range: the last number comes before the first, or begins otherwise")
	ErrTooMany = fmt.Errorf("more than %d numbers", MostNumbers)
	ErrOverlap = errors.New("some of these numbers were received already")
	ErrUnknown = errors.New("that number was not received")
	ErrUsed    = errors.New("that number is captured")
	ErrVoid    = errors.New("that number is void")
	ErrReason  = errors.New("no such reason")
)

// content is the file.
type content struct {
	Received []Range           `json:"received"`
	Used     []Range           `json:"used"`
	Void     map[string]string `json:"void"` // reason by number
}

// Book is what is known of the forms of one office. It is safe for concurrent use.
type Book struct {
	disk disk.Disk
	file string

	mu       sync.Mutex
	received []Range // in order
	used     map[Number]struct{}
	void     map[Number]string
	missing  int
	changed  bool // and not on the disk
}

// Open reads the file, which need not be there. With an error the Book is empty and can be used.
func Open(d disk.Disk, file string) (*Book, error) {
	b := &Book{disk: d, file: file, used: map[Number]struct{}{}, void: map[Number]string{}}
	data, _, err := disk.ReadTwice(d, file, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	var c content
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return b, fmt.Errorf("paper forms: %w", err)
	}
	b.received = c.Received
	for _, r := range c.Used {
		for n := r.First; n <= r.Last; n++ {
			b.used[Number{r.Prefix, n}] = struct{}{}
		}
	}
	for text, reason := range c.Void {
		if n, ok := Parse(text); ok {
			b.void[n] = reason
		}
	}
	b.count()
	return b, nil
}

// count counts the missing ones. b.mu is held.
func (b *Book) count() { b.missing = len(b.among(0)) }

// among are the numbers that were received and are neither captured nor void, in order; most of them at most, 0: all.
func (b *Book) among(most int) (all []Number) {
	for _, r := range b.received {
		for n := r.First; n <= r.Last; n++ {
			if most > 0 && len(all) == most {
				return all
			}
			if number := (Number{r.Prefix, n}); b.isMissing(number) {
				all = append(all, number)
			}
		}
	}
	return all
}

func (b *Book) isMissing(n Number) bool {
	_, used := b.used[n]
	_, void := b.void[n]
	return !used && !void
}

func (b *Book) isReceived(n Number) bool {
	return slices.ContainsFunc(b.received, func(r Range) bool { return r.has(n) })
}

// Receive enters a range. The error is ErrNumber, ErrRange, ErrTooMany, ErrOverlap, or one of the disk.
func (b *Book) Receive(first, last string) error {
	from, ok := Parse(first)
	to, also := Parse(last)
	switch {
	case !ok || !also:
		return ErrNumber
	case from.Prefix != to.Prefix || to.N < from.N:
		return ErrRange
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	total := to.N - from.N + 1
	for _, r := range b.received {
		if total += r.Last - r.First + 1; r.Prefix == from.Prefix && r.First <= to.N && from.N <= r.Last {
			return ErrOverlap
		}
	}
	if total > MostNumbers {
		return ErrTooMany
	}
	b.received = append(b.received, Range{from.Prefix, from.N, to.N})
	slices.SortFunc(b.received, func(x, y Range) int { return cmp.Or(cmp.Compare(x.Prefix, y.Prefix), cmp.Compare(x.First, y.First)) })
	b.count()
	return b.write()
}

// MakeVoid says why a form that was received will not be captured. The error is ErrNumber, ErrReason, ErrUnknown, ErrUsed, ErrVoid, or one
// of the disk.
func (b *Book) MakeVoid(number, reason string) error {
	n, ok := Parse(number)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !ok:
		return ErrNumber
	case !slices.Contains(Reasons(), reason):
		return ErrReason
	case !b.isReceived(n):
		return ErrUnknown
	}
	if _, used := b.used[n]; used {
		return ErrUsed
	}
	if _, void := b.void[n]; void {
		return ErrVoid
	}
	b.void[n] = reason
	b.missing--
	return b.write()
}

// Mark says of numbers whether a record that holds has them. The error is one of the disk.
func (b *Book) Mark(used map[Number]bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, now := range used {
		if _, before := b.used[n]; before == now {
			continue
		}
		was := b.isMissing(n)
		if now {
			b.used[n] = struct{}{}
		} else {
			delete(b.used, n)
		}
		if is := b.isMissing(n); b.isReceived(n) && was != is {
			b.missing--
			if is {
				b.missing += 2
			}
		}
		b.changed = true
	}
	if !b.changed {
		return nil
	}
	return b.write()
}

// State reports what is known of a number: whether it was received, whether a record has it, and why it is void, or "". any reports
// whether any number was received: an office without ranges asks about none.
func (b *Book) State(n Number) (received, used bool, void string, any bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, used = b.used[n]
	return b.isReceived(n), used, b.void[n], len(b.received) > 0
}

// Missing is how many numbers were received and are neither captured nor void.
func (b *Book) Missing() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.missing
}

// Row is a range with what became of its numbers.
type Row struct {
	Range
	Captured, Void, Missing int
}

// Rows are the ranges that were received, in order.
func (b *Book) Rows() []Row {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows := make([]Row, len(b.received))
	for i, r := range b.received {
		rows[i] = Row{Range: r}
		for n := r.First; n <= r.Last; n++ {
			number := Number{r.Prefix, n}
			if _, used := b.used[number]; used {
				rows[i].Captured++
			} else if _, void := b.void[number]; void {
				rows[i].Void++
			} else {
				rows[i].Missing++
			}
		}
	}
	return rows
}

// MissingRanges are the missing numbers, as ranges in order, of most numbers at most.
func (b *Book) MissingRanges(most int) []Range {
	b.mu.Lock()
	defer b.mu.Unlock()
	return ranges(b.among(most))
}

// ranges joins numbers in order that follow one another.
func ranges(numbers []Number) (all []Range) {
	for _, n := range numbers {
		if last := len(all) - 1; last >= 0 && all[last].Prefix == n.Prefix && all[last].Last+1 == n.N {
			all[last].Last = n.N
			continue
		}
		all = append(all, Range{n.Prefix, n.N, n.N})
	}
	return all
}

// write writes the file. b.mu is held.
func (b *Book) write() error {
	b.changed = true
	c := content{Received: b.received, Void: map[string]string{}}
	c.Used = ranges(slices.SortedFunc(maps.Keys(b.used), func(x, y Number) int { return cmp.Or(cmp.Compare(x.Prefix, y.Prefix), cmp.Compare(x.N, y.N)) }))
	for n, reason := range b.void {
		c.Void[n.String()] = reason
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := disk.WriteTwice(b.disk, b.file, data); err != nil {
		return fmt.Errorf("paper forms: %w", err)
	}
	b.changed = false
	return nil
}
