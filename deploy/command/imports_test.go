package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/importer"
	"retorno/producers/imports"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// importing is a broker to which files are imported.
type importing struct {
	t      *testing.T
	broker *fakekafka.Broker
	args   []string
}

func newImporting(t *testing.T) *importing {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	return &importing{t: t, broker: broker, args: []string{"--kafka-brokers", broker.Addr(), "--kafka-partitions=3"}}
}

// file imports a text as a file of registrations.
func (i *importing) file(text string, args ...string) result {
	i.t.Helper()
	return i.named(writeFile(i.t, "export.csv", text), args...)
}

func (i *importing) named(path string, args ...string) result {
	i.t.Helper()
	return try(i.t, "", identityKey, slices.Concat([]string{"import", "centre", path}, i.args, args)...)
}

func (i *importing) list() (out []map[string]any) {
	i.t.Helper()
	r := try(i.t, "", nil, slices.Concat([]string{"import", "list", "--json"}, i.args)...)
	if r.status != exitDone {
		i.t.Fatalf("%+v", r)
	}
	for line := range strings.Lines(r.out) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			i.t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

// account is what the logs of facts hold, told without the program's own accounts: records that count, by what tells them apart
// in these tests, and for each source the numbers that never came.
type account struct {
	counted []string
	missing map[string][]uint64
}

// account reads the logs, and fails when two contents share a revision or two revisions a number.
func (i *importing) account() account {
	i.t.Helper()
	latest, contents, numbers, highest := map[string]*events.Record{}, map[string]string{}, map[string]string{}, map[string]uint64{}
	for partition := range 3 {
		log, err := wire.Open(wire.Config{Brokers: []string{i.broker.Addr()}}, producer.TopicCentre, partition)
		if err != nil {
			i.t.Fatal(err)
		}
		defer log.Close()
		first, end, err := log.Bounds(i.t.Context())
		if err != nil {
			i.t.Fatal(err)
		}
		err = log.Read(i.t.Context(), first, end, func(m *wire.Message) error {
			o, err := events.Open(m.Value)
			if err != nil {
				return err
			}
			r := o.Record
			revision, number := fmt.Sprintf("%s/%d", r.RecordId, r.Revision), fmt.Sprintf("%s/%d", r.SourceId, r.SourceSeq)
			if held, ok := contents[revision]; ok && held != r.String() {
				i.t.Errorf("two contents of %s:\n%s\n%s", revision, held, r)
			}
			if held, ok := numbers[number]; ok && held != revision {
				i.t.Errorf("number %s is that of %s and of %s", number, held, revision)
			}
			contents[revision], numbers[number] = r.String(), revision
			highest[r.SourceId] = max(highest[r.SourceId], r.SourceSeq)
			if held := latest[r.RecordId]; held == nil || held.Revision < r.Revision {
				latest[r.RecordId] = r
			}
			return nil
		})
		if err != nil {
			i.t.Fatal(err)
		}
	}
	out := account{missing: map[string][]uint64{}}
	for _, r := range latest {
		if x := r.GetRegistration(); r.VoidReason == "" {
			out.counted = append(out.counted, fmt.Sprintf("%d %s", x.GetAge(), x.GetExitPoint()))
		}
	}
	slices.Sort(out.counted)
	for source, n := range highest {
		for seq := uint64(1); seq < n; seq++ {
			if numbers[fmt.Sprintf("%s/%d", source, seq)] == "" {
				out.missing[source] = append(out.missing[source], seq)
			}
		}
	}
	return out
}

// holds fails when the records that count are not these, or a number is missing.
func (i *importing) holds(what string, counted ...string) {
	i.t.Helper()
	got := i.account()
	slices.Sort(counted)
	if !slices.Equal(got.counted, counted) || len(got.missing) > 0 {
		i.t.Errorf("%s: counted %q, missing %v; want %q", what, got.counted, got.missing, counted)
	}
}

const centreHead = "Centro;Fecha de registro;Hora;Sexo;Edad;Departamento;Municipio;Punto de salida;País de retorno;Vía;Identidad\n"

// person is a row: registered on a day of May 2015 at an age, having left by a point.
func person(day, age int, point string) string {
	return fmt.Sprintf("CAMR La Lima;%02d/05/2015;09:20;Hombre;%d;Cortés;San Pedro Sula;%s;Estados Unidos;Aéreo;\n", day, age, point)
}

func (r result) said(t *testing.T, status int, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(r.out+r.err, w) {
			t.Errorf("no %q in %s%s", w, r.out, r.err)
		}
	}
	if r.status != status {
		t.Errorf("status %d, want %d: %s%s", r.status, status, r.out, r.err)
	}
}

func source(t *testing.T, i *importing) string {
	t.Helper()
	all := i.list()
	if len(all) == 0 {
		t.Fatal("no import is listed")
	}
	return all[len(all)-1]["source"].(string)
}

func TestACorrectedFileIsAskedAboutAndReplaces(t *testing.T) {
	i := newImporting(t)
	before := centreHead + person(16, 26, "Corinto") + person(17, 27, "Corinto") + person(18, 28, "Corinto")
	corrected := centreHead + person(16, 26, "El Florido") + person(17, 27, "Corinto") + person(18, 28, "Corinto")
	i.file(before).said(t, exitDone, "3 new rows")
	i.file(corrected).said(t, exitNo, "--replace=import-centre-", "1 of its rows are not in this file", "archivo corregido")
	i.holds("a corrected file that was asked about", "26 L-COR", "27 L-COR", "28 L-COR")
	name := source(t, i)
	i.file(corrected, "--check").said(t, exitNo, "--replace="+name)
	i.file(corrected, "--check", "--replace="+name).said(t, exitDone, "0 new rows, 2 counted already; 1 rows corrected: 1 revisions", "1 filas corregidas: 1 revisiones", "sent: nothing", "date order", "columnas leídas", `"Punto de salida" = exit_point`)
	i.holds("a check", "26 L-COR", "27 L-COR", "28 L-COR")
	i.file(corrected, "--replace="+name).said(t, exitDone, "0 new rows, 2 counted already; 1 rows corrected: 1 revisions", "enviado / sent: 1 registros")
	i.holds("a corrected file", "26 L-FLO", "27 L-COR", "28 L-COR")
	i.file(corrected).said(t, exitDone, "0 new rows, 3 counted already")
	i.file(corrected, "--replace="+name).said(t, exitDone, "0 new rows, 3 counted already")
	i.holds("a corrected file that comes a second time", "26 L-FLO", "27 L-COR", "28 L-COR")
	i.file(before).said(t, exitNo, "--replace")
	i.file(before, "--replace="+strings.TrimPrefix(name, "import-")).said(t, exitDone, "1 rows corrected: 1 revisions")
	i.holds("the first file in its place", "26 L-COR", "27 L-COR", "28 L-COR")
	i.file(centreHead+person(17, 27, "Corinto"), "--replace="+name).said(t, exitDone, "2 rows gone: 2 voids")
	i.holds("a shorter file", "27 L-COR")
	if all := i.list(); len(all) != 1 || all[0]["counted"].(float64) != 1 || all[0]["void"].(float64) != 2 || all[0]["state"] != "sent" {
		t.Errorf("listed: %v", all)
	}
	i.file(before, "--replace=import-centre-none").said(t, exitUsage, "no import is called import-centre-none", "ninguna importación se llama import-centre-none", name)
}

func TestAnImportIsTakenBack(t *testing.T) {
	i := newImporting(t)
	text := centreHead + person(16, 26, "Corinto") + person(17, 27, "Corinto")
	i.file(text).said(t, exitDone)
	other := centreHead + person(2, 50, "Corinto")
	i.file(other, "--source=other").said(t, exitDone, "import-other")
	name := i.list()[0]["source"].(string)
	void := func(args ...string) result {
		return try(t, "", nil, slices.Concat([]string{"import", "void"}, args, i.args)...)
	}
	void(name, "--check").said(t, exitDone, "2 records would be voided")
	i.holds("a check", "26 L-COR", "27 L-COR", "50 L-COR")
	void(name, "--reason=test_record").said(t, exitDone, "2 records voided")
	i.holds("a voided import", "50 L-COR")
	void(name).said(t, exitDone, "0 records voided")
	try(t, "", nil, slices.Concat([]string{"import", "list"}, i.args)...).said(t, exitDone, "SOURCE", "FUENTE", "ANULADAS")
	void("nothing").said(t, exitUsage, "no import is called import-nothing")
	i.file(text).said(t, exitNo, "was taken back", "fue anulada", "--replace="+name)
	i.file(text, "--replace="+name).said(t, exitDone, "2 rows back after a void: 2 revisions")
	i.holds("a restored import", "26 L-COR", "27 L-COR", "50 L-COR")
}

// The order of rows, growth, and rows mended in the file or apart change neither source nor numbers.
func TestNumbersOutlastTheOrderOfRows(t *testing.T) {
	a, b, c, d := person(5, 25, "Corinto"), person(4, 24, "Corinto"), person(3, 23, "Corinto"), person(2, 22, "Corinto")
	bad := strings.Replace(person(1, 21, "Corinto"), "San Pedro Sula", "San Perdo Sula", 1)
	all := []string{"22 L-COR", "23 L-COR", "24 L-COR", "25 L-COR"}
	t.Run("sorted otherwise", func(t *testing.T) {
		i := newImporting(t)
		i.file(centreHead+a+b+c).said(t, exitDone)
		i.file(centreHead+c+b+a).said(t, exitDone, "0 new rows, 3 counted already")
		i.file(centreHead+d+c+a+b).said(t, exitDone, "1 new rows, 3 counted already")
		i.holds("newest first, and grown", all...)
	})
	t.Run("first row mended in the file", func(t *testing.T) {
		i := newImporting(t)
		i.file(centreHead+bad+a+b).said(t, exitNo, "1 of 3 rows were rejected")
		if missing := i.account().missing; len(missing) != 1 || len(missing[source(t, i)]) != 1 {
			t.Errorf("a rejected row is not missing: %v", missing)
		}
		i.file(centreHead+person(1, 21, "Corinto")+a+b).said(t, exitDone, "1 new rows, 2 counted already")
		i.holds("mended", "21 L-COR", "24 L-COR", "25 L-COR")
		if n := len(i.list()); n != 1 {
			t.Errorf("%d imports of one file", n)
		}
	})
	t.Run("first row taken out of the file", func(t *testing.T) {
		i := newImporting(t)
		i.file(centreHead+a+bad+b).said(t, exitNo)
		i.file(centreHead+a+b).said(t, exitDone)
		i.holds("its number stands for nothing", "24 L-COR", "25 L-COR")
	})
	t.Run("mended apart", func(t *testing.T) {
		i := newImporting(t)
		path := writeFile(t, "camr.csv", centreHead+bad+a+b)
		i.named(path).said(t, exitNo)
		mended := strings.ReplaceAll(readText(t, path+".rejected.csv"), "Perdo", "Pedro")
		i.file(mended).said(t, exitDone, "1 new rows")
		i.holds("mended", "21 L-COR", "24 L-COR", "25 L-COR")
		i.file(mended).said(t, exitDone, "0 new rows, 1 counted already")
		i.file(centreHead+person(1, 21, "Corinto")+a+b).said(t, exitDone, "0 new rows, 3 counted already")
		i.holds("mended in the file, too", "21 L-COR", "24 L-COR", "25 L-COR")
	})
	t.Run("mended apart, and the file as it was", func(t *testing.T) {
		i := newImporting(t)
		text := centreHead + bad + a + b
		path := writeFile(t, "camr.csv", text)
		i.named(path).said(t, exitNo)
		mended := strings.ReplaceAll(readText(t, path+".rejected.csv"), "Perdo", "Pedro")
		i.file(mended).said(t, exitDone, "1 new rows")
		i.file(text).said(t, exitNo, "0 new rows, 2 counted already; 1 not in this file, stay counted")
		i.file(text, "--replace="+source(t, i)).said(t, exitNo, "1 rows gone: 1 voids")
		i.file(mended).said(t, exitDone, "1 rows back after a void: 1 revisions")
		i.holds("mended once more", "21 L-COR", "24 L-COR", "25 L-COR")
		name := source(t, i)
		void := slices.Concat([]string{"import", "void", name}, i.args)
		try(t, "", nil, void...).said(t, exitDone, "3 records voided")
		i.file(mended).said(t, exitNo, "was taken back", "--replace="+name)
		i.file(text, "--replace="+name).said(t, exitNo, "2 rows back after a void: 2 revisions")
		i.file(mended).said(t, exitDone, "1 rows back after a void: 1 revisions")
		i.holds("mended after a void", "21 L-COR", "24 L-COR", "25 L-COR")
		if all := i.list(); all[0]["rejected"].(float64) != 0 {
			t.Errorf("listed: %v", all)
		}
		// A row that the corrected file left out stays void.
		i.file(centreHead+a+b, "--replace="+name).said(t, exitDone, "1 rows gone: 1 voids")
		i.file(mended).said(t, exitDone, "0 new rows", "1 void, and stay so")
		i.holds("left out", "24 L-COR", "25 L-COR")
	})
	t.Run("mended in the file, and apart in another way", func(t *testing.T) {
		i := newImporting(t)
		path := writeFile(t, "camr.csv", centreHead+bad+a+b)
		i.named(path).said(t, exitNo)
		old := readText(t, path+".rejected.csv")
		i.file(centreHead+person(1, 21, "Corinto")+a+b).said(t, exitDone, "1 new rows")
		i.file(old).said(t, exitNo, "imported before", "0 new rows")
		otherwise := strings.ReplaceAll(strings.ReplaceAll(old, "Perdo", "Pedro"), ";21;", ";61;")
		i.file(otherwise).said(t, exitNo, "holds other ones", "tiene otras", "--keep")
		i.holds("a row that is there", "21 L-COR", "24 L-COR", "25 L-COR")
		i.file(otherwise, "--keep").said(t, exitDone, "1 new rows")
		i.holds("beside it", "21 L-COR", "24 L-COR", "25 L-COR", "61 L-COR")
	})
	t.Run("no row is good", func(t *testing.T) {
		i := newImporting(t)
		i.file(centreHead+bad).said(t, exitNo)
		i.file(centreHead+strings.Replace(bad, "01/05", "09/05", 1)).said(t, exitNo)
		i.holds("nothing was sent")
		i.file(centreHead+person(1, 21, "Corinto")).said(t, exitDone)
		i.holds("mended", "21 L-COR")
	})
}

// A process that dies anywhere leaves what importing again completes.
func TestAnImportThatWasCutOffIsCompleted(t *testing.T) {
	i := newImporting(t)
	var text strings.Builder
	text.WriteString(centreHead)
	var want []string
	for n := range 40 {
		text.WriteString(person(1+n%28, 20+n, "Corinto"))
		want = append(want, fmt.Sprintf("%d L-COR", 20+n))
	}
	i.cutOff(text.String(), 17, importer.Config{Kind: importer.KindCentre, WithoutDocuments: true})
	if all := i.list(); len(all) != 1 || all[0]["state"] != "sending" {
		t.Fatalf("listed: %v", all)
	}
	i.file(text.String()).said(t, exitDone)
	i.holds("completed", want...)
	if all := i.list(); len(all) != 1 || all[0]["state"] != "sent" || all[0]["counted"].(float64) != 40 {
		t.Fatalf("listed: %v", all)
	}
}

// cutOff imports a text and ends after so many records, as a process that is killed does.
func (i *importing) cutOff(text string, after int, cfg importer.Config) {
	i.t.Helper()
	file, err := importer.Read(i.t.Context(), cfg, "export.csv", strings.NewReader(text))
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	flags := kafkaFlags{Brokers: []string{i.broker.Addr()}, Partitions: 3, RequestTimeout: patience}
	kafka, err := flags.openImports(i.t.Context(), slog.New(slog.DiscardHandler), true)
	if err != nil {
		i.t.Fatal(err)
	}
	defer kafka.close()
	plan, err := imports.Make(i.t.Context(), &kafka.cluster, file, imports.Options{})
	if err != nil {
		i.t.Fatal(err)
	}
	dead := errors.New("killed")
	out := newOutbox(kafka.facts)
	sent := 0
	err = plan.Send(i.t.Context(), imports.Outbox{Flush: out.flush, Put: func(ctx context.Context, r *events.Record) error {
		if sent++; sent > after {
			return errors.Join(out.flush(ctx), dead)
		}
		message, err := out.seal(events.Line{Envelope: &events.Envelope{Record: r}})
		if err != nil {
			return err
		}
		return out.put(ctx, message)
	}})
	if !errors.Is(err, dead) {
		i.t.Fatal(err)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNothingWasEverImported(t *testing.T) {
	i := newImporting(t)
	producerWithTopics(t, kafkaFlags{Brokers: []string{i.broker.Addr()}, Partitions: 3})
	if all := i.list(); len(all) != 0 {
		t.Errorf("listed: %v", all)
	}
	i.file(centreHead+person(16, 26, "Corinto"), "--check").said(t, exitDone, "not imported before")
	if all := i.list(); len(all) != 0 {
		t.Errorf("a check left %v", all)
	}
}
