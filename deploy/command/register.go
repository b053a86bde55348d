//go:build !server

package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"retorno/deploy/command/screen"
	"retorno/deploy/lab/register"
	"retorno/schemas/events"
)

type registerCommand struct {
	Table string `placeholder:"FILE" help:"Published tables to make the register from; without it those that this program carries."`
	ID    string `name:"id" default:"A14" placeholder:"ID" help:"Which table of the file."`
	Seed  uint64 `default:"1" placeholder:"N" help:"Seed: the same table, seed and mess give the same bytes."`
	Mess  string `enum:"none,everyday,hard" default:"everyday" help:"How messy the events are: ${enum}."`
	Truth string `placeholder:"FILE" help:"Write there, as JSON, what must come out: counts, cells and returns."`
	Forms string `placeholder:"DIR" help:"Write there, for each computer, what is typed at it: ID.jsonl, a body of POST /forms of retorno agent."`
}

// Help is the longer text of --help.
func (registerCommand) Help() string {
	return helpText(`Makes a register of returned people from a published table: the events that border computers and centres would have sent, as JSON Lines on stdout in the order of sending. Every printed number of the table comes out of it again. With --mess they come with resends, corrections, voids, wrong clocks and broken records, as in life; the truth is known beside it.

With --forms also what clerks type for it: forms with made documents, with slips, or with neither. Agents that have typed them have the same records, source for source and number for number; what no agent sends is from the source beside-1. The person keys are those of the identity secret "`+register.Secret+`", which is no secret.

Status 1: the table contradicts itself; the message names the blocks that cannot hold together.`,
		"retorno register > events.jsonl", "retorno register --table=tables.csv --id=A02 --seed=7 --mess=hard --truth=truth.json | retorno send -", "retorno register --forms=forms > events.jsonl")
}

// Run writes the events, and the truth beside them.
func (c *registerCommand) Run(ctx context.Context, t *terminal) error {
	table, err := readTable(c.Table, c.ID)
	if err != nil {
		return err
	}
	made, err := makeRegister(ctx, table, c.Seed, c.Mess)
	if err != nil {
		return err
	}
	if c.Truth != "" {
		if err := writeTruth(c.Truth, made.Truth()); err != nil {
			return err
		}
	}
	if c.Forms != "" {
		if err := writeForms(c.Forms, made); err != nil {
			return err
		}
	}
	out := bufio.NewWriterSize(t.Out, 256<<10)
	var line []byte
	var n int64
	bar := screen.NewProgress(t.Err, "events", int64(made.Counts().Events))
	err = made.Events(func(e register.Event) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n++
		bar.Set(n)
		var err error
		if line, err = events.AppendLine(line[:0], e.Message); err != nil {
			return err
		}
		_, err = out.Write(append(line, '\n'))
		return err
	})
	bar.End()
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Err, "%s events of table %s, seed %d, mess %s: %s registered returns\n",
		screen.Count(n), table.ID, c.Seed, c.Mess, screen.Count(int64(made.Counts().Registered)))
	return err
}

func writeTruth(path string, truth *register.Truth) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--truth: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return truth.WriteJSON(file)
}

// writeForms writes what is typed at each computer into a file of its own. The forms of one computer follow each other.
func writeForms(dir string, made *register.Register) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--forms: %w", err)
	}
	var file *os.File
	var out *bufio.Writer
	finish := func() error {
		if file == nil {
			return nil
		}
		return errors.Join(out.Flush(), file.Close())
	}
	defer func() { err = errors.Join(err, finish()) }()
	var line []byte
	source := ""
	return made.Forms(func(f register.Form) error {
		if f.Source != source {
			if err := finish(); err != nil {
				return err
			}
			source = f.Source
			if file, err = os.Create(filepath.Join(dir, source+".jsonl")); err != nil {
				file = nil
				return fmt.Errorf("--forms: %w", err)
			}
			out = bufio.NewWriter(file)
		}
		var err error
		if line, err = f.AppendLine(line[:0]); err != nil {
			return err
		}
		_, err = out.Write(append(line, '\n'))
		return err
	})
}
