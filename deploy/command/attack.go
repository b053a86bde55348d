package command

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/release"
	"retorno/consumers/dissemination/shapes"
	"retorno/consumers/dissemination/vintages"
)

type attackCommand struct {
	Where string `arg:"" name:"dir|url" help:"A folder of a vintage or of several, the address of one, or that of a server, whose vintages are all attacked."`
	Known string `placeholder:"FILE" help:"Counts that an attacker has from elsewhere: CSV with the columns measure and value, and others as in the tables."`
	JSON  bool   `name:"json" per:"call" help:"What was found, as one JSON document."`
}

// Help is the longer text of --help.
func (attackCommand) Help() string {
	return helpText("Tries to find out what published tables withhold, from public bytes alone: addition and subtraction over all tables, linear programs, every table of whole numbers where there are few, the changes between vintages, and what others publish; and it reads the other forms of the tables, those that a vintage keeps and those that a server gives: JSON-stat, HXL, Parquet, JSON, SDMX as CSV, XML and JSON, the bulletin's page and workbooks, the feed and the explorer, none of which may say more than the tables. It knows the rules, for they are public, and shares no code with what protects the tables. Status 1 names each cell that it finds, and how.\n\nA line of --known is a count: returns,2016-S1,registered,L-AMA,12 under measure,time_period,source,exit_point,value. An empty field means all.",
		"retorno attack http://127.0.0.1:8080/", "retorno attack vintages/ --known=others.csv --json")
}

// Run attacks.
func (c *attackCommand) Run(ctx context.Context, t *terminal) error {
	places, all, err := vintagesAt(ctx, c.Where)
	if err != nil {
		return err
	}
	var known []attack.Known
	if c.Known != "" {
		l, err := lattice.Parse(bundle.LatticePath, all[0].Lattice)
		if err != nil {
			return Missing(err)
		}
		if known, err = readKnown(c.Known, l); err != nil {
			return err
		}
	}
	in, err := release.AttackOn(all, known)
	if err != nil {
		return Missing(err)
	}
	found, err := attack.Run(in)
	if err != nil {
		return Usage(err)
	}
	more, err := otherShapes(ctx, c.Where, places, all)
	if err != nil {
		return Missing(err)
	}
	found = append(found, more...)
	idle, err := attack.Idle(in)
	if err != nil {
		return Usage(err)
	}
	for _, k := range idle {
		t.say("%s: %s matches no published count, nor a sum of such, so it was not used; does it lack a column, or name another period?", c.Known, k.Key())
	}
	if c.JSON {
		encoder := json.NewEncoder(t.Out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(struct {
			Vintages int              `json:"vintages"`
			Found    []attack.Finding `json:"found"`
		}{len(all), append([]attack.Finding{}, found...)})
	} else {
		for _, f := range found {
			if _, err := fmt.Fprintln(t.Out, f); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(t.Out, "%d vintages attacked: %d findings\n", len(all), len(found))
	}
	if err == nil && len(found) > 0 {
		err = No(fmt.Errorf("the published tables give away %d cells", len(found)))
	}
	return err
}

// otherShapes finds what is said of vintages in other forms than their tables: those that each keeps, and those that a server gives.
func otherShapes(ctx context.Context, where string, places []string, all []*bundle.Bundle) (found []attack.Finding, err error) {
	index, err := shapes.NewIndex(all)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		from, err := bundleAt(place)
		if err != nil {
			return nil, err
		}
		kept, err := index.Kept(ctx, from, all[i])
		if err = errors.Join(err, from.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		found = append(found, kept...)
	}
	if !isAddress(where) || len(places) == 1 && places[0] == where {
		return found, nil
	}
	base, err := url.Parse(where)
	if err != nil {
		return nil, err
	}
	served, err := index.Served(ctx, bundle.Site{Base: base.JoinPath("/").String(), Client: reader()}, all)
	return append(found, served...), err
}

// vintagesAt reads the vintage of a folder or an address, or all of those in it, and returns where each is.
func vintagesAt(ctx context.Context, where string) (places []string, all []*bundle.Bundle, err error) {
	if places, err = placesAt(ctx, where); err != nil {
		return nil, nil, err
	}
	for _, place := range places {
		b, err := openVintage(ctx, place, nil)
		if err != nil {
			return nil, nil, Missing(err)
		}
		all = append(all, b)
	}
	if len(all) == 0 {
		return nil, nil, Missing(fmt.Errorf("%s: there is no vintage", where))
	}
	return places, all, nil
}

func placesAt(ctx context.Context, where string) (places []string, err error) {
	if strings.HasSuffix(where, ".zip") && !isAddress(where) {
		return []string{where}, nil
	}
	if !isAddress(where) {
		err := filepath.WalkDir(where, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Name() == bundle.ManifestPath {
				places = append(places, filepath.Dir(path))
			}
			return err
		})
		if err != nil {
			return nil, Missing(err)
		}
		return places, nil
	}
	base, err := url.Parse(where)
	if err != nil {
		return nil, Usage(err)
	}
	if strings.Contains(base.Path, vintages.Path+"/") {
		return []string{where}, nil
	}
	site := bundle.Site{Base: base.JoinPath("/").String(), Client: reader()}
	body, err := site.Read(ctx, vintages.Path)
	if err != nil {
		return nil, Missing(err)
	}
	var list struct {
		Vintages []struct {
			Bundle string `json:"bundle"`
		} `json:"vintages"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, Missing(fmt.Errorf("%s is no list of vintages: %w", base.JoinPath(vintages.Path), err))
	}
	for _, v := range list.Vintages {
		at, err := base.Parse(v.Bundle)
		if err != nil || at.Host != base.Host {
			return nil, Missing(fmt.Errorf("%s: it names a vintage at %q", base.JoinPath(vintages.Path), v.Bundle))
		}
		places = append(places, at.String())
	}
	return places, nil
}

// readKnown reads counts from elsewhere, and checks their names by a lattice. The error names the line.
func readKnown(path string, l *lattice.Lattice) (all []attack.Known, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, Usage(fmt.Errorf("%s is empty", path))
	}
	if err != nil {
		return nil, Usage(fmt.Errorf("%s: %w", path, err))
	}
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return nil, Usage(fmt.Errorf("%s, line 1: column %q stands twice", path, name))
		}
	}
	measure, value := slices.Index(header, "measure"), slices.Index(header, "value")
	if measure < 0 || value < 0 {
		return nil, Usage(fmt.Errorf("%s, line 1: it has no columns measure and value", path))
	}
	known := map[string]int64{} // by the key of the cell
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, Usage(fmt.Errorf("%s: %w", path, err))
		}
		at, _ := r.FieldPos(0)
		n, err := strconv.ParseInt(line[value], 10, 64)
		if err != nil || n < 0 {
			return nil, Usage(fmt.Errorf("%s, line %d: value %q is no count", path, at, line[value]))
		}
		var columns, codes []string
		for i, code := range line {
			if i != measure && i != value && code != "" {
				columns, codes = append(columns, header[i]), append(codes, code)
			}
		}
		if err := l.Check(line[measure], columns, codes); err != nil {
			return nil, Usage(fmt.Errorf("%s, line %d: %w", path, at, err))
		}
		one := attack.Known{Measure: line[measure], Columns: columns, Codes: codes, Value: n}
		before, again := known[one.Key()]
		if again && before != n {
			return nil, Usage(fmt.Errorf("%s, line %d: the count was %d, and is %d", path, at, before, n))
		}
		if known[one.Key()] = n; !again {
			all = append(all, one)
		}
	}
}
