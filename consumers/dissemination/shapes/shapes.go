// Package shapes reads what is published of vintages in other forms than their own tables, as a stranger would: JSON-stat, HXL, Parquet and JSON,
// kept in a bundle and given by a server, SDMX-CSV of both versions, and the feed.
//
// It promises that every count which a form gives is held against all vintages: one that no vintage publishes under the same codes is a finding,
// whether its cell is withheld, has another count, or is in no table. It shares no code with what writes these forms. A form that cannot be read
// is an error that names it. A server that asks to wait is waited for, a minute at most each time.
package shapes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/published"
)

// cell is a count that a form gives.
type cell struct {
	keys  []string // of the cells of which it is the sum; mostly one
	value int64
}

// Index has what vintages publish.
type Index struct {
	names  []string
	counts []map[string]published.Cell // by key, of each vintage
}

// NewIndex makes it of all vintages that there are.
func NewIndex(all []*bundle.Bundle) *Index {
	x := &Index{}
	for _, b := range all {
		counts := map[string]published.Cell{}
		for _, t := range b.Tables {
			for _, c := range t.Cells {
				key := published.Key(t.Measure, t.Columns, c.Codes)
				if known, ok := counts[key]; !ok || known.Withheld {
					counts[key] = c
				}
			}
		}
		x.names, x.counts = append(x.names, b.Name()), append(x.counts, counts)
	}
	return x
}

// compare finds the counts of a form that no vintage publishes. of is the vintage that the form is of, or "" for that of the cell.
func (x *Index) compare(of, where string, cells []cell) (found []attack.Finding) {
	for _, c := range cells {
		if x.published(c) {
			continue
		}
		f := attack.Finding{Vintage: of, Key: strings.Join(c.keys, " + "), Low: c.value, High: c.value, How: attack.Shape, With: where}
		for i, counts := range x.counts {
			if known, ok := counts[c.keys[0]]; f.Vintage == "" && ok && known.Withheld {
				f.Vintage = x.names[i]
			}
		}
		found = append(found, f)
	}
	return found
}

// published reports whether a vintage publishes the count.
func (x *Index) published(c cell) bool {
	return slices.ContainsFunc(x.counts, func(counts map[string]published.Cell) bool {
		var sum int64
		for _, key := range c.keys {
			one, ok := counts[key]
			if !ok || one.Withheld {
				return false
			}
			sum += one.Value
		}
		return sum == c.value
	})
}

// Kept reads the forms that a bundle keeps beside its tables. A bundle that was published before there were such has none.
func (x *Index) Kept(ctx context.Context, from bundle.Source, b *bundle.Bundle) (found []attack.Finding, err error) {
	for _, f := range b.Manifest.Files {
		name, ok := strings.CutPrefix(f.Path, bundle.FormatsPath)
		if !ok {
			continue
		}
		_, file, _ := strings.Cut(name, "/") // of a language
		id, suffix, _ := strings.Cut(file, ".")
		i := slices.IndexFunc(b.Tables, func(t bundle.Table) bool { return t.ID == id })
		read, known := bySuffix[suffix]
		if i < 0 || !known {
			return nil, fmt.Errorf("%s: it is no form of a table of the vintage", f.Path)
		}
		body, err := from.Read(ctx, f.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		cells, err := read(body, &b.Tables[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		found = append(found, x.compare(b.Name(), f.Path, cells)...)
	}
	return found, nil
}

// Server is one that gives vintages.
type Server struct {
	Base   string // ends in /
	Client *http.Client
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = bundle.MaxFile

// errNone says that a server has no such answer.
var errNone = errors.New("there is no such answer")

// get asks for an address below the server, three times where it says to wait. The error is errNone for 404 and 204.
func (s Server) get(ctx context.Context, path string) ([]byte, error) {
	address := s.Base + strings.TrimPrefix(path, "/")
	for attempt := 1; ; attempt++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		res, err := s.Client.Do(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
		_ = res.Body.Close()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", address, err)
		case len(body) > maxAnswer:
			return nil, fmt.Errorf("%s: it answers with more than %d bytes", address, maxAnswer)
		case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusNoContent:
			return nil, errNone
		case res.StatusCode == http.StatusTooManyRequests && attempt < 3:
			if err := wait(ctx, res.Header.Get("Retry-After")); err != nil {
				return nil, err
			}
		case res.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("%s: it answers %d", address, res.StatusCode)
		default:
			return body, nil
		}
	}
}

// wait waits for the seconds that a header names, a minute at most.
func wait(ctx context.Context, seconds string) error {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 1 {
		n = 1
	}
	timer := time.NewTimer(time.Duration(min(n, 60)) * time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Served reads every form that a server gives of vintages.
func (x *Index) Served(ctx context.Context, s Server, all []*bundle.Bundle) (found []attack.Finding, err error) {
	ask := func(of, path string, read func([]byte) ([]cell, error)) error {
		body, err := s.get(ctx, path)
		if errors.Is(err, errNone) {
			return nil
		}
		if err != nil {
			return err
		}
		cells, err := read(body)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		found = append(found, x.compare(of, path, cells)...)
		return nil
	}
	for _, b := range all {
		for i := range b.Tables {
			t := &b.Tables[i]
			for _, form := range []string{"jsonstat", "hxl", "json", "parquet", "csv"} {
				path := fmt.Sprintf("vintages/%s/tables/%s?format=%s", b.Name(), url.PathEscape(t.ID), form)
				if err := ask(b.Name(), path, func(body []byte) ([]cell, error) { return byFormat[form](body, t) }); err != nil {
					return nil, err
				}
			}
			for _, q := range questions(b, t) {
				if err := ask(b.Name(), q.path, q.read); err != nil {
					return nil, err
				}
			}
		}
	}
	concepts, flows, err := conceptsOf(all)
	if err != nil {
		return nil, err
	}
	for _, flow := range flows {
		for _, path := range []string{"sdmx/3.0/data/dataflow/*/" + flow + "?format=csv", "sdmx/2.1/data/" + flow + "?format=csv"} {
			if err := ask("", path, func(body []byte) ([]cell, error) { return sdmxCells(body, concepts) }); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}
