package imports

import (
	"context"

	"retorno/producers/importer"
)

// mended plans the rows of a file of rejected rows: each goes to the source and number that it had, or to the next number
// that is free when a later import has used it. A row that was mended once and is void since counts again where the last
// import of the file rejected rows; where the import as a whole was taken back, the caller has to say so.
func (p *Plan) mended(ctx context.Context, heads map[string]Import, o Options) error {
	origins := map[string]int{} // rows of each source
	err := p.file.Each(ctx, func(row importer.Row) error {
		if row.Record != nil {
			origins[row.Origin.Source]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	before, err := p.relatives(ctx, heads, func(h Import) bool { return origins[h.Source] > 0 }, o)
	if err != nil {
		return err
	}
	for source, n := range origins {
		h := before[source]
		if h == nil {
			h = newHistory(Import{Source: source, Kind: p.kind, System: p.file.Summary.System})
		}
		if p.sources[source] = h; h.State == StateVoid && !o.Keep && o.Replace != source {
			return &ReplacesError{Import: h.Import, Same: n}
		}
	}
	p.Source = p.file.Summary.Source
	if len(origins) > 0 { // else every row is rejected once more
		p.Source = sorted(p.sources)[0]
	}
	p.Known = heads[p.Source].Turn > 0
	rows, _, err := p.rows(ctx)
	if err != nil {
		return err
	}
	return p.mendedRows(ctx, matchEach(rows, func(i int) *history { return p.sources[rows[i].source] }, before), before, o)
}

// mendedRows gives each row of a file of rejected rows its fate. A new record in whose place another one counts is that row a second
// time, as far as can be seen: it was mended in the export as well, and otherwise.
func (p *Plan) mendedRows(ctx context.Context, m *matching, before map[string]*history, o Options) error {
	taken := &TakenError{Source: p.Source}
	occupied := map[string]map[uint64]bool{}
	for source, h := range p.sources {
		occupied[source] = h.occupied()
	}
	i := -1
	err := p.file.Each(ctx, func(row importer.Row) error {
		if row.Record == nil {
			p.Rejected = append(p.Rejected, row.Origin)
			p.set(fateRejected, row.Origin.Seq)
			return nil
		}
		i++
		h := m.own(i)
		again := h.Rejected > 0 || o.Keep || o.Replace == h.Source
		known := p.New
		p.judge(m, i, row.Record, before, again, func() uint64 { return h.place(row.Origin.Seq) })
		if p.New > known && occupied[h.Source][row.Origin.Seq] {
			taken.Rows++
		}
		return nil
	})
	if err == nil && taken.Rows > 0 && !o.Keep {
		return taken
	}
	return err
}
