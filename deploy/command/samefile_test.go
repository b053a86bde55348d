package command

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// One file under other settings makes other records: it is known all the same.
func TestOneFileUnderOtherSettingsIsAskedAbout(t *testing.T) {
	documents, dates := centreHead, centreHead
	for n := range 20 {
		row := fmt.Sprintf("CAMR La Lima;%02d/05/2015;%02d:20;Hombre;%d;Cortés;San Pedro Sula;Corinto;Estados Unidos;Aéreo;", 3+n/8, 6+n%12, 20+n)
		dates += row + "\n"
		documents += row + fmt.Sprintf("0501-19%02d-%05d\n", 95-n, 100+n)
	}
	for name, c := range map[string]struct {
		text          string
		first, second []string
	}{
		"documents":    {documents, []string{"--without-documents"}, nil},
		"the order":    {dates, []string{"--date-order=dmy"}, []string{"--date-order=mdy"}},
		"a column":     {dates, nil, []string{"--column=Hora=-"}},
		"a point less": {dates, nil, []string{"--column=Punto de salida=-"}},
	} {
		i := newImporting(t)
		i.file(c.text, c.first...).said(t, exitDone, "20 new rows")
		before := i.account()
		if r := i.file(c.text, c.second...); r.status != exitNo || !strings.Contains(r.err, "--replace") {
			t.Errorf("%s: %+v", name, r)
		}
		if after := i.account(); !slices.Equal(before.counted, after.counted) {
			t.Errorf("%s: counted %q", name, after.counted)
		}
		i.file(c.text, append(c.second, "--replace="+source(t, i))...).said(t, exitDone, "counted already", "rows gone")
		if after := i.account(); len(after.counted) != 20 || len(after.missing) != 0 {
			t.Errorf("%s: counted %q, missing %v", name, after.counted, after.missing)
		}
	}
}

// What is taken back of one import was perhaps in the file of another, too.
func TestRowsThatTwoFilesHold(t *testing.T) {
	i := newImporting(t)
	a, b, c := person(16, 26, "Corinto"), person(17, 27, "Corinto"), person(18, 28, "Corinto")
	i.file(centreHead+a+b, "--source=first").said(t, exitDone)
	i.file(centreHead+b+c, "--source=second").said(t, exitDone, "1 new rows, 1 counted already, 1 of them from other imports")
	i.file(centreHead+a, "--source=own").said(t, exitDone, "equal are one record, those stand in import-first", "otro --system", "no row is left for import-own", "no queda ninguna fila")
	if n := len(i.list()); n != 2 {
		t.Errorf("%d imports are listed", n)
	}
	r := try(t, "", nil, slices.Concat([]string{"import", "void", "first"}, i.args)...)
	r.said(t, exitDone, "2 records voided", "2 registros anulados", "files of import-second held rows of it")
	i.file(centreHead+b+c, "--source=second").said(t, exitDone)
	i.holds("the second file", "27 L-COR", "28 L-COR")
}

// What the question says that a replacement voids is what it voids, on days of the file or not.
func TestAFileOfSomeDaysSaysWhatItWouldVoid(t *testing.T) {
	i := newImporting(t)
	a, b, c, d := person(2, 22, "Corinto"), person(3, 23, "Corinto"), person(16, 26, "Corinto"), person(17, 27, "Corinto")
	i.file(centreHead+a+b+c+d, "--source=may").said(t, exitDone)
	part := centreHead + person(16, 26, "El Florido") + d
	i.file(part).said(t, exitNo, "would correct 1 rows and void 2, 2 of these of other days than the file's, 2015-05-16 to 2015-05-17", "corregiría 1 filas y anularía 2, 2 de estas", "--only-its-days")
	i.file(part, "--check", "--replace=may").said(t, exitDone, "1 rows corrected: 1 revisions; 2 rows gone: 2 voids, 2 of them of other days than the file's", "sent: nothing")
	i.file(part, "--only-its-days").said(t, exitUsage, "--replace")
	i.file(part, "--replace=may", "--only-its-days").said(t, exitDone, "0 new rows, 1 counted already; 1 rows corrected: 1 revisions; 2 not in this file, stay counted")
	i.holds("its days alone", "22 L-COR", "23 L-COR", "26 L-FLO", "27 L-COR")
	i.file(part).said(t, exitDone, "0 new rows, 2 counted already")
	i.file(part, "--replace=may").said(t, exitDone, "2 rows gone: 2 voids, 2 of them of other days")
	i.holds("the whole import", "26 L-FLO", "27 L-COR")
	// Two files of one source.
	i.file(centreHead+a+b, "--source=book").said(t, exitDone)
	i.file(centreHead+c, "--source=book").said(t, exitDone)
	i.file(centreHead+person(2, 22, "El Florido")+b, "--source=book").said(t, exitNo, "1 of its rows are not in this file", "would correct 1 rows and void 1, 1 of these")
	i.file(centreHead+person(2, 22, "El Florido")+b, "--replace=book").said(t, exitDone, "1 rows corrected: 1 revisions; 1 rows gone: 1 voids")
}

// What was mended in a file of rejected rows outlasts a second import of the file.
func TestMendedRowsAreNotOverwritten(t *testing.T) {
	i := newImporting(t)
	producerWithTopics(t, kafkaFlags{Brokers: []string{i.broker.Addr()}, Partitions: 3})
	bad := strings.Replace(person(16, 26, "Corinto"), "San Pedro Sula", "San Perdo Sula", 1)
	path := writeFile(t, "camr.csv", centreHead+bad+person(17, 27, "Corinto"))
	i.named(path, "--check").said(t, exitNo, "1 of 2 rows were rejected", path+".rejected.csv", "se rechazaron 1 de 2 filas")
	rejected := path + ".rejected.csv"
	mended := strings.ReplaceAll(readText(t, rejected), "Perdo", "Pedro")
	if err := os.WriteFile(rejected, []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
	i.named(path).said(t, exitNo, path+".rejected-2.csv", rejected+", which says something else or was mended, stays as it is")
	i.named(path).said(t, exitNo, path+".rejected-2.csv")
	if text := readText(t, rejected); text != mended {
		t.Errorf("overwritten: %s", text)
	}
	i.named(rejected).said(t, exitDone, "1 new rows")
	i.holds("mended", "26 L-COR", "27 L-COR")
}
