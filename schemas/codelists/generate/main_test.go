package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var lists = []string{"country.csv", "mode.csv", "route.csv"}

func copyLists(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range lists {
		text, err := os.ReadFile(filepath.Join("..", "data", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The committed lists are what the generator makes of them: complete.
func TestListsAreComplete(t *testing.T) {
	dir := copyLists(t)
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range lists {
		if read(t, dir, name) != read(t, filepath.Join("..", "data"), name) {
			t.Errorf("%s is not complete: run go generate in schemas/codelists", name)
		}
	}
}

// What is missing comes back at the end; what is there keeps its place and its text.
func TestMissingRowsAreAppended(t *testing.T) {
	dir := copyLists(t)
	path := filepath.Join(dir, "route.csv")
	rows := strings.Split(read(t, dir, "route.csv"), "\n")
	gone := rows[5]
	rest := strings.Replace(strings.Join(append(append([]string{}, rows[:5]...), rows[6:]...), "\n"), "México, por tierra", "México, en autobús", 1)
	if err := os.WriteFile(path, []byte(rest), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, "route.csv"); got != rest+gone+"\n" {
		t.Errorf("the row %q was not simply appended", gone)
	}
}
