package command

import (
	"fmt"
	"testing"

	"retorno/consumers/counting/verify"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
)

// TestTheVerifierBesideLiveTraffic plays a register with everything that goes wrong, while passes of both kinds are made
// all the time: none finds a difference, and the last one has read every record.
func TestTheVerifierBesideLiveTraffic(t *testing.T) {
	const seed = 11
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	s, _ := migratedStore(t)
	made := messyRegister(t, "A04", seed)
	flags := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 3}
	settings := producerWithTopics(t, flags)
	kafka, err := flags.log()
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := verify.New(verify.Config{Conn: s.Conn(), Kafka: kafka})
	if err != nil {
		t.Fatal(err)
	}
	messages := messagesOf(t, made)
	sent := make(chan error, 1)
	go func() { sent <- inLots(t, settings, messages) }()
	consume(t, flags, s)
	verifyWhile(t, verifier, sent)
	awaitRead(t, s, uint64(len(messages)))
	report, err := verifier.Full(t.Context())
	if err != nil || report.Different() > 0 || report.Read() != uint64(len(messages)) {
		t.Errorf("seed %d: %d of %d records read again, %+v, %v", seed, report.Read(), len(messages), report.Results, err)
	}
}

// inLots sends messages in small lots.
func inLots(t *testing.T, settings producer.Config, messages []producer.Message) error {
	writer, err := producer.New(settings)
	if err != nil {
		return err
	}
	defer func() { _ = writer.Close() }()
	for len(messages) > 0 {
		n := min(len(messages), 200)
		if err := writer.Write(t.Context(), messages[:n]...); err != nil {
			return fmt.Errorf("with %d to go: %w", len(messages), err)
		}
		messages = messages[n:]
	}
	return nil
}

// verifyWhile makes passes until all is sent, and one more of each kind.
func verifyWhile(t *testing.T, verifier *verify.Verifier, sent <-chan error) {
	t.Helper()
	for round, left := 0, 3; left > 0; round++ {
		pass := verifier.Pass
		if round%4 == 3 {
			pass = verifier.Full
		}
		report, err := pass(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if report.Different() > 0 {
			t.Fatalf("round %d, full %v: a difference where there is none: %+v", round, report.Full, report.Results)
		}
		select {
		case err := <-sent:
			if err != nil {
				t.Fatal(err)
			}
			sent, left = nil, 2
		default:
			if sent == nil {
				left--
			}
		}
	}
}
