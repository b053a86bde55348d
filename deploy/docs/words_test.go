package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// read are the endings of files in which people read sentences: comments, errors, screens.
var read = []string{".go", ".sql", ".html", ".yml", ".py", ".sh", ".proto", ".csv"}

// nextComment is where a sentence goes on in the next line of a comment.
var nextComment = regexp.MustCompile(`\n\s*(?://|--|#)\s*`)

// TestPlainWords: the words that documents avoid stand nowhere else either. Released migrations stay as they are, and these
// tests name the words.
func TestPlainWords(t *testing.T) {
	released, err := os.ReadFile(filepath.Join(root, "schemas/warehouse/testdata/released.txt"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(name, ".") && path != root || name == "bin"):
			return filepath.SkipDir
		case entry.IsDir() || !slices.Contains(read, filepath.Ext(name)) || strings.HasSuffix(name, ".pb.go"):
			return nil
		case name == "docs_test.go" || strings.Contains(string(released), "  "+name+"\n"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		for _, fault := range words(nextComment.ReplaceAllString(string(text), " ")) {
			t.Errorf("%s: %s", path, fault)
		}
		return nil
	})
	if err != nil || seen < 300 {
		t.Fatalf("%d files read: %v", seen, err)
	}
}
