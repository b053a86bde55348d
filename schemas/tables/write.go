package tables

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
)

// Format gives a counted number in the form of a printed one: numerator as it is for counts, and for shares 100 times
// numerator by base with the decimals of the cell. It rounds half away from zero; a tie that rounds to the printed
// value in the one or the other direction is printed like it. A share of nothing is printed as zero.
func Format(c *Cell, numerator, base int64) string {
	if !c.Measure.Share() {
		return strconv.FormatInt(numerator, 10)
	}
	units := new(big.Int)
	if base > 0 {
		// 2 x 100 x 10^d x n / b, whose half is the share in units of the last decimal.
		twice := new(big.Int).Mul(big.NewInt(numerator), big.NewInt(200*pow10(c.Decimals)))
		floor, rest := new(big.Int).DivMod(twice, big.NewInt(base), new(big.Int))
		tie := rest.Sign() == 0 && floor.Bit(0) == 1
		units.Add(floor, big.NewInt(1)).Rsh(units, 1)
		if tie && units.Cmp(big.NewInt(c.Units+1)) == 0 {
			units.SetInt64(c.Units)
		}
	}
	digits := units.String()
	if c.Decimals == 0 {
		return digits
	}
	if missing := c.Decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - c.Decimals
	return digits[:point] + "." + digits[point:]
}

// Agrees reports whether a counted number is the printed one: see the package comment on rounding.
func Agrees(c *Cell, numerator, base int64) bool {
	if !c.Measure.Share() {
		return numerator == c.Units
	}
	if base <= 0 {
		return c.Units == 0 && numerator == 0
	}
	// |100 x 10^d x n - units x b| <= b / 2, all doubled.
	diff := new(big.Int).Mul(big.NewInt(numerator), big.NewInt(200*pow10(c.Decimals)))
	diff.Sub(diff, new(big.Int).Mul(big.NewInt(2*c.Units), big.NewInt(base)))
	return diff.CmpAbs(big.NewInt(base)) <= 0
}

// Write writes the table in the form in which it was read, values[i] standing in the place of the number that
// t.Cells()[i] prints. All other columns are those of the published rows. Errors: a length of values that is not the
// number of cells, or what writing gave.
func Write(w io.Writer, t *Table, values []string) error {
	cells := t.Cells()
	if len(values) != len(cells) {
		return fmt.Errorf("write table %s: %d values for %d cells", t.ID, len(values), len(cells))
	}
	out := csv.NewWriter(w)
	if err := out.Write(Columns); err != nil {
		return fmt.Errorf("write table %s: %w", t.ID, err)
	}
	for i, c := range cells {
		row := []string{t.ID, t.System, t.First.String(), t.Last.String(), c.AsOf, c.Block, c.Category, values[i], c.Status, c.Source}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write table %s: %w", t.ID, err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write table %s: %w", t.ID, err)
	}
	return nil
}
