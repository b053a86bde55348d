package portal

import (
	"net/url"
	"strings"
	"time"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// sdmxLinks name a slice in SDMX.
type sdmxLinks struct {
	Flow, Key string // as data queries of SDMX 3.0 have them
	Links     []download
}

// keys are the key of the slice and where its observations are, in every format of both versions.
func (x explorer) keys() sdmxLinks {
	p := x.parts[0]
	flow := structure.ID(p.table.ID)
	codes := map[string]string{structure.Measure: p.table.Measure}
	query := url.Values{}
	span := x.q.period
	if one := x.q.codes[timeColumn]; one != "" {
		period, _ := calendar.ParsePeriod(one) // it stands in the table
		span, codes[structure.Frequency] = one, structure.FrequencyOf(period)
	}
	if span != allPeriods {
		query.Set("startPeriod", span)
		query.Set("endPeriod", span)
	}
	if p.from.ID != x.current(p.from.Period) {
		query.Set("asOf", p.from.Vintage.Published.UTC().Format(time.RFC3339Nano))
	}
	for column, code := range p.fixed {
		codes[column] = code
	}
	for column, code := range x.q.codes {
		codes[column] = code
	}
	links := sdmxLinks{Flow: flow, Key: sdmxKey(x.structures, codes, "*")}
	for _, f := range []struct{ root, format, es, en string }{
		{sdmx.Root30, "csv", "SDMX-CSV 2.0", "SDMX-CSV 2.0"}, {sdmx.Root30, "jsondata", "SDMX-JSON 2.0", "SDMX-JSON 2.0"}, {sdmx.Root30, "xml", "SDMX-ML 3.0", "SDMX-ML 3.0"},
		{sdmx.Root21, "csv", "SDMX-CSV 1.0", "SDMX-CSV 1.0"}, {sdmx.Root21, "genericdata", "SDMX-ML 2.1, genérico", "SDMX-ML 2.1, generic"}, {sdmx.Root21, "structurespecificdata", "SDMX-ML 2.1, específico", "SDMX-ML 2.1, structure-specific"},
	} {
		path := f.root + "data/" + flow + "/" + sdmxKey(x.structures, codes, "")
		if f.root == sdmx.Root30 {
			path = f.root + "data/dataflow/" + structure.Agency + "/" + flow + "/" + structure.Semantic + "/" + links.Key
		}
		query.Set("format", f.format)
		links.Links = append(links.Links, download{wording.In(x.lang, f.es, f.en), path + "?" + query.Encode()})
	}
	return links
}

// key names one count as the bulletin does: its dataflow, and its whole key as data queries of SDMX 3.0 take it.
func (x explorer) key(p *part, c published.Cell) string {
	period, _ := calendar.ParsePeriod(p.period(c)) // the column of the time, which the lattice made
	parts := []string{structure.FrequencyOf(period), structure.ID(p.table.Measure)}
	for _, d := range x.structures.Dimensions[len(parts):] {
		parts = append(parts, structure.ID(p.code(c, d.Column)))
	}
	return structure.ID(p.table.ID) + ":" + strings.Join(parts, ".")
}

// current is the id of the newest vintage of a half-year, which a question of SDMX that names no time is answered from.
func (x explorer) current(period string) (id [16]byte) {
	for _, v := range newest(x.all) {
		if v.Period == period {
			return v.ID
		}
	}
	return id
}

// sdmxKey is the key of the observations with these codes, by column of the lattice or by id of the dimension (SDMX REST 2.x, "data queries"; 1.5, the
// same with every as nothing). Parts at its end that stand for every code are left out.
func sdmxKey(s *structure.Structures, codes map[string]string, every string) string {
	var parts []string
	last := 0
	for i, d := range s.Dimensions {
		code := codes[d.ID]
		if d.Column != "" {
			code = codes[d.Column]
		}
		if code == "" {
			parts = append(parts, every)
			continue
		}
		parts, last = append(parts, structure.ID(code)), i+1
	}
	return strings.Join(parts[:last], ".")
}
