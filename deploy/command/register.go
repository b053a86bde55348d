//go:build !server

package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

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
}

// Help is the longer text of --help.
func (registerCommand) Help() string {
	return helpText(`Makes a register of returned people from a published table: the events that border computers and centres would have sent, as JSON Lines on stdout in the order of sending. Every printed number of the table comes out of it again. With --mess they come with resends, corrections, voids, wrong clocks and broken records, as in life; the truth is known beside it.

Status 1: the table contradicts itself; the message names the blocks that cannot hold together.`,
		"retorno register > events.jsonl", "retorno register --table=tables.csv --id=A02 --seed=7 --mess=hard --truth=truth.json | retorno send -")
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
