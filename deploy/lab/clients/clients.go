// Package clients fetches programs that others wrote. Clients of ClickHouse: Python's clickhouse-driver and clickhouse-connect,
// and three generations of the JDBC driver. Its tests run them, and curl, against the embedded engine: none of them may
// notice that it is no server. Readers of what is published: pyjstat, libhxl, csvw, pyarrow, calamine, feedparser, sseclient-py and pySHACL, and of
// SDMX sdmx1, pysdmx and R's rsdmx, which is the machine's. Its tests run them, unpatched, against the web server: each must find what the
// vintage has. Spectral and Schemathesis judge the description of the project's own addresses, and the answers by it.
//
// Every version is pinned, and each client is fetched once into a folder of the project's own.
package clients

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"retorno/deploy/lab/embedded/fetchonce"
	"retorno/deploy/lab/jars"
)

//go:embed jdbc/old.xml
var oldJDBC []byte

//go:embed jdbc/middle.xml
var middleJDBC []byte

//go:embed jdbc/new.xml
var newJDBC []byte

//go:embed requirements.txt
var requirements []byte

//go:embed partners.txt
var partners []byte

//go:embed pdf.txt
var pdf []byte

//go:embed typst.py
var typst []byte

//go:embed verapdf.xml
var verapdf []byte

// JDBC returns a folder with the jars of the generations of the driver, in old, middle and new. tell hears
// how many bytes have come; it may be nil.
func JDBC(ctx context.Context, tell func(bytes int64)) (string, error) {
	return fetchonce.Folder{
		Name:  fmt.Sprintf("jdbc/%.8x", sha256.Sum256(slices.Concat(oldJDBC, middleJDBC, newJDBC))),
		Proof: filepath.Join("old", "clickhouse-jdbc-0.6.5.jar"),
		Fill: func(ctx context.Context, dir string) error {
			return jars.Fetch(ctx, dir, map[string][]byte{"old": oldJDBC, "middle": middleJDBC, "new": newJDBC}, tell)
		},
	}.Path(ctx)
}

// Python returns the interpreter of a virtual environment that has the pinned clients of ClickHouse and nothing else. tell hears
// how many bytes have come; it may be nil.
func Python(ctx context.Context, tell func(bytes int64)) (string, error) {
	return interpreter(ctx, requirements, tell)
}

// Partners is Python for the clients of SDMX, which need other versions of what they share.
func Partners(ctx context.Context, tell func(bytes int64)) (string, error) {
	return interpreter(ctx, partners, tell)
}

// PDF is Python for what reads documents, which has Typst, too.
func PDF(ctx context.Context, tell func(bytes int64)) (string, error) {
	return interpreter(ctx, pdf, tell)
}

// Typst returns the command line of Typst: the compiler comes with its Python package, which has no command of its own. tell hears how many
// bytes have come; it may be nil.
func Typst(ctx context.Context, tell func(bytes int64)) (string, error) {
	python, err := PDF(ctx, tell)
	if err != nil {
		return "", err
	}
	dir, err := fetchonce.Folder{
		Name:  fmt.Sprintf("typst/%.8x", sha256.Sum256(slices.Concat([]byte(python), typst))),
		Proof: "typst",
		Fill: func(_ context.Context, dir string) error {
			return os.WriteFile(filepath.Join(dir, "typst"), slices.Concat([]byte("#!"+python+" -I\n"), typst), 0o755)
		},
	}.Path(ctx)
	return filepath.Join(dir, "typst"), err
}

// VeraPDF returns a folder with the jars of the program that judges whether documents keep to PDF/A and PDF/UA. tell hears how many bytes have
// come; it may be nil.
func VeraPDF(ctx context.Context, tell func(bytes int64)) (string, error) {
	const folder = "jars"
	dir, err := fetchonce.Folder{
		Name:  fmt.Sprintf("verapdf/%.8x", sha256.Sum256(verapdf)),
		Proof: filepath.Join(folder, "greenfield-apps-1.28.2.jar"),
		Fill: func(ctx context.Context, dir string) error {
			return jars.Fetch(ctx, dir, map[string][]byte{folder: verapdf}, tell)
		},
	}.Path(ctx)
	return filepath.Join(dir, folder), err
}

// spectral is the version of Spectral that is run.
const spectral = "@stoplight/spectral-cli@6.16.3"

// Spectral returns the program that judges descriptions of interfaces. It needs Node.js, whose npm fetches it. tell hears how many bytes
// have come; it may be nil.
func Spectral(ctx context.Context, tell func(bytes int64)) (string, error) {
	proof := filepath.Join("node_modules", "@stoplight", "spectral-cli", "dist", "index.js")
	dir, err := fetchonce.Folder{
		Name:  fmt.Sprintf("spectral/%.8x", sha256.Sum256([]byte(spectral))),
		Proof: proof,
		Fill: func(ctx context.Context, dir string) error {
			cmd := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", "--silent", spectral)
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := fetchonce.Watch(dir, tell, cmd.Run); err != nil {
				return fmt.Errorf("npm (Debian: nodejs npm): %w: %s", err, strings.TrimSpace(said.String()))
			}
			return nil
		},
	}.Path(ctx)
	return filepath.Join(dir, proof), err
}

func interpreter(ctx context.Context, requirements []byte, tell func(bytes int64)) (string, error) {
	base, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("python3 is not on the PATH; install it (Debian: python3 python3-venv)")
	}
	// The environment is bound to the interpreter that made it, wherever a wrapper of that name finds it.
	which, err := exec.CommandContext(ctx, base, "-I", "-c", "import sys; print(sys.version, sys.executable)").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", base, err, which)
	}
	dir, err := fetchonce.Folder{
		Name:  fmt.Sprintf("python/%.8x", sha256.Sum256(slices.Concat(which, requirements))),
		Proof: filepath.Join("bin", "python"),
		Fill:  func(ctx context.Context, dir string) error { return environment(ctx, base, dir, requirements, tell) },
	}.Path(ctx)
	return filepath.Join(dir, "bin", "python"), err
}

func environment(ctx context.Context, base, dir string, requirements []byte, tell func(bytes int64)) error {
	pinned := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(pinned, requirements, 0o644); err != nil {
		return err
	}
	for _, step := range [][]string{
		{base, "-I", "-m", "venv", dir},
		{filepath.Join(dir, "bin", "python"), "-I", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input", "--no-user", "--no-cache-dir", "-r", pinned},
	} {
		cmd := exec.CommandContext(ctx, step[0], step[1:]...)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := fetchonce.Watch(dir, tell, cmd.Run); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(step, " "), err, strings.TrimSpace(said.String()))
		}
	}
	return nil
}
