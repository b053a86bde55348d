package importer

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"retorno/producers/identity"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

func testSecret(t testing.TB) identity.Secret {
	t.Helper()
	s, err := identity.NewSecret("a secret for tests only, 0123456789")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type result struct {
	sum      Summary
	records  []*events.Record
	rejected [][]string // without the header
	raw      string     // the file of rejected rows
}

// importText imports a text and checks what holds for every import.
func importText(t testing.TB, cfg Config, text string) (result, error) {
	t.Helper()
	var out result
	var rejected bytes.Buffer
	sum, err := Import(context.Background(), cfg, "test.csv", strings.NewReader(text), func(e *events.Envelope) error {
		if faults := events.Validate(e.GetRecord()); len(faults) > 0 {
			t.Errorf("an accepted record has faults: %v", faults)
		}
		out.records = append(out.records, e.GetRecord())
		return nil
	}, &rejected)
	out.sum, out.raw = sum, rejected.String()
	if err != nil {
		return out, err
	}
	if sum.Read != sum.Accepted+sum.Rejected+sum.Blank+sum.Headers+sum.Notes || sum.Accepted != len(out.records) {
		t.Errorf("the account does not balance: %+v with %d records", sum, len(out.records))
	}
	if rejected.Len() > 0 {
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.raw, string(bomUTF8))))
		r.Comma = []rune(sum.Delimiter)[0]
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatalf("the file of rejected rows is no CSV: %v\n%s", err, out.raw)
		}
		out.rejected = rows[1:]
	}
	if len(out.rejected) != sum.Rejected {
		t.Errorf("%d rejected rows are written, %d counted", len(out.rejected), sum.Rejected)
	}
	return out, nil
}

func mustImport(t testing.TB, cfg Config, text string) result {
	t.Helper()
	out, err := importText(t, cfg, text)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return out
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func local(t testing.TB, ms int64) string {
	t.Helper()
	return time.UnixMilli(ms).In(calendar.Zone()).Format("2006-01-02 15:04:05")
}

func lines(t testing.TB, records []*events.Record) string {
	t.Helper()
	var b strings.Builder
	for _, r := range records {
		line, err := events.MarshalJSONLine(&events.Envelope{Record: r})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// Golden: these files give these events, byte for byte, today and after every change of this code. A changed id here
// would count everything that was ever imported a second time.
func TestFilesGiveTheirEvents(t *testing.T) {
	for _, c := range []struct {
		file string
		cfg  Config
		want string
	}{
		{"inm_ingresos.csv", Config{Kind: KindCheckpoint, System: "inm"}, "read 16 accepted 8 rejected 3 blank 2 headers 2 notes 1"},
		{"siamir_registros.csv", Config{Kind: KindCentre, System: "siamir"}, "read 13 accepted 8 rejected 2 blank 0 headers 1 notes 2"},
		{"ayudas.csv", Config{Kind: KindCentre, System: "camr"}, "read 4 accepted 3 rejected 0 blank 0 headers 1 notes 0"},
	} {
		c.cfg.Secret = testSecret(t)
		got := mustImport(t, c.cfg, read(t, c.file))
		s := got.sum
		if account := fmt.Sprintf("read %d accepted %d rejected %d blank %d headers %d notes %d", s.Read, s.Accepted, s.Rejected, s.Blank, s.Headers, s.Notes); account != c.want {
			t.Errorf("%s: %s, want %s\n%s", c.file, account, c.want, got.raw)
		}
		golden := filepath.Join("testdata", c.file+".golden")
		text := lines(t, got.records) + strings.ReplaceAll(got.raw, string(bomUTF8), "")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("%s: other events than before (UPDATE_GOLDEN=1 rewrites the golden file):\n%s", c.file, text)
		}
	}
}

func TestEveryCharacterSetAndDelimiterGivesTheSameEvents(t *testing.T) {
	text := read(t, "siamir_registros.csv")
	cfg := Config{Kind: KindCentre, System: "siamir", Secret: testSecret(t)}
	want := lines(t, mustImport(t, cfg, text).records)
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	comma := strings.ReplaceAll(strings.ReplaceAll(text, ",", "\x00"), ";", ",")
	comma = strings.ReplaceAll(comma, "\x00", ";") // reasons are divided by commas in the original
	for name, c := range map[string]struct{ text, charset string }{
		"with byte order mark":    {string(bomUTF8) + text, charsetUTF8},
		"Windows-1252":            {encode(charmap.Windows1252.NewEncoder().String(text)), charset1252},
		"UTF-16 little endian":    {encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)), charsetUTF16LE},
		"UTF-16 big endian":       {encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)), charsetUTF16BE},
		"UTF-16 without mark":     {encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(text)), charsetUTF16LE},
		"lines ending in CR LF":   {strings.ReplaceAll(text, "\n", "\r\n"), charsetUTF8},
		"lines ending in CR":      {strings.ReplaceAll(text, "\n", "\r"), charsetUTF8},
		"no end of line":          {strings.TrimRight(text, "\n"), charsetUTF8},
		"tab":                     {strings.ReplaceAll(text, ";", "\t"), charsetUTF8},
		"comma":                   {comma, charsetUTF8},
		"bar":                     {strings.ReplaceAll(text, ";", "|"), charsetUTF8},
		"declared separator":      {"sep=;\n" + text, charsetUTF8},
		"read as Windows-1252":    {encode(charmap.Windows1252.NewDecoder().String(text)), charsetUTF8},
		"many blank lines behind": {text + strings.Repeat("\n;;;;\n", 50), charsetUTF8},
	} {
		got, err := importText(t, cfg, c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.sum.Charset != c.charset {
			t.Errorf("%s: taken for %s", name, got.sum.Charset)
		}
		if lines(t, got.records) != want {
			t.Errorf("%s: other events:\n%s\nwant\n%s", name, lines(t, got.records), want)
		}
	}
}

func TestASecondImportChangesNothing(t *testing.T) {
	cfg := Config{Kind: KindCheckpoint, System: "inm", Secret: testSecret(t)}
	text := read(t, "inm_ingresos.csv")
	first, second := mustImport(t, cfg, text), mustImport(t, cfg, text)
	if lines(t, first.records) != lines(t, second.records) || first.raw != second.raw {
		t.Error("the same file gave other bytes")
	}
	grown := mustImport(t, cfg, strings.TrimSuffix(text, ";;;;;;;;;;;;\n")+"16;01/07/2016;08:15;Las Manos;Salida;M;33;Hondureña;;;;;\n")
	if got := lines(t, grown.records); !strings.HasPrefix(got, lines(t, first.records)) || len(grown.records) != len(first.records)+1 {
		t.Errorf("a file that has grown gave other events for its old rows:\n%s", got)
	}
}

func TestIdsAreMadeOfTimeAndContent(t *testing.T) {
	cfg := Config{Kind: KindCheckpoint, System: "inm"}
	const head = "fecha,hora,puesto,movimiento,sexo,edad\n"
	const rows = "30/06/2016,23:30,Corinto,entrada,F,25\n30/06/2016,23:30,Corinto,entrada,F,25\n30/06/2016,23:30,Corinto,entrada,F,26\n"
	got := mustImport(t, cfg, head+rows)
	if got.sum.Alike != 1 || got.sum.Accepted != 3 {
		t.Fatalf("%+v", got.sum)
	}
	seen := map[string]bool{}
	for i, r := range got.records {
		seen[r.RecordId] = true
		if r.SourceSeq != uint64(i+1) || r.Revision != 1 || r.SourceId != got.records[0].SourceId {
			t.Errorf("record %d: %v", i, r)
		}
		var ms int64
		if _, err := fmt.Sscanf(strings.ReplaceAll(r.RecordId, "-", "")[:12], "%x", &ms); err != nil || ms != r.EventTimeMs || r.RecordId[14] != '7' || !strings.ContainsRune("89ab", rune(r.RecordId[19])) {
			t.Errorf("%s is no UUIDv7 of %d", r.RecordId, r.EventTimeMs)
		}
		if local(t, r.EventTimeMs) != "2016-06-30 23:30:00" {
			t.Errorf("event at %s", local(t, r.EventTimeMs))
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d ids for 3 records", len(seen))
	}
	same := mustImport(t, cfg, "Edad;Movimiento;Fecha y hora;Puesto fronterizo;Género;Observaciones\n25;ENTRADA;2016-06-30T23:30:00-06:00;L-COR;Mujer;x\n")
	if same.records[0].RecordId != got.records[0].RecordId {
		t.Error("the same event in another form has another id")
	}
	cfg.System = "ceniss"
	if other := mustImport(t, cfg, head+rows); other.records[0].RecordId == got.records[0].RecordId {
		t.Error("the same event seen by another system has the same id")
	}
}

func TestMendedRowsTakeTheirPlace(t *testing.T) {
	cfg := Config{Kind: KindCheckpoint, System: "inm"}
	const head = "fecha;puesto;movimiento;edad\n"
	const bad = head + "30/06/2016;Corinto;entrada;20\n31/06/2016;Corinto;entrada;21\n01/06/2016;El Poy;salida;22\n"
	const good = head + "30/06/2016;Corinto;entrada;20\n29/06/2016;Corinto;entrada;21\n01/06/2016;El Poy;salida;22\n"
	first := mustImport(t, cfg, bad)
	if first.sum.Rejected != 1 || first.records[1].SourceSeq != 3 {
		t.Fatalf("%+v", first.sum)
	}
	inPlace := mustImport(t, cfg, good)
	apart := mustImport(t, cfg, strings.ReplaceAll(first.raw, "31/06/2016", "29/06/2016"))
	want := lines(t, inPlace.records[1:2])
	if got := lines(t, apart.records); got != want || apart.records[0].SourceSeq != 2 {
		t.Errorf("mended apart:\n%smended in the file:\n%s", got, want)
	}
	if lines(t, inPlace.records[:1])+lines(t, inPlace.records[2:]) != lines(t, first.records) {
		t.Error("mending one row changed others")
	}
	twice := strings.ReplaceAll(first.raw, "31/06/2016", "29/06/2016")
	last := twice[strings.Index(twice, "\n")+1:]
	if got := mustImport(t, cfg, twice+last); got.sum.Rejected != 1 || got.rejected[0][4] != "repeated_row_number" {
		t.Errorf("a row number that comes twice: %+v", got.sum)
	}
	if got := mustImport(t, cfg, strings.Replace(twice, "import-inm", "export-inm", 1)); got.sum.Rejected != 1 || got.rejected[0][4] != "bad_row_number" {
		t.Errorf("a changed source: %+v", got.sum)
	}
}

func TestNothingThatIdentifiesLeaves(t *testing.T) {
	for _, kind := range []struct {
		file string
		cfg  Config
	}{{"inm_ingresos.csv", Config{Kind: KindCheckpoint}}, {"siamir_registros.csv", Config{Kind: KindCentre}}} {
		kind.cfg.Secret = testSecret(t)
		got := mustImport(t, kind.cfg, read(t, kind.file))
		out := lines(t, got.records) + fmt.Sprintf("%+v", got.sum)
		for _, private := range []string{"Mejía", "Mejia", "MEJIA", "López", "0503", "0501198", "1985", "C123", "Barrio"} {
			if strings.Contains(out, private) && private != "0503" {
				t.Errorf("%s: %q left the importer", kind.file, private)
			}
		}
		withKey := 0
		for _, r := range got.records {
			if r.PersonKey != "" {
				withKey++
			}
		}
		if withKey == 0 || withKey+got.sum.WithoutPerson != len(got.records) {
			t.Errorf("%s: %d of %d records are linked, %d not", kind.file, withKey, len(got.records), got.sum.WithoutPerson)
		}
	}
}

func TestSinkAndContextEndTheImport(t *testing.T) {
	text := read(t, "inm_ingresos.csv")
	cfg := Config{Kind: KindCheckpoint, Secret: testSecret(t)}
	full := errors.New("disk full")
	n := 0
	sum, err := Import(context.Background(), cfg, "f.csv", strings.NewReader(text), func(*events.Envelope) error {
		if n++; n == 3 {
			return full
		}
		return nil
	}, io.Discard)
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "line ") || sum.Accepted != 8 || n != 3 {
		t.Errorf("%v, %+v", err, sum)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Import(ctx, cfg, "f.csv", strings.NewReader(text), nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled import: %v", err)
	}
	cfg.DryRun = true
	if sum, err := Import(context.Background(), cfg, "f.csv", strings.NewReader(text), nil, nil); err != nil || sum.Accepted != 8 {
		t.Errorf("a dry run: %v, %+v", err, sum)
	}
	// A pipe gives the same as a file; one too large to be held is refused.
	pipe := struct{ io.Reader }{strings.NewReader(text)}
	if sum, err := Import(context.Background(), cfg, "-", pipe, nil, nil); err != nil || sum.Accepted != 8 {
		t.Errorf("from a pipe: %v, %+v", err, sum)
	}
	cfg.bufferLimit = 100
	var file *FileError
	if _, err := Import(context.Background(), cfg, "-", struct{ io.Reader }{strings.NewReader(text)}, nil, nil); !errors.As(err, &file) || file.Code != "too_large_for_a_pipe" {
		t.Errorf("a long pipe: %v", err)
	}
	cfg.rowLimit = 3
	if _, err := Import(context.Background(), cfg, "f.csv", strings.NewReader(text), nil, nil); !errors.As(err, &file) || file.Code != "too_many_rows" {
		t.Errorf("too many rows: %v", err)
	}
}
