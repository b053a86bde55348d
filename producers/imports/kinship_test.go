package imports

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const kinSeed = 41

// exported are the cells of an export's rows, by column; the same cells whatever other columns are asked for.
type exported []map[string]string

var kinColumns = []string{"Centro", "Fecha de registro", "Hora", "Sexo", "Edad", "Departamento", "País de retorno"}

func newExport(seed uint64, rows int, first string, days int) exported {
	random := rand.New(rand.NewPCG(kinSeed, seed))
	from, err := time.Parse(time.DateOnly, first)
	if err != nil {
		panic(err)
	}
	var out exported
	for range rows {
		out = append(out, map[string]string{
			"Centro": "CAMR La Lima", "Fecha de registro": from.AddDate(0, 0, random.IntN(days)).Format(time.DateOnly),
			"Hora": fmt.Sprintf("%02d:%02d", 7+random.IntN(9), random.IntN(60)), "Sexo": []string{"Hombre", "Mujer"}[random.IntN(2)],
			"Edad": fmt.Sprint(18 + random.IntN(40)), "Departamento": []string{"Cortés", "Yoro", "Olancho", "Colón"}[random.IntN(4)], "País de retorno": "Estados Unidos",
		})
	}
	return out
}

// with is the export with some cells otherwise; each change gets the row's number and cells.
func (e exported) with(change func(i int, row map[string]string)) exported {
	var out exported
	for i, row := range e {
		row = maps.Clone(row)
		change(i, row)
		out = append(out, row)
	}
	return out
}

func (e exported) text(without ...string) string {
	columns := slices.DeleteFunc(slices.Clone(kinColumns), func(c string) bool { return slices.Contains(without, c) })
	var b strings.Builder
	b.WriteString(strings.Join(columns, ";") + "\n")
	for _, row := range e {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = row[c]
		}
		b.WriteString(strings.Join(cells, ";") + "\n")
	}
	return b.String()
}

func moveDays(n int) func(int, map[string]string) {
	return func(_ int, row map[string]string) {
		day, _ := time.Parse(time.DateOnly, row["Fecha de registro"])
		row["Fecha de registro"] = day.AddDate(0, 0, n).Format(time.DateOnly)
	}
}

func moveHours(n int) func(int, map[string]string) {
	return func(_ int, row map[string]string) {
		at, _ := time.Parse(time.DateOnly+" 15:04", row["Fecha de registro"]+" "+row["Hora"])
		at = at.Add(time.Duration(n) * time.Hour)
		row["Fecha de registro"], row["Hora"] = at.Format(time.DateOnly), at.Format("15:04")
	}
}

func swapDayAndMonth(_ int, row map[string]string) {
	var y, m, d int
	if _, err := fmt.Sscanf(row["Fecha de registro"], "%d-%d-%d", &y, &m, &d); err == nil && d <= 12 {
		row["Fecha de registro"] = fmt.Sprintf("%d-%02d-%02d", y, d, m)
	}
}

func flipSex(_ int, row map[string]string) {
	row["Sexo"] = map[string]string{"Hombre": "Mujer", "Mujer": "Hombre"}[row["Sexo"]]
}

// A second export of the same people, with one column otherwise in every row, is asked about, and counts once in the place of the
// first.
func TestAColumnOtherwiseInEveryRowIsAskedAbout(t *testing.T) {
	t.Log("seed", kinSeed)
	year, month, small := newExport(1, 60, "2015-01-03", 160), newExport(2, 300, "2015-05-01", 31), newExport(3, 20, "2015-05-04", 6)
	late := newExport(4, 90, "2015-05-01", 20).with(moveHours(8)) // from 15:00 to 24:00 and later
	for name, c := range map[string]struct{ before, after string }{
		"hours added":    {year.text("Hora"), year.text()},
		"hours left out": {month.text(), month.text("Hora")},
		"hours moved":    {year.text(), year.with(func(_ int, r map[string]string) { r["Hora"] = "1" + r["Hora"][1:] }).text()},
		"sexes flipped":  {month.text(), month.with(flipSex).text()},
		"most sexes flipped": {small.text("Hora"), small.with(func(i int, r map[string]string) {
			if i%5 < 3 {
				flipSex(i, r)
			}
		}).text("Hora")},
		"ages and sexes":                          {year.text(), year.with(func(i int, r map[string]string) { flipSex(i, r); r["Edad"] = "4" + r["Edad"][1:] }).text()},
		"ages left out":                           {month.text(), month.text("Edad")},
		"days moved by one":                       {month.text(), month.with(moveDays(1)).text()},
		"days moved by a year":                    {month.text(), month.with(moveDays(365)).text()},
		"days moved, no hours":                    {small.text("Hora"), small.with(moveDays(-40)).text("Hora")},
		"another centre":                          {month.text(), month.with(func(_ int, r map[string]string) { r["Centro"] = "CAMR Omoa" }).text()},
		"hours added, and grown":                  {month[:200].text("Hora"), month.text()},
		"hours and countries added":               {month.text("Hora", "País de retorno"), month.text()},
		"ages and departments added":              {month.text("Edad", "Departamento"), month.text()},
		"hours of UTC":                            {late.text(), late.with(moveHours(6)).text()},
		"hours of UTC of a day":                   {late[:15].text(), late[:15].with(moveHours(6)).text()},
		"days moved by more and less":             {month.text(), month.with(func(i int, r map[string]string) { moveDays(i%4)(i, r) }).text()},
		"some days moved":                         {month.text(), month.with(func(i int, r map[string]string) { moveDays(i%7/3)(i, r) }).text()},
		"day and month swapped where they can be": {year.text(), year.with(swapDayAndMonth).text()},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newCluster(t)
			if err := cluster.replace(c.before, ""); err != nil {
				t.Fatal(err)
			}
			var asked *ReplacesError
			if err := cluster.replace(c.after, ""); !errors.As(err, &asked) {
				t.Fatalf("not asked about: %v", err)
			}
			if err := cluster.replace(c.after, asked.Import.Source); err != nil {
				t.Fatal(err)
			}
			counted, _ := cluster.state()
			if rows := strings.Count(c.after, "\n") - 1; len(counted) != rows {
				t.Errorf("%d rows count of %d", len(counted), rows)
			}
			if all, err := List(t.Context(), cluster.cluster()); err != nil || all[0].Void != asked.Voided {
				t.Errorf("%d rows were to be voided, %d were: %v", asked.Voided, all[0].Void, err)
			}
		})
	}
}

// Files of different people are not taken for each other, however little their columns say. Where rows of both are equal, it is asked
// whether they are the same people, and under another system all of them count.
func TestFilesOfDifferentPeopleAreNotTakenForEachOther(t *testing.T) {
	t.Log("seed", kinSeed)
	columns := map[string][]string{"all columns": nil, "no hours": {"Hora"}, "few columns": {"Hora", "Departamento"}, "a date and a sex": {"Hora", "Departamento", "Edad"}, "a date alone": {"Hora", "Departamento", "Edad", "Sexo"}}
	for name, without := range columns {
		for _, c := range []struct {
			what       string
			rows, days int
			next       string
		}{
			{"two desks", 60, 30, "2015-05-01"}, {"many rows of two desks", 1200, 30, "2015-05-01"}, {"the next month", 300, 31, "2015-06-01"},
			{"many rows of the next month", 1200, 31, "2015-06-01"}, {"a day of two desks", 10, 1, "2015-05-01"}, {"the next day", 40, 1, "2015-05-02"},
		} {
			if name == "a date alone" || name == "a date and a sex" && c.next == "2015-05-01" {
				continue // rows are equal: one record
			}
			t.Run(name+", "+c.what, func(t *testing.T) {
				cluster := newCluster(t)
				if err := cluster.replace(newExport(11, c.rows, "2015-05-01", c.days).text(without...), ""); err != nil {
					t.Fatal(err)
				}
				next := newExport(12, c.rows, c.next, c.days).text(without...)
				err := cluster.replace(next, "")
				var alike *AlikeError
				if errors.As(err, &alike) {
					err = cluster.readInto(next, "desk-2")
				}
				if err != nil {
					t.Fatal(err)
				}
				if counted, _ := cluster.state(); len(counted) != 2*c.rows {
					t.Errorf("%d rows count of %d; asked: %v", len(counted), 2*c.rows, alike)
				}
			})
		}
	}
}
