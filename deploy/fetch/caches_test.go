package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// unprivileged is the user that the script runs as when the tests run as root, whom modes do not stop.
const unprivileged = 65534

// goCommand stands for the go command, of which the script asks three settings.
const goCommand = `#!/bin/sh
case $2 in
GOCACHE) echo "${GOCACHE:-$HOME/.cache/go-build}" ;;
GOMODCACHE) echo "$HOME/go/pkg/mod" ;;
GOPROXY) echo https://mirror.example ;;
esac
`

// A cache that cannot be written to is replaced by the project's own, and no other.
func TestCachesThatCannotBeWrittenToAreReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		locked []string // folders below HOME that are there and cannot be written to
		set    string   // an environment variable of the user's
		want   string   // what the script prints; PROJECT and HOME stand for the folders
	}{
		"empty":                {},
		"home locked":          {locked: []string{"."}, want: "XDG_CACHE_HOME=PROJECT/.cache GOMODCACHE=PROJECT/.cache/mod GOPROXY=file://HOME/go/pkg/mod/cache/download,https://mirror.example"},
		"engine's":             {locked: []string{".cache/retorno/engine"}, want: "XDG_CACHE_HOME=PROJECT/.cache"},
		"Go's builds":          {locked: []string{".cache/go-build/00"}, want: "XDG_CACHE_HOME=PROJECT/.cache"},
		"Go's builds, by name": {locked: []string{"builds"}, set: "GOCACHE=HOME/builds", want: "GOCACHE=PROJECT/.cache/go-build"},
		"Go's modules":         {locked: []string{"go/pkg/mod/cache/download/x"}, want: "GOMODCACHE=PROJECT/.cache/mod GOPROXY=file://HOME/go/pkg/mod/cache/download,https://mirror.example"},
		"an unpacked module":   {locked: []string{"go/pkg/mod/example.com/x@v1.0.0"}},
		"Maven's, npm's":       {locked: []string{".m2/repository", ".npm/_cacache", ".cache/pip"}},
	} {
		t.Run(name, func(t *testing.T) {
			home, project := place(t), place(t)
			for _, dir := range c.locked {
				lock(t, home, dir)
			}
			got := strings.Join(strings.Fields(caches(t, home, project, c.set)), " ")
			want := strings.NewReplacer("PROJECT", project, "HOME/", home+"/").Replace(c.want)
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// caches runs the script in a project of its own.
func caches(t *testing.T, home, project, set string) string {
	t.Helper()
	script, err := os.ReadFile("../caches")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(project, "deploy", "caches"), string(script))
	write(t, filepath.Join(project, "bin", "go"), goCommand)
	cmd := exec.Command("/bin/bash", filepath.Join(project, "deploy", "caches"))
	cmd.Dir = project
	cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Join(project, "bin") + ":/usr/bin:/bin"}
	if set != "" {
		cmd.Env = append(cmd.Env, strings.Replace(set, "HOME/", home+"/", 1))
	}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// place is a folder of the user that the script runs as. The testing package's own are closed to other users.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "retorno-caches-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unlockAll(t, dir) })
	own(t, dir)
	return dir
}

func unlockAll(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

func own(t *testing.T, path string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	if err := os.Chown(path, unprivileged, unprivileged); err != nil {
		t.Fatal(err)
	}
}

// lock makes a folder below home, and takes the right to write from it alone.
func lock(t *testing.T, home, dir string) {
	t.Helper()
	path := home
	for part := range strings.SplitSeq(dir, "/") {
		path = filepath.Join(path, part)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		own(t, path)
	}
	if err := os.Chmod(path, 0o555); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
