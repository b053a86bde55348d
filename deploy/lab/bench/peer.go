package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// setting is one way to run ClickHouse's Kafka engine.
type setting struct {
	format     string
	consumers  int
	threads    bool // one thread for each consumer
	block      int  // kafka_max_block_size
	poll       int  // kafka_poll_max_batch_size
	flush      int  // kafka_flush_interval_ms
	dictionary bool // codes are LowCardinality in the queue already
	facts      bool // keep every event in a table, too
}

func (s setting) String() string {
	words := []string{s.format, fmt.Sprintf("kafka_num_consumers=%d, kafka_thread_per_consumer=%v, kafka_max_block_size=%d, kafka_poll_max_batch_size=%d, kafka_flush_interval_ms=%d",
		s.consumers, s.threads, s.block, s.poll, s.flush)}
	if s.dictionary {
		words = append(words, "codes as LowCardinality")
	}
	if s.facts {
		words = append(words, "events kept")
	}
	return strings.Join(words, ", ")
}

// candidates are the settings among which the peer's best one is sought.
func candidates() []setting {
	base := setting{format: protobufFormat, consumers: 2, threads: true, block: 65_536, poll: 65_536, flush: 1000}
	vary := func(change func(*setting)) setting { s := base; change(&s); return s }
	return []setting{
		base,
		vary(func(s *setting) { s.format = jsonFormat }),
		vary(func(s *setting) { s.dictionary = true }),
		vary(func(s *setting) { s.consumers, s.threads = 1, false }),
		vary(func(s *setting) { s.threads = false }),
		vary(func(s *setting) { s.block, s.poll, s.flush = 262_144, 65_536, 7500 }),
		vary(func(s *setting) { s.block, s.poll, s.flush = 1_048_576, 1_048_576, 7500 }),
	}
}

const (
	protobufFormat = "ProtobufSingle"
	jsonFormat     = "JSONEachRow"
	jsonPrefix     = "json." // before the names of topics whose events are JSON
)

// peer is ClickHouse's own Kafka engine with materialized views into the same cubes.
type peer struct {
	m    *machine
	l    *load
	want cells
	set  setting
	runs int
}

// keepingPeer is the name of the peer that also keeps every event.
const keepingPeer = "peer_keeping_events"

func (p *peer) name() string {
	if p.set.facts {
		return keepingPeer
	}
	return "peer"
}

// run makes everything but the last view, starts the clock and makes that, which sets the engine going.
func (p *peer) run(ctx context.Context) (r result, err error) {
	p.runs++
	if err := p.m.newCubes(ctx, "peer"); err != nil {
		return r, err
	}
	all := p.tables()
	if err := p.m.exec(ctx, all[:len(all)-1]...); err != nil {
		return r, err
	}
	used, err := p.m.usage(ctx)
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := p.m.exec(ctx, all[len(all)-1]); err != nil {
		return r, err
	}
	err = await(ctx, "peer ("+p.set.String()+"): count every event", visiblePatience, func() (bool, error) {
		n, err := p.m.number(ctx, countedIn("peer"))
		return n >= int64(len(p.l.messages)), err
	})
	r.events, r.wall = len(p.l.messages), time.Since(began)
	if err := errors.Join(err, r.used(ctx, p.m, used)); err != nil {
		return r, err
	}
	have, err := p.m.storedCells(ctx, "peer", false)
	if err != nil {
		return r, err
	}
	r.faults = p.want.differences(have)
	return r, nil
}

// tables are the statements that set the engine up; the last one sets it going, because the engine reads as soon as it
// has one view. So it has only one, into a table that keeps nothing and has the cubes' views.
func (p *peer) tables() []string {
	s := p.set
	columns, keep := counted, "Null"
	if s.facts {
		columns, keep = slices.Concat(identity, counted), "MergeTree ORDER BY (record_person_key, record_record_id)"+asOurs
	}
	threads := 0
	if s.threads {
		threads = 1
	}
	topics, schema := strings.Join(factTopics, ","), ""
	if s.format == jsonFormat {
		topics = jsonPrefix + strings.Join(factTopics, ","+jsonPrefix)
	} else {
		schema = ", format_schema_source = 'string', format_schema_message_name = 'Envelope', format_schema = '" + protoText() + "'"
	}
	types := declared(columns)
	if !s.dictionary {
		types = strings.ReplaceAll(types, "LowCardinality(String)", "String")
	}
	queue := fmt.Sprintf(`CREATE TABLE peer.queue (%s) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', kafka_group_name = '%s-%d',
		kafka_format = '%s'%s, kafka_num_consumers = %d, kafka_thread_per_consumer = %d, kafka_max_block_size = %d, kafka_poll_max_batch_size = %d,
		kafka_poll_timeout_ms = 50, kafka_flush_interval_ms = %d, input_format_skip_unknown_fields = 1`, types, p.m.broker.Addr(), topics, p.name(), p.runs,
		s.format, schema, s.consumers, threads, s.block, s.poll, s.flush)
	all := []string{"CREATE TABLE peer.events (" + declared(columns) + ") ENGINE = " + keep}
	all = append(all, views("peer", "events")...)
	return append(all, queue, "CREATE MATERIALIZED VIEW peer.to_events TO peer.events AS SELECT * FROM peer.queue")
}
