// Package jars fetches the Java libraries that a POM names, with the ordinary Maven client and the settings that
// client has on this machine.
//
// It promises that a Maven repository of other projects (~/.m2/repository, whether empty, incomplete or read-only) is
// neither read nor changed: Maven gets an empty one each time.
package jars

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"retorno/deploy/lab/embedded/fetchonce"
)

// copyDependencies is the goal by its full name: a prefix would have to be looked up.
const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// Fetch copies the runtime dependencies of each POM into dir/NAME, where NAME is the POM's key. tell hears how many
// bytes have come; it may be nil. The error says what is missing on this machine, or what Maven said.
func Fetch(ctx context.Context, dir string, poms map[string][]byte, tell func(bytes int64)) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on the PATH; install Maven (Debian: maven)")
	}
	work, err := os.MkdirTemp(dir, "maven-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for name, pom := range poms {
		file := filepath.Join(work, name+".xml")
		if err := os.WriteFile(file, pom, 0o644); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, mvn, "-B", "-ntp", "-f", file, copyDependencies, "-DincludeScope=runtime",
			"-Dmaven.repo.local="+filepath.Join(work, "repository"), "-DoutputDirectory="+filepath.Join(dir, name))
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := fetchonce.Watch(dir, tell, cmd.Run); err != nil {
			return fmt.Errorf("mvn could not fetch the libraries of %s: %w: %s", name, err, faults(said.String()))
		}
	}
	return os.RemoveAll(work)
}

// faults gives Maven's first lines of errors.
func faults(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		if text, ok := strings.CutPrefix(line, "[ERROR] "); ok && len(lines) < 4 {
			lines = append(lines, strings.TrimSpace(text))
		}
	}
	return strings.Join(lines, " | ")
}
