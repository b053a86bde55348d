package portal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"retorno/consumers/dissemination/response"
)

// TestEachProblemIsExplained: the type of every problem that the code gives leads to a place that explains it, in both languages.
func TestEachProblemIsExplained(t *testing.T) {
	known := map[string]bool{}
	for _, k := range response.Kinds() {
		known[k.ID] = true
		resp, _ := get(t, handler(), response.ProblemsPath+k.ID)
		at, anchor, _ := strings.Cut(resp.Header.Get("Location"), "#")
		if resp.StatusCode != 303 || anchor != k.ID {
			t.Errorf("%s leads to %d %s", k.ID, resp.StatusCode, resp.Header.Get("Location"))
			continue
		}
		for lang, words := range map[string][]string{"es": {k.ES, k.WhatES}, "en": {k.EN, k.WhatEN}} {
			resp, page := get(t, handler(), at, "Accept-Language", lang)
			if resp.StatusCode != 200 || strings.Count(page, `id="`+anchor+`"`) != 1 {
				t.Errorf("%s: %d, anchor %s stands %d times", at, resp.StatusCode, anchor, strings.Count(page, `id="`+anchor+`"`))
			}
			for _, text := range words {
				if text == "" || !strings.Contains(plain(page), text) {
					t.Errorf("%s in %s is not explained by %q", k.ID, lang, text)
				}
			}
		}
	}
	if resp, _ := get(t, handler(), "/problems/nothing"); resp.StatusCode != 404 {
		t.Errorf("a problem that does not exist: %d", resp.StatusCode)
	}
	// No other part of the program names a type or makes a kind of its own.
	named := regexp.MustCompile(response.ProblemsPath + `([a-z][a-z-]*)`)
	err := filepath.WalkDir(filepath.Join("..", "..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range named.FindAllStringSubmatch(string(text), -1) {
			if !known[found[1]] {
				t.Errorf("%s names %s, which nothing explains", path, found[0])
			}
		}
		if strings.Contains(string(text), "response.Kind{") {
			t.Errorf("%s makes a kind of problem of its own", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
