package portal

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/revision"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// revisionsPath is where the vintages of a half-year stand beside each other.
const revisionsPath = "/revisions/"

// revisionsView is what the template of the page of revisions is given.
type revisionsView struct {
	Frame
	Name, Label string
	Months      []revisionMonth
	Rows        []revisionRow
	Triangle    triangle
	Steps       []revisionStep
	Rounded     bool // some vintage is
	Kept        bool // some month is of an earlier vintage
}

type revisionRow struct {
	Vintage, Folder, Status, Published string
	Reason, Accepted, Missing          string // why it revises, and why it was published incomplete and how many records were missing
	Total                              string // "" where it is not published
}

type revisionMonth struct {
	Name   string
	Counts []string // by vintage; "" where it is not published
}

type revisionStep struct {
	From, To, Change   string
	Mean, MeanAbsolute string // "" where no month is in both
	NoMean             string // why not; else ""
	Lines              []revisionLine
	Kept               string // how many counts are those of an earlier vintage
	File               string // the address of all lines
}

type revisionLine struct {
	Measure, Cell, Before, After, Change string
	Reasons                              string
}

// revisions is the page of a half-year's vintages.
func (s *server) revisions(w http.ResponseWriter, r *http.Request) {
	period := r.PathValue("period")
	if p, err := calendar.ParsePeriod(period); err != nil || p.Kind != calendar.KindHalfYear {
		s.fail(w, r, http.StatusNotFound, wrongPeriod)
		return
	}
	if m, ok := understood(r.URL.Query()); !ok {
		s.fail(w, r, http.StatusBadRequest, m)
		return
	}
	all, err := s.openAll(r.Context(), period)
	switch {
	case errors.Is(err, vintages.ErrNotFound):
		s.fail(w, r, http.StatusNotFound, noSuchPeriod)
	case err != nil:
		s.log.LogAttrs(r.Context(), slog.LevelError, "the page of revisions could not be made", slog.Any("error", err))
		w.Header().Set("Retry-After", "10")
		s.fail(w, r, http.StatusServiceUnavailable, away)
	default:
		s.show(w, r, http.StatusOK, "revisions", viewRevisions(all, language(r)))
	}
}

// openAll opens the vintages of a half-year, in their order; vintages.ErrNotFound where there are none.
func (s *server) openAll(ctx context.Context, period string) (all []*vintages.Opened, err error) {
	list, err := s.shelf.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if v.Period != period {
			continue
		}
		o, err := s.shelf.Open(ctx, v)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if len(all) == 0 {
		return nil, vintages.ErrNotFound
	}
	slices.SortFunc(all, func(a, b *vintages.Opened) int { return int(a.Number) - int(b.Number) })
	return all, nil
}

func viewRevisions(all []*vintages.Opened, lang string) revisionsView {
	period, _ := calendar.ParsePeriod(all[0].Period)
	v := revisionsView{Frame: frame(lang, revisionsPath+period.Label, ""), Label: period.Label, Name: wording.HalfYear(period, lang)}
	v.Title = both{"Revisiones, " + v.Name, "Revisions, " + v.Name}.in(lang)
	var labels []string
	for m := period.First.Period(calendar.KindMonth); m.First <= period.Last; m = m.Next() {
		_, n, _ := m.First.Civil()
		labels, v.Months = append(labels, m.Label), append(v.Months, revisionMonth{Name: wording.Months[lang][n-1]})
	}
	var rows []revision.Vintage
	drawn := make([][]triangleCount, len(labels)+1) // the total last
	for _, o := range all {
		row := revisionRow{Vintage: strconv.FormatUint(o.Number, 10), Folder: vintages.Address(o.Period, o.Number), Status: statusName(o.Status).in(lang),
			Published: wording.Date(calendar.DayOfTime(o.Vintage.Published), lang), Reason: sentence(o.Manifest.Reason), Accepted: sentence(o.Manifest.Accepted)}
		if o.Manifest.Missing > 0 {
			row.Missing = wording.Number(int64(o.Manifest.Missing))
		}
		counts, texts, total := monthsOf(o, period, labels)
		row.Total = given(total)
		for i, text := range texts {
			v.Months[i].Counts = append(v.Months[i].Counts, text)
			drawn[i] = append(drawn[i], triangleCount{cmp.Or(text, "–"), counts[i]})
		}
		drawn[len(labels)] = append(drawn[len(labels)], counted(total))
		v.Kept = v.Kept || slices.ContainsFunc(texts, isKept)
		v.Rows = append(v.Rows, row)
		v.Rounded = v.Rounded || o.Manifest.Rounded > 1
		rows = append(rows, revision.Vintage{Number: o.Number, Counts: counts, Total: total})
	}
	v.draw(drawn)
	for i, step := range revision.NewTriangle(period.Label, labels, rows, nil).Steps {
		s := viewStep(step, all[i+1], lang)
		if s.Mean == "" {
			s.NoMean = noMean(v.Months, i+1, lang)
		}
		v.Steps = append(v.Steps, s)
	}
	return v
}

// draw makes the picture of the table.
func (v *revisionsView) draw(rows [][]triangleCount) {
	var editions, names []string
	for _, r := range v.Rows {
		editions = append(editions, v.Label+"/"+r.Vintage)
	}
	for _, m := range v.Months {
		names = append(names, wording.Capital(m.Name))
	}
	v.Triangle = newTriangle(editions, append(names, "Total"), rows)
}

// monthsOf are the registered returns of a vintage by month, as counts that it gives of its own and as texts, and their total; nil and "" where
// they are not published.
func monthsOf(o *vintages.Opened, period calendar.Period, labels []string) (counts []*int64, texts []string, total *int64) {
	ask := feed.Query{Period: period, Series: feed.Registered}
	counts, texts = make([]*int64, len(labels)), make([]string, len(labels))
	t, _ := feed.Find(o, ask.Breakdown("month"))
	for _, r := range t.Rows {
		i := slices.Index(labels, r.Codes[0])
		if i < 0 || r.Withheld {
			continue
		}
		if texts[i] = wording.Number(r.Returns); r.Of == o.Number {
			counts[i] = &r.Returns
		} else {
			texts[i] += " [" + strconv.FormatUint(r.Of, 10) + "]"
		}
	}
	return counts, texts, feed.Total(o, ask, feed.Registered)
}

// isKept reports whether the text of a count says that it is of an earlier vintage.
func isKept(text string) bool { return strings.HasSuffix(text, "]") }

// noMean says why the months of vintage i of the page have no mean revision.
func noMean(rows []revisionMonth, i int, lang string) string {
	if slices.ContainsFunc(rows, func(m revisionMonth) bool { return isKept(m.Counts[i]) }) {
		return both{"no se da: los meses conservan el conteo de una edición anterior", "not given: the months keep the count of an earlier vintage"}.in(lang)
	}
	return both{"no se da: no hay ningún mes publicado en ambas ediciones", "not given: no month is published in both vintages"}.in(lang)
}

func viewStep(step revision.Step, b *vintages.Opened, lang string) revisionStep {
	v := revisionStep{From: strconv.FormatUint(step.From, 10), To: strconv.FormatUint(step.To, 10)}
	if step.Change != nil {
		v.Change = signed(*step.Change)
	}
	if step.Mean != nil {
		v.Mean, v.MeanAbsolute = decimal(*step.Mean), decimal(*step.MeanAbsolute)
	}
	if b.Manifest.Revises == 0 {
		return v
	}
	v.File = vintages.Address(b.Period, b.Number) + "revision.csv"
	kept := map[string]bool{}
	for _, t := range b.Tables {
		for _, c := range t.Cells {
			if c.Kept {
				kept[published.Key(t.Measure, t.Columns, c.Codes)] = true
			}
		}
	}
	v.Kept = wording.Number(int64(len(kept)))
	for _, d := range b.Differences {
		measure, cell, _ := strings.Cut(d.Key, "|")
		v.Lines = append(v.Lines, revisionLine{Measure: measureName(measure).in(lang), Cell: cellName(b, measure, cell, lang), Before: wording.Number(d.Before), After: wording.Number(d.After),
			Change: signed(d.After - d.Before), Reasons: reasonNames(d, lang)})
	}
	return v
}

// cellName says what a cell counts: the labels of its codes but for the half-year.
func cellName(o *vintages.Opened, measure, cell, lang string) string {
	var names []string
	for _, part := range strings.Split(cell, "|") {
		column, code, _ := strings.Cut(part, "=")
		if code != o.Period {
			names = append(names, o.Label(column, code, lang))
		}
	}
	switch {
	case len(names) == 0 && measure == "returns": // of every source
		return both{"Retornos conocidos", "Known returns"}.in(lang)
	case len(names) == 0:
		return "Total"
	}
	return strings.Join(names, " · ")
}

// reasonNames says the amounts of the reasons of a difference.
func reasonNames(d published.Difference, lang string) string {
	var all []string
	for _, r := range []struct {
		id   string
		name both
	}{{"late", both{"tardíos", "late"}}, {"correction", both{"corregidos", "corrected"}}, {"void", both{"anulados", "voided"}},
		{"method", both{"método", "method"}}, {"code_list", both{"listas de códigos", "code lists"}}} {
		if n := d.By[r.id]; n != 0 {
			all = append(all, r.name.in(lang)+" "+signed(n))
		}
	}
	if d.Other != 0 {
		all = append(all, both{"otras razones", "other reasons"}.in(lang)+" "+signed(d.Other))
	}
	return strings.Join(all, ", ")
}

func statusName(status string) both {
	switch status {
	case "final":
		return both{"Definitiva", "Final"}
	case "revision":
		return both{"Revisión", "Revision"}
	}
	return both{"Provisional", "Provisional"}
}

func measureName(measure string) both {
	switch measure {
	case "helps":
		return both{"Ayudas dadas", "Helps given"}
	case "people", "people_by_kind":
		return both{"Personas asistidas", "People helped"}
	case "crossings":
		return both{"Controles de documento", "Document checks"}
	}
	return both{"Retornos", "Returns"}
}

// signed writes a change with its sign.
func signed(n int64) string {
	switch {
	case n > 0:
		return "+" + wording.Number(n)
	case n < 0:
		return "−" + wording.Number(-n)
	}
	return "0"
}

// decimal writes a mean to a tenth.
func decimal(f float64) string {
	return strings.Replace(strconv.FormatFloat(f, 'f', 1, 64), "-", "−", 1)
}
