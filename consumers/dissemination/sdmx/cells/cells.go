// Package cells holds the published cells of all vintages as SDMX's observations: what each dataflow has now, and what it had at any time
// before.
//
// It promises that an observation is a cell of a vintage and nothing else: none is counted or added up here, and a withheld cell stays
// without a value. Of each half-year it shows the newest vintage, by the rule of the feed: a provisional one only while there is none
// that is final. What was shown at a time stays what it was. It reads what package vintages gives; a vintage is read once. When one of
// them cannot be read there is no answer at all, since an answer without it would look as if its observations had been deleted.
package cells

import (
	"cmp"
	"slices"
	"strconv"

	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/schemas/calendar"
)

// Statuses of observations (SDMX, CL_OBS_STATUS) and whether they may be told (CL_CONF_STATUS).
const (
	Normal       = "A"
	Provisional  = "P"
	Suppressed   = "Q"
	Free         = "F"
	Confidential = "C"
)

// Observation is one published cell. It is shared and must not be changed.
type Observation struct {
	Key      []string // a code for each dimension of the structures
	Period   calendar.Period
	Count    int64 // 0 where it is withheld
	Withheld bool
	Status   string
	Vintage  string // half-year/number of the one that the count is of
	Coverage string // percent, one decimal; "" where it is not given
	Base     string // to which the count is rounded
}

// Confidence is F or C.
func (o *Observation) Confidence() string {
	if o.Withheld {
		return Confidential
	}
	return Free
}

// Value is the text of a component other than a dimension of the key; "" where there is none.
func (o *Observation) Value(component string) string {
	switch component {
	case structure.Time:
		return o.Period.Label
	case structure.Value:
		if !o.Withheld {
			return strconv.FormatInt(o.Count, 10)
		}
	case structure.Status:
		return o.Status
	case structure.Confidence:
		return o.Confidence()
	case structure.Vintage:
		return o.Vintage
	case structure.Coverage:
		return o.Coverage
	case structure.Base:
		return o.Base
	}
	return ""
}

// Compare orders observations by key and period.
func Compare(a, b *Observation) int {
	return cmp.Or(slices.Compare(a.Key, b.Key), cmp.Compare(a.Period.First, b.Period.First))
}

// Same reports whether two observations of one key and period tell the same.
func (o *Observation) Same(other *Observation) bool {
	return o.Count == other.Count && o.Withheld == other.Withheld && o.Status == other.Status && o.Vintage == other.Vintage && o.Coverage == other.Coverage && o.Base == other.Base
}

// fit is an observation for a structure that has more or fewer dimensions at the end: it is a total of those that it does not have.
func (o *Observation) fit(n int) *Observation {
	fitted := *o
	fitted.Key = slices.Clone(o.Key[:min(n, len(o.Key))])
	for len(fitted.Key) < n {
		fitted.Key = append(fitted.Key, structure.Total)
	}
	return &fitted
}
