package bulletin

import (
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
)

// Tile is a department on the map: a square of a tile map.
type Tile struct {
	Short  string // the department's own letters of ISO 3166-2:HN
	Name   string // of what is counted there: a department, or several that are published together
	Count  string
	Share  string // of the registered total; "" where the count is not given
	Class  int    // of the share, 1 to 4; 0: not given
	Key    Key
	X, Y   int // upper left corner
	TX, TY int // middle of the letters
	First  bool
}

// tileSize is the side of a square, in units of the picture, and the step between squares.
const (
	tileSize = 96
	tileStep = 100
)

// places has the departments of Honduras by row, from north to south, and from west to east: squares of one size that keep the neighbours of
// a department beside it. The drawing is this project's own; it shows no borders and no areas.
var places = [...][6]string{
	{"", "", "", "IB", "", ""},
	{"", "", "CR", "AT", "CL", "GD"},
	{"CP", "SB", "CM", "YO", "OL", ""},
	{"OC", "LE", "IN", "LP", "FM", "EP"},
	{"", "", "", "VA", "CH", ""},
}

// classes are the least shares of the registered total, in percent, of the second, third and fourth class.
var classes = [...]float64{2.5, 5, 10}

// departments draws the map; it stays empty where the vintage has no table of departments.
func (b *Bulletin) departments(o *vintages.Opened) {
	t := breakdown(o, "residence", "age")
	base := b.residents(o, t)
	if base == 0 {
		return
	}
	column, seen := slices.Index(t.Columns, "residence"), map[string]bool{}
	shares := shareOut(o, t, base)
	for y, row := range places {
		for x, short := range row {
			if short == "" {
				continue
			}
			tile := Tile{Short: short, Name: short, Count: "[" + NotAvailable + "]", X: x * tileStep, Y: y * tileStep, TX: x*tileStep + tileSize/2, TY: y*tileStep + tileSize/2}
			for code := range t.Finest[column] {
				if code == published.Total || !covers(code, "HN-"+short) {
					continue
				}
				tile.Name = o.Label("residence", code, b.Lang)
				tile.Count, _, tile.Key = b.count(o, registered(o.Period, "residence", code))
				if tenths, given := shares[code]; given {
					tile.shade(float64(tenths)/10, b.Lang)
				}
				tile.First = !seen[code]
				seen[code] = true
			}
			b.Map = append(b.Map, tile)
		}
	}
}

// shareOut are the shares of a base that departments have, in tenths of a percent, without those that are withheld: by the largest remainder
// where all of them are published and add up to the base, else each rounded by itself.
func shareOut(o *vintages.Opened, t *vintages.Table, base int64) map[string]int64 {
	shares := map[string]int64{}
	var codes []string
	var counts []int64
	var sum int64
	whole := true
	for _, code := range finest(t, "residence") {
		_, c := cell(o, "returns", registered(o.Period, "residence", code))
		if c == nil || c.Withheld {
			whole = false
			continue
		}
		shares[code] = nearest(c.Value, base)
		codes, counts, sum = append(codes, code), append(counts, c.Value), sum+c.Value
	}
	if whole && sum == base {
		for i, tenths := range apportion(counts, 1000) {
			shares[codes[i]] = tenths
		}
	}
	return shares
}

// shade gives a tile its share, in percent, and the class of it.
func (t *Tile) shade(share float64, lang string) {
	t.Share, t.Class = wording.Percent(share, lang), 1
	for _, least := range classes {
		if share >= least {
			t.Class++
		}
	}
}

// residents is the total that shares of departments are of: that of the vintage, or the sum of the departments where a revision keeps their
// counts of an earlier one, for counts of two vintages make no share. It is 0 where there is none.
func (b *Bulletin) residents(o *vintages.Opened, t *vintages.Table) (sum int64) {
	if t == nil {
		return 0
	}
	kept := false
	for _, code := range finest(t, "residence") {
		if _, c := cell(o, "returns", registered(o.Period, "residence", code)); c != nil && !c.Withheld {
			sum, kept = sum+c.Value, kept || c.Kept
		}
	}
	if _, total := cell(o, "returns", registered(o.Period)); !kept && total != nil && !total.Withheld {
		sum = total.Value
	}
	return sum
}

// together has departments that the lattice publishes as one code.
var together = map[string][]string{"HN-IBGD": {"HN-IB", "HN-GD"}}

// covers reports whether a code of residence is a department, or several with it.
func covers(code, department string) bool {
	for _, one := range strings.Split(code, "+") {
		if one == department || slices.Contains(together[one], department) {
			return true
		}
	}
	return false
}
