package lattice

import (
	"slices"
	"testing"

	"retorno/consumers/dissemination/disclosure/published"
)

// TestPersonsAreCountedOnce: of five returns of three persons each cell has the persons that are in it, in whatever order they come,
// and one who is in two months is in each of them and once in both together.
func TestPersonsAreCountedOnce(t *testing.T) {
	l, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"source", "route", "exit_point", "sex", "age", "accompanied", "residence", "entry_point", "centre", "return_type"}
	row := func(person, month, exit string) Row {
		return Row{Person: person, Month: month, Codes: []string{"both", "US-AIR", exit, "M", "21-30", "unknown", "0501", "A-SAP", "CAMR-SPS", "deported"}}
	}
	rows := []Row{row("a", "2016-01", "L-COR"), row("b", "2016-01", "L-COR"), row("a", "2016-04", "L-COR"), row("c", "2016-04", "L-AMA"), row("a", "2016-01", "L-AMA")}
	for range rows {
		rows = append(rows[1:], rows[0])
		in, err := l.Tabulate("2016-S1", Data{Measure: "returns", Columns: columns, Rows: slices.Clone(rows)})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][2]int64{}
		for _, table := range in.Tables {
			for _, c := range table.Counts {
				got[published.Key(table.ID, table.Columns, c.Codes)] = [2]int64{c.Value, c.Persons}
			}
		}
		for key, want := range map[string][2]int64{
			"T2|source=registered|time_period=2016-S1":                  {5, 3},
			"T2|source=registered|time_period=2016-Q1":                  {3, 2},
			"T2|source=registered|time_period=2016-Q2":                  {2, 2},
			"T2|exit_point=L-COR|source=registered|time_period=2016-S1": {3, 2},
			"T2|exit_point=L-AMA|source=registered|time_period=2016-S1": {2, 2},
			"T2|exit_point=L-COR|source=registered|time_period=2016-Q1": {2, 2},
			"T8|residence=0501|source=registered|time_period=2016-S1":   {5, 3},
			"T8|residence=0801|source=registered|time_period=2016-S1":   {0, 0},
		} {
			if got[key] != want {
				t.Errorf("%s has %d returns of %d persons, want %d of %d", key, got[key][0], got[key][1], want[0], want[1])
			}
		}
	}
}
