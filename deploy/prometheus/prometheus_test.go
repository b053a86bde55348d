// Package prometheus holds the operators' files: scrape configuration and alerts. They are data; this package has
// tests only, which hold them against the metrics that the program really has.
package prometheus

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"retorno/deploy/ops"
)

// files are those of this folder that match a pattern, by name. Test files hold cases, the others with groups hold rules.
func files(t *testing.T, cases bool) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("*.yml")
	must(t, err)
	all := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		must(t, err)
		if strings.HasSuffix(name, "_test.yml") == cases && (cases || bytes.Contains(text, []byte("\ngroups:\n"))) {
			all[name] = text
		}
	}
	if len(all) == 0 {
		t.Fatal("no file is found")
	}
	return all
}

func joined(files map[string][]byte) []byte {
	var all []byte
	for _, text := range files {
		all = append(all, text...)
	}
	return all
}

// knownMetrics are the names of the program's metrics.
func knownMetrics(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, m := range programMetrics(t) {
		found[m.name] = true
	}
	families, err := ops.NewRegistry("test", "test").Gather()
	must(t, err)
	for _, f := range families {
		found[f.GetName()] = true
	}
	return found
}

var metricName = regexp.MustCompile(`\bretorno_[a-z_]+`)

// unknownMetrics are the names in a text that the program does not have.
func unknownMetrics(text string, known map[string]bool) (all []string) {
	for _, name := range metricName.FindAllString(text, -1) {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if !known[name] && !known[base] {
			all = append(all, name)
		}
	}
	return all
}

// An alert on a metric that the program does not have never fires, and nothing shows it.
func TestAlertsAreAboutMetricsThatExist(t *testing.T) {
	rules := string(joined(files(t, false)))
	if !metricName.MatchString(rules) {
		t.Fatal("the alerts name no metric")
	}
	for _, name := range unknownMetrics(rules, knownMetrics(t)) {
		t.Errorf("an alert uses %s, which the program does not have", name)
	}
}

// Each alert has its cases in files that promtool runs: at least one instant at which it fires, one at which not.
func TestEveryAlertHasAFiringAndASilentCase(t *testing.T) {
	cases := joined(files(t, true))
	for _, a := range alerts(t) {
		if a.Alert == "RetornoWatchdog" {
			continue // it always fires
		}
		if !regexp.MustCompile(`alertname: ` + a.Alert + `, exp_alerts: \[\]`).Match(cases) {
			t.Errorf("%s has no silent case", a.Alert)
		}
		if !regexp.MustCompile(`alertname: ` + a.Alert + `\n *exp_alerts:\n`).Match(cases) {
			t.Errorf("%s has no firing case", a.Alert)
		}
	}
	commands := [][]string{{"check", "config", "prometheus.yml"}}
	for name := range files(t, true) {
		commands = append(commands, []string{"test", "rules", name})
	}
	for _, args := range commands {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
