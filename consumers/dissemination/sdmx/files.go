package sdmx

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/csvdata"
	"retorno/consumers/dissemination/sdmx/jsondata"
	"retorno/consumers/dissemination/sdmx/ml"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/vintages"
)

// Files are what SDMX has of a vintage, for its bundle: the data structure with its concepts and code lists, and the dataflows, in XML of SDMX 2.1
// and of 3.0, and in JSON of 3.0; and the observations of each dataflow, as SDMX-CSV 2.1 and as structure-specific XML of SDMX 2.1. Dimensions
// stand in the order of the vintages of the shelf that were published before it; codes are its own.
func Files(ctx context.Context, shelf *vintages.Shelf, o *vintages.Opened) ([]bundle.File, error) {
	texts, err := shelf.LatticesBefore(ctx, o.Published)
	if err != nil {
		return nil, err
	}
	var lattices []*lattice.Lattice
	texts = append(texts, o.Lattice)
	for i, text := range texts {
		if slices.ContainsFunc(texts[:i], func(other []byte) bool { return string(other) == string(text) }) {
			continue
		}
		l, err := lattice.Parse("of a vintage", text)
		if err != nil {
			return nil, err
		}
		lattices = append(lattices, l)
	}
	own := structure.New(lattices, o.Codes)
	all, _ := own.Select(structure.Ask{Kind: structure.Anything})
	files := []bundle.File{
		{Path: bundle.StructuresPath + "structures-2.1.xml", Body: ml.Structures(all, o.Published)},
		{Path: bundle.StructuresPath + "structures-3.0.xml", Body: ml.Structures30(all, o.Published)},
		{Path: bundle.StructuresPath + "structures-3.0.json", Body: jsondata.Structures(all, "es", o.Published)},
	}
	state := cells.Of(o, own)
	for _, t := range o.Tables {
		a, err := whole(state, o, structure.ID(t.ID))
		if err != nil {
			return nil, err
		}
		files = append(files, bundle.File{Path: bundle.ObservationsPath + a.Flow.ID + ".csv", Body: csvdata.Write20(a, csvdata.Options{})},
			bundle.File{Path: bundle.ObservationsPath + a.Flow.ID + ".xml", Body: ml.Specific(a)})
	}
	return files, nil
}

// OfVintage are the parameters of the question whose answer a bundle keeps of each dataflow: the half-year, as it was when the vintage was published.
func OfVintage(v vintages.Vintage) url.Values {
	return url.Values{"asOf": {v.Published.UTC().Format(time.RFC3339Nano)}, "startPeriod": {v.Period}, "endPeriod": {v.Period}}
}

// whole are all observations that a vintage has of a dataflow.
func whole(s *cells.State, o *vintages.Opened, id string) (*query.Answer, error) {
	flow, ok := s.Structures.Flow(id)
	if !ok {
		return nil, fmt.Errorf("there is no dataflow %s", id)
	}
	q, faults := query.Parse(s.Structures, flow, "", OfVintage(o.Vintage))
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", id, faults[0].EN)
	}
	return q.Answer(s, math.MaxInt)
}
