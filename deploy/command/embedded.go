//go:build !server

package command

import (
	"context"
	"errors"
	"fmt"

	"retorno/deploy/ops"
)

type embeddedCommand struct {
	machineFlags
	Data string `default:"retorno-data" placeholder:"DIR" help:"Folder of the data; made when missing, found again at the next start, used by one process at a time."`
}

// Help is the longer text of --help.
func (embeddedCommand) Help() string {
	return helpText(`Runs a Kafka broker and a ClickHouse on this machine until Ctrl-C, for one's own trials: any client of either connects to the addresses that are printed. ClickHouse is libchdb, fetched once (166 MB, pinned version and checksum). It is for demos, training and tests; production is Apache Kafka and a ClickHouse server.`,
		"retorno embedded", "retorno embedded --data=/srv/trial --endpoints=endpoints.json")
}

// Run starts both and stays until it is told to end.
func (c *embeddedCommand) Run(ctx context.Context, t *terminal) error {
	m := &machine{flags: c.machineFlags, data: c.Data, t: t, ops: ops.New(ops.NewRegistry(version, "embedded"))}
	return ops.Run(ctx, t.Log, append(c.announced(t, m), ops.Part{Name: "embedded", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }}))
}

// Validate names what cannot be.
func (c *embeddedCommand) Validate() error {
	if c.Data == "" {
		return errors.New("--data needs the name of a folder")
	}
	return c.machineFlags.Validate()
}

// announced is the machine followed by the announcement of its addresses, which are taken back when it ends.
func (c *embeddedCommand) announced(t *terminal, m *machine) []ops.Part {
	forget := ops.Part{Name: "endpoints file", Start: func(context.Context) error { return c.forget() }, Stop: func(context.Context) error { return c.forget() }}
	announce := ops.Part{Name: "addresses", Start: func(context.Context) error {
		if err := m.endpoints().print(t.Out); err != nil {
			return err
		}
		if c.Endpoints != "" {
			if err := m.endpoints().write(c.Endpoints); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintln(t.Err, "running; Ctrl-C ends it")
		return err
	}}
	return append(append([]ops.Part{forget}, m.parts()...), announce)
}

func (c *embeddedCommand) forget() error {
	if c.Endpoints == "" {
		return nil
	}
	return removeEndpoints(c.Endpoints)
}
