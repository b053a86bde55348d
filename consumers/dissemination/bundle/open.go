package bundle

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// MaxFile bounds what is read of one file, in bytes.
const MaxFile = 64 << 20

// Source is where a bundle lies. List returns the paths of its files, or nothing where that cannot be known.
type Source interface {
	Read(ctx context.Context, path string) ([]byte, error)
	List() ([]string, error)
}

// BadFileError says which file of a bundle is not what it must be.
type BadFileError struct {
	Path string
	Err  error
}

func (e *BadFileError) Error() string { return e.Path + ": " + e.Err.Error() }

func (e *BadFileError) Unwrap() error { return e.Err }

// Open reads a bundle and checks every hash and the signature. The error is *BadFileError where a file is to blame. When
// trusted is not nil, the signature must be of that key; else any key that signed the whole is taken, and Certificate.Key
// tells which.
func Open(ctx context.Context, from Source, trusted ed25519.PublicKey) (*Bundle, error) {
	b := &Bundle{}
	manifest, err := b.certified(ctx, from, trusted)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(manifest, &b.Manifest); err != nil {
		return nil, &BadFileError{ManifestPath, err}
	}
	bodies := map[string][]byte{}
	for _, f := range b.Manifest.Files {
		if !fs.ValidPath(f.Path) || bodies[f.Path] != nil {
			return nil, &BadFileError{ManifestPath, fmt.Errorf("it names %q, which is no path of a bundle or stands twice", f.Path)}
		}
		body, err := from.Read(ctx, f.Path)
		if err == nil && digest(body) != f.SHA256 {
			err = fmt.Errorf("its SHA-256 is %s, and the manifest says %s", digest(body), f.SHA256)
		}
		if err != nil {
			return nil, &BadFileError{f.Path, err}
		}
		bodies[f.Path] = body
	}
	if err := unannounced(from, bodies); err != nil {
		return nil, err
	}
	return b, b.parse(bodies)
}

// certified reads the certificate, checks its signature, and returns the manifest that it is for.
func (b *Bundle) certified(ctx context.Context, from Source, trusted ed25519.PublicKey) ([]byte, error) {
	files := map[string][]byte{}
	for _, p := range []string{CertificatePath, SignaturePath, KeyPath, ManifestPath} {
		body, err := from.Read(ctx, p)
		if err != nil {
			return nil, &BadFileError{p, err}
		}
		files[p] = body
	}
	public, err := ParsePublicKey(files[KeyPath])
	if err != nil {
		return nil, &BadFileError{KeyPath, err}
	}
	if one, err := encodePublic(public); err != nil || !bytes.Equal(one, files[KeyPath]) {
		return nil, &BadFileError{KeyPath, errors.New("it is not written in the one form that a key has")}
	}
	if trusted != nil && !public.Equal(trusted) {
		return nil, &BadFileError{KeyPath, fmt.Errorf("its key has the fingerprint %s, and the one that is trusted has %s", Fingerprint(public), Fingerprint(trusted))}
	}
	if !ed25519.Verify(public, files[CertificatePath], files[SignaturePath]) {
		return nil, &BadFileError{CertificatePath, fmt.Errorf("%s is not its signature by the key of %s", SignaturePath, KeyPath)}
	}
	if err := json.Unmarshal(files[CertificatePath], &b.Certificate); err != nil {
		return nil, &BadFileError{CertificatePath, err}
	}
	if b.Certificate.Key != Fingerprint(public) {
		return nil, &BadFileError{CertificatePath, fmt.Errorf("it names the key %s, and is signed by %s", b.Certificate.Key, Fingerprint(public))}
	}
	if found := digest(files[ManifestPath]); found != b.Certificate.Vintage {
		return nil, &BadFileError{ManifestPath, fmt.Errorf("its SHA-256 is %s, and the certificate says %s", found, b.Certificate.Vintage)}
	}
	return files[ManifestPath], nil
}

// unannounced refuses files that lie there and that the manifest does not name.
func unannounced(from Source, announced map[string][]byte) error {
	paths, err := from.List()
	if err != nil {
		return err
	}
	for _, p := range paths {
		if announced[p] == nil && !slices.Contains([]string{ManifestPath, CertificatePath, SignaturePath, KeyPath}, p) {
			return &BadFileError{p, errors.New("the manifest does not name it")}
		}
	}
	return nil
}

// parse takes the files apart whose hashes are right.
func (b *Bundle) parse(bodies map[string][]byte) (err error) {
	if b.Codes, err = parseCodes(bodies[CodesPath]); err != nil {
		return &BadFileError{CodesPath, err}
	}
	b.Lattice = bodies[LatticePath]
	if found := digest(b.Lattice); found != b.Certificate.Lattice {
		return &BadFileError{LatticePath, fmt.Errorf("its SHA-256 is %s, and the certificate says %s", found, b.Certificate.Lattice)}
	}
	if b.Manifest.Revises > 0 {
		if b.Differences, err = parseDifferences(bodies[DifferencesPath]); err != nil {
			return &BadFileError{DifferencesPath, err}
		}
	}
	for _, f := range b.Manifest.Files {
		id, ok := TableOf(f.Path)
		if !ok {
			continue
		}
		t, err := described(bodies[MetadataPath(id)])
		if err != nil {
			return &BadFileError{MetadataPath(id), err}
		}
		t.ID, t.Base, t.revision = id, b.Manifest.Rounded, b.Manifest.revision()
		if t, err = t.parse(bodies[f.Path]); err != nil {
			return &BadFileError{f.Path, err}
		}
		b.Tables = append(b.Tables, t)
	}
	if err := b.agree(); err != nil {
		return &BadFileError{DifferencesPath, err}
	}
	return nil
}

// Dir is a bundle in a folder. A link that leads out of it is not followed.
type Dir struct{ root *os.Root }

// OpenDir opens a folder.
func OpenDir(name string) (*Dir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &Dir{root}, nil
}

// Close ends reading.
func (d *Dir) Close() error { return d.root.Close() }

// Read returns one file.
func (d *Dir) Read(_ context.Context, name string) ([]byte, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return bounded(f)
}

// List returns the paths of all files.
func (d *Dir) List() (paths []string, err error) {
	err = fs.WalkDir(d.root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, p)
		}
		return err
	})
	return paths, err
}

// Files are a bundle in memory: bodies by path.
type Files map[string][]byte

// Read returns one file.
func (f Files) Read(_ context.Context, path string) ([]byte, error) {
	body, ok := f[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return body, nil
}

// List returns the paths of all files, sorted.
func (f Files) List() ([]string, error) { return slices.Sorted(maps.Keys(f)), nil }

func bounded(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err == nil && len(body) > MaxFile {
		err = fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	return body, err
}
