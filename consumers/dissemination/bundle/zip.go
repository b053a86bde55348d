package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// ArchivePath is where a server gives all files of a bundle as one. It is no file of the bundle.
const ArchivePath = "bundle.zip"

// Archive is a bundle as one file, whose entries bear a moment: the same bytes of the same files.
func Archive(files Files, moment time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Deflate, Modified: moment.UTC()})
		if err == nil {
			_, err = f.Write(files[path])
		}
		if err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// Zip is a bundle in an archive.
type Zip struct{ reader *zip.ReadCloser }

// OpenZip opens an archive. One with two files of one name is refused: programs differ in which of them they read.
func OpenZip(name string) (*Zip, error) {
	r, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range r.File {
		if seen[f.Name] {
			return nil, errors.Join(&BadFileError{f.Name, errors.New("it stands twice in the archive")}, r.Close())
		}
		seen[f.Name] = true
	}
	return &Zip{r}, nil
}

// Close ends reading.
func (z *Zip) Close() error { return z.reader.Close() }

// Read returns one file.
func (z *Zip) Read(_ context.Context, path string) ([]byte, error) {
	f, err := z.reader.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return bounded(f)
}

// List returns the paths of all files.
func (z *Zip) List() (paths []string, err error) {
	for _, f := range z.reader.File {
		paths = append(paths, f.Name)
	}
	return paths, nil
}
