package producer

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"
)

// metrics are the writer's figures. Without a registerer they are kept and
// never shown.
type metrics struct {
	messages *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	requests *prometheus.HistogramVec
	retries  *prometheus.CounterVec
	failures *prometheus.CounterVec
	clock    prometheus.Gauge
}

// Reasons for which a batch is sent again; ReasonTopic is another one.
const (
	retryNetwork = "network"
	retryTimeout = "timeout"
	retryBroker  = "broker"
)

var retryReasons = []string{retryNetwork, retryTimeout, retryBroker, ReasonTopic}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_publish_messages_total",
			Help: "Messages acknowledged by the broker.",
		}, []string{"topic"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_publish_bytes_total",
			Help: "Bytes of keys, values and headers acknowledged by the broker, before compression.",
		}, []string{"topic"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "retorno_publish_request_duration_seconds",
			Help:    "Time from sending a batch to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}, []string{"topic"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_publish_retries_total",
			Help: "Batches that had to be sent again, by reason: " + strings.Join(retryReasons, ", ") + ". The label cause is the same.",
		}, []string{"reason", "cause"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_publish_stops_total",
			Help: "Batches given back because trying again would not help, by reason.",
		}, []string{"reason"}),
		clock: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "retorno_publish_clock_offset_seconds",
			Help: "Clock of this computer minus the broker's, as produce answers show it.",
		}),
	}
	for _, reason := range retryReasons {
		m.retries.WithLabelValues(reason, reason)
	}
	for _, reason := range reasons {
		m.failures.WithLabelValues(reason)
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.messages, m.bytes, m.requests, m.retries, m.failures, m.clock} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, nil
}

// TopicSettings shows the findings about the topics.
type TopicSettings struct{ wrong *prometheus.GaugeVec }

// NewTopicSettings registers the metric; a nil registerer keeps none.
func NewTopicSettings(r prometheus.Registerer) (*TopicSettings, error) {
	s := &TopicSettings{wrong: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "retorno_kafka_topic_setting_wrong",
		Help: "1 for a setting of a topic that does not fit what is kept there, as found at the start; 0 for one that fits.",
	}, []string{"topic", "setting"})}
	if r == nil {
		return s, nil
	}
	if err := r.Register(s.wrong); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return s, nil
}

// Show shows these findings about topics and no others.
func (s *TopicSettings) Show(topics []string, findings []Finding) {
	s.wrong.Reset()
	for _, topic := range topics {
		for _, setting := range judgedSettings {
			s.wrong.WithLabelValues(topic, setting)
		}
	}
	for _, f := range findings {
		s.wrong.WithLabelValues(f.Topic, f.Setting).Set(1)
	}
}

func (m *metrics) wrote(topic string, b *batch, d time.Duration) {
	m.messages.WithLabelValues(topic).Add(float64(b.n))
	m.bytes.WithLabelValues(topic).Add(float64(b.bytes))
	m.requests.WithLabelValues(topic).Observe(d.Seconds())
}

func (m *metrics) retried(err error) {
	var code kafkago.Error
	var network net.Error
	reason := retryNetwork
	switch {
	case isTopicMissing(err):
		reason = ReasonTopic
	case errors.As(err, &code):
		reason = retryBroker
	case errors.As(err, &network) && network.Timeout():
		reason = retryTimeout
	}
	m.retries.WithLabelValues(reason, reason).Inc()
}

func (m *metrics) failed(err error) {
	var stop *StopError
	if errors.As(err, &stop) {
		m.failures.WithLabelValues(stop.Reason).Inc()
	}
}

func (m *metrics) clockOffset(d time.Duration) { m.clock.Set(d.Seconds()) }
