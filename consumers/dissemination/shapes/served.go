package shapes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
)

// question is one to a server, and how its answer is read.
type question struct {
	of   string // the vintage that it is about; "": all
	path string
	read func([]byte) ([]cell, error)
	// paged says that the answer may be the first of several pages.
	paged bool
}

// atOnce is how many questions are under way at once: a server far away is asked in a fraction of the time, and none is pressed.
const atOnce = 4

// Served reads every form that a server gives of vintages. A form that the server does not have is none.
func (x *Index) Served(ctx context.Context, site bundle.Site, all []*bundle.Bundle) (found []attack.Finding, err error) {
	questions := x.ofAll()
	for _, b := range all {
		questions = append(questions, x.ofBulletin(b)...)
		for i := range b.Tables {
			questions = append(append(questions, x.ofTable(b, &b.Tables[i])...), feedQuestions(b, &b.Tables[i])...)
		}
	}
	answers := make([][]attack.Finding, len(questions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, q := range questions {
		group.Go(func() (err error) {
			answers[i], err = x.ask(ctx, site, q)
			return err
		})
	}
	err = group.Wait()
	return slices.Concat(answers...), err
}

// maxPages bounds the pages of one answer.
const maxPages = 1000

// ask puts a question, and compares what is answered.
func (x *Index) ask(ctx context.Context, site bundle.Site, q question) (found []attack.Finding, err error) {
	for page := 1; page <= maxPages; page++ {
		path := q.path
		if page > 1 {
			path += "&page=" + strconv.Itoa(page)
		}
		body, err := site.Ask(ctx, path)
		var answer *bundle.AnswerError
		if errors.As(err, &answer) && (answer.Status == http.StatusNotFound || answer.Status == http.StatusNoContent) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		cells, err := q.read(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		found = append(found, x.compare(q.of, path, cells)...)
		if !q.paged || !bytes.Contains(body, []byte(`rel="next"`)) {
			return found, nil
		}
	}
	return nil, fmt.Errorf("%s: it has more than %d pages", q.path, maxPages)
}

// ofAll are the questions to SDMX: what each dataflow has now, in every format, and what it ever had.
func (x *Index) ofAll() (all []question) {
	for _, flow := range x.flows {
		of30, of21 := "sdmx/3.0/data/dataflow/*/"+url.PathEscape(flow), "sdmx/2.1/data/"+url.PathEscape(flow)
		all = append(all, question{path: of30 + "?format=csv", read: x.readCSV}, question{path: of30 + "?includeHistory=true&format=csv", read: x.readCSV},
			question{path: of30 + "?format=jsondata", read: x.readJSON}, question{path: of30 + "?format=xml", read: x.readML},
			question{path: of21 + "?format=csv", read: x.readCSV}, question{path: of21 + "?format=genericdata", read: x.readML},
			question{path: of21 + "?format=structurespecificdata", read: x.readML})
	}
	return all
}

// ofBulletin are the questions for the bulletin of a vintage.
func (x *Index) ofBulletin(b *bundle.Bundle) (all []question) {
	for _, form := range []string{"html", "xlsx", "ods"} {
		for _, lang := range []string{"es", "en"} {
			all = append(all, question{of: b.Name(), read: x.documents()["."+form],
				path: fmt.Sprintf("bulletin/%s?format=%s&lang=%s&vintage=%d", b.Manifest.Period, form, lang, b.Manifest.Vintage)})
		}
	}
	return all
}

// ofTable are the questions for a table of a vintage in each form, and for the explorer's page of it.
func (x *Index) ofTable(b *bundle.Bundle, t *bundle.Table) (all []question) {
	for _, form := range []string{"jsonstat", "hxl", "json", "parquet", "csv"} {
		all = append(all, question{of: b.Name(), path: fmt.Sprintf("vintages/%s/tables/%s?format=%s", b.Name(), url.PathEscape(t.ID), form),
			read: func(body []byte) ([]cell, error) { return byFormat[form](body, t) }})
	}
	return append(all, question{of: b.Name(), path: fmt.Sprintf("explore/%s?lang=es&period=%s&vintage=%d", url.PathEscape(t.ID), b.Manifest.Period, b.Manifest.Vintage), read: x.readHTML, paged: true})
}
