package wire_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/kafka"
)

// TestEveryMechanismLogsIn: who is let in learns that the topic does not exist; who is not, that the login was refused.
func TestEveryMechanismLogsIn(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			broker, err := fakekafka.Start(fakekafka.Config{Users: []fakekafka.User{{Mechanism: mechanism, Name: "ana", Password: "right"}}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = broker.Stop() }()
			for password, want := range map[string]func(error) bool{
				"right": func(err error) bool { return errors.Is(err, kerr.UnknownTopicOrPartition) && !kafka.Refused(err) },
				"wrong": kafka.Refused,
			} {
				log, err := wire.Open(wire.Config{Brokers: []string{broker.Addr()}, SASL: &kafka.SASL{Mechanism: mechanism, User: "ana", Password: password}}, topic, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := log.Bounds(t.Context()); !want(err) {
					t.Errorf("with the %s password: %v", password, err)
				}
				if err := log.Read(t.Context(), 0, 1, nil); !want(err) {
					t.Errorf("with the %s password: %v", password, err)
				}
				log.Close()
			}
		})
	}
	if _, err := wire.Open(wire.Config{Brokers: []string{"127.0.0.1:1"}, SASL: &kafka.SASL{Mechanism: "GSSAPI", User: "ana"}}, topic, 0); err == nil {
		t.Error("a mechanism that does not exist is taken")
	}
}
