package prometheus

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"retorno/consumers/counting/completeness"
	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/heartbeats"
	"retorno/consumers/counting/processor"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/consumers/counting/verify"
	"retorno/consumers/dissemination/changes"
	"retorno/consumers/dissemination/quota"
	"retorno/consumers/dissemination/response"
	"retorno/deploy/ops"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

var update = flag.Bool("update", false, "write docs/metrics.md from the metrics that the program has")

const metricsPage = "../../docs/metrics.md"

// metric is what the program tells Prometheus under one name.
type metric struct{ name, kind, labels, help, room string }

// recorder notes what is registered, and passes it on so that a double registration still fails.
type recorder struct {
	prometheus.Registerer
	room  string // the package whose metrics are being registered
	found []metric
}

var described = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*")(?:, unit: "[^"]*")?, constLabels: \{.*\}, variableLabels: \{(.*)\}\}$`)

func (r *recorder) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() { c.Describe(descs); close(descs) }()
	for d := range descs {
		parts := described.FindStringSubmatch(d.String())
		if parts == nil {
			return fmt.Errorf("a description of another form: %s", d)
		}
		name, _ := strconv.Unquote(parts[1])
		help, _ := strconv.Unquote(parts[2])
		r.found = append(r.found, metric{name, kindOf(c, name), parts[3], help, r.room})
	}
	return r.Registerer.Register(c)
}

func (r *recorder) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// kindOf is the type of a metric. A collector of the program's own has counters, whose names end in _total as promtool
// demands of the demo's metrics, and gauges.
func kindOf(c prometheus.Collector, name string) string {
	switch c.(type) {
	case *prometheus.HistogramVec, prometheus.Histogram:
		return "histogram"
	}
	if strings.HasSuffix(name, "_total") {
		return "counter"
	}
	return "gauge"
}

// programMetrics registers every room's metrics in one registry, as `retorno demo` does.
func programMetrics(t *testing.T) []metric {
	t.Helper()
	r := &recorder{Registerer: ops.NewRegistry("test")}
	in := func(room string) *recorder { r.room = room; return r }
	failed := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	writer, err := producer.New(producer.Config{Brokers: []string{"127.0.0.1:1"}, Registerer: in("producers/producer")})
	failed(err)
	t.Cleanup(func() { _ = writer.Close() })
	_, err = producer.NewTopicSettings(r)
	failed(err)
	_, err = stream.New(stream.Config{Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []string{"t"}, Partitions: 1, Registerer: in("consumers/counting/stream")})
	failed(err)
	s, err := store.Open(store.Config{Addr: "127.0.0.1:1", Registerer: in("consumers/counting/store")})
	failed(err)
	t.Cleanup(func() { _ = s.Close() })
	letters, err := deadletter.New(deadletter.Config{Brokers: []string{"127.0.0.1:1"}, Registerer: in("consumers/counting/deadletter")})
	failed(err)
	t.Cleanup(func() { _ = letters.Close() })
	_, err = processor.New(processor.Config{Store: s, DeadLetters: letters, Topics: []string{"t"}, Partitions: 1, Registerer: in("consumers/counting/processor")})
	failed(err)
	_, err = verify.New(verify.Config{Conn: s.Conn(), Registerer: in("consumers/counting/verify")})
	failed(err)
	_, err = completeness.New(completeness.Config{Conn: s.Conn(), Registerer: in("consumers/counting/completeness")})
	failed(err)
	_, err = heartbeats.New(heartbeats.Config{Access: kafka.Access{Brokers: []string{"127.0.0.1:1"}}, Conn: s.Conn(), Registerer: in("consumers/counting/heartbeats")})
	failed(err)
	response.NewRecorder(in("consumers/dissemination/response"), nil)
	quota.New(quota.Config{Registerer: in("consumers/dissemination/quota")})
	changes.New(changes.Config{Registerer: in("consumers/dissemination/changes")})
	ops.Limited(nil, nil, ops.Limits{}, in("deploy/ops"))
	return r.found
}

// pageRooms are the packages in the order of the page, with the commands whose processes have their metrics.
var pageRooms = []struct{ room, commands, about string }{
	{"consumers/counting/processor", "consume, demo", "Records and their accounts, flushes, takeovers, state."},
	{"consumers/counting/stream", "consume, demo", "Reading from Kafka: positions, ends of the logs, stops, rebalances."},
	{"consumers/counting/store", "consume, demo, serve", "Writing to ClickHouse and reading from it."},
	{"consumers/counting/deadletter", "consume, demo", "Messages set aside."},
	{"producers/producer", "consume, demo", "Writing to Kafka, and the settings of topics."},
	{"consumers/counting/verify", "verify, demo", "The recount by other means."},
	{"consumers/counting/heartbeats", "consume, demo", "What agents say of themselves."},
	{"consumers/counting/completeness", "verify, demo", "How complete the numbers are, by computer, post and centre."},
	{"consumers/dissemination/response", "serve, demo", "Answers of the pages and the feed."},
	{"consumers/dissemination/quota", "serve, demo", "Limits of one client."},
	{"consumers/dissemination/changes", "serve, demo", "Readers of what is published."},
	{"deploy/ops", "serve, demo", "Limits of the public web server."},
}

const metricsHead = `# Metrics

<!-- Generated from the metrics that the program registers. Do not edit: run go test ./deploy/prometheus -run TestMetricsPage -update -->

Every process serves its metrics at ` + "`/metrics`" + ` of ` + "`--ops-listen`" + `. Each process also has ` + "`retorno_build_info`" + `
(always 1; the version and the Go release are labels) and the ` + "`go_…`" + ` and ` + "`process_…`" + ` metrics of the Go client.
The number of time series is bounded: labels are topics, partitions, codes of code lists and fixed lists of causes.

This holds at every scrape, for each topic and partition:

` + "```text" + `
retorno_records_read_total = retorno_records_accepted_total + retorno_records_duplicate_total
                           + retorno_records_superseded_total + retorno_records_rejected_total + retorno_records_in_flight
` + "```" + `

[` + "`deploy/prometheus/rules.yml`" + `](../deploy/prometheus/rules.yml) has the alerts on these metrics.
The end of this page lists them with where to look.
`

// TestMetricsPage: docs/metrics.md lists every metric with its type, its labels and its help.
func TestMetricsPage(t *testing.T) {
	page := pageOf(t, programMetrics(t))
	if *update {
		if err := os.WriteFile(metricsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != page {
		t.Errorf("docs/metrics.md is not what the program has: run go test ./deploy/prometheus -run %s -update", t.Name())
	}
}

func pageOf(t *testing.T, all []metric) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(metricsHead)
	left := len(all)
	for _, p := range pageRooms {
		fmt.Fprintf(&b, "\n## %s\n\n%s In the processes of: %s.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n", p.room, p.about, p.commands)
		of := slices.DeleteFunc(slices.Clone(all), func(m metric) bool { return m.room != p.room })
		slices.SortFunc(of, func(a, c metric) int { return strings.Compare(a.name, c.name) })
		for _, m := range of {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.kind, strings.ReplaceAll(m.labels, ",", ", "), strings.ReplaceAll(m.help, "|", `\|`))
		}
		left -= len(of)
	}
	if left != 0 {
		t.Fatalf("%d metrics belong to a package that pageRooms lacks", left)
	}
	b.WriteString("\n## Alerts\n\nA *page* wakes an operator; a *ticket* waits until working hours.\n\n| alert | severity | says | where to look |\n|---|---|---|---|\n")
	for _, a := range alerts(t) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", a.Alert, a.Labels["severity"], plain(a.Annotations["summary"]), plain(a.Annotations["look"]))
	}
	return b.String()
}

// alert is a rule as Prometheus reads it.
type alert struct {
	Alert               string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct{ Rules []alert }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var all []alert
	for _, g := range file.Groups {
		all = append(all, slices.DeleteFunc(g.Rules, func(a alert) bool { return a.Alert == "" })...)
	}
	if len(all) == 0 {
		t.Fatal("rules.yml has no alert")
	}
	return all
}

var templated = regexp.MustCompile(`\{\{[^}]*?\$(?:labels\.)?(\w+)[^}]*\}\}`)

// plain is a text of an alert for a table: the name of a label or "value" where Prometheus puts what it is then.
func plain(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(templated.ReplaceAllString(text, "‹$1›"))
}
