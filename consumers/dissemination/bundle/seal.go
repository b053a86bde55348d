package bundle

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
)

// Paths of the files that every bundle has.
const (
	ManifestPath     = "manifest.json"
	CodesPath        = "codes.csv"
	LatticePath      = "lattice.yaml"
	DifferencesPath  = "revision.csv"
	CertificatePath  = "certificate.json"
	SignaturePath    = "certificate.sig"
	KeyPath          = "public-key.pem"
	MethodPath       = "METHOD.md"
	BulletinPath     = "bulletin/" // folders
	FormatsPath      = "formats/"
	StructuresPath   = "sdmx/"
	ObservationsPath = StructuresPath + "data/"
	tables           = "tables/"
	describedSuffix  = "-metadata.json"
)

// TablePath is where a table stands.
func TablePath(id string) string { return tables + id + ".csv" }

// MetadataPath is where the description of a table stands.
func MetadataPath(id string) string { return TablePath(id) + describedSuffix }

// TableOf reports which table stands at a path, if one does.
func TableOf(path string) (id string, ok bool) {
	id, ok = strings.CutSuffix(path, ".csv")
	if !ok {
		return "", false
	}
	return strings.CutPrefix(id, tables)
}

// Content is what a bundle is made of. The fields of Manifest and Certificate that say what the files are, Seal fills.
type Content struct {
	Manifest    Manifest
	Certificate Certificate
	Tables      []Table
	Differences []published.Difference // of a revision
	Codes       []Code
	Lattice     []byte
}

// revision is the number of the vintage, if it is a revision.
func (m Manifest) revision() uint64 {
	if m.Revises == 0 {
		return 0
	}
	return m.Vintage
}

// Draft is a bundle that is not sealed yet: other files may be made of what it will publish, and sealed with it.
type Draft struct {
	content Content
	files   []File
}

// NewDraft writes the tables of a vintage and what describes them.
func NewDraft(c Content) (*Draft, error) {
	codes := slices.Clone(c.Codes)
	slices.SortFunc(codes, func(a, b Code) int {
		return slices.Compare([]string{a.Column, a.Parent, a.Code}, []string{b.Column, b.Parent, b.Code})
	})
	files := []File{{CodesPath, encodeCodes(codes)}, {LatticePath, c.Lattice}}
	for _, t := range c.Tables {
		t = t.sorted()
		t.Base, t.revision = c.Manifest.Rounded, c.Manifest.revision()
		if err := t.Check(); err != nil {
			return nil, err
		}
		about, err := t.describe()
		if err != nil {
			return nil, err
		}
		files = append(files, File{TablePath(t.ID), t.CSV()}, File{MetadataPath(t.ID), about})
	}
	if c.Manifest.Revises > 0 {
		about, err := describeDifferences()
		if err != nil {
			return nil, err
		}
		files = append(files, File{DifferencesPath, encodeDifferences(c.Differences)}, File{DifferencesPath + describedSuffix, about})
	}
	return &Draft{c, files}, nil
}

// Read is the vintage as everyone will read it, without its certificate.
func (d *Draft) Read() (*Bundle, error) {
	b, bodies := &Bundle{Manifest: d.content.Manifest}, map[string][]byte{}
	b.Certificate.Lattice = digest(d.content.Lattice)
	b.Manifest.Files = nil
	for _, f := range d.files {
		bodies[f.Path] = f.Body
		b.Manifest.Files = append(b.Manifest.Files, Hash{Path: f.Path})
	}
	return b, b.parse(bodies)
}

// Seal makes the files of the vintage, with those that were made of it, in the order of their paths, and signs its certificate.
func (d *Draft) Seal(more []File, key ed25519.PrivateKey) ([]File, error) {
	files := slices.Concat(d.files, more)
	slices.SortFunc(files, byPath)
	m := d.content.Manifest
	m.Files = nil
	for i, f := range files {
		if i > 0 && files[i-1].Path == f.Path {
			return nil, fmt.Errorf("file %s stands twice", f.Path)
		}
		m.Files = append(m.Files, Hash{f.Path, digest(f.Body), int64(len(f.Body))})
	}
	manifest, err := indented(m)
	if err != nil {
		return nil, err
	}
	signed, err := certify(d.content, manifest, key)
	if err != nil {
		return nil, err
	}
	files = append(append(files, File{ManifestPath, manifest}), signed...)
	slices.SortFunc(files, byPath)
	return files, nil
}

// Seal makes the files of a vintage that has no more than its tables.
func Seal(c Content, key ed25519.PrivateKey) ([]File, error) {
	d, err := NewDraft(c)
	if err != nil {
		return nil, err
	}
	return d.Seal(nil, key)
}

// certify makes the certificate, its signature and the key that checks it.
func certify(c Content, manifest []byte, key ed25519.PrivateKey) ([]File, error) {
	public := key.Public().(ed25519.PublicKey)
	certificate := c.Certificate
	certificate.Vintage, certificate.Key, certificate.Lattice = digest(manifest), Fingerprint(public), digest(c.Lattice)
	certificate.Period, certificate.Status, certificate.Software = c.Manifest.Period, c.Manifest.Status, c.Manifest.Software
	body, err := indented(certificate)
	if err != nil {
		return nil, err
	}
	pem, err := encodePublic(public)
	if err != nil {
		return nil, err
	}
	return []File{{CertificatePath, body}, {SignaturePath, ed25519.Sign(key, body)}, {KeyPath, pem}}, nil
}

func byPath(a, b File) int { return strings.Compare(a.Path, b.Path) }
