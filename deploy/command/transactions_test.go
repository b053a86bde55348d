package command

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"retorno/consumers/counting/explain"
	"retorno/consumers/counting/store"
	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/producers/producer"
)

// TestTransactionsOfOtherProducersAreAccounted: on Apache Kafka, half of a register comes in transactions of a producer of
// another make, and between them are transactions that it undoes. The truth comes out. Each offset without a record is
// in the accounts, and the verifier and the explanations pass over it.
func TestTransactionsOfOtherProducersAreAccounted(t *testing.T) {
	server, err := apachekafka.Start(t.Context(), apachekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	s, clickhouse := migratedStore(t)
	brokers := kafkaFlags{Brokers: []string{server.Addr()}, Partitions: 2}
	writer, err := producer.New(producerWithTopics(t, brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	made := messyRegister(t, "A04", 4)
	messages := messagesOf(t, made)
	undone := messagesOf(t, messyRegister(t, "A04", 5))[:300] // of another register: one that counts would show
	foreign := transactions(t, server.Addr())
	const perTransaction = 400
	half, without := len(messages)/2, 0
	write(t, writer, messages[:half])
	leave := consume(t, brokers, s)
	for i, batch := range slices.Collect(slices.Chunk(messages[half:], perTransaction)) {
		without += foreign(kgo.TryCommit, batch)
		if i%2 == 0 {
			without += foreign(kgo.TryAbort, undone) + len(undone)
		}
	}
	awaitRead(t, s, uint64(len(messages)))
	leave()
	consume(t, brokers, s) // takes over where the ledger stands, also behind an offset without a record
	without += foreign(kgo.TryAbort, undone) + len(undone)
	embeddedtest.Await(t, "account of every offset", func() (bool, string) {
		a, err := s.Accounted(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return a.Control == uint64(without), jsonOf(t, a)
	})
	awaitTruth(t, s, made)
	balances(t, s, uint64(len(messages)+without))
	flags := []string{"--kafka-brokers=" + server.Addr(), "--kafka-partitions=2", "--clickhouse-addr=" + clickhouse}
	if r := try(t, "", nil, append([]string{"verify", "--once"}, flags...)...); r.status != exitDone {
		t.Errorf("verify: %+v", r)
	}
	for _, id := range someIDs(t, s)[:5] {
		var answer explain.Return
		r := try(t, "", nil, append([]string{"explain", id, "--json"}, flags...)...)
		if err := json.Unmarshal([]byte(r.out), &answer); err != nil || r.status != exitDone {
			t.Errorf("explain %s: %v, %+v", id, err, r)
		}
		for i := range answer.Persons {
			holdsTogether(t, id, &answer.Persons[i])
		}
	}
}

// transactions returns what writes messages in a transaction and ends it. It returns the number of markers that ended it,
// one in each partition that was written to.
func transactions(t *testing.T, broker string) func(how kgo.TransactionEndTry, messages []producer.Message) (markers int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.TransactionalID("another system"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return func(how kgo.TransactionEndTry, messages []producer.Message) int {
		t.Helper()
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		var records []*kgo.Record
		for _, m := range messages {
			records = append(records, &kgo.Record{Topic: m.Topic, Key: m.Key, Value: m.Value})
		}
		written := map[string]map[int32]bool{}
		markers := 0
		for _, r := range client.ProduceSync(t.Context(), records...) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if written[r.Record.Topic] == nil {
				written[r.Record.Topic] = map[int32]bool{}
			}
			if of := written[r.Record.Topic]; !of[r.Record.Partition] {
				of[r.Record.Partition] = true
				markers++
			}
		}
		if err := errors.Join(client.Flush(t.Context()), client.EndTransaction(t.Context(), how)); err != nil {
			t.Fatal(err)
		}
		return markers
	}
}

// balances compares the offsets of every account with what is accounted for in it, and their sum with the offsets that
// there are.
func balances(t *testing.T, s *store.Store, offsets uint64) {
	t.Helper()
	var accounts, wrong, sum uint64
	err := s.Conn().QueryRow(t.Context(), `SELECT count(), countIf(next_offset - first_offset != accepted + duplicate + superseded + rejected + control + lost),
		toUInt64(sum(next_offset - first_offset)) FROM retorno.accounts`).Scan(&accounts, &wrong, &sum)
	if err != nil {
		t.Fatal(err)
	}
	if accounts == 0 || wrong > 0 || sum != offsets {
		t.Errorf("%d of %d accounts do not balance; they cover %d offsets, and Kafka has %d", wrong, accounts, sum, offsets)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
