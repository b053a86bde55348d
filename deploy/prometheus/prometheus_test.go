// Package prometheus holds the operators' files: scrape configuration and alerts. They are data; this package has
// tests only, which hold them against the metrics that the program really has.
package prometheus

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// An alert on a metric that the program does not have never fires, and nothing shows it.
func TestAlertsAreAboutMetricsThatExist(t *testing.T) {
	rules, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range programMetrics(t) {
		found[m.name] = true
	}
	used := regexp.MustCompile(`\bretorno_[a-z_]+`).FindAllString(string(rules), -1)
	if len(used) == 0 {
		t.Fatal("the alerts name no metric")
	}
	for _, name := range used {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if !found[name] && !found[base] {
			t.Errorf("an alert uses %s, which the program does not have", name)
		}
	}
}

// Each alert has its cases in files that promtool runs: at least one instant at which it fires, one at which not.
func TestEveryAlertHasAFiringAndASilentCase(t *testing.T) {
	rules, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	commands := [][]string{{"check", "config", "prometheus.yml"}}
	var cases []byte
	for _, file := range []string{"rules_test.yml", "rules_long_test.yml", "rules_agents_test.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, text...)
		commands = append(commands, []string{"test", "rules", file})
	}
	for _, m := range regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllStringSubmatch(string(rules), -1) {
		if !regexp.MustCompile(`alertname: ` + m[1] + `, exp_alerts: \[\]`).Match(cases) {
			t.Errorf("%s has no silent case", m[1])
		}
		if !regexp.MustCompile(`alertname: ` + m[1] + `\n *exp_alerts:\n`).Match(cases) {
			t.Errorf("%s has no firing case", m[1])
		}
	}
	for _, args := range commands {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
