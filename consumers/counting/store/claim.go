package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/store/column"
)

// Claim is the right to write for one Kafka partition until another process takes a larger epoch. It belongs to one goroutine.
//
// A process that was stopped may go on at any moment and write what it had begun, however late. Two rules make that
// harmless. An epoch belongs to one claim: a process that takes one writes that down, and only then looks whether another
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
	logs      map[string]int // by topic: see Origin.Log
	flushes   uint64
	last      *ledger.Entry // the ledger row of the flush before
	server    *server       // who answered when it was taken
	first     bool          // nothing was stored of the partition when it was claimed, so there is nothing to be read
	closed    bool
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

// IsFenced reports whether err is that a claim holds no longer.
func IsFenced(err error) bool {
	var fenced *FencedError
	return errors.As(err, &fenced)
}

// LastEpoch is the largest epoch that fits into the version of a derived row beside the number of the write: 24 bits.
const LastEpoch = 1<<24 - 1

// EpochsError reports that a Kafka partition has used up its epochs. It is a stop: under a larger one each write would lose
// to what is stored.
type EpochsError struct {
	Partition int
	Taken     uint32
}

func (e *EpochsError) Error() string {
	return fmt.Sprintf("partition %d: epoch %d is taken and the last one is %d: drop the derived tables and the ledger, keep retorno.publications and retorno.published_counts, run `retorno migrate`, and let everything be counted again from Kafka", e.Partition, e.Taken, uint32(LastEpoch))
}

// server is a ClickHouse process.
type server struct {
	host  string
	began int64 // when it was started, in seconds since 1970, give or take the rounding of its answer
}

// same reports whether two answers came from the same process.
func (s *server) same(t *server) bool {
	return s.host == t.host && max(s.began-t.began, t.began-s.began) <= 2
}

// claims are rows of retorno.claims.
type claims struct {
	block
	partition      *proto.ColUInt16
	epoch          *proto.ColUInt32
	claim          ids
	kind, consumer *column.Names
	flush          numbers
	topics         *proto.ColArr[string]
	next           *proto.ColArr[uint64]
	logs           *proto.ColArr[uint16]
	at             times
}

func newClaims() *claims {
	c := &claims{}
	b := &c.block
	c.partition, c.epoch, c.claim = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "epoch", new(proto.ColUInt32)), col(b, "claim", newIDs())
	c.kind, c.flush, c.consumer = col(b, "kind", column.NewNames()), col(b, "flush", newNumbers()), col(b, "consumer", column.NewNames())
	c.topics = col(b, "topics", new(proto.ColStr).LowCardinality().Array())
	c.next = col(b, "next_offsets", proto.NewArray[uint64](new(proto.ColUInt64)))
	c.logs = col(b, "logs", proto.NewArray[uint16](new(proto.ColUInt16)))
	c.at = col(b, "claimed_at", newTimes())
	return c
}

// add adds that the epoch is taken (kindClaim), or where the next flush ends (kindFlush).
func (row *claims) add(c *Claim, kind string, next map[string]int64) {
	row.partition.Append(uint16(c.partition))
	row.epoch.Append(c.epoch)
	row.claim.Append(c.id)
	row.kind.Append(kind)
	row.flush.Append(c.flushes)
	row.consumer.Append(c.consumer)
	row.at.AppendRaw(proto.DateTime64(time.Now().UnixMilli()))
	var topics []string
	var offsets []uint64
	var logs []uint16
	for topic, offset := range next {
		topics, offsets, logs = append(topics, topic), append(offsets, uint64(offset)), append(logs, uint16(c.logs[topic]))
	}
	row.topics.Append(topics)
	row.next.Append(offsets)
	row.logs.Append(logs)
}

// takeovers are rows of retorno.takeovers.
type takeovers struct {
	block
	partition, log  *proto.ColUInt16
	epoch           *proto.ColUInt32
	claim           ids
	topic, consumer *column.Names
	from            numbers
	at              times
}

func newTakeovers() *takeovers {
	t := &takeovers{}
	b := &t.block
	t.partition, t.epoch, t.claim = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "epoch", new(proto.ColUInt32)), col(b, "claim", newIDs())
	t.topic, t.log, t.from = col(b, "topic", column.NewNames()), col(b, "log", new(proto.ColUInt16)), col(b, "read_from", newNumbers())
	t.consumer, t.at = col(b, "consumer", column.NewNames()), col(b, "taken_at", newTimes())
	return t
}

func (t *takeovers) add(c *Claim, topic string, log int, from int64) {
	t.partition.Append(uint16(c.partition))
	t.epoch.Append(c.epoch)
	t.claim.Append(c.id)
	t.topic.Append(topic)
	t.log.Append(uint16(log))
	t.from.Append(uint64(from))
	t.consumer.Append(c.consumer)
	t.at.AppendRaw(proto.DateTime64(time.Now().UnixMilli()))
}

// write writes the rows.
func (row *claims) write(ctx context.Context, conn *bulk) error {
	return conn.do(ctx, Insert("retorno.claims", []proto.Input{row.input}))
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
		taken, empty, err := s.newestEpoch(ctx, partition)
		if err != nil {
			return nil, err
		}
		if taken >= LastEpoch {
			return nil, &EpochsError{Partition: partition, Taken: taken}
		}
		c.epoch, c.id, c.first = taken+1, uuid.New(), empty
		err = s.retry(ctx, "claim a partition", func() error {
			row := newClaims()
			row.add(c, kindClaim, nil)
			if err := row.write(ctx, &c.conn); err != nil {
				return err
			}
			return c.check(ctx)
		})
		if err == nil {
			s.writer.opened(1)
			return c, nil
		}
		c.conn.close()
		if !IsFenced(err) {
			return nil, err
		}
		// Another process took the same epoch, or a newer one, in the same moment: both step back, not equally far.
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(rand.Int64N(int64(100 * time.Millisecond)))):
		}
	}
}

// newestEpoch is the largest epoch that anything stored for a partition bears, and whether nothing at all is stored.
// Derived rows are asked too: in a database that was restored they, or facts, may be all that is left of an epoch.
func (s *Store) newestEpoch(ctx context.Context, partition int) (epoch uint32, empty bool, err error) {
	query := "SELECT toUInt32(max(epoch)), sum(rows) = 0 FROM (SELECT toUInt64(max(epoch)) AS epoch, count() AS rows FROM retorno.ledger WHERE kafka_partition = @p" +
		" UNION ALL SELECT toUInt64(max(epoch)), count() FROM retorno.claims WHERE kafka_partition = @p" +
		" UNION ALL SELECT 0, count() FROM retorno.facts WHERE kafka_partition = @p"
	for _, table := range []string{"returns", "assistance", "return_counts", "assistance_counts", "crossing_counts"} {
		query += " UNION ALL SELECT bitShiftRight(max(version), 40), count() FROM retorno." + table + " WHERE kafka_partition = @p"
	}
	err = s.retry(ctx, "ask for the newest epoch", func() error {
		var none uint8
		err := s.conn.QueryRow(ctx, query+")", clickhouse.Named("p", uint16(partition))).Scan(&epoch, &none)
		empty = none != 0
		return err
	})
	return epoch, empty, err
}

// Epoch is the epoch of the claim.
func (c *Claim) Epoch() uint32 { return c.epoch }

// Close gives the connection back. The claim stands until another process takes a larger epoch.
func (c *Claim) Close() {
	c.conn.close()
	if !c.closed {
		c.closed = true
		c.store.writer.opened(-1)
	}
}

// Check reports whether the claim still holds; the error is *FencedError when it does not.
func (c *Claim) Check(ctx context.Context) error {
	return c.store.retry(ctx, "check the claim", func() error { return c.check(ctx) })
}

func (c *Claim) check(ctx context.Context) error {
	fenced, err := fencedOf(ctx, &c.conn, c)
	if err != nil {
		return err
	}
	if fenced[c] != nil {
		return fenced[c]
	}
	return nil
}

// fencedOf asks which of the claims, of which no two are of one Kafka partition, hold no longer. A claim holds when
// no process has a newer epoch or the same one, when what it wrote before is still there, and when the process of
// ClickHouse is the one that answered when it was taken: one that was started again may have lost what its host had not
// written to disk, and another replica may lag.
func fencedOf(ctx context.Context, conn *bulk, all ...*Claim) (map[*Claim]*FencedError, error) {
	var of, epochs, ids, ledger []string
	for _, c := range all {
		of = append(of, fmt.Sprintf("(kafka_partition = %d AND epoch >= %d)", c.partition, c.epoch))
		epochs = append(epochs, fmt.Sprintf("(%d,%d)", c.partition, c.epoch))
		ids = append(ids, "'"+c.id.String()+"'")
		if c.last != nil {
			ledger = append(ledger, fmt.Sprintf("('%s',%d,%d,%d,%d)", c.last.Topic, c.partition, c.epoch, c.last.FirstOffset, c.last.NextOffset))
		}
	}
	written := "CAST([], 'Array(UInt16)')"
	if len(ledger) > 0 {
		written = "(SELECT groupArray(kafka_partition) FROM retorno.ledger WHERE (topic, kafka_partition, epoch, first_offset, next_offset) IN (" + strings.Join(ledger, ",") + "))"
	}
	var partition proto.ColUInt16
	var newest, others, own, before proto.ColUInt64
	var host proto.ColStr
	var began proto.ColInt64
	err := conn.do(ctx, ch.Query{
		Body: fmt.Sprintf(`WITH %[1]s AS written SELECT kafka_partition, toUInt64(max(epoch)) AS newest,
			toUInt64(countIf((kafka_partition, epoch) IN (%[2]s) AND claim NOT IN (%[3]s))) AS others,
			toUInt64(countIf(claim IN (%[3]s) AND kind = '%[4]s')) AS own, toUInt64(has(written, kafka_partition)) AS before,
			hostName() AS host, toInt64(toUnixTimestamp(now())) - toInt64(uptime()) AS began
			FROM retorno.claims WHERE %[5]s GROUP BY kafka_partition`,
			written, strings.Join(epochs, ","), strings.Join(ids, ","), kindClaim, strings.Join(of, " OR ")),
		Settings: settings(0),
		Result: proto.Results{{Name: "kafka_partition", Data: &partition}, {Name: "newest", Data: &newest}, {Name: "others", Data: &others},
			{Name: "own", Data: &own}, {Name: "before", Data: &before}, {Name: "host", Data: &host}, {Name: "began", Data: &began}},
	})
	if err != nil {
		return nil, err
	}
	fenced := map[*Claim]*FencedError{}
	for _, c := range all {
		why := "what it wrote is not there any more: ClickHouse was restored to an older state"
		if i := slices.Index(partition, uint16(c.partition)); i >= 0 {
			now := &server{host.Row(i), began[i]}
			switch {
			case newest[i] > uint64(c.epoch):
				why = fmt.Sprintf("epoch %d was taken after it", newest[i])
			case others[i] > 0:
				why = "another process took the same one"
			case own[i] > 0 && c.server != nil && !c.server.same(now):
				why = "ClickHouse was started again, or another server answers: what it holds is to be compared"
			case own[i] > 0 && (c.last == nil || before[i] > 0):
				c.server = now
				continue
			}
		}
		fenced[c] = &FencedError{Partition: c.partition, Epoch: c.epoch, Why: why}
	}
	return fenced, nil
}

// SetLog says in which log of a topic the flushes of the claim end from now on; 0 unless told otherwise.
func (c *Claim) SetLog(topic string, log int) {
	if c.logs == nil {
		c.logs = map[string]int{}
	}
	c.logs[topic] = log
}

// Announced are the ends of flushes that older epochs announced beyond the given positions and that may still be
// written, however late: by topic, the smallest first. Flushes of the new epoch must end at each of them. It is asked
// after the claim, so that a process that announces a flush later sees the claim and gives up.
func (c *Claim) Announced(ctx context.Context, from map[string]int64) ([]map[string]int64, error) {
	if c.first {
		return nil, nil
	}
	var all []map[string]int64
	err := c.store.retry(ctx, "read the announced flushes", func() error {
		all = nil
		rows, err := c.store.conn.Query(ctx, `SELECT topics, next_offsets, arrayResize(logs, length(topics)) FROM retorno.claims FINAL
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
			var logs []uint16
			if err := rows.Scan(&topics, &offsets, &logs); err != nil {
				return err
			}
			end := map[string]int64{}
			for i, topic := range topics {
				end[topic] = int64(offsets[i])
				if int(logs[i]) < c.logs[topic] { // of a log that is closed: passed
					end[topic] = from[topic]
				}
			}
			if atLeast(end, least) && !atLeast(least, end) {
				least = end
				all = append(all, end)
			}
		}
		return rows.Err()
	})
	all = slices.DeleteFunc(all, func(end map[string]int64) bool { return atLeast(from, end) })
	return all, err
}

// atLeast reports whether no topic of a lies before b.
func atLeast(a, b map[string]int64) bool {
	for topic, offset := range b {
		if a[topic] < offset {
			return false
		}
	}
	return true
}
