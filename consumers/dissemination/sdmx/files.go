package sdmx

import (
	"context"
	"slices"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/sdmx/jsondata"
	"retorno/consumers/dissemination/sdmx/ml"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/vintages"
)

// Files are the structures of a vintage for its bundle: the data structure with its concepts and code lists, and the dataflows, in XML of SDMX 2.1
// and of 3.0, and in JSON of 3.0. Dimensions stand in the order of the vintages of the shelf that were published before it; codes are its own.
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
	all, _ := structure.New(lattices, o.Codes).Select(structure.Ask{Kind: structure.Anything})
	return []bundle.File{
		{Path: bundle.StructuresPath + "structures-2.1.xml", Body: ml.Structures(all, o.Published)},
		{Path: bundle.StructuresPath + "structures-3.0.xml", Body: ml.Structures30(all, o.Published)},
		{Path: bundle.StructuresPath + "structures-3.0.json", Body: jsondata.Structures(all, "es", o.Published)},
	}, nil
}
