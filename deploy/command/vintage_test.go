package command

import (
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
)

// lay seals a vintage into a folder.
func lay(t *testing.T, dir string, c bundle.Content, key ed25519.PrivateKey) {
	t.Helper()
	files, err := bundle.Seal(c, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// laid is a vintage in a folder, signed by the key of a file.
func laid(t *testing.T, keyFile string) string {
	t.Helper()
	text, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := bundle.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := lattice.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	c := bundle.Content{Lattice: shipped.Text(),
		Manifest: bundle.Manifest{Period: "2016-S1", Vintage: 3, Status: "final", AsOf: time.Unix(0, 0).UTC(), Published: time.Unix(0, 0).UTC()},
		Tables:   []bundle.Table{{Table: published.Table{ID: "T1", Measure: "returns", Columns: []string{"time_period"}, Cells: []published.Cell{{Codes: []string{"2016-S1"}, Value: 27086}}}}}}
	dir := t.TempDir()
	lay(t, dir, c, key)
	return dir
}

// signer makes a signing key.
func signer(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	text, err := bundle.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := bundle.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newKey makes a signing key, and returns its file.
func newKey(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "signing.key")
	if r := try(t, "", nil, "vintage", "new-key", file); r.status != exitDone {
		t.Fatalf("%+v", r)
	}
	return file
}

// TestVintageVerify: a vintage as it was published passes, with the fingerprint of its key; one that was changed, or that another
// key has signed, does not, and the file is named.
func TestVintageVerify(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "signing.key")
	made := try(t, "", nil, "vintage", "new-key", keyFile)
	fingerprint, _, _ := strings.Cut(made.out, " ")
	if info, err := os.Stat(keyFile); made.status != exitDone || err != nil || info.Mode().Perm() != 0o600 || len(fingerprint) != 64 {
		t.Fatalf("%+v, %v", made, err)
	}
	if r := try(t, "", nil, "vintage", "new-key", keyFile); r.status != exitUsage || !strings.Contains(r.err, "never overwritten") {
		t.Errorf("%+v", r)
	}
	dir := laid(t, keyFile)
	for _, args := range [][]string{{dir}, {dir, "--key", filepath.Join(dir, bundle.KeyPath)}} {
		if r := try(t, "", nil, append([]string{"vintage", "verify"}, args...)...); r.status != exitDone || !strings.Contains(r.out, "2016-S1, vintage 3, final: 1 tables") || !strings.Contains(r.out, fingerprint) {
			t.Errorf("%v: %+v", args, r)
		}
	}
	other := laid(t, newKey(t))
	if r := try(t, "", nil, "vintage", "verify", dir, "--key", filepath.Join(other, bundle.KeyPath)); r.status != exitNo || !strings.Contains(r.err, bundle.KeyPath) {
		t.Errorf("signed by another key: %+v", r)
	}
	if r := try(t, "", nil, "vintage", "verify", dir, "--key", keyFile); r.status != exitUsage || strings.Contains(r.err, "PRIVATE KEY-----") {
		t.Errorf("a private key for a public one: %+v", r)
	}
	if r := try(t, "", nil, "vintage", "verify", filepath.Join(dir, "nowhere")); r.status != exitMissing {
		t.Errorf("no such folder: %+v", r)
	}
	if r := try(t, "", nil, "vintage", "verify", "http://127.0.0.1:1/vintages/2016-S1/1/"); r.status != exitMissing {
		t.Errorf("no such server: %+v", r)
	}
	table := filepath.Join(dir, "tables", "T1.csv")
	if err := os.WriteFile(table, []byte("time_period,obs_value,obs_status\n2016-S1,27087,A\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := try(t, "", nil, "vintage", "verify", dir); r.status != exitNo || !strings.Contains(r.err, "tables/T1.csv") {
		t.Errorf("a changed table: %+v", r)
	}
}

// TestPublishNeedsItsKey: a half-year's vintage is signed, so that a key that is missing or is none is wrong use, before anything
// is asked.
func TestPublishNeedsItsKey(t *testing.T) {
	none := writeFile(t, "key.pem", "secret words")
	for want, args := range map[string][]string{"vintage new-key": nil, "PRIVATE KEY": {"--signing-key", none}, "no such file": {"--signing-key", none + ".gone"}, "line 1": {"--lattice", none}} {
		r := try(t, "", nil, append([]string{"publish", "2016-S1", "--kafka-brokers=127.0.0.1:1", "--clickhouse-addr=127.0.0.1:1"}, args...)...)
		if r.status == exitDone || !strings.Contains(r.err, want) || strings.Contains(r.err, "secret words") || strings.Contains(r.err, "127.0.0.1:1") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// TestAForgedVintage: one who has a key can sign what breaks the rules that the vintage itself carries; verifying finds it.
func TestAForgedVintage(t *testing.T) {
	key := signer(t)
	shipped, err := lattice.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"time_period", "source", "exit_point"}
	exits := func(ama, agc int64) bundle.Table {
		table := published.Table{ID: "T2", Measure: "returns", Columns: columns}
		for code, n := range map[string]int64{"_T": 100, "L-COR": 60, "L-AMA": ama, "L-AGC": agc} {
			table.Cells = append(table.Cells, published.Cell{Codes: []string{"2016-S1", "registered", code}, Value: max(n, 0), Withheld: n < 0})
		}
		return bundle.Table{Table: table}
	}
	codes := []bundle.Code{{Column: "exit_point", Code: "L-COR", Parent: "_T"}, {Column: "exit_point", Code: "L-AMA", Parent: "_T"}, {Column: "exit_point", Code: "L-AGC", Parent: "_T"}}
	for name, c := range map[string]struct {
		manifest bundle.Manifest
		table    bundle.Table
		status   int
		want     string
	}{
		"a revision that withholds":                {bundle.Manifest{Status: "revision", Revises: 1}, exits(withheld, withheld), exitDone, "attacked: nothing was found"},
		"a revision that shows a count of 3":       {bundle.Manifest{Status: "revision", Revises: 1}, exits(3, 37), exitNo, "give away"},
		"a final one that is rounded":              {bundle.Manifest{Status: "final", Rounded: 2}, exits(2, 38), exitNo, "rounded to 2"},
		"a provisional one that is not":            {bundle.Manifest{Status: "provisional"}, exits(withheld, withheld), exitNo, "rounded to 1"},
		"a provisional one with tables of a final": {bundle.Manifest{Status: "provisional", Rounded: 10}, exits(withheld, withheld), exitNo, "T2"},
		"an unknown status":                        {bundle.Manifest{Status: "secret"}, exits(withheld, withheld), exitNo, "secret"},
	} {
		c.manifest.Period, c.manifest.Vintage = "2016-S1", 2
		c.manifest.AsOf, c.manifest.Published = time.Unix(0, 0).UTC(), time.Unix(0, 0).UTC()
		dir := t.TempDir()
		lay(t, dir, bundle.Content{Lattice: shipped.Text(), Manifest: c.manifest, Codes: codes, Tables: []bundle.Table{c.table}}, key)
		if r := try(t, "", nil, "vintage", "verify", dir); r.status != c.status || !strings.Contains(r.out+r.err, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestAServerThatIsAway: an answer of a server in trouble, or that leads elsewhere, is no file that was changed.
func TestAServerThatIsAway(t *testing.T) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	for name, answer := range map[string]http.HandlerFunc{
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"404": http.NotFound,
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/inner", http.StatusFound)
		},
	} {
		server := httptest.NewServer(answer)
		for _, command := range [][]string{{"vintage", "verify"}, {"attack"}} {
			if r := try(t, "", nil, append(command, server.URL+"/vintages/2016-S1/1/")...); r.status != exitMissing {
				t.Errorf("%s, %v: %+v", name, command, r)
			}
		}
		server.Close()
	}
}
