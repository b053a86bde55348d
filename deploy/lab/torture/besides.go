package torture

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/register"
)

// besides is what faults send beside the register, and what must come of it: the register's truth and this are all that
// is true. It is filled while the faults are made, and read when they are over.
type besides struct {
	sent      int // messages, copies included
	returns   []register.Return
	helps     map[register.HelpCell]int
	crossings map[register.CrossingCell]int
	sources   []register.Source
	rejected  map[string]int     // how many are set aside, by cause
	causes    map[string]string  // of hostile messages, by identity: the cause for which each is set aside; "": it is not
	stored    map[uuid.UUID]bool // records of hostile senders that are stored; true: held, because they lie in the future
}

func newBesides() besides {
	return besides{helps: map[register.HelpCell]int{}, crossings: map[register.CrossingCell]int{}, rejected: map[string]int{},
		causes: map[string]string{}, stored: map[uuid.UUID]bool{}}
}

// identity tells a message from others.
func identity(key, value []byte) string { return fmt.Sprintf("%d %s %s", len(key), key, value) }

// make makes one fault: what sends something besides the register here, everything else at the machine.
func (r *run) make(ctx context.Context, s step) error {
	switch s.kind {
	case Hot:
		return r.sendHot(ctx, s)
	case Hostile:
		return r.sendHostile(ctx, s)
	}
	return r.machine.make(ctx, s)
}

// returnCells adds the cells of the returns that were sent besides.
func (b *besides) returnCells(cells map[register.ReturnCell]register.ReturnCount) map[register.ReturnCell]register.ReturnCount {
	for _, x := range b.returns {
		cells[x.Cell()] = cells[x.Cell()].Plus(x.Registered, x.Checkpoint)
	}
	return cells
}

// added adds counts to those of the register.
func added[C comparable](to, more map[C]int) map[C]int {
	for c, n := range more {
		to[c] += n
	}
	return to
}

// askSources asks whether each computer's numbers are those that it sent, whatever others say of themselves, and whether
// each is as silent as the latest sending that can be makes it: a hostile one's time measures no one else.
func (r *run) askSources(ctx context.Context, s *store.Store, o *Oracle) error {
	want := map[string]register.Source{}
	for _, one := range slices.Concat(r.made.Truth().Sources, r.besides.sources) {
		if one.HighestSeq > 0 {
			want[one.ID] = one
		}
	}
	rows, err := s.Conn().Query(ctx, `SELECT source, highest_contiguous_seq, highest_seq, missing, impossible_times = received
			OR round(silent_hours * 3600000) = toUnixTimestamp64Milli(newest) - toUnixTimestamp64Milli(last_seen)
		FROM ceniss.sources, (SELECT max(sent_at) AS newest FROM retorno.sendings WHERE NOT startsWith(source_id, ?)) AS honest`, hostileName)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var x register.Source
		var measured bool
		if err := rows.Scan(&x.ID, &x.HighestContiguousSeq, &x.HighestSeq, &x.Missing, &measured); err != nil {
			return err
		}
		if w := want[x.ID]; w != x {
			o.Faults = append(o.Faults, fmt.Sprintf("source %+v, in truth %+v", x, w))
		}
		if !measured {
			o.Faults = append(o.Faults, fmt.Sprintf("the silence of source %s is not measured from the latest honest sending", x.ID))
		}
		delete(want, x.ID)
	}
	for id, w := range want {
		o.Faults = append(o.Faults, fmt.Sprintf("source %s is missing, in truth %+v", id, w))
	}
	return rows.Err()
}

// askStored asks whether of the hostile senders' records exactly those are stored that should be, and held those that
// lie in the future; and that no header made a message another one's copy.
func (r *run) askStored(ctx context.Context, s *store.Store, o *Oracle) error {
	want := maps.Clone(r.besides.stored)
	rows, err := s.Conn().Query(ctx, "SELECT record_id, future = 1, source_id FROM retorno.latest_facts WHERE startsWith(source_id, ?)", hostileName)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var held bool
		var source string
		if err := rows.Scan(&id, &held, &source); err != nil {
			return err
		}
		if w, ok := want[id]; !ok || w != held {
			o.Faults = append(o.Faults, fmt.Sprintf("record %s of %s is stored (held: %t), to be stored: %t, to be held: %t", id, source, held, ok, w))
		}
		delete(want, id)
	}
	for id := range want {
		o.Faults = append(o.Faults, fmt.Sprintf("record %s of a hostile sender is not stored", id))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	var records, copies uint64
	if err := s.Conn().QueryRow(ctx, "SELECT toUInt64(sum(records)), toUInt64(sum(redriven)) FROM retorno.record_accounts").Scan(&records, &copies); err != nil {
		return err
	}
	if read := r.report.Accounts.Read(); records != read || copies != 0 {
		o.Faults = append(o.Faults, fmt.Sprintf("%d messages were read, %d records are accounted for, %d as sent again: none was", read, records, copies))
	}
	return nil
}

// idOf mints a UUIDv7 of that time; milliseconds since 1970-01-01 UTC.
func idOf(ms int64, rnd *rand.Rand) (id uuid.UUID) {
	for i := range id {
		id[i] = byte(rnd.Uint32())
	}
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return id
}
