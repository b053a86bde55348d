package importer

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

// TestASpreadsheetRunsNothing: no cell of a file of rejected rows begins like a formula, and the rows come back as they were.
func TestASpreadsheetRunsNothing(t *testing.T) {
	cfg := Config{Kind: KindCheckpoint, System: "inm"}
	const head = "=fecha;puesto;movimiento;edad;@nota;observaciones\n29/06/2016;El Poy;salida;40;;\n"
	for _, cell := range []string{"=1+1", "+504 9999", "-5", "@SUM(A1)", "'=1", "''+1", " =1", "\u00a0-1", "＝1", "'quoted'", "a=1", "-", "'", "\"=HYPERLINK(\"\"x\"\")\"", "\"\n=1\""} {
		row := "Corinto;entrada;20;" + cell + ";" + cell + "\n"
		inPlace := mustImport(t, cfg, head+"30/06/2016;"+row)
		got := mustImport(t, cfg, head+"31/06/2016;"+row)
		if got.sum.Rejected != 1 {
			t.Fatalf("%q: %+v", cell, got.sum)
		}
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.raw, string(bomUTF8))))
		r.Comma = ';'
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range rows {
			for _, c := range line {
				if likeFormula(c) && c[0] != '\'' {
					t.Errorf("%q stands in the file of rejected rows as %q", cell, c)
				}
			}
		}
		// A second time in vain, then mended: the record is the one that the mended export gives.
		again := mustImport(t, cfg, got.raw)
		own := len(rejectedColumns)
		if again.sum.Rejected != 1 || !slices.Equal(again.rejected[0][own:], got.rejected[0][own:]) {
			t.Errorf("%q: rejected again as %q, and at first as %q", cell, again.rejected, got.rejected)
		}
		mended := mustImport(t, cfg, strings.ReplaceAll(again.raw, "31/06/2016", "30/06/2016"))
		if want := lines(t, inPlace.records[1:]); lines(t, mended.records) != want {
			t.Errorf("%q: mended\n%s want\n%s", cell, lines(t, mended.records), want)
		}
	}
}

// TestInertCellsComeBack holds for any cell.
func TestInertCellsComeBack(t *testing.T) {
	for _, cell := range []string{"", "'", "''", "=", "'=", "''=", "\t", "'\t", "x", " @", "'x"} {
		if got := asItCame(inert(cell)); got != cell {
			t.Errorf("%q comes back as %q from %q", cell, got, inert(cell))
		}
	}
}
