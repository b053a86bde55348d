package importer

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the messages into docs/importing.md")

// verbs of a message stand for what was found.
var verbs = regexp.MustCompile(`%(?:\[\d\])?[a-z]`)

func messages(texts map[string][2]string) string {
	var b strings.Builder
	b.WriteString("\n| código · code | español | English |\n|---|---|---|\n")
	for _, code := range slices.Sorted(maps.Keys(texts)) {
		es, en := texts[code][0], texts[code][1]
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", code, verbs.ReplaceAllString(es, "…"), verbs.ReplaceAllString(en, "…"))
	}
	return b.String() + "\n"
}

// The page for offices has every message in the words in which it is given.
func TestImportingPageHasEveryMessage(t *testing.T) {
	const path = "../../docs/importing.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for mark, texts := range map[string]map[string][2]string{"file": fileErrors, "row": texts} {
		begin, end := fmt.Sprintf("<!-- messages: %s -->\n", mark), fmt.Sprintf("<!-- end: %s -->", mark)
		before, rest, found := strings.Cut(page, begin)
		held, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("%s has no %q and %q", path, begin, end)
		}
		if want := messages(texts); held != want {
			if !*update {
				t.Errorf("%s: the messages of a %s are others: run go test ./producers/importer -run %s -update", path, mark, t.Name())
			}
			page = before + begin + want + end + after
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
