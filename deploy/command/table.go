package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"retorno/consumers/dissemination/report"
	"retorno/schemas/calendar"
	"retorno/schemas/tables"
)

type tableCommand struct {
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Like       string          `required:"" placeholder:"FILE" help:"Published tables whose form to follow."`
	ID         string          `name:"id" required:"" placeholder:"ID" help:"Which table of the file."`
	Out        string          `placeholder:"FILE" help:"Write the counted table there instead of to stdout."`
}

// Help is the longer text of --help.
func (tableCommand) Help() string {
	return helpText("Counts in ClickHouse every cell that a published table prints, over the same period, and writes the table in the same form with the counted numbers in `value`. What is counted are returns registered at a centre; which share of the known ones they are is said on stderr.",
		"retorno table --like=tables.csv --id=A02", "retorno table --like=tables.csv --id=A02 --out=counted.csv")
}

// Run counts the table.
func (c *tableCommand) Run(ctx context.Context, t *terminal) error {
	table, err := readTable(c.Like, c.ID)
	if err != nil {
		return err
	}
	s, err := c.ClickHouse.openSchema(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	counted, err := report.Count(ctx, s.Conn(), table)
	if err != nil {
		return err
	}
	// The form of the published table has no place for its coverage, so it is said beside it.
	period, err := report.CountHalfYear(ctx, s.Conn(), periodOf(table))
	if err != nil {
		return err
	}
	if coverage := period.Coverage("en"); coverage != "" {
		t.say("%s to %s. %s", table.First, table.Last, coverage)
	}
	if c.Out != "" {
		return writeCounted(c.Out, counted)
	}
	return counted.Write(t.Out)
}

// readTable reads one table of a file, or of those that the program carries when path is empty.
func readTable(path, id string) (*tables.Table, error) {
	text := tables.Dev()
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, Usage(err)
			}
			return nil, err
		}
	}
	table, err := tables.Read(bytes.NewReader(text), id)
	if err != nil {
		return nil, Usage(fmt.Errorf("%s: %w", tableName(path), err))
	}
	return table, nil
}

func tableName(path string) string {
	if path == "" {
		return "the program's own tables"
	}
	return path
}

// periodOf is the table's period, by its usual name where it has one.
func periodOf(t *tables.Table) calendar.Period {
	for _, kind := range calendar.Kinds() {
		if p := t.First.Period(kind); p.First == t.First && p.Last == t.Last {
			return p
		}
	}
	return calendar.Period{First: t.First, Last: t.Last, Label: t.First.String() + " – " + t.Last.String()}
}

func writeCounted(path string, counted *report.Counted) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return counted.Write(file)
}
