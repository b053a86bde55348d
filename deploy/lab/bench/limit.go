package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"retorno/consumers/counting/store"
)

// tables are those that a flush writes, in its order.
var tables = []string{"facts", "returns", "assistance", "return_counts", "assistance_counts", "crossing_counts", "sendings", "ledger"}

// insert is one insert of ours, as it was: the rows of one part of a table, in memory as columns.
type insert struct {
	table  string
	part   string // its name
	lane   int    // its Kafka partition
	order  int    // which of its table's parts it was
	blocks []proto.Input
	rows   int
}

// arrivals say in which order ours sends the rows of a table: what is stored has been sorted since, and to sort it is
// part of an insert.
var arrivals = map[string]string{"facts": "kafka_offset", "sendings": "sent_at", "ledger": "flushed_at"}

// capture lets ours run once without merges, so that each of its inserts is still a part of its own, and takes those.
func (o *ours) capture(ctx context.Context) ([]insert, error) {
	if err := o.m.newSchema(ctx); err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := o.m.exec(ctx, "SYSTEM STOP MERGES retorno."+t, "ALTER TABLE retorno."+t+" MODIFY SETTING parts_to_delay_insert = 1000000, parts_to_throw_insert = 1000000"); err != nil {
			return nil, err
		}
	}
	if _, err := o.consume(ctx); err != nil {
		return nil, err
	}
	client, err := dial(ctx, o.m)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	var all []insert
	for at, t := range tables {
		parts, err := o.m.parts(ctx, t)
		if err != nil {
			return nil, err
		}
		for i := range parts {
			if err := parts[i].read(ctx, client, o.m.cfg.Partitions); err != nil {
				return nil, fmt.Errorf("read what was inserted into %s: %w", t, err)
			}
			parts[i].order = parts[i].order*len(tables) + at
		}
		all = append(all, parts...)
	}
	return all, nil
}

// parts lists a table's parts, each with the Kafka partition that it is of.
func (m *machine) parts(ctx context.Context, table string) ([]insert, error) {
	rows, err := m.conn().Query(ctx, "SELECT _part, toInt64(any(kafka_partition)), toInt64(count()) FROM retorno."+table+" GROUP BY _part")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []insert
	for rows.Next() {
		var part string
		var lane, n int64
		if err := rows.Scan(&part, &lane, &n); err != nil {
			return nil, err
		}
		all = append(all, insert{table: table, part: part, lane: int(lane), order: blockOf(part), rows: int(n)})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b insert) int { return cmp.Compare(a.order, b.order) })
	number := map[int]int{} // by lane
	for i := range all {
		all[i].order = number[all[i].lane]
		number[all[i].lane]++
	}
	return all, nil
}

// blockOf is the number of the block that a part came from: 2016_17_17_0 is of block 17.
func blockOf(part string) int {
	words := strings.Split(part, "_")
	if len(words) < 4 {
		return 0
	}
	n, err := strconv.Atoi(words[len(words)-3])
	if err != nil {
		return 0
	}
	return n
}

// read fetches the rows of a part: a block of each of the Kafka partitions that went together, as ours sent them.
func (i *insert) read(ctx context.Context, client *ch.Client, partitions int) error {
	order, ok := arrivals[i.table]
	if !ok {
		order = "version"
	}
	wheres := make([]string, partitions)
	for p := range wheres {
		wheres[p] = fmt.Sprintf(" AND kafka_partition = %d", p)
	}
	rows := 0
	for _, where := range wheres {
		var got proto.Results
		err := client.Do(ctx, ch.Query{Body: fmt.Sprintf("SELECT * FROM retorno.%s WHERE _part = '%s'%s ORDER BY %s", i.table, i.part, where, order), Result: got.Auto(),
			Settings: []ch.Setting{{Key: "max_block_size", Value: "10000000"}, {Key: "preferred_block_size_bytes", Value: "0"}, {Key: "max_threads", Value: "1"}}})
		if err != nil {
			return err
		}
		block, n, err := inputOf(got)
		if err != nil {
			return err
		}
		if n > 0 {
			i.blocks = append(i.blocks, block)
			rows += n
		}
	}
	if rows != i.rows {
		return fmt.Errorf("part %s came with %d rows, %d were expected", i.part, rows, i.rows)
	}
	return nil
}

// inputOf makes columns that were read into columns to be inserted.
func inputOf(got proto.Results) (block proto.Input, rows int, err error) {
	for _, c := range got {
		column, ok := c.Data.(proto.ColInput)
		if !ok {
			return nil, 0, fmt.Errorf("column %s came as %T, which cannot be inserted", c.Name, c.Data)
		}
		block, rows = append(block, proto.InputColumn{Name: c.Name, Data: column}), column.Rows()
	}
	return block, rows, nil
}

func dial(ctx context.Context, m *machine) (*ch.Client, error) {
	return ch.Dial(ctx, ch.Options{Address: m.engine.Native(), User: "default", Compression: ch.CompressionLZ4, DialTimeout: 5 * time.Second, ReadTimeout: 5 * time.Minute})
}

// limit fetches what ours reads and inserts what ours writes, at the same time and with nothing in between.
type limit struct {
	m       *machine
	l       *load
	want    cells
	inserts []insert
}

func (x *limit) name() string { return "limit" }

func (x *limit) run(ctx context.Context) (r result, err error) {
	if err := x.m.newSchema(ctx); err != nil {
		return r, err
	}
	lanes := make([][]insert, x.m.cfg.Partitions)
	for _, i := range x.inserts {
		lanes[i.lane] = append(lanes[i.lane], i)
	}
	for _, lane := range lanes {
		slices.SortStableFunc(lane, func(a, b insert) int { return cmp.Compare(a.order, b.order) })
	}
	used, err := x.m.usage(ctx)
	if err != nil {
		return r, err
	}
	began := time.Now()
	group, gctx := errgroup.WithContext(ctx)
	x.m.fetch(gctx, group)
	for p := range x.m.cfg.Partitions {
		group.Go(func() error { return insertAll(gctx, x.m, lanes[p]) })
	}
	err = group.Wait()
	r.events, r.wall = len(x.l.messages), time.Since(began)
	if err := errors.Join(err, r.used(ctx, x.m, used)); err != nil {
		return r, err
	}
	have, err := x.m.storedCells(ctx, "retorno", true)
	r.faults = x.want.differences(have)
	return r, err
}

// fetch reads every partition of the fact topics in the group.
func (m *machine) fetch(ctx context.Context, group *errgroup.Group) {
	client := &kafka.Client{Addr: kafka.TCP(m.broker.Addr()), Transport: &kafka.Transport{MetadataTopics: factTopics}}
	for p := range m.cfg.Partitions {
		for _, topic := range factTopics {
			group.Go(func() error { return fetchAll(ctx, client, topic, p) })
		}
	}
}

// fetchAll reads a partition from its begin to its end, by the requests that ours makes, and drops what it reads.
func fetchAll(ctx context.Context, client *kafka.Client, topic string, partition int) error {
	for offset, end := int64(0), int64(1); offset < end; {
		res, err := client.Fetch(ctx, &kafka.FetchRequest{Topic: topic, Partition: partition, Offset: offset, MinBytes: 1, MaxBytes: 2 << 20, MaxWait: 500 * time.Millisecond})
		if err == nil {
			err = res.Error
		}
		if err != nil {
			return fmt.Errorf("fetch %s/%d: %w", topic, partition, err)
		}
		end = res.HighWatermark
		for {
			record, err := res.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("read %s/%d: %w", topic, partition, err)
			}
			offset = record.Offset + 1
			err = errors.Join(closeBytes(record.Key), closeBytes(record.Value))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func closeBytes(b kafka.Bytes) error {
	if b == nil {
		return nil
	}
	return b.Close()
}

// insertAll makes the inserts of one lane in their order, over one connection, as a shard of ours does.
func insertAll(ctx context.Context, m *machine, lane []insert) (err error) {
	client, err := dial(ctx, m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	for _, i := range lane {
		if err := client.Do(ctx, store.Insert("retorno."+i.table, i.blocks)); err != nil {
			return fmt.Errorf("insert into %s: %w", i.table, err)
		}
	}
	return nil
}
