package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
)

type partitionCommand struct {
	List    partitionListCommand    `cmd:"" help:"List the partitions: where each stands, which have stopped and why, what was decided."`
	Resolve partitionResolveCommand `cmd:"" help:"Record the decision about a partition that has stopped, so that it reads on."`
}

// Help is the longer text of --help.
func (partitionCommand) Help() string {
	return helpText("A partition stops when reading on would change numbers unseen: retention has deleted records that were not counted, offsets are missing, the topic was made again, or ClickHouse lost facts whose records Kafka no longer holds. It waits for a recorded decision: who, why, and where reading goes on. What is given up is in the ledger as an account of its own (lost), and every count that rests on it shows it.",
		"retorno partition list", `retorno partition resolve 3 --topic=retorno.centre.v1 --from-begin --who="Ana Paz" --why="retention was 3 days, the consumers were down for 5"`)
}

// partitionFlags are the two places that know about partitions.
type partitionFlags struct {
	Kafka      kafkaFlags      `embed:"" prefix:"kafka-"`
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
}

// open opens both. The caller calls close.
func (f *partitionFlags) open(ctx context.Context, t *terminal) (s *store.Store, reader *stream.Consumer, closeBoth func(), err error) {
	settings, err := f.Kafka.producer(t.Log, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := f.Kafka.checkTopics(ctx, settings); err != nil {
		return nil, nil, nil, err
	}
	cfg, err := f.Kafka.consumer(t.Log, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	cfg.Topics, cfg.Group = factTopics, program
	if reader, err = stream.New(cfg); err != nil {
		return nil, nil, nil, Usage(err)
	}
	if s, err = f.ClickHouse.openSchema(ctx, t.Log, nil); err != nil {
		_ = reader.Close()
		return nil, nil, nil, err
	}
	return s, reader, func() {
		_ = reader.Close()
		_ = s.Close()
	}, nil
}

// standing is where one topic of a partition stands.
type standing struct {
	Partition int              `json:"partition"`
	Topic     string           `json:"topic"`
	Log       int              `json:"log"`
	Position  int64            `json:"position"` // the next offset to read
	Begin     int64            `json:"begin"`    // the first offset that Kafka still holds
	End       int64            `json:"end"`      // the offset after the last one
	Lost      uint64           `json:"lost"`     // offsets given up by decisions
	Stop      *store.Stop      `json:"stop,omitempty"`
	Decisions []store.Decision `json:"decisions,omitempty"`
}

// standingOf asks both places about one topic of a partition.
func standingOf(ctx context.Context, s *store.Store, reader *stream.Consumer, partition int, topic string, stops []store.Stop, decisions []store.Decision) (standing, error) {
	at := standing{Partition: partition, Topic: topic}
	positions, err := s.Positions(ctx, partition)
	if err != nil {
		return at, err
	}
	for _, p := range positions {
		if p.Topic == topic {
			at.Log, at.Position, at.Lost = p.Log, p.NextOffset, p.Accounts.Lost
		}
	}
	if at.Begin, at.End, err = reader.Bounds(ctx, topic, partition); err != nil {
		return at, Missing(err)
	}
	for i, stop := range stops {
		if stop.Partition == partition && (stop.Topic == topic || stop.Topic == "") {
			at.Stop = &stops[i]
		}
	}
	for _, d := range decisions {
		if d.Partition == partition && d.Topic == topic {
			at.Decisions = append(at.Decisions, d)
		}
	}
	return at, nil
}

type partitionListCommand struct {
	partitionFlags
	All  bool `per:"call" help:"Also those that read on and about which nothing was decided."`
	JSON bool `name:"json" per:"call" help:"One JSON object a line."`
}

// Help is the longer text of --help.
func (partitionListCommand) Help() string {
	return helpText("Lists each topic of the partitions that have stopped or about which something was decided, or with --all of every partition: the next offset to read, what Kafka holds, why it has stopped and since when, what was decided. Ends with status 1 when one has stopped.",
		"retorno partition list", "retorno partition list --all --json")
}

// Run prints where the partitions stand.
func (c *partitionListCommand) Run(ctx context.Context, t *terminal) error {
	s, reader, closeBoth, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer closeBoth()
	stops, err := s.Stops(ctx)
	if err != nil {
		return err
	}
	decisions, err := s.Decisions(ctx, -1)
	if err != nil {
		return err
	}
	var all []standing
	stopped := map[int]bool{}
	for partition := range c.Kafka.Partitions {
		for _, topic := range factTopics {
			at, err := standingOf(ctx, s, reader, partition, topic, stops, decisions)
			if err != nil {
				return err
			}
			if at.Stop != nil {
				stopped[partition] = true
			}
			if c.All || at.Stop != nil || len(at.Decisions) > 0 {
				all = append(all, at)
			}
		}
	}
	if err := c.print(t, all); err != nil {
		return err
	}
	if len(stopped) > 0 {
		return No(fmt.Errorf("%d of %d partitions have stopped; decide with `%s partition resolve`", len(stopped), c.Kafka.Partitions, program))
	}
	return nil
}

func (c *partitionListCommand) print(t *terminal, all []standing) error {
	if c.JSON {
		rows := json.NewEncoder(t.Out)
		for _, at := range all {
			if err := rows.Encode(at); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		_, err := fmt.Fprintf(t.Out, "None of the %d partitions has stopped, and nothing was decided about any.\n", c.Kafka.Partitions)
		return err
	}
	table := tabwriter.NewWriter(t.Out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "PARTITION\tTOPIC\tNEXT OFFSET\tKAFKA HOLDS\tLOST\tSTATE")
	for _, at := range all {
		state := "reads on"
		if at.Stop != nil {
			state = fmt.Sprintf("stopped since %s (%s)", at.Stop.Since.UTC().Format(time.DateTime), at.Stop.Reason)
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%d\t%d to %d\t%d\t%s\n", at.Partition, at.Topic, at.Position, at.Begin, at.End-1, at.Lost, state)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, at := range all {
		if at.Stop != nil {
			_, _ = fmt.Fprintf(t.Out, "\npartition %d: %q\n", at.Partition, at.Stop.Detail)
		}
		for _, d := range at.Decisions {
			_, _ = fmt.Fprintf(t.Out, "\npartition %d, %s: %q decided on %s UTC: %s from offset %d to %d: %q\n", d.Partition, d.Topic, d.Who,
				d.At.UTC().Format(time.DateTime), strings.ReplaceAll(string(d.Action), "_", " "), d.Position, d.To, d.Why)
		}
	}
	return nil
}

type partitionResolveCommand struct {
	partitionFlags
	Partition int    `arg:"" help:"Number of the partition."`
	Topic     string `required:"" per:"call" placeholder:"TOPIC" help:"Topic that cannot be read on."`
	SkipTo    int64  `per:"call" default:"-1" placeholder:"OFFSET" help:"Read on at this offset; what is not stored of the offsets before it is lost."`
	FromBegin bool   `per:"call" help:"Read on at the first offset that Kafka still holds."`
	NewLog    bool   `per:"call" help:"The topic was made again: read it from its begin as another log. What was counted of the old one stays."`
	Who       string `required:"" per:"call" placeholder:"NAME" help:"Who decides."`
	Why       string `required:"" per:"call" placeholder:"TEXT" help:"Why."`
	JSON      bool   `name:"json" per:"call" help:"The decision as JSON."`
}

// Help is the longer text of --help.
func (partitionResolveCommand) Help() string {
	return helpText("Records a decision in ClickHouse, for ever. The consumer that has the partition applies it at its next look, within half a minute. Skipped offsets are in the ledger as lost; facts of them that are stored stay counted. Nothing is decided (status 1) about a partition that has not stopped, or when Kafka does not hold the offset named.",
		`retorno partition resolve 3 --topic=retorno.centre.v1 --skip-to=1204 --who="Ana Paz" --why="records 1200 to 1203 were deleted by mistake; paper forms are typed again"`)
}

// Validate refuses what is no decision.
func (c *partitionResolveCommand) Validate() error {
	chosen := 0
	for _, is := range []bool{c.SkipTo >= 0, c.FromBegin, c.NewLog} {
		if is {
			chosen++
		}
	}
	switch {
	case chosen != 1:
		return errors.New("decide one of --skip-to=OFFSET, --from-begin and --new-log")
	case strings.TrimSpace(c.Who) == "" || strings.TrimSpace(c.Why) == "":
		return errors.New("--who and --why must not be empty: they stay with the numbers")
	case len(c.Who) > 200 || len(c.Why) > 2000:
		return errors.New("--who has at most 200 bytes and --why 2,000")
	}
	for _, topic := range factTopics {
		if c.Topic == topic {
			return nil
		}
	}
	return fmt.Errorf("--topic %q is none of %s", c.Topic, strings.Join(factTopics, ", "))
}

// Run records the decision.
func (c *partitionResolveCommand) Run(ctx context.Context, t *terminal) error {
	if c.Partition < 0 || c.Partition >= c.Kafka.Partitions {
		return Usage(fmt.Errorf("partition %d: there are %d, from 0 on", c.Partition, c.Kafka.Partitions))
	}
	s, reader, closeBoth, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer closeBoth()
	stops, err := s.Stops(ctx)
	if err != nil {
		return err
	}
	at, err := standingOf(ctx, s, reader, c.Partition, c.Topic, stops, nil)
	if err != nil {
		return err
	}
	d, err := c.decide(at)
	if err != nil {
		return err
	}
	if err := s.Decide(ctx, d); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(d)
	}
	_, err = fmt.Fprintf(t.Out, "Recorded: partition %d reads %s on at offset %d (it had stopped at %d). Its consumer applies it within half a minute; `%s partition list` shows it.\n",
		d.Partition, d.Topic, d.To, d.Position, program)
	return err
}

// decide makes the decision, or says why it cannot be one.
func (c *partitionResolveCommand) decide(at standing) (store.Decision, error) {
	d := store.Decision{ID: uuid.New(), Partition: c.Partition, Topic: c.Topic, Log: at.Log, Position: at.Position, Action: store.Skip, To: c.SkipTo, Who: c.Who, Why: c.Why, At: time.Now()}
	if at.Stop == nil {
		return d, No(fmt.Errorf("partition %d has not stopped on topic %s: there is nothing to decide (`%s partition list`)", c.Partition, c.Topic, program))
	}
	madeAgain := at.Stop.Reason == stream.ReasonRecreated || at.Stop.Reason == stream.ReasonBeyondEnd
	switch {
	case c.NewLog && !madeAgain:
		return d, No(fmt.Errorf("partition %d has stopped for another reason (%s) than that topic %s was made again", c.Partition, at.Stop.Reason, c.Topic))
	case !c.NewLog && madeAgain:
		return d, No(fmt.Errorf("topic %s was made again (%s): its offsets are not those that were counted; decide with --new-log", c.Topic, at.Stop.Reason))
	case c.NewLog:
		d.Action, d.To = store.NewLog, at.Begin
	case c.FromBegin:
		d.To = at.Begin
	}
	if !c.NewLog && (d.To <= at.Position || d.To < at.Begin || d.To > at.End) {
		return d, No(fmt.Errorf("partition %d of %s cannot be read on at offset %d: it stands at %d and Kafka holds %d to %d", c.Partition, c.Topic, d.To, at.Position, at.Begin, at.End-1))
	}
	return d, nil
}
