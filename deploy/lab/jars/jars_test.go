package jars_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retorno/deploy/lab/jars"
)

// maven puts a program in Maven's place that is called as Maven is, with the folder of its notes in $NOTES.
func maven(t *testing.T, text string) (notes string) {
	t.Helper()
	bin, notes := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "mvn"), []byte("#!/bin/sh\nset -e\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("NOTES", notes)
	return notes
}

// Each POM is asked for online, with a repository that is this call's own and was empty before it.
func TestEachPOMIsFetchedIntoAFolderOfItsName(t *testing.T) {
	notes := maven(t, `
for a; do
  case $a in
    -Dmaven.repo.local=*) repository=${a#*=} ;;
    -DoutputDirectory=*) out=${a#*=} ;;
    *.xml) pom=$a ;;
    -o|--offline) exit 9 ;;
  esac
done
[ -d "$repository" ] || echo new >> "$NOTES/repositories"
mkdir -p "$repository" "$out"
cp "$pom" "$out/it.jar"`)
	dir := t.TempDir()
	if err := jars.Fetch(t.Context(), dir, map[string][]byte{"old": []byte("pom 1"), "new": []byte("pom 2")}, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"old": "pom 1", "new": "pom 2"} {
		if got, err := os.ReadFile(filepath.Join(dir, name, "it.jar")); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("left %v %v", left, err)
	}
	if got, err := os.ReadFile(filepath.Join(notes, "repositories")); err != nil || string(got) != "new\n" {
		t.Errorf("repositories: %q %v", got, err)
	}
}

func TestMavensFaultIsReported(t *testing.T) {
	maven(t, `echo '[INFO] Scanning'; echo '[ERROR] Could not transfer artifact a:b:1'; exit 1`)
	err := jars.Fetch(t.Context(), t.TempDir(), map[string][]byte{"kafka": nil}, nil)
	if err == nil || !strings.Contains(err.Error(), "Could not transfer artifact a:b:1") || strings.Contains(err.Error(), "Scanning") {
		t.Error(err)
	}
}
