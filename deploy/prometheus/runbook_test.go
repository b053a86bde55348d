package prometheus

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const runbook = "../RUNBOOK.md"

// fenced are the code blocks of a language.
func fenced(text, language string) (all []string) {
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// Alerts and sections match one to one, in the same order, each alert names its section, and each section says in both
// languages what people ask who are woken.
func TestEveryAlertHasItsSectionOfTheRunbook(t *testing.T) {
	text, err := os.ReadFile(runbook)
	must(t, err)
	parts := strings.Split(string(text), "\n## ")
	sections := map[string]string{}
	for _, part := range parts[1:] {
		name, body, _ := strings.Cut(part, "\n")
		if sections[name] != "" {
			t.Errorf("section %s stands twice", name)
		}
		sections[name] = body
	}
	for _, a := range alerts(t) {
		body, there := sections[a.Alert]
		if !there {
			t.Errorf("%s has no section", a.Alert)
			continue
		}
		delete(sections, a.Alert)
		if want := "RUNBOOK.md#" + strings.ToLower(a.Alert); a.Annotations["runbook"] != want {
			t.Errorf("%s: its annotation runbook is %q, want %q", a.Alert, a.Annotations["runbook"], want)
		}
		for _, row := range []string{"Significa / Means", "Mientras tanto / Meanwhile", "Repare / Mend", "Despierte a / Wake"} {
			if !regexp.MustCompile(`(?m)^\| \*\*` + row + `\*\* \| [^|]{5,} \| [^|]{5,} \|$`).MatchString(body) {
				t.Errorf("%s does not say in both languages: %s", a.Alert, row)
			}
		}
		if len(fenced(body, "(?:sh|sql|promql)")) == 0 {
			t.Errorf("%s has nothing to look with", a.Alert)
		}
	}
	for name := range sections {
		t.Errorf("section %s is of no alert", name)
	}
}

// lines are the queries of the runbook, one a line.
func lines(blocks []string) (all []string) {
	for _, block := range blocks {
		all = append(all, strings.Split(strings.TrimSpace(block), "\n")...)
	}
	return all
}

// Every query of the runbook parses, and names metrics and labels that exist.
func TestQueriesOfTheRunbook(t *testing.T) {
	text, err := os.ReadFile(runbook)
	must(t, err)
	queries := lines(fenced(string(text), "promql"))
	if len(queries) < 40 {
		t.Fatalf("only %d queries are found", len(queries))
	}
	checkQueries(t, queries)
}

// checkQueries asks promtool whether queries parse, and looks up their names.
func checkQueries(t *testing.T, queries []string) {
	t.Helper()
	type rule struct{ Record, Expr string }
	var rules []rule
	known, labels := knownMetrics(t), knownLabels(t)
	recorded := string(joined(files(t, false)))
	for i, q := range queries {
		rules = append(rules, rule{fmt.Sprintf("query:%d", i), q})
		for _, name := range unknownMetrics(q, known) {
			t.Errorf("%s: the program has no metric %s", q, name)
		}
		for _, m := range regexp.MustCompile(`retorno:[\w:]+`).FindAllString(q, -1) {
			if !strings.Contains(recorded, m) {
				t.Errorf("%s: no rule records %s", q, m)
			}
		}
		for _, m := range labelForm.FindAllStringSubmatch(q, -1) {
			for _, one := range strings.Split(m[1]+m[2], ",") {
				name := strings.TrimSpace(regexp.MustCompile(`[=!~].*`).ReplaceAllString(one, ""))
				if name != "" && !slices.Contains(labels, name) {
					t.Errorf("%s: no metric has the label %s", q, name)
				}
			}
		}
	}
	file := filepath.Join(t.TempDir(), "queries.yml")
	out, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "queries", "rules": rules}}})
	must(t, err)
	must(t, os.WriteFile(file, out, 0o600))
	if said, err := exec.Command("promtool", "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, said)
	}
}

// labelForm finds what is selected in braces, and what is grouped by.
var labelForm = regexp.MustCompile(`\{([^{}]*)\}|\b(?:by|on|without)\s*\(([^()]*)\)`)

// knownLabels are the names of labels of any metric, and what Prometheus itself adds.
func knownLabels(t *testing.T) []string {
	t.Helper()
	all := []string{"le", "job", "instance", "role", "version", "goversion"}
	for _, m := range programMetrics(t) {
		all = append(all, strings.Split(m.labels, ",")...)
	}
	return all
}
