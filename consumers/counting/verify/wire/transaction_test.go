package wire_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"retorno/consumers/counting/verify/wire"
)

// TestTransactionsAreReadAsTheyEnded: records of a transaction that was aborted, and the marks that end transactions,
// are said to be no records; those of one that was committed are like any others.
func TestTransactionsAreReadAsTheyEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, broker string) {
		client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.TransactionalID("foreign"), kgo.DefaultProduceTopic(topic))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for _, part := range []struct {
			values []string
			end    kgo.TransactionEndTry
		}{{[]string{"a", "b"}, kgo.TryCommit}, {[]string{"x", "y"}, kgo.TryAbort}, {[]string{"c"}, kgo.TryCommit}} {
			await(t, client.BeginTransaction)
			for _, v := range part.values {
				if err := client.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(client.Flush(t.Context()), client.EndTransaction(t.Context(), part.end)); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"a", "b", "-", "-", "-", "-", "c", "-"}
		log := open(t, broker)
		await(t, func() error { // the last mark is written after the answer
			if _, end, err := log.Bounds(t.Context()); err != nil || int(end) != len(want) {
				return errors.Join(errors.New("the log has not ended yet"), err)
			}
			return nil
		})
		for from := range want {
			var got []string
			err := log.Read(t.Context(), int64(from), int64(len(want)), func(m *wire.Message) error {
				text := string(m.Value)
				if m.Skipped {
					text = "-"
				}
				got = append(got, text)
				return nil
			})
			if err != nil || !slices.Equal(got, want[from:]) {
				t.Errorf("from %d on: %q, %v; want %q", from, got, err, want[from:])
			}
		}
	})
}
