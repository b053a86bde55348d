package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"retorno/consumers/completeness"
	"retorno/consumers/verify"
	"retorno/deploy/ops"
)

type verifyCommand struct {
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Once       bool            `per:"call" help:"Make one pass and end: status 0 when both counts agree, 1 when they differ."`
	JSON       bool            `name:"json" per:"call" help:"With --once: the report as JSON."`
	Every      time.Duration   `default:"1m" help:"Without --once: pause between two passes."`
	OpsListen  string          `default:"127.0.0.1:9466" placeholder:"HOST:PORT" help:"Without --once: where /metrics, /healthz and /readyz are."`
}

// Help is the longer text of --help.
func (verifyCommand) Help() string {
	return helpText("Says every number a second time by other means, in SQL: returns from the facts, cells from the returns, helps and crossings from the facts, and the ledger's offsets without gap or overlap. It names each row that differs and changes nothing.",
		"retorno verify --once", "retorno verify --once --json | jq .results", "retorno verify --every=5m")
}

// Run makes one pass, or one after the other until it is told to end.
func (c *verifyCommand) Run(ctx context.Context, t *terminal) error {
	registry := ops.NewRegistry(version)
	s, err := c.ClickHouse.openSchema(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if c.Once {
		report, err := verify.Once(ctx, s.Conn())
		if err != nil {
			return err
		}
		return c.conclude(t.Out, report)
	}
	verifier, err := verify.New(verify.Config{Conn: s.Conn(), Every: c.Every, Logger: t.Log, Registerer: registry})
	if err != nil {
		return Usage(err)
	}
	// One process of a deployment verifies, so the completeness is read once, whatever the number of consumers and webs.
	watch, err := completeness.New(completeness.Config{Conn: s.Conn(), Logger: t.Log, Registerer: registry})
	if err != nil {
		return Usage(err)
	}
	listener, _, err := ops.Listen(c.OpsListen, false)
	if err != nil {
		return Missing(err)
	}
	server := ops.New(registry)
	server.Ready("verifier", func(context.Context) error { return agreement(verifier) })
	return ops.Run(ctx, t.Log, []ops.Part{server.Part(listener), {Name: "verifier", Run: verifier.Run}, {Name: "completeness", Run: watch.Run}})
}

// agreement is nil when the latest pass was made and found nothing.
func agreement(v *verify.Verifier) error {
	report, err := v.Newest()
	switch {
	case err != nil:
		return fmt.Errorf("the latest pass failed: %w", err)
	case report.At.IsZero():
		return fmt.Errorf("no pass has been made yet")
	case report.Different() > 0:
		return fmt.Errorf("the second count disagrees on %d rows", report.Different())
	}
	return nil
}

func (c *verifyCommand) conclude(w io.Writer, report verify.Report) error {
	if c.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else if err := printReport(w, report); err != nil {
		return err
	}
	if n := report.Different(); n > 0 {
		return No(fmt.Errorf("the second count disagrees on %s rows", count(int64(n))))
	}
	return nil
}

// printReport writes a line for each check, and below it the rows that differ.
func printReport(w io.Writer, report verify.Report) error {
	for _, r := range report.Results {
		if _, err := fmt.Fprintf(w, "%-18s %10s rows, %s different\n", r.Check, count(int64(r.Rows)), count(int64(r.Different))); err != nil {
			return err
		}
		for _, d := range r.Differences {
			side := "stored, not recounted"
			if d.Surplus < 0 {
				side = "recounted, not stored"
			}
			if _, err := fmt.Fprintf(w, "  %s: %s\n", side, d.Row); err != nil {
				return err
			}
		}
	}
	return nil
}
