package command

import (
	"strings"
	"testing"
)

func TestTwoFilesAreToldApart(t *testing.T) {
	i := newImporting(t)
	jan, feb := person(5, 25, "Corinto")+person(6, 26, "Corinto"), person(8, 28, "Corinto")+person(9, 29, "Corinto")
	loose := strings.Replace(person(4, 24, "Corinto"), "09:20", "09\":20\"x", 1) // a row whose cells cannot be told apart
	i.file(centreHead+strings.Replace(loose, "09\"", "\"", 1)+jan).said(t, exitNo)
	i.file(centreHead+strings.Replace(loose, "09\"", "\"", 1)+feb).said(t, exitNo)
	all := i.list()
	if len(all) != 2 || all[0]["source"] == all[1]["source"] {
		t.Fatalf("listed: %v", all)
	}
	for source, missing := range i.account().missing {
		if len(missing) != 1 {
			t.Errorf("%s misses %v", source, missing)
		}
	}
	// A file with the rows of both changes nothing, and its further row has a source of its own or one of theirs.
	i.file(centreHead+jan+feb+person(10, 30, "Corinto"), "--keep").said(t, exitDone, "1 new rows, 4 counted already", "2 of them from other imports")
	if got := i.account().counted; len(got) != 5 {
		t.Errorf("counted: %q", got)
	}
	// A rolling export lacks the days before its first.
	i = newImporting(t)
	i.file(centreHead+jan+feb, "--source=weekly").said(t, exitDone)
	i.file(centreHead+feb+person(10, 30, "Corinto"), "--source=weekly").said(t, exitDone, "1 new rows, 2 counted already; 2 not in this file, stay counted")
	i.holds("a rolling export", "25 L-COR", "26 L-COR", "28 L-COR", "29 L-COR", "30 L-COR")
	i.file(centreHead+person(6, 26, "Corinto")+feb, "--source=weekly", "--keep").said(t, exitDone, "0 new rows")
	i.file(centreHead+jan+person(9, 29, "Corinto"), "--source=weekly").said(t, exitNo, "--keep")
}

// A row of a list of other people that says what a row of the first list says is asked about.
func TestARowThatLooksLikeAnotherPersonsIsAskedAbout(t *testing.T) {
	i := newImporting(t)
	row := func(age int) string { return person(16, age, "Corinto") }
	i.file(centreHead+row(21)+row(22)+row(23)+row(24)).said(t, exitDone)
	other := centreHead + row(24) + row(35) + row(36) + row(37)
	i.file(other).said(t, exitNo, "1 rows without a document say the same", "1 filas sin documento dicen lo mismo", "--system", "--keep", "no se envió nada")
	i.file(other, "--check").said(t, exitNo, "1 rows without a document")
	i.holds("asked about", "21 L-COR", "22 L-COR", "23 L-COR", "24 L-COR")
	i.file(other, "--keep").said(t, exitDone, "3 new rows")
	i.holds("the same person", "21 L-COR", "22 L-COR", "23 L-COR", "24 L-COR", "35 L-COR", "36 L-COR", "37 L-COR")
	i.file(other, "--system=desk-2").said(t, exitDone, "4 new rows")
	if n := len(i.account().counted); n != 11 {
		t.Errorf("%d rows count", n)
	}
}
