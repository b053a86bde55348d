package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"retorno/consumers/publication"
	"retorno/schemas/calendar"
)

type publishCommand struct {
	Period     string          `arg:"" help:"The period: a year 2016, a half-year 2016-S1, a quarter 2016-Q2, a month 2016-06, an ISO week 2016-W26 or a day 2016-06-30."`
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Final      bool            `per:"call" help:"Publish it as final, and not as provisional; the period must be over."`
	JSON       bool            `name:"json" per:"call" help:"The publication as one JSON document."`
}

// Help is the longer text of --help.
func (publishCommand) Help() string {
	return helpText("Keeps the counts of a period as they are now, for ever: a new vintage of it, in ceniss.publications and ceniss.published_counts, with the moment, the coverage and the positions of the ledger. Vintages before it stay as they are. Counting may go on meanwhile; when cells of the period keep changing it gives up with status 1 and publishes nothing.",
		"retorno publish 2016-S1", "retorno publish 2016-S1 --final --json")
}

// Run publishes the period.
func (c *publishCommand) Run(ctx context.Context, t *terminal) error {
	period, err := calendar.ParsePeriod(c.Period)
	if err != nil {
		return Usage(err)
	}
	s, err := c.ClickHouse.openSchema(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	status := publication.Provisional
	if c.Final {
		status = publication.Final
	}
	p, err := publication.Take(ctx, s.Conn(), period, status, time.Now())
	switch {
	case errors.Is(err, publication.ErrNotOver), errors.Is(err, publication.ErrFinal):
		return Usage(err)
	case errors.Is(err, publication.ErrNoCounts):
		return No(err)
	case err != nil:
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(t.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(p)
	}
	return printPublication(t.Out, p)
}

// printPublication says in both languages what was published.
func printPublication(w io.Writer, p publication.Publication) error {
	states := map[publication.Status]string{publication.Provisional: "provisional", publication.Final: "definitiva"}
	at := p.AsOf.In(calendar.Zone()).Format("2006-01-02 15:04:05")
	coverage := "–"
	if p.Reconciled > 0 {
		coverage = fmt.Sprintf("%.1f %%", 100*float64(p.Registered)/float64(p.Reconciled))
	}
	_, err := fmt.Fprintf(w, `%[1]s (%[2]s a %[3]s), edición %[4]d, %[5]s, contada el %[6]s
  %[7]s retornos registrados de %[8]s conocidos (%[9]s), %[10]s vistos en puestos, %[11]s anotados tarde, %[12]s registros faltan
%[1]s (%[2]s to %[3]s), vintage %[4]d, %[13]s, counted on %[6]s
  %[7]s registered returns of %[8]s known (%[9]s), %[10]s seen at posts, %[11]s written down late, %[12]s records missing
%[14]s
`, p.Period, p.First, p.Last, p.Vintage, states[p.Status], at,
		count(int64(p.Registered)), count(int64(p.Reconciled)), coverage, count(int64(p.Checkpoint)), count(int64(p.Late)), count(int64(p.Missing)),
		p.Status, p.ID)
	return err
}
