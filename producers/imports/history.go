package imports

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"retorno/schemas/events"
)

// history is what the logs hold of one source.
type history struct {
	Import
	records map[uuid.UUID]*state
	numbers map[uint64]bool // that stand for something
	highest uint64
}

// state is the latest revision of a record.
type state struct {
	id       uuid.UUID
	of       *history
	revision uint32
	void     bool
	traits
	moved  bool   // another import has sent a higher revision, and holds it now
	inFile bool   // the file that is planned has it
	gone   bool   // it is to be voided
	place  uint64 // the number of its first revision
}

func newHistory(i Import) *history {
	return &history{Import: i, records: map[uuid.UUID]*state{}, numbers: map[uint64]bool{}}
}

func (h *history) add(id uuid.UUID, r *events.Record) {
	s := h.records[id]
	if s == nil {
		s = &state{id: id, of: h, place: r.GetSourceSeq()}
		h.records[id] = s
	}
	if r.GetRevision() >= s.revision {
		s.revision, s.void = r.GetRevision(), r.GetVoidReason() != ""
		s.traits = traitsOf(r)
	}
	h.use(r.GetSourceSeq())
}

// restore notes that a void record is to count under this import, above the revision that another import knows.
func (h *history) restore(from *state) {
	s := h.records[from.id]
	if s == nil {
		s = &state{id: from.id, of: h, void: true}
		h.records[from.id] = s
	}
	s.revision, s.inFile, s.moved = max(s.revision, from.revision), true, false
}

// settleHolders notes which import holds each record that several have sent: the one of the highest revision, of equal ones the first by name.
func settleHolders(all map[string]*history) {
	if len(all) < 2 {
		return
	}
	holders := map[uuid.UUID]*state{}
	for _, source := range sorted(all) {
		for id, s := range all[source].records {
			held := holders[id]
			switch {
			case held == nil:
				holders[id] = s
			case s.revision > held.revision:
				held.moved, held.void, holders[id] = true, true, s
			default:
				s.moved, s.void = true, true
			}
		}
	}
}

func (h *history) use(number uint64) {
	h.numbers[number] = true
	h.highest = max(h.highest, number)
}

// holes are the numbers up to the highest that stand for nothing, ascending.
func (h *history) holes() []uint64 {
	var out []uint64
	for n := uint64(1); n < h.highest && len(out) < int(h.highest)-len(h.numbers); n++ {
		if !h.numbers[n] {
			out = append(out, n)
		}
	}
	return out
}

// place takes a number that a rejected row had, or the lowest that is free: where another row has it by now, or where the
// import has come to an end before it, so that those between would be missing.
func (h *history) place(number uint64) uint64 {
	if h.numbers[number] || h.Turn > 0 && number > h.highest+uint64(h.Rejected) {
		return h.allocator()()
	}
	h.use(number)
	return number
}

// occupied are the numbers in whose place a record counts.
func (h *history) occupied() map[uint64]bool {
	out := map[uint64]bool{}
	for _, s := range h.records {
		if !s.void {
			out[s.place] = true
		}
	}
	return out
}

// histories reads what the logs hold of the named imports, which are of one kind. each, when it is not nil, is called
// with every record of theirs, in the order of each log.
func (c *Cluster) histories(ctx context.Context, heads []Import, each func(*events.Record) error) (map[string]*history, error) {
	out := map[string]*history{}
	var spans []Span
	for _, head := range heads {
		out[head.Source] = newHistory(head)
		spans = append(spans, head.Spans...)
	}
	for _, span := range merged(spans) {
		err := c.read(ctx, topic(heads[0].Kind), span, func(r *events.Record) error {
			h := out[r.GetSourceId()]
			id, err := uuid.Parse(r.GetRecordId())
			if h == nil || err != nil {
				return nil //nolint:nilerr // another source's, or no record of ours
			}
			h.add(id, r)
			if each != nil {
				return each(r)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// merged are the spans, by partition and offset, without those that others hold.
func merged(spans []Span) []Span {
	var out []Span
	for _, s := range slices.SortedFunc(slices.Values(spans), func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.From, b.From))
	}) {
		last := len(out) - 1
		if last < 0 || out[last].Partition != s.Partition || out[last].To != openEnd && out[last].To < s.From {
			out = append(out, s)
			continue
		}
		if out[last].To != openEnd && (s.To == openEnd || s.To > out[last].To) {
			out[last].To = s.To
		}
	}
	return out
}

// read calls fn with each record of a span. What is no record belongs to no import.
func (c *Cluster) read(ctx context.Context, topic string, s Span, fn func(*events.Record) error) error {
	log, err := c.Open(topic, s.Partition)
	if err != nil {
		return err
	}
	defer log.Close()
	first, end, err := log.Bounds(ctx)
	if err != nil {
		return err
	}
	from, to := max(s.From, first), end
	if s.To != openEnd {
		to = min(s.To, end)
	}
	if from >= to {
		return nil
	}
	return log.Read(ctx, from, to, func(value []byte) error {
		opened, err := events.Open(value)
		if err != nil {
			return nil //nolint:nilerr // a message of another kind, which the consumer sets aside
		}
		return fn(opened.Record)
	})
}
