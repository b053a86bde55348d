// Command audit asks whether the program calls anything that is known to be vulnerable, in its dependencies and in
// Go's standard library, and prints what it finds.
//
// The known vulnerabilities are those of the Go project's database, in the form of the module golang.org/x/vulndb: the
// module proxy is all that is asked. govulncheck, pinned in deploy/tools, does the comparing. A finding that is
// explained until a date stands in exceptions.txt.
//
// Exit status: 0 nothing that is not explained; 1 a finding, or an exception that is over or of no use; 3 the database
// or govulncheck is not to be had.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed exceptions.txt
var exceptionsFile string

const database = "golang.org/x/vulndb"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	findings, version, err := scan(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(3)
	}
	exceptions, err := readExceptions(exceptionsFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, "audit: exceptions.txt:", err)
		os.Exit(1)
	}
	open, explained := judge(findings, exceptions, time.Now().UTC())
	for _, line := range explained {
		fmt.Println("explained:", line)
	}
	for _, line := range open {
		fmt.Println(line)
	}
	fmt.Printf("audit: %d open, %d explained; database %s\n", len(open), len(explained), version)
	if len(open) > 0 {
		os.Exit(1)
	}
}

// scan compares the packages of this module with the newest database; version names it.
func scan(ctx context.Context) (findings []finding, version string, err error) {
	download := exec.CommandContext(ctx, "go", "mod", "download", "-json", database+"@latest")
	download.Dir = os.TempDir() // outside of the module, which does not need it
	var module struct{ Version, Dir, Error string }
	if out, err := output(download); err != nil {
		return nil, "", fmt.Errorf("fetch %s: %w", database, err)
	} else if err := json.Unmarshal(out, &module); err != nil || module.Error != "" {
		return nil, "", fmt.Errorf("fetch %s: %s%w", database, module.Error, err)
	}
	check := exec.CommandContext(ctx, "go", "tool", "-modfile=deploy/tools/govulncheck.mod", "govulncheck",
		"-format", "json", "-db", "file://"+filepath.Join(module.Dir, "data", "osv"), "./...")
	out, err := output(check)
	if err != nil {
		return nil, "", fmt.Errorf("govulncheck: %w", err)
	}
	findings, err = readFindings(bytes.NewReader(out))
	return findings, module.Version, err
}

// output runs a command; its error carries what the command said was wrong.
func output(cmd *exec.Cmd) ([]byte, error) {
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return out, nil
}
