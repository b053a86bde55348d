package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/command/screen"
	"retorno/producers/imports"
	"retorno/producers/producer"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// importName is the source_id of an import, which people may name without its prefix.
func importName(name string) string {
	if name == "" || strings.HasPrefix(name, "import-") {
		return name
	}
	return "import-" + name
}

// importsKafka is the cluster as imports need it.
type importsKafka struct {
	cluster  imports.Cluster
	facts    *producer.Writer
	accounts *producer.Writer
}

// openImports opens the cluster. To send, the topics are made sure of; else nothing is created.
func (f *kafkaFlags) openImports(ctx context.Context, log *slog.Logger, send bool) (*importsKafka, error) {
	cfg, err := f.producer(log, nil)
	if err != nil {
		return nil, err
	}
	if send {
		err = f.ensureTopics(ctx, f.topics(cfg, append([]string{producer.TopicImports}, factTopics...)...), nil)
	} else {
		err = f.ask(ctx, func(ctx context.Context) error {
			return producer.CheckTopics(ctx, f.Brokers, f.topics(cfg, factTopics...))
		})
	}
	if err != nil {
		return nil, err
	}
	k := &importsKafka{}
	k.cluster = imports.Cluster{Partitions: f.Partitions, Open: f.openLog, Write: func(ctx context.Context, m ...producer.Message) error {
		return k.accounts.Write(ctx, m...)
	}}
	if k.facts, err = producer.New(cfg); err != nil {
		return nil, Usage(err)
	}
	cfg.Partitions = 1
	if k.accounts, err = producer.New(cfg); err != nil {
		return nil, errors.Join(Usage(err), k.facts.Close())
	}
	return k, nil
}

func (k *importsKafka) close() {
	_ = k.facts.Close()
	_ = k.accounts.Close()
}

// partitionLog reads a partition for the accounts of imports.
type partitionLog struct{ *wire.Log }

// Bounds implements imports.Log.
func (l partitionLog) Bounds(ctx context.Context) (first, end int64, err error) {
	first, end, err = l.Log.Bounds(ctx)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		err = errors.Join(imports.ErrNoTopic, err)
	}
	return first, end, err
}

// Read implements imports.Log.
func (l partitionLog) Read(ctx context.Context, from, to int64, fn func(value []byte) error) error {
	return l.Log.Read(ctx, from, to, func(m *wire.Message) error {
		if m.Skipped || m.Unreadable != "" || m.Value == nil {
			return nil
		}
		return fn(m.Value)
	})
}

func (f *kafkaFlags) openLog(topic string, partition int) (imports.Log, error) {
	access, err := f.access()
	if err != nil {
		return nil, err
	}
	log, err := wire.Open(wire.Config{Brokers: access.Brokers, TLS: access.TLS, SASL: access.SASL, RequestTimeout: f.RequestTimeout}, topic, partition)
	if err != nil {
		return nil, Usage(err)
	}
	return partitionLog{log}, nil
}

// cutOffError is a failure after records were sent.
type cutOffError struct {
	sent int64
	err  error
}

func (e *cutOffError) Error() string {
	return fmt.Sprintf("after %s records that were acknowledged: %v", screen.Count(e.sent), e.err)
}

func (e *cutOffError) Unwrap() error { return e.err }

// send carries a plan out, and returns how many records it sent.
func (k *importsKafka) send(ctx context.Context, t *terminal, plan *imports.Plan) (int64, error) {
	out := newOutbox(k.facts)
	bar := screen.NewProgress(t.Err, "records sent", 0)
	defer bar.End()
	var records int64
	err := plan.Send(ctx, imports.Outbox{Flush: out.flush, Put: func(ctx context.Context, r *events.Record) error {
		records++
		bar.Set(records)
		message, err := out.seal(events.Line{Envelope: &events.Envelope{Record: r}})
		if err != nil {
			return err
		}
		return out.put(ctx, message)
	}})
	if err != nil && out.sent > 0 {
		return records, &cutOffError{sent: out.sent, err: advised(err)}
	}
	return records, advised(err)
}

// advised says of a refusal by the cluster what to grant or to check.
func advised(err error) error {
	if err == nil || !kafka.Refused(err) {
		return err
	}
	return Usage(fmt.Errorf("%w (%s)", err, kafka.Advice(err)))
}

type importListCommand struct {
	Kafka kafkaFlags `embed:"" prefix:"kafka-"`
	JSON  bool       `name:"json" per:"call" help:"One JSON object a line."`
}

// Help is the longer text of --help.
func (importListCommand) Help() string {
	return helpText(`Lists what was imported, the latest change last: source, kind, system, state (sent; void; sending: goes on, or was cut off and is to be imported again), first and last day, records that count, that are void, and rows that are rejected.

Muestra lo importado, el último cambio al final: fuente, tipo, sistema, estado (sent: enviado; void: anulado; sending: sigue, o se cortó y hay que importar otra vez), primer y último día, registros que cuentan, anulados, y filas rechazadas.`,
		"retorno import list", "retorno import list --json")
}

// Run prints the list.
func (c *importListCommand) Run(ctx context.Context, t *terminal) error {
	cluster, err := c.Kafka.openImports(ctx, t.Log, false)
	if err != nil {
		return err
	}
	defer cluster.close()
	all, err := imports.List(ctx, &cluster.cluster)
	if err != nil {
		return advised(err)
	}
	if c.JSON {
		rows := json.NewEncoder(t.Out)
		for _, i := range all {
			if err := rows.Encode(i); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(t.Out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SOURCE\tKIND\tSYSTEM\tSTATE\tCHANGED\tFIRST\tLAST\tCOUNTED\tVOID\tREJECTED") // the table keeps its error for Flush
	_, _ = fmt.Fprintln(table, "FUENTE\tTIPO\tSISTEMA\tESTADO\tCAMBIO\tPRIMER DÍA\tÚLTIMO DÍA\tCUENTAN\tANULADAS\tRECHAZADAS")
	for _, i := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\n", i.Source, i.Kind, i.System, i.State, i.At.In(calendar.Zone()).Format(time.RFC3339), orDash(i.First), orDash(i.Last), i.Counted, i.Void, i.Rejected)
	}
	return table.Flush()
}

type importVoidCommand struct {
	Source string     `arg:"" placeholder:"SOURCE" help:"The import, as the list shows it."`
	Reason string     `per:"call" enum:"entered_in_error,duplicate_entry,wrong_person,test_record" default:"entered_in_error" placeholder:"CODE" help:"Why: ${enum}."`
	Check  bool       `per:"call" help:"Show how many records would be voided, and send nothing."`
	Kafka  kafkaFlags `embed:"" prefix:"kafka-"`
}

// Help is the longer text of --help.
func (importVoidCommand) Help() string {
	return helpText(`Takes an import back: each of its records gets one more revision that voids it, and no count holds it any more. Published vintages stay as they are. To count the rows after all, import their file with --replace.

Anula una importación: cada registro recibe una revisión más, que lo anula, y deja de contar. Lo publicado queda como estaba. Para que las filas vuelvan a contar, importe su archivo con --replace.`,
		"retorno import void import-centre-1f0c7b2a", "retorno import void import-centre-1f0c7b2a --reason=test_record")
}

// Run voids the import.
func (c *importVoidCommand) Run(ctx context.Context, t *terminal) error {
	cluster, err := c.Kafka.openImports(ctx, t.Log, !c.Check)
	if err != nil {
		return err
	}
	defer cluster.close()
	plan, err := imports.MakeVoid(ctx, &cluster.cluster, importName(c.Source), c.Reason)
	var unknown *imports.UnknownError
	switch {
	case errors.As(err, &unknown):
		return Usage(fmt.Errorf("%w\n%s", err, unknown.Spanish()))
	case err != nil:
		return advised(err)
	}
	did, hizo := "voided", "anulados"
	if c.Check {
		did, hizo = "would be voided", "serían anulados"
	} else if _, err := cluster.send(ctx, t, plan); err != nil {
		return err
	}
	again, otra := "", ""
	if shared := strings.Join(plan.SharedBy, ", "); plan.Voided > 0 && shared != "" {
		again = fmt.Sprintf("; files of %s held rows of it: import them again", shared)
		otra = fmt.Sprintf("; archivos de %s tenían filas de ella: impórtelos de nuevo", shared)
	}
	n := screen.Count(int64(plan.Voided))
	_, err = fmt.Fprintf(t.Out, "%s: %s records %s%s\n%[1]s: %[2]s registros %[5]s%[6]s\n", plan.Source, n, did, again, hizo, otra)
	return err
}
