package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"retorno/deploy/command/screen"
)

type sendCommand struct {
	File  string     `arg:"" placeholder:"FILE" help:"File of JSON Lines; - is stdin."`
	Kafka kafkaFlags `embed:"" prefix:"kafka-"`
	JSON  bool       `name:"json" per:"call" help:"The counts as JSON."`
}

// Help is the longer text of --help.
func (sendCommand) Help() string {
	return helpText(`Sends events to Kafka. Each line of FILE is one event in JSON (the envelope of schemas/events, names in snake case), or a raw message {"topic", "key", "raw"} that is sent as it is. checksum, sent_at_ms and clock_offset_ms may be left out and are then filled in.

A line that is no valid event is named with its number and field and not sent; the others are. Sending the same lines again changes no count, so after any failure the whole file can be sent again.`,
		"retorno register --table tables.csv --id A02 | retorno send -", "retorno send events.jsonl --kafka-brokers=kafka-1:9092,kafka-2:9092")
}

// sendResult is what --json prints.
type sendResult struct {
	Lines    int64 `json:"lines"`
	Sent     int64 `json:"sent"`
	Rejected int64 `json:"rejected"`
}

// Run sends the file.
func (c *sendCommand) Run(ctx context.Context, t *terminal) error {
	in := t.In
	var size int64
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() {
			return Usage(fmt.Errorf("%s is a folder; name a file of JSON Lines", c.File))
		}
		in, size = file, info.Size()
	}
	writer, err := c.Kafka.openWriter(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = writer.Close() }()
	s := &sender{outbox: newOutbox(writer), t: t, progress: screen.NewProgress(t.Err, "sending, bytes", size)}
	err = s.all(ctx, in)
	s.progress.End()
	return c.conclude(t, s, err)
}

func (c *sendCommand) conclude(t *terminal, s *sender, err error) error {
	if c.JSON {
		if e := json.NewEncoder(t.Out).Encode(sendResult{Lines: s.lines, Sent: s.sent, Rejected: s.rejected}); e != nil {
			return errors.Join(err, e)
		}
	} else if _, e := fmt.Fprintf(t.Out, "%s lines: %s sent, %s rejected\n", screen.Count(s.lines), screen.Count(s.sent), screen.Count(s.rejected)); e != nil {
		return errors.Join(err, e)
	}
	switch {
	case err != nil:
		return fmt.Errorf("after %d lines that were acknowledged: %w; send the same again, copies change no count", s.sent, err)
	case s.rejected > 0:
		return No(fmt.Errorf("%s of %s lines were rejected and not sent", screen.Count(s.rejected), screen.Count(s.lines)))
	default:
		return nil
	}
}
