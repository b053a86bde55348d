package bundle_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/bundle"
)

// TestArchive: an archive has the same bytes each time and reads as the folder does; one with a file too many, or with two of one name, is refused.
func TestArchive(t *testing.T) {
	private := key(t)
	draft, err := bundle.NewDraft(content())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := draft.Read(); err != nil || len(b.Tables) != 2 || b.Manifest.Period != "2016-S1" {
		t.Errorf("a draft reads as %+v, %v", b, err)
	}
	sealed, err := draft.Seal([]bundle.File{{Path: bundle.FormatsPath + "es/T1.parquet", Body: []byte("PAR1")}}, private)
	if err != nil {
		t.Fatal(err)
	}
	files := bundle.Files{}
	for _, f := range sealed {
		files[f.Path] = f.Body
	}
	body, err := bundle.Archive(files, time.Unix(1475506800, 0))
	again, err2 := bundle.Archive(files, time.Unix(1475506800, 0))
	if err != nil || err2 != nil || !bytes.Equal(body, again) {
		t.Fatal(len(body), len(again), err, err2)
	}
	want, err := open(t, lay(t, sealed), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unpack(t, body); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("from the archive comes %+v, %v", got, err)
	}
	files["more.csv"] = []byte("a")
	body, err = bundle.Archive(files, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(t, body); err == nil || !strings.Contains(err.Error(), "more.csv: the manifest does not name it") {
		t.Errorf("with a file too many: %v", err)
	}
	var twice bytes.Buffer
	w := zip.NewWriter(&twice)
	for range 2 {
		if _, err := w.Create(bundle.ManifestPath); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(t, twice.Bytes()); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("with two manifests: %v", err)
	}
}

func unpack(t *testing.T, body []byte) (*bundle.Bundle, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), bundle.ArchivePath)
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	z, err := bundle.OpenZip(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = z.Close() }()
	return bundle.Open(t.Context(), z, nil)
}
