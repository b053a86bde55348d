package prometheus

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
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
	r := &recorder{Registerer: prometheus.NewRegistry()}
	for _, room := range rooms {
		r.room = room.path
		room.register(t, r)
	}
	return r.found
}

const metricsHead = `# Metrics

<!-- Generated from the metrics that the program registers. Do not edit: run go test ./deploy/prometheus -run TestMetricsPage -update -->

Every process serves its metrics at ` + "`/metrics`" + ` of ` + "`--ops-listen`" + `. Each process also has ` + "`retorno_build_info`" + `
(always 1; the version, the Go release and the command, ` + "`role`" + `, are labels), ` + "`retorno_memory_limit_bytes`" + `
(memory that it may take; 0: there is no limit), and the ` + "`go_…`" + ` and ` + "`process_…`" + ` metrics of the Go client.
The number of time series is bounded: labels are topics, partitions, codes of code lists and fixed lists of causes.

This holds at every scrape, for each topic and partition:

` + "```text" + `
retorno_records_read_total = retorno_records_accepted_total + retorno_records_duplicate_total
                           + retorno_records_superseded_total + retorno_records_rejected_total + retorno_records_in_flight
` + "```" + `

[` + "`deploy/prometheus`" + `](../deploy/prometheus) has the alerts on these metrics: [` + "`rules.yml`" + `](../deploy/prometheus/rules.yml) by stage,
[` + "`rules_operate.yml`" + `](../deploy/prometheus/rules_operate.yml) about what they rest on, [` + "`slo.yml`" + `](../deploy/prometheus/slo.yml) about the objectives. The end of this page lists them with where to look.
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
	for _, p := range rooms {
		fmt.Fprintf(&b, "\n## %s\n\n%s In the processes of: %s.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n", p.path, p.about, strings.Join(p.processes, ", "))
		of := slices.DeleteFunc(slices.Clone(all), func(m metric) bool { return m.room != p.path })
		slices.SortFunc(of, func(a, c metric) int { return strings.Compare(a.name, c.name) })
		for _, m := range of {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.kind, strings.ReplaceAll(m.labels, ",", ", "), strings.ReplaceAll(m.help, "|", `\|`))
		}
		left -= len(of)
	}
	if left != 0 {
		t.Fatalf("%d metrics belong to a package that rooms lacks", left)
	}
	b.WriteString("\n## Deprecated\n\nThese are kept for one release and then go.\n\n| what | instead |\n|---|---|\n")
	for _, d := range deprecated {
		fmt.Fprintf(&b, "| %s | %s |\n", d.shown(d.old, d.oldLabel), d.shown(d.now, d.nowLabel))
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

// alerts are those of all files, in the order of the files' names.
func alerts(t *testing.T) []alert {
	t.Helper()
	var all []alert
	of := files(t, false)
	for _, name := range slices.Sorted(maps.Keys(of)) {
		var file struct {
			Groups []struct{ Rules []alert }
		}
		must(t, yaml.Unmarshal(of[name], &file))
		for _, g := range file.Groups {
			all = append(all, slices.DeleteFunc(g.Rules, func(a alert) bool { return a.Alert == "" })...)
		}
	}
	if len(all) == 0 {
		t.Fatal("the rules have no alert")
	}
	return all
}

var templated = regexp.MustCompile(`\{\{[^}]*?\$(?:labels\.)?(\w+)[^}]*\}\}`)

// plain is a text of an alert for a table: the name of a label or "value" where Prometheus puts what it is then.
func plain(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(templated.ReplaceAllString(text, "‹$1›"))
}
