package command

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
)

// meant says in SQL what a code of a published column means, for a statistician who asks the views. It is written by hand and
// knows nothing of the lattice; a code that is not here is one of the code list.
var meant = map[string]string{
	"source=registered": "registered = 1", "source=both": "registered = 1 AND checkpoint = 1", "source=registered_only": "registered = 1 AND checkpoint = 0", "source=post_only": "registered = 0",
	"route=US": "country = 'US'", "route=MX": "country = 'MX'", "route=MX-AIR": "route = 'MX-AIR'", "route=MX-LAND": "country = 'MX' AND mode != 'air'", "route=GT": "country = 'GT'",
	"route=OTHER": "country NOT IN ('US', 'MX')", "route=CAM": "country IN ('BZ', 'SV', 'NI', 'CR', 'PA')", "route=REST": "country NOT IN ('US', 'MX', 'GT', 'BZ', 'SV', 'NI', 'CR', 'PA')",
	"exit_point=NIC": "exit_point IN ('L-GUA', 'L-FRA', 'L-LMA', 'L-TRO', 'L-LEI')", "exit_point=SLV": "exit_point IN ('L-POY', 'L-MAP', 'L-CON')",
	"exit_point=ELSE": "substring(exit_point, 1, 2) IN ('A-', 'S-') OR exit_point = 'X-BLD'",
	"age=minor":       "age_group IN ('0-5', '6', '7-10', '11', '12', '13-17')", "age=adult": "age_group IN ('18-20', '21-30', '31-40', '41-50', '51+')",
	"age=6-10": "age_group IN ('6', '7-10')", "age=11-12": "age_group IN ('11', '12')",
	"residence=HN-IBGD": "department IN ('HN-IB', 'HN-GD')", "residence=HN-IBGD-XX": "department IN ('HN-IB', 'HN-GD') AND municipality = 'XX'", "residence=XX": "department = 'XX'",
	"result=checked": "document_check = 'genuine'", "result=not_checked": "document_check IN ('not_checked', 'unknown')",
	"post=COR": "border_point = 'L-COR'", "post=GTM": "border_point IN ('L-AGC', 'L-FLO')", "post=SLV": "border_point IN ('L-POY', 'L-MAP', 'L-CON', 'L-AMA')",
	"post=NIC": "border_point IN ('L-GUA', 'L-FRA', 'L-LMA', 'L-TRO', 'L-LEI')", "post=AIR": "startsWith(border_point, 'A-')", "post=ELSE": "substring(border_point, 1, 2) IN ('S-', 'X-')",
}

// condition is what a code of a column means in SQL. Codes that were joined mean any of them.
func condition(column, code string) string {
	if text, ok := meant[column+"="+code]; ok {
		return text
	}
	switch {
	case code == "_T":
		return "1"
	case column == "time_period" && strings.Contains(code, "-S"):
		return fmt.Sprintf("half_year = '%s'", code)
	case column == "time_period" && strings.Contains(code, "-Q"):
		return fmt.Sprintf("quarter = '%s'", code)
	case column == "time_period":
		return fmt.Sprintf("month = '%s'", code)
	case column == "residence" && strings.HasSuffix(code, "-XX"):
		return fmt.Sprintf("department = '%s' AND municipality = 'XX'", strings.TrimSuffix(code, "-XX"))
	case column == "residence" && strings.HasPrefix(code, "HN-") && !strings.Contains(code, "+"):
		return fmt.Sprintf("department = '%s'", code)
	case code != "51+" && strings.Contains(code, "+"):
		var any []string
		for _, one := range strings.Split(code, "+") {
			any = append(any, "("+condition(column, one)+")")
		}
		return strings.Join(any, " OR ")
	}
	attribute := map[string]string{"age": "age_group", "result": "document_check", "residence": "municipality"}[column]
	if attribute == "" {
		attribute = column
	}
	return fmt.Sprintf("%s = '%s'", attribute, code)
}

// asked is how a statistician counts a measure: what of the rows that meet a condition, and of which view of ceniss.
var asked = map[string]struct{ count, view string }{
	"returns": {"countIf(%s)", "returns"}, "helps": {"sumIf(helps, %s)", "assistance_counts"}, "crossings": {"sumIf(crossings, %s)", "crossing_counts"},
}

// askedAtOnce bounds the cells of a statement.
const askedAtOnce = 50

// TestThePublishedTablesAreTheStatisticiansNumbers: each published cell is what the views of ceniss give for it.
func TestThePublishedTablesAreTheStatisticiansNumbers(t *testing.T) {
	s, _, flags := machineWith(t, "A04", 14)
	if r := try(t, "", nil, append([]string{"verify", "--once"}, flags...)...); r.status != exitDone {
		t.Fatalf("%+v", r)
	}
	key := newKey(t)
	r := try(t, "", nil, append([]string{"publish", "2021-S1", "--final", "--accept-incomplete=made", "--signing-key", key}, flags...)...)
	if r.status != exitDone {
		t.Fatalf("%+v", r)
	}
	b, err := bundle.Open(t.Context(), vintages.Folder{Shelf: vintages.NewShelf(s.Conn(), time.Minute, 0), Period: "2021-S1", Number: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if audited, err := repeatAudit(b); err != nil || !strings.HasSuffix(audited, "0 are determined") {
		t.Errorf("the audit from public bytes: %s, %v", audited, err)
	}
	// The rows of the views are taken once: a thousand conditions on the view itself cost the engine its analysis a thousand times.
	for _, a := range asked {
		if err := s.Conn().Exec(t.Context(), "CREATE OR REPLACE TABLE default.asked_"+a.view+" ENGINE = Memory AS SELECT * FROM ceniss."+a.view); err != nil {
			t.Fatal(err)
		}
	}
	compared := map[string]int{}
	for _, table := range b.Tables {
		measure, ok := asked[table.Measure]
		if !ok {
			continue
		}
		shown := slices.DeleteFunc(slices.Clone(table.Cells), func(c published.Cell) bool { return c.Withheld })
		for cells := range slices.Chunk(shown, askedAtOnce) {
			var counts []string
			for _, c := range cells {
				var all []string
				for i, column := range table.Columns {
					all = append(all, "("+condition(column, c.Codes[i])+")")
				}
				counts = append(counts, fmt.Sprintf("toInt64("+measure.count+")", strings.Join(all, " AND ")))
			}
			var want []int64
			if err := s.Conn().QueryRow(t.Context(), "SELECT ["+strings.Join(counts, ", ")+"] FROM default.asked_"+measure.view).Scan(&want); err != nil {
				t.Fatalf("%s: %v", table.ID, err)
			}
			for i, c := range cells {
				if c.Value != want[i] {
					t.Errorf("table %s, %v: published is %d, and the views have %d", table.ID, c.Codes, c.Value, want[i])
				}
			}
			compared[table.Measure] += len(cells)
		}
	}
	t.Logf("compared %v; left out %v", compared, b.Manifest.LeftOut)
	if compared["returns"] < 100 || compared["helps"] == 0 || compared["crossings"] == 0 {
		t.Errorf("compared are %v", compared)
	}
}
