package torture

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"retorno/consumers/counting/store"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// farthest is how far a source's clock may be off, ahead or behind.
const farthest = 400 * 24 * time.Hour

// clocks are those of the sources. While they step, what was just sent is sent once more, the same records under the
// same sending time, each with another clock offset: the offset is for people to look at, and must move no number.
// Sending times are the broker's, corrected by the agent: a wrong clock does not change them, nor what is in the future.
type clocks struct {
	mu    sync.Mutex
	until time.Time
	rnd   *rand.Rand
}

// step lets the clocks step as long as the fault lasts.
func (c *clocks) step(s step) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rnd = rand.New(rand.NewPCG(s.pick, 23))
	if until := time.Now().Add(s.lasts); until.After(c.until) {
		c.until = until
	}
}

// again makes the copies of what was just sent; none unless the clocks step. What cannot be opened is left out, as no
// source could seal it again.
func (c *clocks) again(sent []producer.Message) []producer.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().After(c.until) {
		return nil
	}
	var copies []producer.Message
	for _, m := range sent {
		was, err := events.Open(m.Value)
		if err != nil {
			continue
		}
		offset := time.Duration(c.rnd.Int64N(int64(2*farthest))) - farthest
		value, err := events.Seal(was.Record, was.SentAtMs, offset.Milliseconds())
		if err != nil {
			continue
		}
		// Another order of its fields would make another content of the same revision, which is no copy.
		if is, err := events.Open(value); err == nil && is.ContentHash == was.ContentHash {
			copies = append(copies, producer.Message{Topic: m.Topic, Key: m.Key, Value: value})
		}
	}
	return copies
}

// clockOffset is the largest offset of a source's clock that is stored; hostile senders have none.
func clockOffset(ctx context.Context, s *store.Store) (time.Duration, error) {
	var ms int64
	err := s.Conn().QueryRow(ctx, "SELECT toInt64(max(abs(clock_offset_ms))) FROM retorno.sendings WHERE NOT startsWith(source_id, ?)", hostileName).Scan(&ms)
	return time.Duration(ms) * time.Millisecond, err
}
