//go:build !server

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"retorno/deploy/lab/bench"
)

type benchCommand struct {
	JSON       string   `name:"json" per:"call" placeholder:"FILE" help:"Write the figures there as JSON."`
	Quick      bool     `per:"call" help:"Everything small, within a minute: shows that the measuring works; its times mean nothing."`
	Only       []string `per:"call" placeholder:"NAMES" help:"Measure only these figures; without it all."`
	Seed       uint64   `default:"1" placeholder:"N" help:"Seed of the made events."`
	Events     int      `placeholder:"N" help:"About how many events the contenders catch up with; default 2000000."`
	Rounds     int      `placeholder:"N" help:"How often each contender runs; default 3."`
	Growth     int      `placeholder:"N" help:"Events with which cost_growth lets the state grow, beside a twentieth of them; default 4000000."`
	Steady     int      `placeholder:"SECONDS" help:"How long events are sent steadily; default 30."`
	Outage     int      `placeholder:"SECONDS" help:"How long ClickHouse is away; default 60."`
	Returns    int      `placeholder:"N" help:"Returns that the half-year table is asked of; default 100000000."`
	Facts      int      `placeholder:"N" help:"Facts that are stored at a restart; default 10000000."`
	Records    int      `placeholder:"N" help:"Records that wait at the computer of a post; default 200000."`
	Partitions int      `placeholder:"N" help:"Partitions of each topic; default 12, as in production."`
	Persons    int      `placeholder:"N" help:"Persons with whom the state is weighed; default 10000000."`
	Engine     string   `placeholder:"FILE" help:"A libchdb.so to use instead of fetching the pinned one."`
	Data       string   `placeholder:"DIR" help:"Where the temporary data are kept until the end; default the system's temporary folder."`
	CPUProfile string   `name:"cpuprofile" per:"call" placeholder:"FILE" help:"Write a CPU profile of the consumer process there, from its first timed run."`
	Verbose    bool     `per:"call" help:"Show what the processes say."`
}

// Help is the longer text of --help.
func (benchCommand) Help() string {
	return helpText("Measures the pipeline on this machine, beside the limit (fetch and insert with nothing in between), ClickHouse's own Kafka engine and the consumer that most people would write: the same made events for all, from a real Apache Kafka, runs interleaved, medians with their spread. A run counts only when what stands in ClickHouse is what can be known of it.\n\nStatus 1: some count was wrong, so that its figure does not count.",
		"retorno bench --json=bench.json", "retorno bench --only=ratio_to_peer,ratio_to_limit --rounds=5 --seed=7")
}

// Run measures and prints the table.
func (c *benchCommand) Run(ctx context.Context, t *terminal) error {
	cfg := bench.Config{Seed: c.Seed, Only: c.Only, Quick: c.Quick, Events: c.Events, Rounds: c.Rounds, GrowthEvents: c.Growth,
		SteadySeconds: c.Steady, OutageSeconds: c.Outage, StoredReturns: c.Returns, StoredFacts: c.Facts, Persons: c.Persons, AgentRecords: c.Records, Partitions: c.Partitions, Engine: c.Engine, Dir: c.Data,
		CPUProfile: c.CPUProfile, Version: version, Out: t.Err}
	if c.Verbose {
		cfg.Log = t.Err
	}
	if err := cfg.Validate(); err != nil {
		return Usage(err)
	}
	began := time.Now()
	report, err := bench.Run(ctx, cfg)
	if err != nil {
		return fmt.Errorf("after %s: %w", time.Since(began).Round(time.Second), err)
	}
	if err := report.Print(t.Out); err != nil {
		return err
	}
	if c.JSON != "" {
		text, err := report.JSON()
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.JSON, text, 0o644); err != nil {
			return err
		}
	}
	if !report.OK() {
		return No(errors.New("some counts were wrong; what they belong to was not measured"))
	}
	return nil
}
