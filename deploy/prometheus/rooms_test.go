package prometheus

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"retorno/consumers/counting/completeness"
	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/heartbeats"
	"retorno/consumers/counting/processor"
	"retorno/consumers/counting/storage"
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

// room is a package with metrics.
type room struct {
	path      string
	processes []string // whose processes have them
	about     string
	register  func(t *testing.T, r prometheus.Registerer)
}

var brokers = []string{"127.0.0.1:1"} // never dialled

// rooms are the packages in the order of the page.
var rooms = []room{
	{"consumers/counting/processor", []string{"consume", "demo"}, "Records and their accounts, flushes, takeovers, state.", registerProcessor},
	{"consumers/counting/stream", []string{"consume", "demo"}, "Reading from Kafka: positions, ends of the logs, stops, rebalances.", func(t *testing.T, r prometheus.Registerer) {
		_, err := stream.New(stream.Config{Brokers: brokers, Group: "g", Topics: []string{"t"}, Partitions: 1, Registerer: r})
		must(t, err)
	}},
	{"consumers/counting/store", []string{"consume", "demo", "serve"}, "Writing to ClickHouse and reading from it.", func(t *testing.T, r prometheus.Registerer) { opened(t, r) }},
	{"consumers/counting/deadletter", []string{"consume", "demo"}, "Messages set aside.", func(t *testing.T, r prometheus.Registerer) { letters(t, r) }},
	{"producers/producer", []string{"consume", "demo"}, "Writing to Kafka, and the settings of topics.", registerProducer},
	{"consumers/counting/verify", []string{"verify", "demo"}, "The recount by other means.", func(t *testing.T, r prometheus.Registerer) {
		_, err := verify.New(verify.Config{Conn: opened(t, nil).Conn(), Registerer: r})
		must(t, err)
	}},
	{"consumers/counting/heartbeats", []string{"consume", "demo"}, "What agents say of themselves.", func(t *testing.T, r prometheus.Registerer) {
		_, err := heartbeats.New(heartbeats.Config{Access: kafka.Access{Brokers: brokers}, Conn: opened(t, nil).Conn(), Registerer: r})
		must(t, err)
	}},
	{"consumers/counting/completeness", []string{"verify", "demo"}, "How complete the numbers are, by computer, post and centre.", func(t *testing.T, r prometheus.Registerer) {
		_, err := completeness.New(completeness.Config{Conn: opened(t, nil).Conn(), Registerer: r})
		must(t, err)
	}},
	{"consumers/counting/storage", []string{"verify", "demo"}, "How the database fares: parts, disks, backups, publications.", func(t *testing.T, r prometheus.Registerer) {
		_, err := storage.New(storage.Config{Conn: opened(t, nil).Conn(), Registerer: r})
		must(t, err)
	}},
	{"consumers/dissemination/response", []string{"serve", "demo"}, "Answers of the pages and the feed.", func(_ *testing.T, r prometheus.Registerer) {
		response.NewRecorder(r, nil).Handle("/", nil)
		response.NewCache(1, nil, r)
	}},
	{"consumers/dissemination/quota", []string{"serve", "demo"}, "Limits of one client.", func(_ *testing.T, r prometheus.Registerer) { quota.New(quota.Config{Registerer: r}) }},
	{"consumers/dissemination/changes", []string{"serve", "demo"}, "Readers of what is published.", func(_ *testing.T, r prometheus.Registerer) { changes.New(changes.Config{Registerer: r}) }},
	{"deploy/ops", []string{"consume", "verify", "serve", "embedded", "demo"}, "The checks of /readyz and /healthz, certificates; of `serve` also the limits of the public web server.", registerOps},
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, r prometheus.Registerer) *store.Store {
	s, err := store.Open(store.Config{Addr: brokers[0], Registerer: r})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func letters(t *testing.T, r prometheus.Registerer) *deadletter.Writer {
	w, err := deadletter.New(deadletter.Config{Brokers: brokers, Registerer: r})
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func registerProcessor(t *testing.T, r prometheus.Registerer) {
	_, err := processor.New(processor.Config{Store: opened(t, nil), DeadLetters: letters(t, nil), Topics: []string{"t"}, Partitions: 1, Registerer: r})
	must(t, err)
}

func registerProducer(t *testing.T, r prometheus.Registerer) {
	writer, err := producer.New(producer.Config{Brokers: brokers, Registerer: r})
	must(t, err)
	t.Cleanup(func() { _ = writer.Close() })
	settings, err := producer.NewTopicSettings(r)
	must(t, err)
	settings.Show([]string{"t"}, nil)
}

func registerOps(_ *testing.T, r prometheus.Registerer) {
	server := ops.New(prometheus.NewRegistry())
	fine := func(context.Context) error { return nil }
	server.Ready("check", fine)
	server.Healthy("check", fine)
	r.MustRegister(server.Verdicts())
	r.MustRegister(ops.Certificates{"kafka_ca": "nowhere"})
	ops.Limited(nil, nil, ops.Limits{}, r)
}

// gathered is what a fresh process shows at its first scrape, linted.
func gathered(t *testing.T, process string) []*dto.MetricFamily {
	t.Helper()
	registry := ops.NewRegistry("test", process)
	for _, room := range rooms {
		if slices.Contains(room.processes, process) {
			room.register(t, registry)
		}
	}
	problems, err := testutil.GatherAndLint(registry)
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s: %s", process, p.Metric, p.Text)
	}
	families, err := registry.Gather()
	must(t, err)
	return families
}

var processes = []string{"consume", "verify", "serve", "demo"}

// Each process's metrics keep the rules of the field, as promlint knows them.
func TestMetricsOfEachProcessAreLinted(t *testing.T) {
	for _, process := range processes {
		if len(gathered(t, process)) < 40 {
			t.Errorf("%s shows too little to be a process", process)
		}
	}
}

// A series that begins with its first event is not seen to rise by it. So a fresh process shows every series but those of what it
// does not know yet: partitions that the group has not given to it, computers that have not sent, tables that have not been read.
func TestAFreshProcessShowsEverySeriesOfAFixedList(t *testing.T) {
	unknown := []string{"partition", "source", "entry_point", "centre", "series", "table_parts", "table_bytes", "disk", "period"}
	later := []string{"retorno_publish_messages_total", "retorno_publish_bytes_total", "retorno_publish_request_duration_seconds", // by topic, when it is first written to
		"retorno_sources", "retorno_coverage_month_timestamp_seconds", "retorno_backup_last_success_timestamp_seconds"} // when ClickHouse has been read
	shown := map[string]bool{}
	for _, f := range gathered(t, "demo") {
		shown[f.GetName()] = true
	}
	for _, m := range programMetrics(t) {
		excused := slices.Contains(later, m.name) || slices.ContainsFunc(unknown, func(of string) bool {
			return slices.Contains(strings.Split(m.labels, ","), of) || strings.HasSuffix(m.name, "_"+of)
		})
		if !shown[m.name] && !excused {
			t.Errorf("a fresh process does not show %s {%s}", m.name, m.labels)
		}
	}
}

// deprecation is a metric, or a label of one, that goes with the next release.
type deprecation struct{ old, oldLabel, now, nowLabel string }

var deprecated = []deprecation{
	{"retorno_rejections_total", "cause", "retorno_rejections_total", "reason"},
	{"retorno_stream_retries_total", "cause", "retorno_stream_retries_total", "reason"},
	{"retorno_publish_retries_total", "cause", "retorno_publish_retries_total", "reason"},
	{"retorno_deadletter_written_total", "code", "retorno_deadletter_written_total", "reason"},
	{"retorno_shard_beat_age_seconds", "", "retorno_shard_beat_timestamp_seconds", ""},
}

func (deprecation) shown(name, label string) string {
	if label == "" {
		return "`" + name + "`"
	}
	return "label `" + label + "` of `" + name + "`"
}

// What is deprecated is still there, beside what comes in its place, and no alert or query uses it.
func TestDeprecatedNamesAreKept(t *testing.T) {
	labels := map[string][]string{}
	for _, m := range programMetrics(t) {
		labels[m.name] = strings.Split(m.labels, ",")
	}
	for _, d := range deprecated {
		for name, label := range map[string]string{d.old: d.oldLabel, d.now: d.nowLabel} {
			if of, there := labels[name]; !there || label != "" && !slices.Contains(of, label) {
				t.Errorf("the program has no %s", d.shown(name, label))
			}
		}
	}
}
