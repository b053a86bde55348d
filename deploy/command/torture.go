//go:build !server

package command

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"retorno/deploy/lab/torture"
)

type tortureCommand struct {
	Seed      uint64        `placeholder:"N" help:"Seed of the register and of every fault; without it one is drawn, and printed."`
	For       time.Duration `default:"40s" help:"How long faults are made."`
	Faults    []string      `placeholder:"LIST" help:"Kinds of fault to make, such as kill,engine,hot,hostile,bits; without it all but retention and recreate, which run alone, each by itself. A wrong one lists them."`
	Consumers int           `default:"3" placeholder:"N" help:"Consumer processes that share the work."`
	Rate      int           `default:"4000" placeholder:"N" help:"Events sent a second."`
	Every     time.Duration `default:"700ms" help:"Mean time between two faults."`
	Engine    string        `placeholder:"FILE" help:"A libchdb.so to use instead of fetching the pinned one."`
	Data      string        `placeholder:"DIR" help:"Empty folder for the data, kept; without it a temporary one, removed at the end."`
	Runs      int           `default:"1" placeholder:"N" help:"How many runs to make, one after the other, each with the next seed; of more than one, each that agrees is told in one line."`
	Verbose   bool          `per:"call" help:"Show what the consumers say."`
}

// Help is the longer text of --help.
func (tortureCommand) Help() string {
	return helpText("Runs the whole system on this machine under load and makes faults, each drawn from the seed: consumers are killed and stopped, ClickHouse and Kafka are killed, cut off, slow, silent and refusing, answers are lost, bits of any answer of Kafka's change, members come and go, clocks of sources step, one person gets a thousand facts at once, senders lie and send what cannot be read, ClickHouse is restored to older backups. Then it holds everything against the truth: the register's cells, the ledger, the verifier, and a replay into an empty database. Beside the faults publishers make vintages, two at once and killed and stopped between statements too; each vintage must be whole, stay as it is, and be what the facts before its positions come to.\n\nStatus 1: something was lost, counted twice, or does not agree; the seed that repeats it is printed.",
		"retorno torture", "retorno torture --seed=7 --for=10m", "retorno torture --seed=1 --runs=200 --for=3s", "retorno torture --faults=kill,zombie,engine --rate=10000", "retorno torture --faults=retention --for=5s", "retorno torture --faults=recreate --for=5s")
}

// Validate refuses a folder for more than one run.
func (c *tortureCommand) Validate() error {
	if c.Runs < 1 || c.Runs > 1 && c.Data != "" {
		return errors.New("--runs is 1 or more, and more than one leave no data behind")
	}
	return nil
}

// Run makes the runs, until one does not agree.
func (c *tortureCommand) Run(ctx context.Context, t *terminal) error {
	if !t.Stated("seed") {
		c.Seed = rand.Uint64() >> 32
	}
	cfg := torture.Config{For: c.For, Consumers: c.Consumers, Rate: c.Rate, Every: c.Every, Engine: c.Engine, Dir: c.Data}
	for _, k := range c.Faults {
		cfg.Faults = append(cfg.Faults, torture.Kind(k))
	}
	if c.Runs == 1 {
		cfg.Out = t.Err
	}
	if c.Verbose {
		cfg.Log = t.Err
	}
	if err := cfg.Validate(); err != nil {
		return Usage(err)
	}
	for i := range uint64(c.Runs) {
		cfg.Seed = c.Seed + i
		if err := c.once(ctx, t, cfg); err != nil {
			return err
		}
	}
	if c.Runs > 1 {
		_, err := fmt.Fprintf(t.Out, "%d runs of %s, seeds %d to %d: lost 0, counted twice 0 in all\n", c.Runs, c.For, c.Seed, cfg.Seed)
		return err
	}
	return nil
}

// once makes one run. Of several, one that agrees is told in a line.
func (c *tortureCommand) once(ctx context.Context, t *terminal, cfg torture.Config) error {
	report, err := torture.Run(ctx, cfg)
	if err != nil {
		return fmt.Errorf("seed %d: %w", cfg.Seed, err)
	}
	if c.Runs > 1 && report.OK() {
		_, err := fmt.Fprintf(t.Out, "seed %d: %s\n", cfg.Seed, report)
		return err
	}
	if err := report.Print(t.Out); err != nil {
		return err
	}
	if !report.OK() {
		return No(fmt.Errorf("what came out is not the truth; --seed=%d --for=%s --rate=%d --every=%s repeats the faults", cfg.Seed, c.For, c.Rate, c.Every))
	}
	return nil
}
