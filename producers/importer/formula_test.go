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

// What no program has calculated states nothing, and is said.
func TestFormulasThatNothingHasCalculated(t *testing.T) {
	cfg := Config{Kind: KindCentre}
	plain := book(t, nil, "Datos", []cells{bookHead[:5:5], {"Omoa", "30/06/2015", "9:20", "Hombre", 25}, {"Omoa", "30/06/2015", "9:30", "Hombre", 7777}})
	for _, c := range []struct {
		cell   string
		onLoad bool
		said   string
		age    int
	}{
		{`<f>20+1</f>`, false, "formula_without_value   1", -1},
		{`<f>20+1</f><v/>`, false, "formula_without_value   1", -1},
		{`<f>20+1</f><v />`, true, "formula_without_value   1", -1},
		{`<f>20+1</f><v></v>`, false, "formula_without_value   1", -1},
		{`<f t="shared" si="0"/>`, false, "formula_without_value   1", -1},
		{`<x:f>20+1</x:f><x:v/>`, false, "formula_without_value   1", -1},
		{`<f>20+1</f><v>0</v>`, true, "formula_without_value   1", -1},
		{`<f>20+1</f><v>0.0</v>`, true, "formula_without_value   1", -1},
		{`<f>20+1</f><v>0</v>`, false, "", 0},
		{`<f>20+1</f><v>21</v>`, true, "", 21},
		{`<f t="shared" si="0"/><v>21</v>`, false, "", 21},
		{`<v/>`, true, "", -1},
	} {
		text := rewritten(t, plain, "sheet1.xml", strings.NewReplacer(`<v>7777</v>`, c.cell))
		if c.onLoad {
			text = rewritten(t, text, "workbook.xml", strings.NewReplacer(`</workbook>`, `<calcPr calcId="124519" fullCalcOnLoad="1"/></workbook>`))
		}
		got := mustImport(t, cfg, text)
		if warnings(got.sum) != c.said || got.sum.Accepted != 2 {
			t.Errorf("%s: %q, %+v", c.cell, warnings(got.sum), got.sum)
			continue
		}
		if c.said != "" && got.sum.Warnings[0].Line != 3 {
			t.Errorf("%s: line %d", c.cell, got.sum.Warnings[0].Line)
		}
		if age := got.records[1].GetRegistration().Age; age == nil != (c.age < 0) || age != nil && int(*age) != c.age {
			t.Errorf("%s: age %v, want %d", c.cell, age, c.age)
		}
	}
	empty := rewritten(t, plain, "sheet1.xml", strings.NewReplacer(`<v>7777</v>`, `<f>""</f><v></v>`, `<c r="E3"`, `<c r="E3" t="str"`))
	if got := mustImport(t, cfg, empty); warnings(got.sum) != "" {
		t.Errorf("a formula that gives an empty text: %s", warnings(got.sum))
	}
}
