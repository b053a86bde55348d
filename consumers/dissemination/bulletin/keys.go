package bulletin

import (
	"fmt"
	"strings"

	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// Key names a published count as SDMX does: T1:S.returns.registered.MX… are the dataflow and the key as
// /sdmx/3.0/data/dataflow/CENISS/T1/1.0.0/ takes it (SDMX 3.0 §7, REST: "key"), and 2016-S1 is its TIME_PERIOD, which is part of no key.
// The zero Key names nothing.
type Key struct{ Series, Period string }

// Keys makes keys. Dimensions stand in the order that the lattices give them.
type Keys struct{ columns []string } // of the dimensions, without those of frequency and measure

// NewKeys makes it of the texts of the lattices that vintages were published by, the oldest first: a later one adds its dimensions behind.
func NewKeys(texts ...[]byte) (*Keys, error) {
	var all []*lattice.Lattice
	seen := map[string]bool{}
	for _, text := range texts {
		if seen[string(text)] {
			continue
		}
		seen[string(text)] = true
		l, err := lattice.Parse("of a vintage", text)
		if err != nil {
			return nil, fmt.Errorf("the lattice of a vintage cannot be read: %w", err)
		}
		all = append(all, l)
	}
	k := &Keys{}
	for _, d := range structure.New(all, nil).Dimensions[2:] {
		k.columns = append(k.columns, d.Column)
	}
	return k, nil
}

// of is the key of a cell of a table.
func (k *Keys) of(t *vintages.Table, c *published.Cell) (key Key) {
	codes := map[string]string{}
	for j, column := range t.Columns {
		codes[column] = structure.ID(c.Codes[j])
	}
	key.Period = codes[timeColumn]
	period, _ := calendar.ParsePeriod(key.Period) // the column of the time, which the lattice made
	parts := []string{structure.FrequencyOf(period), structure.ID(t.Measure)}
	for _, column := range k.columns {
		code, ok := codes[column]
		if !ok {
			code = structure.Total
		}
		parts = append(parts, code)
	}
	key.Series = structure.ID(t.ID) + ":" + strings.Join(parts, ".")
	return key
}

// timeColumn is the column of periods.
const timeColumn = "time_period"
