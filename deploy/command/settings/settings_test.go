package settings

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"kafka-brokers", "clickhouse-addr", "log-level"}
	for name, want := range map[string]string{"kafkabrokers": "kafka-brokers", "loglevel": "log-level", "clickhouse-address": "clickhouse-addr", "shoe-size": ""} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest to %s: %q, want %q", name, got, want)
		}
	}
}
