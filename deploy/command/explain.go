package command

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"

	"retorno/consumers/counting/explain"
	"retorno/consumers/counting/store"
	"retorno/deploy/command/screen"
)

type explainCommand struct {
	What       []string        `arg:"" name:"return-id|cell" help:"The id of a return or of a record; or a cell of ceniss.return_counts as pairs dimension=value, separated by commas or spaces."`
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Kafka      kafkaFlags      `embed:"" prefix:"kafka-"`
	Limit      int             `per:"call" default:"20" placeholder:"N" help:"Of a cell: list so many returns and so many changes; 0 lists all."`
	PersonKeys bool            `per:"call" help:"Write person keys in full."`
	JSON       bool            `name:"json" per:"call" help:"One JSON document, person keys in full."`
}

// Help is the longer text of --help.
func (explainCommand) Help() string {
	return helpText("Shows which facts, revisions and rules made a return or a cell, and what each correction changed. The history is read from Kafka, which keeps every copy, and is compared with what is stored: status 1 when they differ, or when an id is unknown. "+
		"Of a person with more than 1,000 records, which a document number typed for many people makes, it shows what concerns the id asked for, without the history. "+
		"A cell has any of "+strings.Join(explain.DimensionNames(), ", ")+".\n\n"+
		"It is for statisticians who may read retorno.returns. It knows pseudonyms only; in text even these are cut to their first 8 digits, because a whole key links all records of a person wherever they are, and text is what people paste into messages.",
		"retorno explain 01531c2a-7b00-7000-8000-00000000002a", "retorno explain month=2016-03 route=US-AIR exit_point=L-COR", "retorno explain day=2016-03-01,centre=CAMR-OMO --limit=0 --json")
}

// Validate refuses a limit that is none.
func (c *explainCommand) Validate() error {
	if c.Limit < 0 {
		return errors.New("--limit: must be 0 or more")
	}
	return nil
}

// explanation is what can be written for people or, as it is, as JSON.
type explanation interface {
	Write(w io.Writer, style explain.Style) error
	Differs() bool
}

// Run explains a return or a cell.
func (c *explainCommand) Run(ctx context.Context, t *terminal) error {
	text := strings.Join(c.What, " ")
	ask, err := c.question(text)
	if err != nil {
		return Usage(err)
	}
	s, err := c.ClickHouse.openSchema(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	bar := screen.NewProgress(t.Err, "messages read", 0)
	e, err := c.explainer(ctx, t.Log, s, bar)
	if err != nil {
		return err
	}
	defer func() { _ = e.Close() }()
	answer, err := ask(ctx, e)
	bar.End()
	if errors.Is(err, explain.ErrUnknown) {
		return No(err)
	}
	if err != nil {
		return err
	}
	if err := c.write(t.Out, answer); err != nil {
		return err
	}
	if answer.Differs() {
		return No(errors.New("what is stored is not what the log comes to; `retorno verify --once` says where else"))
	}
	return nil
}

// question understands what is asked before anything is connected to.
func (c *explainCommand) question(text string) (func(context.Context, *explain.Explainer) (explanation, error), error) {
	if strings.Contains(text, "=") {
		q, err := explain.ParseQuery(text)
		return func(ctx context.Context, e *explain.Explainer) (explanation, error) { return e.Cell(ctx, q, c.Limit) }, err
	}
	id, err := explain.ParseID(text)
	if err != nil {
		err = errors.Join(err, errors.New("nor is it a cell: pairs such as month=2016-03 exit_point=L-COR"))
	}
	return func(ctx context.Context, e *explain.Explainer) (explanation, error) { return e.Return(ctx, id) }, err
}

func (c *explainCommand) explainer(ctx context.Context, log *slog.Logger, s *store.Store, bar *screen.Progress) (*explain.Explainer, error) {
	settings, err := c.Kafka.producer(log, nil)
	if err != nil {
		return nil, err
	}
	if err := c.Kafka.checkTopics(ctx, settings); err != nil {
		return nil, err
	}
	consumer, err := c.Kafka.consumer(log, nil)
	if err != nil {
		return nil, err
	}
	e, err := explain.New(explain.Config{Store: s, Kafka: consumer, Logger: log, Progress: func(done, total int64) { bar.SetOf(done, total) }})
	if err != nil {
		return nil, Usage(err)
	}
	return e, nil
}

func (c *explainCommand) write(w io.Writer, answer explanation) error {
	if !c.JSON {
		return answer.Write(w, explain.Style{WholeKeys: c.PersonKeys})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(answer)
}
