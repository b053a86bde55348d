package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"retorno/consumers/dissemination/report"
	"retorno/consumers/dissemination/revision"
	"retorno/deploy/command/screen"
	"retorno/schemas/calendar"
)

type revisionsCommand struct {
	Period     string          `arg:"" help:"The period, as it was published: 2016-S1."`
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	JSON       bool            `name:"json" per:"call" help:"The triangle and every cell that changed, as one JSON document."`
}

// Help is the longer text of --help.
func (revisionsCommand) Help() string {
	return helpText("Puts the vintages of a period beside each other: returns registered at a centre, by month, one line for each vintage; the mean revision of the months, and of its size. For a half-year it says of each cell that changed from one vintage to the next for which reasons: late records, corrections, voids, another method, other code lists. The amounts add up to the change; a reason of fewer persons than the cell's table asks for is among the others. Numbers are exact and for the statistics office; what everyone may know of a revision stands at /revisions/PERIOD.",
		"retorno revisions 2016-S1", "retorno revisions 2016-S1 --json")
}

// Run writes the revisions.
func (c *revisionsCommand) Run(ctx context.Context, t *terminal) error {
	period, err := calendar.ParsePeriod(c.Period)
	if err != nil {
		return Usage(err)
	}
	s, err := c.ClickHouse.openSchema(ctx, t.Log, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	triangle, err := report.Revisions(ctx, s.Conn(), period)
	switch {
	case err != nil:
		return err
	case len(triangle.Vintages) == 0:
		return No(fmt.Errorf("nothing was published of %s", period.Label))
	case c.JSON:
		encoder := json.NewEncoder(t.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(triangle)
	}
	return printTriangle(t.Out, triangle)
}

// mostCells bounds how many changed cells are printed of a step; all are in the JSON document.
const mostCells = 20

// printTriangle writes the triangle in both languages.
func printTriangle(out io.Writer, t revision.Triangle) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")+"\t") } // Flush returns the error
	_, _ = fmt.Fprintf(w, "%s: retornos registrados por mes y edición / registered returns by month and vintage\n", t.Period)
	line(append(append([]string{"edición / vintage", "publicada / published"}, t.Months...), "total")...)
	for _, v := range t.Vintages {
		row := []string{fmt.Sprintf("%d %s", v.Number, v.Status), v.Published.Format("2006-01-02")}
		for _, n := range v.Counts {
			row = append(row, known(n))
		}
		line(append(row, known(v.Total))...)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range t.Steps {
		if err := printStep(out, s); err != nil {
			return err
		}
	}
	return nil
}

func printStep(out io.Writer, s revision.Step) error {
	mean := func(f *float64) string {
		if f == nil {
			return "–"
		}
		return strconv.FormatFloat(*f, 'f', 1, 64)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "\n%d → %d: total %s, revisión media / mean revision %s, media absoluta / mean absolute %s; %d celdas cambiaron / cells changed\n",
		s.From, s.To, signedCount(s.Change), mean(s.Mean), mean(s.MeanAbsolute), len(s.Cells))
	for i, c := range s.Cells {
		if i == mostCells {
			_, _ = fmt.Fprintf(w, "… %d más / more: --json\n", len(s.Cells)-i)
			break
		}
		var reasons []string
		for _, r := range []struct {
			name string
			n    int64
		}{{"tardíos / late", c.Late}, {"corregidos / corrected", c.Correction}, {"anulados / voided", c.Void}, {"método / method", c.Method}, {"listas / code lists", c.CodeList}, {"otras / other", c.Other}} {
			if r.n != 0 {
				reasons = append(reasons, r.name+" "+signedCount(&r.n))
			}
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s → %s\t%s\t%s\n", c.Measure, strings.ReplaceAll(c.Cell, "|", " "), screen.Count(c.Before), screen.Count(c.After), signedCount(&c.Change), strings.Join(reasons, ", "))
	}
	return w.Flush()
}

func known(n *int64) string {
	if n == nil {
		return "–"
	}
	return screen.Count(*n)
}

// signedCount writes a change with its sign.
func signedCount(n *int64) string {
	switch {
	case n == nil:
		return "–"
	case *n > 0:
		return "+" + screen.Count(*n)
	case *n < 0:
		return "−" + screen.Count(-*n)
	}
	return "0"
}
