// Package docs has tests only: they hold the project's documents (*.md) against the tree.
package docs

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root            = "../.."
	mostReadmeLines = 150
)

// shunned are words that readers do not know in the sense meant, or that name no actor.
var shunned = regexp.MustCompile(`(?i)\b(?:anew|nobody|whoever|somebody|handed\s+out|is\s+no\s+more|put\s+back|says\s+whether|if\s+not\s+said)\b`)

// tree is what documents may speak of.
type tree struct {
	documents map[string]string          // by path from the root, with slashes
	tests     map[string][]string        // folders of a test, by its name
	targets   map[string]bool            // of the Makefile
	commands  map[string]map[string]bool // flags of a command, by its words; "" for what all commands have
	flags     map[string]bool            // of any command
	exists    func(path string) bool
}

func TestDocumentsAgreeWithTheTree(t *testing.T) {
	x := readTree(t)
	if len(x.documents) < 10 || len(x.tests) < 100 || len(x.targets) < 5 || len(x.commands) < 10 {
		t.Fatalf("%d documents, %d tests, %d targets, %d commands: this test does not see the tree", len(x.documents), len(x.tests), len(x.targets), len(x.commands))
	}
	for _, file := range slices.Sorted(maps.Keys(x.documents)) {
		for _, fault := range x.faults(file, x.documents[file]) {
			t.Errorf("%s: %s", file, fault)
		}
	}
	for _, file := range x.unlinked() {
		t.Errorf("%s: no other document links to it", file)
	}
	if n := strings.Count(x.documents["README.md"], "\n"); n > mostReadmeLines {
		t.Errorf("README.md has %d lines, more than %d: move what is not needed at first sight to docs/", n, mostReadmeLines)
	}
}

// faults are what is wrong with a document.
func (x *tree) faults(file, text string) []string {
	return slices.Concat(x.links(file, text), x.testNames(text), x.shell(text), words(text))
}

// TestFaultsAreFound: each check finds what it is for, and lets pass what is right.
func TestFaultsAreFound(t *testing.T) {
	x := &tree{
		documents: map[string]string{"README.md": "# Read me\n\n## What it is, and why\n", "docs/a.md": "# A\n"},
		tests:     map[string][]string{"TestThere": {"consumers/counting/store"}},
		targets:   map[string]bool{"demo": true},
		commands:  map[string]map[string]bool{"": {"--config": true, "--help": true}, "demo": {"--exit": true}, "partition list": {}},
		flags:     map[string]bool{"--config": true, "--exit": true},
		exists:    func(path string) bool { return path == "." || path == "docs" || path == "consumers/counting/store" },
	}
	for _, good := range []string{
		"[a](../README.md#what-it-is-and-why) [b](#a) [c](../docs) [d](https://example.org/x) ![e](a.md)\n# A\n", "`[x](nowhere)`\n", "```text\n[x](nowhere)\n```\n",
		"`TestThere` (consumers/counting/store)", "```sh\nmake demo ARGS=\"--exit\" # and more\nbin/retorno demo --exit --config=x | tee log\nretorno partition list\n```\n",
		"`make demo`, `retorno COMMAND --help`, `retorno partition`, `--exit`, `--config FILE`, `retorno.facts`", "a renewed body",
	} {
		if got := x.faults("docs/a.md", good); len(got) != 0 {
			t.Errorf("%q: %q", good, got)
		}
	}
	for _, bad := range []string{
		"[a](../README.md#what-it-is)", "[a](b.md)", "[a](#b)", "`TestThere` (consumers/counting/stream)", "`TestGone`",
		"```sh\nmake demos\n```\n", "```sh\nX=1 make demo && make it\n```\n", "```sh\nretorno demonstrate\n```\n", "```sh\nbin/retorno demo --quit\n```\n",
		"```sh\nmake demo ARGS=\"--quit\"\n```\n", "```sh\nretorno partition lost\n```\n", "```sh\ngo test ./consumers/nowhere\n```\n",
		"`make it`", "`retorno demonstrate`", "`--quit`", "made anew", "Nobody reads it", "it says\nwhether",
	} {
		if got := x.faults("docs/a.md", bad); len(got) != 1 {
			t.Errorf("%q: %q instead of one fault", bad, got)
		}
	}
	if got := x.unlinked(); len(got) != 1 || got[0] != "docs/a.md" {
		t.Errorf("not linked to: %q", got)
	}
}

var (
	fence   = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	span    = regexp.MustCompile("`[^`\n]+`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	linked  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// prose is a document without its code.
func prose(text string) string { return span.ReplaceAllString(fence.ReplaceAllString(text, ""), "``") }

// links are the relative links that lead nowhere.
func (x *tree) links(file, text string) (faults []string) {
	for _, m := range link.FindAllStringSubmatch(prose(text), -1) {
		if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
			continue
		}
		path, anchor, anchored := strings.Cut(m[1], "#")
		target, within := file, text
		if path != "" {
			target = filepath.ToSlash(filepath.Join(filepath.Dir(file), path))
			within = x.documents[target]
		}
		switch {
		case path != "" && within == "" && !x.exists(target):
			faults = append(faults, fmt.Sprintf("the link %s leads nowhere", m[1]))
		case anchored && !slices.Contains(anchors(within), anchor):
			faults = append(faults, fmt.Sprintf("the link %s: %s has no such heading", m[1], target))
		}
	}
	return faults
}

// anchors are the names under which the headings of a document are linked to: letters, digits, - and _ in small
// letters, blanks as -, and a number behind a name that came before.
func anchors(text string) (all []string) {
	seen := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		plain := linked.ReplaceAllString(strings.ReplaceAll(m[1], "`", ""), "$1")
		name := strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(plain), ""), " ", "-")
		if n := seen[name]; n > 0 {
			all = append(all, fmt.Sprintf("%s-%d", name, n))
		} else {
			all = append(all, name)
		}
		seen[name]++
	}
	return all
}

// unlinked are documents below docs/ to which no other document links.
func (x *tree) unlinked() (all []string) {
	found := map[string]bool{}
	for file, text := range x.documents {
		for _, m := range link.FindAllStringSubmatch(prose(text), -1) {
			path, _, _ := strings.Cut(m[1], "#")
			if target := filepath.ToSlash(filepath.Join(filepath.Dir(file), path)); target != file {
				found[target] = true
			}
		}
	}
	for file := range x.documents {
		if strings.HasPrefix(file, "docs/") && !found[file] {
			all = append(all, file)
		}
	}
	slices.Sort(all)
	return all
}

var (
	testName   = regexp.MustCompile(`\bTest[A-Z0-9]\w*`)
	testsOfOne = regexp.MustCompile("((?:`Test[A-Z0-9]\\w*`(?:, | and )?)+) \\(([a-z/]+)")
)

// testNames are names of tests that are not there, or not in the folder that is named behind them.
func (x *tree) testNames(text string) (faults []string) {
	flat := strings.Join(strings.Fields(text), " ")
	for _, name := range slices.Compact(slices.Sorted(slices.Values(testName.FindAllString(flat, -1)))) {
		if x.tests[name] == nil {
			faults = append(faults, "there is no test "+name)
		}
	}
	for _, m := range testsOfOne.FindAllStringSubmatch(flat, -1) {
		for _, name := range testName.FindAllString(m[1], -1) {
			if of := x.tests[name]; of != nil && !slices.Contains(of, m[2]) {
				faults = append(faults, fmt.Sprintf("%s is in %s, not in %s", name, strings.Join(of, ", "), m[2]))
			}
		}
	}
	return faults
}

var folder = regexp.MustCompile(`(?:retorno/)?\b(?:consumers|producers|schemas|deploy)/[\w./-]*\w`)

// TestMakefileAndLinterNameWhatIsThere: a package or a test that was renamed is not silently left out of what is run.
func TestMakefileAndLinterNameWhatIsThere(t *testing.T) {
	x := readTree(t)
	for _, file := range []string{"Makefile", ".golangci.yml"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		folders := folder.FindAllString(string(text), -1)
		if len(folders) < 10 {
			t.Errorf("%s names %d folders: this test does not see them", file, len(folders))
		}
		for _, path := range folders {
			if !strings.HasPrefix(path, "retorno/") && !x.exists(path) { // the former is a variable of Go
				t.Errorf("%s names %s, which is not there", file, path)
			}
		}
		for _, fault := range x.testNames(string(text)) {
			t.Errorf("%s: %s", file, fault)
		}
	}
}

func words(text string) (faults []string) {
	for _, m := range shunned.FindAllString(text, -1) {
		faults = append(faults, fmt.Sprintf("%q: see Prose in CONTRIBUTING.md for a plainer word", m))
	}
	return faults
}

// readTree reads the documents, and what there is for them to speak of.
func readTree(t *testing.T) *tree {
	t.Helper()
	x := &tree{documents: map[string]string{}, tests: map[string][]string{}, targets: map[string]bool{}}
	x.exists = func(path string) bool { _, err := os.Stat(filepath.Join(root, path)); return err == nil }
	function := regexp.MustCompile(`(?m)^func (Test[A-Z0-9]\w*)\(`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(name, ".") && path != root || name == "bin"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".md") && !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		inside = filepath.ToSlash(inside)
		if strings.HasSuffix(name, ".md") {
			x.documents[inside] = string(text)
			return nil
		}
		for _, m := range function.FindAllSubmatch(text, -1) {
			x.tests[string(m[1])] = append(x.tests[string(m[1])], filepath.ToSlash(filepath.Dir(inside)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(makefile, -1) {
		x.targets[string(m[1])] = true
	}
	x.readCommands(x.documents["docs/configuration.md"])
	return x
}
