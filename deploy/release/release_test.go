// Package release holds release.sh, which makes the archives of a release, and the test of what it promises.
package release_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"retorno/deploy/lab/treecopy"
)

const (
	version = "v9.8.7-test"
	name    = "retorno-" + version + "-linux-amd64"
)

// TestARelease makes one archive from this tree and one from a copy of it in another folder. Both are the same bytes. The
// program in it is static, gives its version, and has nothing of the laboratory; each module that it links stands in the
// bill of materials and has its licence.
func TestARelease(t *testing.T) {
	here := archive(t, "../..", "here")
	if there := archive(t, treecopy.Make(t, "../.."), "there"); !bytes.Equal(here, there) {
		t.Error("two folders gave different bytes")
	}
	files := unpack(t, here)
	program := filepath.Join(t.TempDir(), "retorno")
	if err := os.WriteFile(program, files["retorno"], 0o700); err != nil {
		t.Fatal(err)
	}
	static(t, program)
	if out, err := exec.CommandContext(t.Context(), program, "version").Output(); err != nil || !strings.Contains(string(out), version) {
		t.Errorf("its version is %q, %v", out, err)
	}
	for _, command := range []string{"demo", "embedded", "register", "torture", "bench"} {
		var ended *exec.ExitError
		if out, err := exec.CommandContext(t.Context(), program, command, "--help").CombinedOutput(); !errors.As(err, &ended) || ended.ExitCode() != 2 {
			t.Errorf("%s: %v, %.200s", command, err, out)
		}
	}
	if out, err := exec.CommandContext(t.Context(), program, "consume", "--failpoint=kill@retorno.facts:1", "--print-config").CombinedOutput(); err == nil {
		t.Errorf("it takes a failpoint: %s", out)
	}
	for _, module := range modules(t, files["sbom.cdx.json"]) {
		licensed := false
		for file := range files {
			licensed = licensed || strings.HasPrefix(file, "licences/"+module+"/")
		}
		if !licensed {
			t.Errorf("%s has no licence in the archive", module)
		}
	}
	for _, file := range []string{"LICENSE", "CHANGELOG.md", "README.md", "SECURITY.md", "METHOD.md", "docs/operators.md", "roles.sql", "timezone.xml", "rules.yml", "licences/go/LICENSE"} {
		if len(files[file]) == 0 {
			t.Errorf("%s is missing", file)
		}
	}
}

// archive makes the archive of a tree and checks its checksum.
func archive(t *testing.T, tree, folder string) []byte {
	t.Helper()
	folder = filepath.Join(t.TempDir(), folder)
	cmd := exec.CommandContext(t.Context(), "bash", "deploy/release/release.sh", folder, version, "1500000000", "linux/amd64")
	cmd.Dir = tree
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	packed, err := os.ReadFile(filepath.Join(folder, name+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	if want := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(packed), name); err != nil || string(sums) != want {
		t.Errorf("the checksums are %q, want %q (%v)", sums, want, err)
	}
	return packed
}

// unpack gives the archive's files by their names below its one folder.
func unpack(t *testing.T, packed []byte) map[string][]byte {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(unzipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		file, below := strings.CutPrefix(header.Name, name+"/")
		if !below {
			t.Errorf("%s lies outside of the archive's folder", header.Name)
		}
		if files[file], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// static fails the test when the program needs a loader or a library.
func static(t *testing.T, program string) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is not static: %s", p.Type)
		}
	}
}

// modules are the modules of the bill of materials, of which there are some that are known to be there and none that
// only the laboratory has.
func modules(t *testing.T, bill []byte) []string {
	t.Helper()
	var read struct {
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(bill, &read); err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	var all []string
	for _, c := range read.Components {
		if c.Name != "std" {
			all = append(all, c.Name)
		}
		versions[c.Name] = c.Version
	}
	for _, module := range []string{"github.com/segmentio/kafka-go", "github.com/ClickHouse/clickhouse-go/v2", "github.com/prometheus/client_golang"} {
		if !strings.HasPrefix(versions[module], "v") {
			t.Errorf("%s is not in the bill of materials: %q", module, all)
		}
	}
	for _, module := range []string{"github.com/twmb/franz-go/pkg/kfake", "github.com/ebitengine/purego"} {
		if versions[module] != "" {
			t.Errorf("the program links %s", module)
		}
	}
	return all
}
