package bundle_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
)

var made = time.Date(2016, 8, 1, 12, 0, 0, 0, time.UTC)

func content() bundle.Content {
	late, width := 1.4, int64(5)
	return bundle.Content{
		Manifest: bundle.Manifest{Period: "2016-S1", Vintage: 2, Status: "final", AsOf: made, Published: made, MethodVersion: 1, Software: "v0.1.0", Late: &late,
			Positions: []bundle.Position{{Topic: "retorno.centre.v1", Partition: 3, NextOffset: 77}}},
		Certificate: bundle.Certificate{Cells: 5, Published: 3, Withheld: 2, MadeAt: made, Audit: bundle.Audit{Arithmetic: "exact", MinWidth: &width, OwnCase: true}},
		Lattice:     []byte("version: 1\n"),
		Codes:       []bundle.Code{{"exit", "L-COR", published.Total, "Corinto", "Corinto"}, {"exit", published.Total, "", "Total", "Total"}, {"exit", "L-FLO", published.Total, "El «Florido»", `El "Florido"`}},
		Tables: []bundle.Table{
			{Title: bundle.Title{ES: "Punto de salida", EN: "Exit point"}, Table: published.Table{ID: "T2", Measure: "returns", Columns: []string{"time_period", "exit"}, Cells: []published.Cell{
				{Codes: []string{"2016-S1", "L-COR"}, Value: 17064}, {Codes: []string{"2016-S1", published.Total}, Value: 27086},
				{Codes: []string{"2016-S1", "L-FLO"}, Withheld: true}, {Codes: []string{"2016-Q1", "L-FLO"}}}}},
			{Table: published.Table{ID: "T1", Measure: "returns", Columns: []string{"time_period", "route", "geo"}, Cells: []published.Cell{{Codes: []string{"2016-S1", published.Total, published.Total}, Value: 27090}}}},
		},
	}
}

func key(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	text, err := bundle.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := bundle.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func seal(t *testing.T, c bundle.Content, private ed25519.PrivateKey) []bundle.File {
	t.Helper()
	files, err := bundle.Seal(c, private)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// lay writes files into a folder.
func lay(t *testing.T, files []bundle.File) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, dir string, trusted ed25519.PublicKey) (*bundle.Bundle, error) {
	t.Helper()
	d, err := bundle.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	return bundle.Open(t.Context(), d, trusted)
}

// TestWhatIsSealedIsRead: from a folder and from an address comes what went in, sorted.
func TestWhatIsSealedIsRead(t *testing.T) {
	private := key(t)
	dir := lay(t, seal(t, content(), private))
	server := httptest.NewServer(http.StripPrefix("/vintages/1", http.FileServer(http.Dir(dir))))
	defer server.Close()
	fromDir, err := open(t, dir, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	fromSite, err := bundle.Open(t.Context(), bundle.Site{Base: server.URL + "/vintages/1/", Client: server.Client()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromDir, fromSite) {
		t.Errorf("from the folder comes\n%+v\nand from the address\n%+v", fromDir, fromSite)
	}
	provisional := content()
	provisional.Manifest.Rounded = 10
	if b, err := open(t, lay(t, seal(t, provisional, private)), nil); err != nil || b.Tables[0].Base != 10 || b.Tables[0].Cells[0].Value != 27090 {
		t.Errorf("a rounded table comes back as %+v, %v", b, err)
	}
	if m := fromDir.Manifest; m.Period != "2016-S1" || *m.Late != 1.4 || m.Coverage != nil || m.Positions[0].NextOffset != 77 || len(m.Files) != 6 {
		t.Errorf("the manifest is %+v", m)
	}
	if c := fromDir.Certificate; c.Withheld != 2 || *c.Audit.MinWidth != 5 || c.Key != bundle.Fingerprint(private.Public().(ed25519.PublicKey)) {
		t.Errorf("the certificate is %+v", c)
	}
	want := content()
	cells := want.Tables[0].Cells
	if got := fromDir.Tables[1]; got.ID != "T2" || got.Title != want.Tables[0].Title || got.Measure != "returns" || !slices.Equal(got.Columns, want.Tables[0].Columns) ||
		!reflect.DeepEqual(got.Cells, []published.Cell{cells[3], cells[0], cells[2], cells[1]}) {
		t.Errorf("the table is %+v", got)
	}
	if got := fromDir.Codes; len(got) != 3 || got[0].Code != published.Total || got[2].LabelEN != `El "Florido"` {
		t.Errorf("the codes are %+v", got)
	}
}

// TestOneOrder: the order in which tables, rows and codes come changes no byte.
func TestOneOrder(t *testing.T) {
	private := key(t)
	want := seal(t, content(), private)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		c := content()
		r.Shuffle(len(c.Tables), func(i, j int) { c.Tables[i], c.Tables[j] = c.Tables[j], c.Tables[i] })
		r.Shuffle(len(c.Codes), func(i, j int) { c.Codes[i], c.Codes[j] = c.Codes[j], c.Codes[i] })
		for _, table := range c.Tables {
			r.Shuffle(len(table.Cells), func(i, j int) { table.Cells[i], table.Cells[j] = table.Cells[j], table.Cells[i] })
		}
		if got := seal(t, c, private); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v", got)
		}
	}
}

// TestOneFlippedByte: each byte of each file, changed in one bit, is noticed, and the file is named.
func TestOneFlippedByte(t *testing.T) {
	files := seal(t, content(), key(t))
	dir := lay(t, files)
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		for i := range f.Body {
			body := bytes.Clone(f.Body)
			body[i] ^= 1 << (i % 7)
			if err := os.WriteFile(path, body, 0o644); err != nil {
				t.Fatal(err)
			}
			var bad *bundle.BadFileError
			if _, err := open(t, dir, nil); !errors.As(err, &bad) || !strings.Contains(err.Error(), f.Path) {
				t.Fatalf("%s, byte %d: %v", f.Path, i, err)
			}
		}
		if err := os.WriteFile(path, f.Body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := open(t, dir, nil); err != nil {
		t.Fatal(err)
	}
}

// TestAFileTooMuchOrTooFew: a file that is missing, a link out of the folder and one that the manifest does not name are named, and so is
// a bundle that another key has signed.
func TestAFileTooMuchOrTooFew(t *testing.T) {
	private := key(t)
	files := seal(t, content(), private)
	for _, f := range files {
		dir := lay(t, files)
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		var bad *bundle.BadFileError
		if _, err := open(t, dir, nil); !errors.As(err, &bad) || bad.Path != f.Path {
			t.Errorf("without %s: %v", f.Path, err)
		}
		outside := filepath.Join(t.TempDir(), "outside")
		if err := os.WriteFile(outside, f.Body, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, path); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir, nil); !errors.As(err, &bad) || bad.Path != f.Path {
			t.Errorf("with a link for %s: %v", f.Path, err)
		}
	}
	dir := lay(t, append(files, bundle.File{Path: "tables/T9.csv", Body: []byte("x")}))
	var bad *bundle.BadFileError
	if _, err := open(t, dir, nil); !errors.As(err, &bad) || bad.Path != "tables/T9.csv" {
		t.Errorf("with a file too many: %v", err)
	}
	if _, err := open(t, lay(t, files), key(t).Public().(ed25519.PublicKey)); !errors.As(err, &bad) || bad.Path != bundle.KeyPath {
		t.Errorf("signed by another key: %v", err)
	}
}

// TestWhatNoFileHolds: tables that contradict themselves are refused before anything is signed.
func TestWhatNoFileHolds(t *testing.T) {
	for name, change := range map[string]func(c *bundle.Content){
		"stands there twice":    func(c *bundle.Content) { c.Tables[0].Cells = append(c.Tables[0].Cells, c.Tables[0].Cells[0]) },
		"1 codes for 2 columns": func(c *bundle.Content) { c.Tables[0].Cells[0].Codes = []string{"a"} },
		"T2.csv stands twice":   func(c *bundle.Content) { c.Tables[1].ID = "T2" },
	} {
		c := content()
		change(&c)
		if _, err := bundle.Seal(c, key(t)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysThatAreNone: what is no Ed25519 key is refused, and the text is not repeated.
func TestKeysThatAreNone(t *testing.T) {
	for _, text := range []string{"", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"} {
		if _, err := bundle.ParseKey([]byte(text)); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := bundle.ParsePublicKey([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")); err == nil {
		t.Error("a public key that is none is taken")
	}
}
