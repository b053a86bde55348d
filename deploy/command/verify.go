package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"retorno/consumers/counting/completeness"
	"retorno/consumers/counting/storage"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/command/screen"
	"retorno/deploy/ops"
)

type verifyCommand struct {
	Kafka      kafkaFlags      `embed:"" prefix:"kafka-"`
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Once       bool            `per:"call" help:"Make one full pass and end: status 0 when both counts agree, 1 when they differ."`
	Behind     int64           `per:"call" default:"-1" placeholder:"N" help:"With --once: status 1, too, when the logs hold more than N records that the ledger does not account for yet; negative: they are only told."`
	JSON       bool            `name:"json" per:"call" help:"With --once: the report as JSON."`
	Every      time.Duration   `default:"1m" help:"Without --once: pause between two passes, which compare what came since the one before."`
	FullEvery  time.Duration   `default:"24h" help:"Without --once: time between two passes that compare everything."`
	OpsListen  string          `default:"127.0.0.1:9466" placeholder:"HOST:PORT" help:"Without --once: where /metrics, /healthz and /readyz are."`
}

// Help is the longer text of --help.
func (verifyCommand) Help() string {
	return helpText("Says every number a second time by other means: the facts from Kafka, by a reader of its own with a checksum for each partition; returns from the facts, by the method in SQL; cells from the returns, helps and crossings from the facts; and the ledger's offsets without gap or overlap. It names each fact, return and cell that differs and changes nothing. A full pass is made in bounded pieces and recorded in retorno.verifications: a verifier that is started again goes on with the one that was under way. It says how many records the logs hold that the ledger does not account for yet.",
		"retorno verify --once", "retorno verify --once --behind=1000", "retorno verify --once --json | jq .results", "retorno verify --every=5m")
}

// Validate names what cannot be.
func (c *verifyCommand) Validate() error {
	return checkAll(above("every", c.Every), above("full-every", c.FullEvery), checkAddress("ops-listen", c.OpsListen))
}

// Run makes one pass, or one after the other until it is told to end.
func (c *verifyCommand) Run(ctx context.Context, t *terminal) error {
	registry := ops.NewRegistry(version, "verify")
	kafka, err := c.Kafka.verified(ctx, t.Log)
	if err != nil {
		return err
	}
	s, err := c.ClickHouse.openSchema(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if c.Once {
		return c.once(ctx, t, s, kafka)
	}
	verifier, err := verify.New(verify.Config{Conn: s.Conn(), Kafka: kafka, Every: c.Every, FullEvery: c.FullEvery, Logger: t.Log, Registerer: registry})
	if err != nil {
		return Usage(err)
	}
	// One process of a deployment verifies, so the completeness is read once, whatever the number of consumers and webs.
	watch, err := completeness.New(completeness.Config{Conn: s.Conn(), Logger: t.Log, Registerer: registry})
	if err != nil {
		return Usage(err)
	}
	stored, err := storage.New(storage.Config{Conn: s.Conn(), Logger: t.Log, Registerer: registry})
	if err != nil {
		return Usage(err)
	}
	registry.MustRegister(certificates(&c.Kafka, &c.ClickHouse))
	listener, _, err := ops.Listen(c.OpsListen, false)
	if err != nil {
		return Missing(err)
	}
	server := ops.New(registry)
	server.Ready("verifier", func(context.Context) error { return agreement(verifier) })
	server.Healthy("verifier", func(context.Context) error { return verifier.Alive() })
	return ops.Run(ctx, t.Log, []ops.Part{server.Part(listener), {Name: "verifier", Run: verifier.Run}, {Name: "completeness", Run: watch.Run}, {Name: "storage", Run: stored.Run}})
}

// once makes one full pass.
func (c *verifyCommand) once(ctx context.Context, t *terminal, s *store.Store, kafka *verify.Kafka) error {
	bar := screen.NewProgress(t.Err, "facts taken up by the checks", 0)
	verifier, err := verify.New(verify.Config{Conn: s.Conn(), Kafka: kafka, Progress: func(done, total uint64) { bar.SetOf(int64(done), int64(total)) }})
	if err != nil {
		return Usage(err)
	}
	report, err := verifier.Full(ctx)
	bar.End()
	if err != nil {
		return err
	}
	return c.conclude(t.Out, report)
}

// verified is where the verifier's own reader finds the facts. It makes sure that the cluster answers and has the topics.
func (f *kafkaFlags) verified(ctx context.Context, log *slog.Logger) (*verify.Kafka, error) {
	cfg, err := f.producer(log, nil)
	if err != nil {
		return nil, err
	}
	if err := f.checkTopics(ctx, cfg); err != nil {
		return nil, err
	}
	return f.log()
}

// log is where the facts are sent to, for the verifier.
func (f *kafkaFlags) log() (*verify.Kafka, error) {
	a, err := f.access()
	if err != nil {
		return nil, err
	}
	return &verify.Kafka{Config: wire.Config{Brokers: a.Brokers, TLS: a.TLS, SASL: a.SASL, RequestTimeout: f.RequestTimeout}, Partitions: f.Partitions}, nil
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
	var no []error
	if n := report.Different(); n > 0 {
		no = append(no, fmt.Errorf("the second count disagrees on %s rows", screen.Count(int64(n))))
	}
	if report.Behind != nil && c.Behind >= 0 && *report.Behind > uint64(c.Behind) {
		no = append(no, fmt.Errorf("the ledger is %s records behind the logs, more than %s", screen.Count(int64(*report.Behind)), screen.Count(c.Behind)))
	}
	return No(errors.Join(no...))
}

// printReport writes a line for each check, and below it the rows that differ; and what of the log could be compared.
func printReport(w io.Writer, report verify.Report) error {
	for _, r := range report.Results {
		if _, err := fmt.Fprintf(w, "%-18s %10s rows, %s different\n", r.Check, screen.Count(int64(r.Rows)), screen.Count(int64(r.Different))); err != nil {
			return err
		}
		for _, d := range r.Differences {
			side := "stored, not recounted"
			switch {
			case d.Surplus < 0:
				side = "recounted, not stored"
			case d.Surplus == 0:
				side = "stored otherwise"
			}
			if _, err := fmt.Fprintf(w, "  %s: %s\n", side, d.Row); err != nil {
				return err
			}
		}
	}
	if err := printRanges(w, report.Partitions); err != nil || report.Behind == nil {
		return err
	}
	_, err := fmt.Fprintf(w, "ledger: %s records of the logs were not accounted for when the pass began, and were not compared\n", screen.Count(int64(*report.Behind)))
	return err
}

// printRanges says how many records were compared, and which the log did not hold any more.
func printRanges(w io.Writer, partitions []verify.Partition) error {
	var records uint64
	for _, p := range partitions {
		records += p.Read
		for _, r := range p.Ranges {
			if r.From == 0 {
				continue
			}
			if _, err := fmt.Fprintf(w, "%s, partition %d: the log begins at offset %d; earlier facts could not be compared with it\n", r.Topic, p.Partition, r.From); err != nil {
				return err
			}
		}
	}
	if len(partitions) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "log: %s records of %d partitions read again, a checksum for each\n", screen.Count(int64(records)), len(partitions))
	return err
}
