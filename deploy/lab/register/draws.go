package register

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// picker draws values by weight.
type picker struct {
	values []uint16
	upTo   []float64 // running sum of the weights
}

// add makes v one more value.
func (p *picker) add(v uint16, weight float64) {
	if n := len(p.upTo); n > 0 {
		weight += p.upTo[n-1]
	}
	p.values, p.upTo = append(p.values, v), append(p.upTo, weight)
}

func (p *picker) pick(rng *rand.Rand) uint16 {
	return p.values[drawIndex(p.upTo, rng)]
}

// drawIndex draws a place in a running sum of weights.
func drawIndex(upTo []float64, rng *rand.Rand) int {
	x := rng.Float64() * upTo[len(upTo)-1]
	return min(sort.SearchFloat64s(upTo, x), len(upTo)-1)
}

// draws is a World made ready to draw from.
type draws struct {
	world                               *World
	byAir, byLand, bySea, kinds, checks picker
	airHours, landHours                 picker
}

// newDraws fails on the first code or weight of w that cannot be.
func newDraws(w *World) (*draws, error) {
	d := &draws{world: w}
	for _, each := range []struct {
		name    string
		list    *codelists.List
		weights []Weight
		to      *picker
	}{
		{"EntryByAir", lists[dimEntry], w.EntryByAir, &d.byAir}, {"EntryByLand", lists[dimEntry], w.EntryByLand, &d.byLand},
		{"EntryBySea", lists[dimEntry], w.EntryBySea, &d.bySea},
		{"Kinds", kindList, w.Kinds, &d.kinds}, {"DocumentChecks", checkList, w.DocumentChecks, &d.checks},
		{"Computers", lists[dimEntry], w.Computers, new(picker)},
		{"CentreComputers", lists[dimCentre], w.CentreComputers, new(picker)},
	} {
		if err := each.to.fill(each.name, each.list, each.weights); err != nil {
			return nil, err
		}
	}
	for h := range w.HoursByAir {
		if !(w.HoursByAir[h] > 0) || !(w.HoursByLand[h] > 0) {
			return nil, fmt.Errorf("world: hour %d weighs nothing: every hour can happen", h)
		}
		d.airHours.add(uint16(h), w.HoursByAir[h])
		d.landHours.add(uint16(h), w.HoursByLand[h])
	}
	if slices.Min(w.Weekdays[:]) <= 0 {
		return nil, fmt.Errorf("world.Weekdays: every day can happen")
	}
	return d, nil
}

func (p *picker) fill(name string, l *codelists.List, weights []Weight) error {
	if len(weights) == 0 {
		return fmt.Errorf("world.%s is empty", name)
	}
	for _, w := range weights {
		i, ok := l.Index(w.Code)
		if !ok || !(w.Weight > 0) {
			return fmt.Errorf("world.%s: %q with weight %v: expected a code of the list %s and a weight above 0", name, w.Code, w.Weight, l.Name)
		}
		p.add(i, w.Weight)
	}
	return nil
}

// complete draws what the table leaves open and the fit does not draw. What is known is kept.
func (d *draws) complete(a *attributes, open *[dims]bool, day calendar.Day, rng *rand.Rand) {
	if in := municipalities[a[dimDepartment]]; len(in) > 0 && rng.Float64() >= d.world.MunicipalityUnknown {
		a[dimMunicipality] = in[rng.IntN(len(in))]
	}
	if rng.Float64() >= d.world.NationalityUnknown {
		a[dimNationality] = honduras
	}
	if open[dimEntry] && a[dimEntry] == 0 {
		a[dimEntry] = d.entry(a, rng)
	}
	if open[dimCentre] && a[dimCentre] == 0 {
		a[dimCentre] = centreFor(a, day)
	}
}

// entry draws a post at which people arrive by that mode.
func (d *draws) entry(a *attributes, rng *rand.Rand) uint16 {
	switch a.code(dimMode) {
	case "air":
		return d.byAir.pick(rng)
	case "sea":
		return d.bySea.pick(rng)
	}
	return d.byLand.pick(rng)
}

// centreFor is the centre that receives such a person on that day: children and those with them at Belén, flights at
// La Lima, buses at Omoa, before it opened at the module in Corinto, and before that wherever there was one.
func centreFor(a *attributes, day calendar.Day) uint16 {
	wanted := []string{"CAMR-OMO", "MOD-COR", "CAMR-SPS"}
	if a.code(dimMode) == "air" {
		wanted = []string{"CAMR-SPS", "CAMR-TGU"}
	} else if a.minor() {
		wanted = append([]string{"CANFM-BEL"}, wanted...)
	}
	for _, centre := range wanted {
		if lists[dimCentre].ValidAt(centre, day.String()) {
			return index(dimCentre, centre)
		}
	}
	return index(dimCentre, wanted[len(wanted)-1])
}
