package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
)

// Claim is the right to write for one Kafka partition until somebody takes a larger epoch. It belongs to one goroutine.
//
// A process that was stopped may go on at any moment and write what it had begun, however late. Two rules make that
// harmless. An epoch belongs to one claim: whoever takes one writes that down, and only then looks whether anybody
// else has it. And each flush is announced before its first row, and given up when a newer claim is seen then: of a
// late writer and its successor at least one sees the other. Either the late one gives up, or its successor knows the
// offsets at which that flush ends, and makes a flush of its own end there. From there on the stored rows are those
// of the late flush, and whatever differs from them later is written under the newer epoch.
type Claim struct {
	store     *Store
	conn      bulk
	partition int
	epoch     uint32
	id        uuid.UUID
	consumer  string
	flushes   uint64
	last      *Entry // the ledger row of the flush before
}

// FencedError says that a claim holds no longer. Nothing of the flush that met it was written.
type FencedError struct {
	Partition int
	Epoch     uint32
	Why       string
}

func (e *FencedError) Error() string {
	return fmt.Sprintf("partition %d: epoch %d holds no longer: %s", e.Partition, e.Epoch, e.Why)
}

// IsFenced says whether err is that a claim holds no longer.
func IsFenced(err error) bool {
	var fenced *FencedError
	return errors.As(err, &fenced)
}

// claims are rows of retorno.claims.
type claims struct {
	block
	partition      *proto.ColUInt16
	epoch          *proto.ColUInt32
	claim          ids
	kind, consumer texts
	flush          numbers
	topics         *proto.ColArr[string]
	next           *proto.ColArr[uint64]
	at             times
}

func newClaims() *claims {
	c := &claims{}
	b := &c.block
	c.partition, c.epoch, c.claim = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "epoch", new(proto.ColUInt32)), col(b, "claim", newIDs())
	c.kind, c.flush, c.consumer = col(b, "kind", newTexts()), col(b, "flush", newNumbers()), col(b, "consumer", newTexts())
	c.topics = col(b, "topics", new(proto.ColStr).LowCardinality().Array())
	c.next = col(b, "next_offsets", proto.NewArray[uint64](new(proto.ColUInt64)))
	c.at = col(b, "claimed_at", newTimes())
	return c
}

// say writes one row: that the epoch is taken (kindClaim), or where the next flush ends (kindFlush).
func (c *Claim) say(ctx context.Context, kind string, next map[string]int64) error {
	row := newClaims()
	row.partition.Append(uint16(c.partition))
	row.epoch.Append(c.epoch)
	row.claim.Append(c.id)
	row.kind.Append(kind)
	row.flush.Append(c.flushes)
	row.consumer.Append(c.consumer)
	row.at.AppendRaw(proto.DateTime64(time.Now().UnixMilli()))
	var topics []string
	var offsets []uint64
	for topic, offset := range next {
		topics, offsets = append(topics, topic), append(offsets, uint64(offset))
	}
	row.topics.Append(topics)
	row.next.Append(offsets)
	return c.conn.do(ctx, ch.Query{Body: "INSERT INTO retorno.claims " + row.input.Columns() + " VALUES", Input: row.input, Settings: InsertSettings(1)})
}

const (
	kindClaim = "claim"
	kindFlush = "flush"
)

// Claim takes the next epoch of a Kafka partition: larger than any that the ledger, the claims or a derived row has.
// The error is *StopError, or tells that ctx has ended. Close the claim.
func (s *Store) Claim(ctx context.Context, partition int, consumer string) (*Claim, error) {
	c := &Claim{store: s, conn: bulk{store: s}, partition: partition, consumer: consumer}
	for {
		taken, err := s.newestEpoch(ctx, partition)
		if err != nil {
			return nil, err
		}
		c.epoch, c.id = taken+1, uuid.New()
		err = s.retry(ctx, "claim a partition", func() error {
			err := c.say(ctx, kindClaim, nil)
			if err == nil {
				err = c.check(ctx)
			}
			return err
		})
		if !IsFenced(err) {
			return c, err
		}
		// Somebody took the same epoch, or a newer one, in the same moment: both step back, not equally far.
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(rand.Int64N(int64(100 * time.Millisecond)))):
		}
	}
}

// newestEpoch is the largest epoch that anything stored for a partition bears. Derived rows are asked too: in a
// database that was put back they may be all that is left of an epoch.
func (s *Store) newestEpoch(ctx context.Context, partition int) (uint32, error) {
	query := "SELECT toUInt32(max(epoch)) FROM (SELECT toUInt64(max(epoch)) AS epoch FROM retorno.ledger WHERE kafka_partition = @p" +
		" UNION ALL SELECT toUInt64(max(epoch)) FROM retorno.claims WHERE kafka_partition = @p"
	for _, table := range []string{"returns", "assistance", "return_counts", "assistance_counts", "crossing_counts"} {
		query += " UNION ALL SELECT bitShiftRight(max(version), 40) FROM retorno." + table + " WHERE kafka_partition = @p"
	}
	var epoch uint32
	err := s.retry(ctx, "ask for the newest epoch", func() error {
		return s.conn.QueryRow(ctx, query+")", clickhouse.Named("p", uint16(partition))).Scan(&epoch)
	})
	return epoch, err
}

// Epoch is the epoch of the claim.
func (c *Claim) Epoch() uint32 { return c.epoch }

// Close gives the connection back. The claim stands until somebody takes a larger epoch.
func (c *Claim) Close() { c.conn.close() }

// Check says whether the claim still holds; the error is *FencedError when it does not.
func (c *Claim) Check(ctx context.Context) error {
	return c.store.retry(ctx, "check the claim", func() error { return c.check(ctx) })
}

// check asks over the claim's own connection. The claim holds when nobody has a newer epoch or the same one, and when
// what it wrote before is still there: otherwise the database was put back to an older state.
func (c *Claim) check(ctx context.Context) error {
	last := "toUInt64(1)"
	if c.last != nil {
		last = fmt.Sprintf("assumeNotNull((SELECT count() FROM retorno.ledger WHERE topic = '%s' AND kafka_partition = %d AND epoch = %d AND first_offset = %d AND next_offset = %d))",
			c.last.Topic, c.partition, c.epoch, c.last.FirstOffset, c.last.NextOffset)
	}
	var newest, others, own, before proto.ColUInt64
	err := c.conn.do(ctx, ch.Query{
		Body: fmt.Sprintf(`SELECT toUInt64(max(epoch)) AS newest, toUInt64(countIf(epoch = %[2]d AND claim != '%[3]s')) AS others,
			toUInt64(countIf(epoch = %[2]d AND claim = '%[3]s' AND kind = '%[4]s')) AS own, %[5]s AS before
			FROM retorno.claims WHERE kafka_partition = %[1]d AND epoch >= %[2]d`, c.partition, c.epoch, c.id, kindClaim, last),
		Settings: InsertSettings(1), // as of the inserts around it: to change settings costs as much as a query
		Result:   proto.Results{{Name: "newest", Data: &newest}, {Name: "others", Data: &others}, {Name: "own", Data: &own}, {Name: "before", Data: &before}},
	})
	if err != nil {
		return err
	}
	if newest.Rows() != 1 {
		return fmt.Errorf("the claims were answered with %d rows", newest.Rows())
	}
	fenced := &FencedError{Partition: c.partition, Epoch: c.epoch}
	switch {
	case newest[0] > uint64(c.epoch):
		fenced.Why = fmt.Sprintf("epoch %d was taken after it", newest[0])
	case others[0] > 0:
		fenced.Why = "another process took the same one"
	case own[0] == 0, before[0] == 0:
		fenced.Why = "what it wrote is not there any more: ClickHouse was put back to an older state"
	default:
		return nil
	}
	return fenced
}

// Announced are the ends of flushes that older epochs announced beyond the given positions and that may still be
// written, however late: by topic, the smallest first. Flushes of the new epoch must end at each of them. It is asked
// after the claim, so that whoever announces a flush later sees the claim and gives up.
func (c *Claim) Announced(ctx context.Context, from map[string]int64) ([]map[string]int64, error) {
	var all []map[string]int64
	err := c.store.retry(ctx, "read the announced flushes", func() error {
		all = nil
		rows, err := c.store.conn.Query(ctx, `SELECT topics, next_offsets FROM retorno.claims FINAL
			WHERE kafka_partition = ? AND epoch < ? AND kind = ? ORDER BY epoch DESC, claim`, uint16(c.partition), c.epoch, kindFlush)
		if err != nil {
			return err
		}
		defer rows.Close()
		// A flush of an older epoch that ends before a newer epoch's announcement was passed, or was announced
		// after that epoch was taken and given up.
		least := from
		for rows.Next() {
			var topics []string
			var offsets []uint64
			if err := rows.Scan(&topics, &offsets); err != nil {
				return err
			}
			end := map[string]int64{}
			for i, topic := range topics {
				end[topic] = int64(offsets[i])
			}
			if atLeast(end, least) {
				least = end
				all = append(all, end)
			}
		}
		return rows.Err()
	})
	all = slices.DeleteFunc(all, func(end map[string]int64) bool { return atLeast(from, end) })
	return all, err
}

// atLeast says whether no topic of a lies before b.
func atLeast(a, b map[string]int64) bool {
	for topic, offset := range b {
		if a[topic] < offset {
			return false
		}
	}
	return true
}
