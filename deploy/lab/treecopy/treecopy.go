// Package treecopy copies the program's source, for tests that change it or build it elsewhere.
package treecopy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Make copies every file of the tree at root that git knows or would add, as it is now, to a folder of the test, and
// returns that folder. What makes the copy impossible ends the test.
func Make(t testing.TB, root string) string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	to := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		file, mode := filepath.Join(root, name), os.FileMode(0o600)
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // it is deleted, and not yet committed so
		}
		if info, err := os.Stat(file); err == nil {
			mode |= info.Mode().Perm() & 0o100 // scripts
		}
		if err == nil {
			err = os.MkdirAll(filepath.Join(to, filepath.Dir(name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}
