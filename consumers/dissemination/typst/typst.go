// Package typst makes PDF documents by Typst (https://typst.app), a program of its own that the machine has or has not.
//
// It promises that the same sources and the same moment give the same bytes by the same release of Typst on any machine: fonts are those
// that Typst brings, and no clock comes in. Every document is PDF/UA-1 (ISO 14289-1) and PDF/A-2a (ISO 19005-2), or it is an error: Typst
// refuses a picture without a text in its place. Typst reads the sources it is given and nothing else of the machine, and no package.
package typst

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// standards are those that each document keeps.
const standards = "ua-1,a-2a"

// patience is how long one document may take; half a second is usual. A publication makes four, and has a minute for all that it seals.
const patience = 15 * time.Second

// tells bounds what an error repeats of Typst's words, in bytes.
const tells = 2000

// ErrMissing says that no program of that name is on this machine.
var ErrMissing = errors.New("it is not on this machine; https://github.com/typst/typst has it")

// Program is the command line of Typst, 0.14 or newer.
type Program struct{ path string }

// Find looks for a program by its name on the PATH, or by its path. The error wraps ErrMissing where it is not there.
func Find(name string) (*Program, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("typst %q: %w", name, ErrMissing)
	}
	return &Program{path}, nil
}

// PDF typesets the source main, which may read the other sources by their names. made is the moment that the document bears. The error has
// what Typst says.
func (p *Program) PDF(ctx context.Context, sources map[string][]byte, main string, made time.Time) ([]byte, error) {
	dir, err := os.MkdirTemp("", "retorno-typst-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, text := range sources {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out := filepath.Join(dir, "out.pdf")
	cmd := exec.CommandContext(ctx, p.path, "compile", "--root", dir, "--ignore-system-fonts", "--creation-timestamp", strconv.FormatInt(made.Unix(), 10), //nolint:gosec // the operator names the program
		"--pdf-standard", standards, "--format", "pdf", filepath.Join(dir, main), out)
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")} // no settings of the user's, and no packages
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(said.String())
		return nil, fmt.Errorf("%s: %w: %s", p.path, err, text[:min(len(text), tells)])
	}
	return os.ReadFile(out)
}
