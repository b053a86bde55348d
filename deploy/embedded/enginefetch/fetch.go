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
	"strings"
	"time"
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

const progressEvery = 100 * time.Millisecond

// fetch brings the package into a temporary folder beside path and moves the library out of it as the last step.
func (o Options) fetch(ctx context.Context, r release, dir, path string) error {
	npm := o.npm
	if npm == "" {
		var err error
		if npm, err = exec.LookPath("npm"); err != nil {
			return fmt.Errorf("%w: npm is not installed, so it cannot be fetched; install npm, or %s", ErrNoEngine, ownLibrary)
		}
	}
	work, err := os.MkdirTemp(dir, "fetch-*")
	if err != nil {
		return fmt.Errorf("%w: no room to fetch it to: %w", ErrNoEngine, err)
	}
	defer os.RemoveAll(work)
	tarball, err := o.pack(ctx, npm, r, work)
	if err != nil {
		return err
	}
	o.tell(Progress{Step: "checking", Done: r.size, Total: r.size})
	if err := check(tarball, r.integrity); err != nil {
		return fmt.Errorf("%w: package %s %s: %w", ErrNoEngine, r.name, Version, err)
	}
	o.tell(Progress{Step: "unpacking", Done: r.size, Total: r.size})
	unpacked := filepath.Join(work, libraryName)
	if err := unpack(tarball, unpacked); err != nil {
		return fmt.Errorf("%w: unpack %s %s: %w", ErrNoEngine, r.name, Version, err)
	}
	if err := os.Rename(unpacked, path); err != nil {
		return fmt.Errorf("%w: keep the library: %w", ErrNoEngine, err)
	}
	return nil
}

// pack runs npm pack and returns the tarball's path.
func (o Options) pack(ctx context.Context, npm string, r release, work string) (string, error) {
	// Without a network npm's own pauses between its attempts would keep people waiting for more than a minute.
	cmd := exec.CommandContext(ctx, npm, "pack", "--loglevel=error", "--pack-destination", work, "--cache", filepath.Join(work, "npm"),
		"--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000", r.name+"@"+Version)
	cmd.Dir = work
	var words bytes.Buffer
	cmd.Stderr = &words
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("%w: start npm: %w; %s", ErrNoEngine, err, ownLibrary)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			o.tell(Progress{Step: "fetching", Done: min(size(work), r.size), Total: r.size})
		case err := <-done:
			if err != nil {
				return "", fmt.Errorf("%w: npm could not fetch %s %s (%w: %s); is there a network? Otherwise %s",
					ErrNoEngine, r.name, Version, err, reason(words.String()), ownLibrary)
			}
			found, err := filepath.Glob(filepath.Join(work, "*.tgz"))
			if err != nil || len(found) != 1 {
				return "", fmt.Errorf("%w: npm pack left %d packages in %s: %w", ErrNoEngine, len(found), work, err)
			}
			return found[0], nil
		}
	}
}

func (o Options) tell(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

// size sums the files under dir: npm's cache, then the tarball. Files come and go meanwhile, so errors say nothing.
func size(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
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
