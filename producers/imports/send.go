package imports

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"retorno/producers/importer"
	"retorno/schemas/events"
)

const (
	// leaseTime is how long an import that has begun is waited for since it last said that it goes on.
	leaseTime = 6 * time.Second
	// sayEvery is how often one says so.
	sayEvery = 2 * time.Second
	// lookEvery is how often one that waits looks.
	lookEvery = 200 * time.Millisecond
)

// settled reads the accounts of all imports, and waits for the relevant ones that another program is sending.
func (c *Cluster) settled(ctx context.Context, relevant func(Import) bool) (map[string]Import, error) {
	began := c.now()
	for {
		heads, err := c.heads(ctx)
		if err != nil {
			return nil, err
		}
		now, busy := c.now(), false
		for _, h := range heads {
			busy = busy || h.State == StateSending && relevant(h) && now.Sub(h.At) < leaseTime && now.Sub(began) < leaseTime
		}
		if !busy {
			return heads, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// Outbox takes records to be sent.
type Outbox struct {
	Put   func(ctx context.Context, r *events.Record) error
	Flush func(ctx context.Context) error // returns when all are acknowledged
}

// sending is a plan that is carried out.
type sending struct {
	*Plan
	out   Outbox
	logs  []Log
	said  time.Time
	at    int64 // when revisions are recorded; milliseconds since 1970
	heads map[string]*Import
	apart map[string]int // rows sent from a file of rejected rows, by source
}

// Send carries the plan out and keeps its account. After an error the same file is to be imported once more: what was sent
// is found then, and nothing is counted twice. *OvertakenError: another program imports the same.
func (p *Plan) Send(ctx context.Context, out Outbox) error {
	s := &sending{Plan: p, out: out, heads: map[string]*Import{}, apart: map[string]int{}, at: p.cluster.now().UnixMilli()}
	if !p.changes() {
		return nil
	}
	defer s.close()
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.rows(ctx); err != nil {
		return err
	}
	for _, source := range sorted(p.sources) {
		if err := s.rest(ctx, p.sources[source]); err != nil {
			return err
		}
	}
	if err := out.Flush(ctx); err != nil {
		return err
	}
	return s.end(ctx)
}

// changes reports whether anything is to be sent or told.
func (p *Plan) changes() bool {
	for _, h := range p.sources {
		if h.State == StateSending || p.whole && p.Known && len(h.holes()) > 0 {
			return true
		}
	}
	return p.New+p.Revised+p.Restored+p.Voided > 0
}

// begin says in the accounts that sending begins, and where in the logs.
func (s *sending) begin(ctx context.Context) error {
	now, err := s.cluster.heads(ctx)
	if err != nil {
		return err
	}
	var spans []Span
	for partition := range s.cluster.Partitions {
		log, err := s.cluster.Open(topic(s.kind), partition)
		if err != nil {
			return err
		}
		s.logs = append(s.logs, log)
		_, end, err := log.Bounds(ctx)
		if err != nil {
			return err
		}
		spans = append(spans, Span{Partition: partition, From: end, To: openEnd})
	}
	for _, source := range sorted(s.sources) {
		head := s.sources[source].Import
		if now[source].Turn != head.Turn {
			return &OvertakenError{Source: source}
		}
		head.Turn++
		head.By, head.State, head.Spans = nonce(), StateSending, merged(slices.Concat(head.Spans, spans))
		if s.file != nil && !s.file.Mended {
			sum := s.file.Summary
			if head.First == "" || sum.First != "" && sum.First < head.First {
				head.First = sum.First
			}
			head.Last = max(head.Last, sum.Last)
			head.Prints, head.Shape = s.prints, s.shape
			for share := range s.shares {
				if !slices.Contains(head.Shares, share) {
					head.Shares = append(head.Shares, share)
				}
			}
			slices.Sort(head.Shares)
		}
		s.heads[source] = &head
	}
	return s.say(ctx)
}

// say keeps the accounts as they are, so that others see that sending goes on.
func (s *sending) say(ctx context.Context) error {
	s.said = s.cluster.now()
	for _, source := range slices.Sorted(maps.Keys(s.heads)) {
		head := s.heads[source]
		head.At = s.said
		if err := s.cluster.keep(ctx, *head); err != nil {
			return err
		}
	}
	return s.held(ctx)
}

// held fails when another program has begun to import one of the sources.
func (s *sending) held(ctx context.Context) error {
	now, err := s.cluster.heads(ctx)
	if err != nil {
		return err
	}
	for source, head := range s.heads {
		if now[source].By != head.By {
			return &OvertakenError{Source: source}
		}
	}
	return nil
}

// put sends a record as a revision under a number of its source.
func (s *sending) put(ctx context.Context, r *events.Record, h *history, number uint64) error {
	r.SourceId, r.SourceSeq = h.Source, number
	id, err := uuid.Parse(r.GetRecordId())
	if err != nil {
		return err
	}
	if err := s.out.Put(ctx, r); err != nil {
		return err
	}
	h.add(id, r)
	h.records[id].inFile = true
	s.heads[h.Source].days(r)
	if s.cluster.now().Sub(s.said) < sayEvery {
		return nil
	}
	return s.say(ctx)
}

// rows sends what the file has and the import has not.
func (s *sending) rows(ctx context.Context) error {
	if s.file == nil {
		return nil
	}
	i := -1
	return s.file.Each(ctx, func(row importer.Row) error {
		i++
		source := s.Source
		if s.file.Mended {
			source = row.Origin.Source
		}
		h := s.sources[source]
		fate := s.fates[i]
		if fate != fateSend && fate != fateRevise {
			return nil
		}
		if s.file.Mended {
			s.apart[source]++
		}
		if id, other := s.as[i]; other {
			row.Record.RecordId = id.String()
		}
		if fate == fateRevise {
			id, err := uuid.Parse(row.Record.GetRecordId())
			if err != nil {
				return err
			}
			row.Record.Revision, row.Record.RecordedTimeMs = h.records[id].revision+1, s.at
		}
		return s.put(ctx, row.Record, h, s.numbers[i])
	})
}

// rest voids what the file lacks, and closes the numbers of an import that stand for nothing.
func (s *sending) rest(ctx context.Context, h *history) error {
	gone := map[uuid.UUID]uint32{} // records to void, and their revision
	for id, state := range h.records {
		if state.gone {
			gone[id] = state.revision
		}
	}
	if len(gone) == 0 && (!s.whole || len(h.holes()) == 0) {
		return nil
	}
	if err := s.out.Flush(ctx); err != nil { // what was sent just now is read, too
		return err
	}
	free := h.allocator()
	var pattern *events.Record // some record
	_, err := s.cluster.histories(ctx, []Import{*s.heads[h.Source]}, func(r *events.Record) error {
		id, err := uuid.Parse(r.GetRecordId())
		if err != nil {
			return err
		}
		if revision, wanted := gone[id]; wanted && revision == r.GetRevision() {
			delete(gone, id)
			r.Revision, r.VoidReason, r.RecordedTimeMs = revision+1, s.reason, s.at
			if err := s.put(ctx, r, h, free()); err != nil {
				return err
			}
		}
		pattern = r
		return nil
	})
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		return fmt.Errorf("import %s: %d records to take back are not in the log", h.Source, len(gone))
	}
	if !s.whole || pattern == nil {
		return nil
	}
	for _, number := range h.holes() {
		if err := s.put(ctx, closed(pattern, h.Source, number, s.at), h, number); err != nil {
			return err
		}
	}
	return nil
}

// closed is a record that stands for a number without a row: void from its first revision on, so that it never counts, and of
// no person. pattern lends it what a record must state.
func closed(pattern *events.Record, source string, number uint64, at int64) *events.Record {
	r := proto.CloneOf(pattern)
	r.RecordId = importer.RecordID(r.GetEventTimeMs(), sha256.Sum256(fmt.Appendf(nil, "retorno closed number\n%s\n%d", source, number)), 1)
	r.Revision, r.VoidReason, r.PersonKey, r.RecordedTimeMs = 1, "entered_in_error", "", at
	return r
}

// end keeps the accounts of what there is now.
func (s *sending) end(ctx context.Context) error {
	if err := s.held(ctx); err != nil {
		return err
	}
	for i, log := range s.logs {
		_, end, err := log.Bounds(ctx)
		if err != nil {
			return err
		}
		for _, head := range s.heads {
			for j := range head.Spans {
				if span := &head.Spans[j]; span.Partition == i && span.To == openEnd {
					span.To = end
				}
			}
		}
	}
	for source, head := range s.heads {
		head.State, head.Counted, head.Void = StateSent, 0, 0
		head.Spans = slices.DeleteFunc(head.Spans, func(s Span) bool { return s.From == s.To })
		for _, state := range s.sources[source].records {
			switch {
			case !state.void:
				head.Counted++
			case state.revision > 1: // else it closes a number
				head.Void++
			}
		}
		if head.Counted == 0 && head.Void > 0 {
			head.State = StateVoid
		}
		switch {
		case s.file == nil:
			head.Rejected, head.Apart = 0, 0
		case s.file.Mended:
			head.Rejected, head.Apart = max(0, head.Rejected-s.apart[source]), head.Apart+s.apart[source]
		default:
			head.Rejected, head.Apart = len(s.Rejected), min(head.Apart, s.Absent)
		}
	}
	return s.say(ctx)
}

func (s *sending) close() {
	for _, log := range s.logs {
		log.Close()
	}
}
