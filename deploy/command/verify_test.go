package command

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"retorno/consumers/store"
	"retorno/consumers/verify"
	"retorno/deploy/embedded"
	"retorno/producers/publish"
	"retorno/producers/register"
	"retorno/schemas/published"
)

// TestTheVerifierBesideLiveTraffic plays a register with everything that goes wrong, while passes of both kinds are made
// all the time: none finds a difference, and the last one has read every record.
func TestTheVerifierBesideLiveTraffic(t *testing.T) {
	const seed = 11
	broker, err := embedded.StartBroker(embedded.BrokerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	engine, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Stop(context.Background()) })
	s, err := store.Open(store.Config{Addr: engine.Native()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	table, err := published.Read(strings.NewReader(string(published.Dev())), "A04")
	if err != nil {
		t.Fatal(err)
	}
	made, err := register.Make(t.Context(), table, register.Settings{Seed: seed, Mess: register.Hard})
	if err != nil {
		t.Fatal(err)
	}
	flags := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 3}
	producer, err := flags.producer(slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := flags.ensureTopics(t.Context(), producer); err != nil {
		t.Fatal(err)
	}
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
	go func() { sent <- inLots(t, producer, messages) }()
	consume(t, flags, s)
	verifyWhile(t, verifier, sent)
	awaitRead(t, s, uint64(len(messages)))
	report, err := verifier.Full(t.Context())
	if err != nil || report.Different() > 0 || report.Read() != uint64(len(messages)) {
		t.Errorf("seed %d: %d of %d records read again, %+v, %v", seed, report.Read(), len(messages), report.Results, err)
	}
}

// inLots sends messages in small lots.
func inLots(t *testing.T, producer publish.Config, messages []publish.Message) error {
	writer, err := publish.New(producer)
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
