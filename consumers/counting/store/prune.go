package store

import (
	"context"
	"fmt"
	"strings"

	"retorno/consumers/counting/ledger"
)

// Prune deletes rows of the ledger and of the claims that hold no longer, so that reading a position costs the same after
// ten years: flushes that lie inside one of the folded rows, what older epochs wrote of the offsets from which this epoch
// has read itself (the offsets of the rows from), and the claims of older epochs. Nothing depends on it: rows that hold no longer are passed over
// wherever they stand.
func (c *Claim) Prune(ctx context.Context, folded, from []ledger.Entry) error {
	var gone []string
	for _, e := range folded {
		gone = append(gone, fmt.Sprintf("topic = '%s' AND log = %d AND epoch = %d AND first_offset > %d AND next_offset <= %d", e.Topic, e.Log, c.epoch, e.FirstOffset, e.NextOffset))
	}
	for _, e := range from {
		gone = append(gone, fmt.Sprintf("topic = '%s' AND log = %d AND epoch < %d AND next_offset > %d", e.Topic, e.Log, c.epoch, e.FirstOffset))
	}
	if len(gone) > 0 {
		if err := c.delete(ctx, "retorno.ledger", "("+strings.Join(gone, ") OR (")+")"); err != nil {
			return err
		}
	}
	if len(from) == 0 {
		return nil
	}
	return c.delete(ctx, "retorno.claims", fmt.Sprintf("epoch < %d", c.epoch))
}

// delete deletes rows of the claim's Kafka partition.
func (c *Claim) delete(ctx context.Context, table, where string) error {
	if err := c.store.conn.Exec(ctx, fmt.Sprintf("ALTER TABLE %s DELETE WHERE kafka_partition = %d AND (%s)", table, c.partition, where)); err != nil {
		return classify("delete rows of "+table+" that hold no longer", err)
	}
	return nil
}
