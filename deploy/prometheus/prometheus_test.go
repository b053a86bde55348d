// Package prometheus holds the operators' files: scrape configuration and alerts. They are data; this package has
// tests only, which hold them against the metrics that the program really has.
package prometheus

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/completeness"
	"retorno/consumers/deadletter"
	"retorno/consumers/feed/answer"
	"retorno/consumers/returns"
	"retorno/consumers/store"
	"retorno/consumers/stream"
	"retorno/consumers/verify"
	"retorno/deploy/ops"
	"retorno/producers/publish"
)

// names notes what is registered, and passes it on so that a double registration still fails.
type names struct {
	prometheus.Registerer
	found map[string]bool
}

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (n names) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() { c.Describe(descs); close(descs) }()
	for d := range descs {
		n.found[fqName.FindStringSubmatch(d.String())[1]] = true
	}
	return n.Registerer.Register(c)
}

func (n names) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := n.Register(c); err != nil {
			panic(err)
		}
	}
}

// programMetrics registers every room's metrics in one registry, as `retorno demo` does.
func programMetrics(t *testing.T) map[string]bool {
	t.Helper()
	n := names{ops.NewRegistry("test"), map[string]bool{}}
	writer, err := publish.New(publish.Config{Brokers: []string{"127.0.0.1:1"}, Registerer: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	if _, err := publish.NewTopicSettings(n); err != nil {
		t.Fatal(err)
	}
	_, err = stream.New(stream.Config{Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []string{"t"}, Partitions: 1, Registerer: n})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Config{Addr: "127.0.0.1:1", Registerer: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	letters, err := deadletter.New(deadletter.Config{Brokers: []string{"127.0.0.1:1"}, Registerer: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = letters.Close() })
	if _, err := returns.New(returns.Config{Store: s, DeadLetters: letters, Topics: []string{"t"}, Partitions: 1, Registerer: n}); err != nil {
		t.Fatal(err)
	}
	if _, err := verify.New(verify.Config{Conn: s.Conn(), Registerer: n}); err != nil {
		t.Fatal(err)
	}
	if _, err := completeness.New(completeness.Config{Conn: s.Conn(), Registerer: n}); err != nil {
		t.Fatal(err)
	}
	answer.NewRecorder(n, nil)
	ops.Limited(nil, nil, ops.Limits{}, n)
	return n.found
}

// An alert on a metric that the program does not have never fires, and nobody notices.
func TestAlertsAreAboutMetricsThatExist(t *testing.T) {
	rules, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	found := programMetrics(t)
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
	for _, file := range []string{"rules_test.yml", "rules_days_test.yml"} {
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
