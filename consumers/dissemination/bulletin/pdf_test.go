package bulletin_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/typst"
	"retorno/consumers/dissemination/vintages"
	"retorno/deploy/lab/clients"
)

// document is a PDF as pypdf reads it.
type document struct {
	Title, Lang, Text string
	Pages             int
	Attached          map[string]string
}

func program(t *testing.T) *typst.Program {
	t.Helper()
	path, err := clients.Typst(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := typst.Find(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// documents are the PDFs of a vintage by language, in files.
func documents(t *testing.T, dir, period string, number uint64) map[string]string {
	t.Helper()
	shelf := vintages.NewShelf(conn, time.Minute, time.Hour)
	v, err := shelf.Named(t.Context(), period, fmt.Sprint(number))
	if err != nil {
		t.Fatal(err)
	}
	o, err := shelf.Open(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	files, err := bulletin.Files(t.Context(), shelf, o, program(t))
	if err != nil || len(files) != 8 {
		t.Fatal(len(files), err)
	}
	made := map[string]string{}
	for _, f := range files {
		lang, form, _ := strings.Cut(strings.TrimPrefix(f.Path, bundle.BulletinPath), ".")
		if form == "html" && !bytes.Contains(f.Body, []byte("format=pdf")) {
			t.Errorf("%s does not name the PDF", f.Path)
		}
		if form != "pdf" {
			continue
		}
		made[lang] = filepath.Join(dir, fmt.Sprintf("%s-%d-%s.pdf", period, number, lang))
		if err := os.WriteFile(made[lang], f.Body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

// TestDocuments: the PDF of a bulletin keeps to PDF/UA-1 and PDF/A-2a by veraPDF, has the same bytes when it is made again, prints every
// count of the page, and brings the keys of all of them with it.
func TestDocuments(t *testing.T) {
	dir := t.TempDir()
	provisional, final := documents(t, dir, "2016-S1", 1), documents(t, dir, "2016-S1", 2)
	again := documents(t, t.TempDir(), "2016-S1", 1)
	for lang := range again {
		one, err := os.ReadFile(provisional[lang])
		if err != nil {
			t.Fatal(err)
		}
		if other, err := os.ReadFile(again[lang]); err != nil || !bytes.Equal(one, other) {
			t.Errorf("%s: other bytes (%d and %d), %v", lang, len(one), len(other), err)
		}
	}
	read := readDocuments(t, provisional["es"], final["en"])
	for _, one := range []struct {
		path, lang, title string
		number            int
	}{{provisional["es"], "es", "Boletín de migrantes", 1}, {final["en"], "en", "Bulletin of returned", 2}} {
		d := read[one.path]
		if d.Lang != one.lang || !strings.HasPrefix(d.Title, one.title) || len(d.Attached) != 1 {
			t.Errorf("%s: title %q, language %q, %d attachments", one.path, d.Title, d.Lang, len(d.Attached))
		}
		_, page := get(t, fmt.Sprintf("%s2016-S1?vintage=%d&lang=%s", bulletin.Path, one.number, one.lang))
		compareCounts(t, one.path, d, pageCounts(t, page))
	}
	if text := read[final["en"]].Text; !strings.Contains(text, "27,086 returned migrants were registered") || !strings.Contains(text, "63.0%") {
		t.Error("the half-year of the seed does not read as it should")
	}
	judge(t, provisional["es"], final["en"])
}

// compareCounts holds the keys that a document brings with it, and what it prints, against the counts of the page.
func compareCounts(t *testing.T, path string, d document, page map[observation]string) {
	t.Helper()
	found := map[observation]string{}
	for _, text := range d.Attached {
		_, lines, _ := strings.Cut(text, "dataflow,key,TIME_PERIOD,OBS_VALUE,symbol\n")
		rows, err := csv.NewReader(strings.NewReader(lines)).ReadAll()
		if err != nil {
			t.Fatal(path, err)
		}
		for _, row := range rows {
			text := row[3]
			if text == "" {
				text = row[4]
			}
			found[observation{row[0] + ":" + row[1], row[2]}] = text
		}
	}
	for o, text := range page {
		plain := marks.ReplaceAllString(text, "")
		if found[o] != plain || !strings.Contains(d.Text, strings.TrimSuffix(text, " [p]")) {
			t.Errorf("%s: %s of %s is %q on the page, and %q in the document", path, o.key, o.period, plain, found[o])
		}
	}
	if len(found) != len(page) || len(page) < 20 {
		t.Errorf("%s has %d keys, and the page %d", path, len(found), len(page))
	}
}

func readDocuments(t *testing.T, paths ...string) (found map[string]document) {
	t.Helper()
	python, err := clients.PDF(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-I", filepath.Join("..", "..", "..", "deploy", "lab", "clients", "documents.py")}, paths...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// judge asks veraPDF about every standard that documents say they keep to.
func judge(t *testing.T, paths ...string) {
	t.Helper()
	jars, err := clients.VeraPDF(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(jars, "*"), "org.verapdf.apps.GreenfieldCliWrapper", "--format", "text", "-v"}
	said, err := exec.CommandContext(t.Context(), "java", append(args, paths...)...).Output()
	for _, path := range paths {
		for _, standard := range []string{"ua1", "2a"} {
			if !strings.Contains(string(said), "PASS "+path+" "+standard) {
				t.Errorf("veraPDF does not pass %s by %s: %v\n%s", path, standard, err, said)
			}
		}
	}
}

// TestNoDocument: a vintage that was published without Typst has no PDF, and its bulletin says so.
func TestNoDocument(t *testing.T) {
	resp, body := get(t, "/bulletin/2016-S1?format=pdf")
	if resp.StatusCode != 404 || !strings.Contains(body, "sin PDF") || !strings.Contains(body, "without a PDF") {
		t.Error(resp.StatusCode, body)
	}
	if _, page := get(t, "/bulletin/2016-S1?lang=en"); strings.Contains(page, "format=pdf") {
		t.Error("the page names a PDF that there is not")
	}
}
