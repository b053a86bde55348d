package command

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"retorno/deploy/torture"
)

type tortureCommand struct {
	Seed      uint64        `placeholder:"N" help:"Seed of the register and of every fault; without it one is drawn, and printed."`
	For       time.Duration `default:"40s" help:"How long faults are made."`
	Faults    []string      `placeholder:"LIST" help:"Kinds of fault to make; without it all."`
	Consumers int           `default:"3" placeholder:"N" help:"Consumer processes that share the work."`
	Rate      int           `default:"4000" placeholder:"N" help:"Events sent a second."`
	Every     time.Duration `default:"700ms" help:"Mean time between two faults."`
	Engine    string        `placeholder:"FILE" help:"A libchdb.so to use instead of fetching the pinned one."`
	Data      string        `placeholder:"DIR" help:"Empty folder for the data, kept; without it a temporary one, removed at the end."`
	Verbose   bool          `per:"call" help:"Show what the consumers say."`
}

// Help is the longer text of --help.
func (tortureCommand) Help() string {
	return helpText("Runs the whole system on this machine under load and makes faults, each drawn from the seed: consumers are killed and stopped, ClickHouse and Kafka are killed, cut off, slow, silent and refusing, answers are lost, members come and go, ClickHouse is put back to older backups. Then it holds everything against the truth: the register's cells, the ledger, the verifier, and a replay into an empty database.\n\nStatus 1: something was lost, counted twice, or does not agree; the seed that repeats it is printed.",
		"retorno torture", "retorno torture --seed=7 --for=10m", "retorno torture --faults=kill,zombie,engine --rate=10000")
}

// Run makes one run.
func (c *tortureCommand) Run(ctx context.Context, t *terminal) error {
	if !t.Stated("seed") {
		c.Seed = rand.Uint64() >> 32
	}
	cfg := torture.Config{Seed: c.Seed, For: c.For, Consumers: c.Consumers, Rate: c.Rate, Every: c.Every, Engine: c.Engine, Dir: c.Data, Out: t.Err}
	for _, k := range c.Faults {
		cfg.Faults = append(cfg.Faults, torture.Kind(k))
	}
	if c.Verbose {
		cfg.Log = t.Err
	}
	if err := cfg.Validate(); err != nil {
		return Usage(err)
	}
	report, err := torture.Run(ctx, cfg)
	if err != nil {
		return fmt.Errorf("seed %d: %w", c.Seed, err)
	}
	if err := report.Print(t.Out); err != nil {
		return err
	}
	if !report.OK() {
		return No(fmt.Errorf("what came out is not the truth; --seed=%d --for=%s --rate=%d --every=%s repeats the faults", c.Seed, c.For, c.Rate, c.Every))
	}
	return nil
}
