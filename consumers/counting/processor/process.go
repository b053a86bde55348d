package processor

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// takeAll puts messages of one topic into the batch.
func (r *runner) takeAll(messages []stream.Message) {
	if len(messages) == 0 {
		return
	}
	records, first, run := 0, time.Time{}, r.runs[messages[0].Topic]
	for i := range messages {
		if m := &messages[i]; !m.Skipped {
			at := arrivedAt(m)
			if records++; records == 1 {
				first = at
			}
			run.arrived(at)
		}
		r.process(&messages[i])
	}
	r.books.read(r.shard.Partition(), messages[0].Topic, records, first)
	last := &messages[len(messages)-1]
	r.prints[last.Topic] = last.Fingerprint()
}

// process puts one message into the batch: into the state, or among the dead letters. An offset without a record is
// accounted for as such.
func (r *runner) process(m *stream.Message) {
	if r.pending == 0 {
		r.oldest = time.Now()
		r.due = r.dueAt(r.oldest)
	}
	r.pending++
	r.bytes += len(m.Key) + len(m.Value)
	r.next[m.Topic] = m.Offset + 1
	a := &r.runs[m.Topic].accounts
	if m.Skipped {
		a.Control++
		return
	}
	account, rejection := r.understand(m)
	if rejection != nil {
		r.letters = append(r.letters, letterOf(m, rejection))
		r.metrics.rejected(rejection.Code)
	}
	r.redriven(m, account)
	switch account {
	case accepted:
		a.Accepted++
	case duplicate:
		a.Duplicate++
	case superseded:
		a.Superseded++
	case rejected:
		a.Rejected++
	}
}

// redriven notes that a message is set aside, or says that it was and has been sent again. Whether it was is for those to
// judge who see all rows: what came first may have been read by another process.
func (r *runner) redriven(m *stream.Message, account account) {
	from, again := deadletter.RedrivenFrom(m)
	again = again && from.Partition < len(r.partitions)
	if !again && account != rejected {
		return
	}
	own, content := r.originOf(m), deadletter.Content(m.Key, m.Value)
	if again {
		r.flush.Redriven(ledger.Origin{Topic: from.Topic, Partition: from.Partition, Offset: from.Offset}, own, account.String(), content)
		r.books.redrive(r.shard.Partition(), m.Topic)
	}
	if account == rejected {
		r.flush.Redriven(own, own, account.String(), content)
	}
}

func (r *runner) originOf(m *stream.Message) ledger.Origin {
	return ledger.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Log: r.logs[m.Topic]}
}

// letterOf sets a message aside as it came.
func letterOf(m *stream.Message, why *events.Rejection) deadletter.Letter {
	return deadletter.Letter{
		Origin: deadletter.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset},
		Key:    m.Key, Value: m.Value, Headers: m.Headers, Time: m.Time, At: time.Now(),
		Code: why.Code, Field: why.Field, Detail: why.Detail,
	}
}

// understand reads a message and merges it. A rejection goes with the account rejected, and only with it.
func (r *runner) understand(m *stream.Message) (account, *events.Rejection) {
	if m.Unreadable != "" {
		return rejected, &events.Rejection{Code: events.CodeUnreadable, Detail: m.Unreadable}
	}
	f, origin := &r.fields, r.originOf(m)
	if events.Read(m.Value, f) {
		r.flush.Sending(origin, f.Source, f.SourceSeq, f.SentAtMs, f.ClockOffsetMs)
	} else if rejection := r.readAtLength(m, origin); rejection != nil {
		return rejected, rejection
	}
	if rejection := r.misfiled(m, f); rejection != nil {
		return rejected, rejection
	}
	fact := reconcile.FactFrom(f)
	account, conflict := r.tally.merge(f.Person, &fact)
	if conflict {
		r.metrics.conflicts.Inc()
		r.metrics.conflictsOf.inc(f.Source)
	}
	if account != accepted && r.stored != nil && r.stored.Stored(origin) {
		account = accepted // when it was read before, the other topic stood elsewhere; the ledger accounts for the row
	}
	if account == accepted {
		r.flush.Fact(store.FactRow{Fields: f, Fact: &fact, Origin: origin})
		if fact.Future {
			r.metrics.future.Inc()
			r.metrics.futureOf.inc(f.Source)
		} else if f.SentAtMs-f.EventMs > lateAfter.Milliseconds() {
			r.metrics.late.Inc()
			r.metrics.lateOf.inc(f.Source)
		}
	}
	return account, nil
}

// readAtLength reads a message that is not of the usual form, or says why it cannot be a fact. A source's number has
// arrived even when the rest of its record cannot be counted.
func (r *runner) readAtLength(m *stream.Message, origin ledger.Origin) *events.Rejection {
	opened, err := events.Open(m.Value)
	if err != nil {
		return asRejection(err)
	}
	rec := opened.Record
	faults := events.Validate(rec)
	if rec.GetSourceId() != "" && !touches(faults, "source_id", "source_seq") {
		r.flush.Sending(origin, []byte(rec.GetSourceId()), rec.GetSourceSeq(), opened.SentAtMs, opened.ClockOffsetMs)
	}
	if rejection := events.AsRejection(faults); rejection != nil {
		return rejection
	}
	if r.fields, err = events.FieldsOf(&opened); err != nil {
		return asRejection(err)
	}
	return nil
}

func touches(faults []events.Fault, fields ...string) bool {
	for _, f := range faults {
		for _, field := range fields {
			if f.Field == field {
				return true
			}
		}
	}
	return false
}

// misfiled refuses a record that was sent to another topic, under another key than its own, or by a producer that
// places keys otherwise: the facts of one person would be counted in two places.
func (r *runner) misfiled(m *stream.Message, f *events.Fields) *events.Rejection {
	if topic := f.Topic(); topic != m.Topic {
		return &events.Rejection{Code: events.CodeMisfiled, Field: "body", Detail: "such a record belongs to topic " + topic}
	}
	if !bytes.Equal(f.Key, m.Key) {
		return &events.Rejection{Code: events.CodeMisfiled, Field: "person_key", Detail: "the message's key is not the record's key"}
	}
	if p := stream.PartitionOf(m.Key, r.partitions); p != m.Partition {
		return &events.Rejection{Code: events.CodeMisfiled, Detail: fmt.Sprintf("the key belongs in partition %d: the producer must place keys by murmur2", p)}
	}
	return nil
}

func asRejection(err error) *events.Rejection {
	var rejection *events.Rejection
	if errors.As(err, &rejection) {
		return rejection
	}
	return &events.Rejection{Code: events.CodeMalformed, Detail: err.Error()}
}
