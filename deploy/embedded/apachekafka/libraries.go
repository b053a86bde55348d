package apachekafka

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pom names the program's parts and pins their versions.
//
//go:embed pom.xml
var pom []byte

// libraries returns the folder with the program's jars, and has Maven fetch
// them when it is not there yet. Processes that want it at the same time wait
// for the one that fetches.
func libraries(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for the libraries: %w", err)
	}
	base := filepath.Join(cache, "retorno", "kafka")
	// Another pom is another set of jars.
	libs := filepath.Join(base, fmt.Sprintf("%s-%x", Version, sha256.Sum256(pom))[:len(Version)+9])
	if complete(libs) {
		return libs, nil
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("cache folder: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(base, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if complete(libs) {
		return libs, nil
	}
	return libs, download(ctx, base, libs)
}

// complete reports whether libs is there; it appears whole or not at all.
func complete(libs string) bool {
	_, err := os.Stat(filepath.Join(libs, "kafka_2.13-"+Version+".jar"))
	return err == nil
}

func download(ctx context.Context, base, libs string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on the PATH; install Maven (Debian: maven), which fetches Apache Kafka once")
	}
	work, err := os.MkdirTemp(base, "fetching-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), pom, 0o644); err != nil {
		return err
	}
	jars := filepath.Join(work, "libs")
	cmd := exec.CommandContext(ctx, mvn, "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+jars)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn could not fetch the libraries: %w: %s", err, lastLines(string(out), 8))
	}
	if !complete(jars) {
		return fmt.Errorf("mvn fetched no kafka_2.13-%s.jar", Version)
	}
	os.RemoveAll(libs)
	return os.Rename(jars, libs)
}

// lock waits for the file's lock, which ends with the process at the latest.
func lock(ctx context.Context, path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("another process holds %s: %w", path, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
