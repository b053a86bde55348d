package enginefetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"retorno/deploy/lab/embedded/fetchonce"
)

// Version is the pinned version of the engine library.
const Version = "26.5.3"

// release is one platform's package.
type release struct {
	name      string // of the npm package
	integrity string // base64 of the tarball's SHA-512
	size      int64  // of the tarball in bytes, for the progress only
}

// releases are the packages whose checksum is pinned, by GOOS/GOARCH.
var releases = map[string]release{
	"linux/amd64": {
		name:      "@chdb/lib-linux-x64-gnu",
		integrity: "fPrLmRt5Moor9yGz4mazbrNje4t7X9KB2mTGkXFWRxRBs2iKy8yh6jx11xsa0Qr3iDFMU/yHqd+bVdYJXu3QaQ==",
		size:      166_572_008,
	},
}

// fetch brings the pinned package and leaves its library, checked, as the only file of dir.
func (o Options) fetch(ctx context.Context, dir string) error {
	pins := o.pins
	if pins == nil {
		pins = releases
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	r, ok := pins[platform]
	if !ok {
		return fmt.Errorf("no pinned library for %s", platform)
	}
	npm := o.npm
	if npm == "" {
		var err error
		if npm, err = exec.LookPath("npm"); err != nil {
			return errors.New("npm is not installed, so it cannot be fetched; install npm")
		}
	}
	work, err := os.MkdirTemp(dir, "npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	tarball, err := o.pack(ctx, npm, r, work)
	if err != nil {
		return err
	}
	o.tell(Progress{Step: "checking", Done: r.size, Total: r.size})
	if err := check(tarball, r.integrity); err != nil {
		return fmt.Errorf("package %s %s: %w", r.name, Version, err)
	}
	o.tell(Progress{Step: "unpacking", Done: r.size, Total: r.size})
	if err := unpack(tarball, filepath.Join(dir, libraryName)); err != nil {
		return fmt.Errorf("unpack %s %s: %w", r.name, Version, err)
	}
	return os.RemoveAll(work)
}

// pack runs npm pack, with a cache of its own, and returns the tarball's path.
func (o Options) pack(ctx context.Context, npm string, r release, work string) (string, error) {
	// Without a network npm's own pauses between its attempts would keep people waiting for more than a minute.
	cmd := exec.CommandContext(ctx, npm, "pack", "--loglevel=error", "--pack-destination", work, "--cache", filepath.Join(work, "npm"),
		"--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000", r.name+"@"+Version)
	cmd.Dir = work
	var words bytes.Buffer
	cmd.Stderr = &words
	cmd.Stdout = io.Discard
	// npm's cache and the tarball hold the package twice for a moment.
	fetched := func(bytes int64) { o.tell(Progress{Step: "fetching", Done: min(bytes, r.size), Total: r.size}) }
	if err := fetchonce.Watch(work, fetched, cmd.Run); err != nil {
		return "", fmt.Errorf("npm could not fetch %s %s (%w: %s); is there a network?", r.name, Version, err, reason(words.String()))
	}
	found, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("npm pack left %d packages", len(found))
	}
	return found[0], nil
}

func (o Options) tell(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

// reason is what npm says went wrong, in one line.
func reason(words string) string {
	var first string
	for line := range strings.Lines(words) {
		text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "npm error"))
		if _, why, ok := strings.Cut(text, "reason: "); ok {
			return why
		}
		kind, _, _ := strings.Cut(text, " ")
		if first == "" && text != "" && kind != "syscall" && kind != "errno" && kind != "code" {
			first = text
		}
	}
	return first
}

// check compares the file's SHA-512 with the pinned one.
func check(file, integrity string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != integrity {
		return fmt.Errorf("its checksum is sha512-%s, pinned is sha512-%s: not used", got, integrity)
	}
	return nil
}

// unpack writes the library out of the tarball to dst.
func unpack(tarball, dst string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("there is no %s in it", libraryName)
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg && path.Base(h.Name) == libraryName {
			return write(dst, t)
		}
	}
}

func write(dst string, r io.Reader) error {
	f, err := os.OpenFile(dst, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
