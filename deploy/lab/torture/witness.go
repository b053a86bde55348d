package torture

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/counting/store"
)

// witness keeps what was seen published, and looks whether it stays.
type witness struct {
	key     ed25519.PublicKey // that signs
	mu      sync.Mutex
	seen    map[uuid.UUID]*vintage
	damages []time.Time // when a table alone was restored or lost a part
	faults  []string
}

// look reads each vintage that is new, asks whether it is whole, and whether those seen before are still there.
func (w *witness) look(ctx context.Context, s *store.Store) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows, err := s.Conn().Query(ctx, "SELECT id, period, vintage FROM ceniss.publications")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	there, names := map[uuid.UUID]bool{}, map[string]bool{}
	for rows.Next() {
		var id uuid.UUID
		var period string
		var number uint64
		if err := rows.Scan(&id, &period, &number); err != nil {
			return err
		}
		name := fmt.Sprintf("%s/%d", period, number)
		if there[id] || names[name] {
			w.faults = append(w.faults, fmt.Sprintf("two publications are vintage %s", name))
		}
		there[id], names[name] = true, true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for id := range there {
		if w.seen[id] != nil {
			continue
		}
		v, err := readVintage(ctx, s, id)
		if err != nil {
			return err
		}
		w.seen[id] = v
		w.faults = append(w.faults, v.incomplete(ctx, w.key)...)
	}
	for id, v := range w.seen {
		if !there[id] && !v.undone && !v.gone {
			v.gone = true
			w.faults = append(w.faults, fmt.Sprintf("vintage %s is gone", v.name))
		}
	}
	return nil
}

// look looks at what is published, if ClickHouse answers. The engine may not be changed meanwhile.
func (m *machine) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s, err := m.store()
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	_ = m.witness.look(ctx, s)
}

// watchVintages looks again and again until ctx ends.
func (m *machine) watchVintages(ctx context.Context) {
	for pause(ctx, 300*time.Millisecond) == nil {
		m.engineMu.Lock()
		m.look(ctx)
		m.engineMu.Unlock()
	}
}

// known are the vintages that were seen and are still to be there.
func (w *witness) known() map[uuid.UUID]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := map[uuid.UUID]bool{}
	for id, v := range w.seen {
		if !v.undone {
			ids[id] = true
		}
	}
	return ids
}

// restored notes that ClickHouse was restored to when it had these. What a table had lost then is lost again.
func (w *witness) restored(had map[uuid.UUID]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, v := range w.seen {
		v.undone = v.undone || !had[id]
	}
	if len(w.damages) > 0 {
		w.damages = append(w.damages, time.Now())
	}
}

// damaged notes that a table alone is about to be changed.
func (w *witness) damaged() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.damages = append(w.damages, time.Now())
}

// wasDamaged reports whether a table alone was changed.
func (w *witness) wasDamaged() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.damages) > 0
}
