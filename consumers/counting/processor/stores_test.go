package processor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// What ClickHouse holds is not believed: a replica may lag, a host may lose power, a part may break, and a table may be
// restored alone. Each test of this file makes it hold something else than what the ledger says, before a takeover.

// keptTables are the tables that a flush writes, by what tells a copy of them apart.
var keptTables = []string{"facts", "returns", "assistance", "return_counts", "assistance_counts", "crossing_counts", "sendings", "redriven", "ledger", "claims"}

// backUp copies every table.
func backUp(t *testing.T, s *store.Store) {
	t.Helper()
	for _, table := range keptTables {
		exec(t, s, fmt.Sprintf("CREATE OR REPLACE TABLE retorno.test_%[1]s ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM retorno.%[1]s", table))
	}
}

// restoreTable puts one table back to what it was when it was backed up.
func restoreTable(t *testing.T, s *store.Store, table string) {
	t.Helper()
	exec(t, s, "TRUNCATE TABLE retorno."+table, fmt.Sprintf("INSERT INTO retorno.%[1]s SELECT * FROM retorno.test_%[1]s", table))
}

// folding makes the ledger fold after so few flushes that a test sees it.
func folding(t *testing.T, flushes int, records uint64) {
	t.Helper()
	f, r := foldFlushes, foldRecords
	foldFlushes, foldRecords = flushes, records
	t.Cleanup(func() { foldFlushes, foldRecords = f, r })
}

// partsOf are the active parts of a table.
func partsOf(t *testing.T, s *store.Store, table string) []string {
	t.Helper()
	all := rows(t, s, "SELECT name FROM system.parts WHERE database = 'retorno' AND table = '"+table+"' AND active ORDER BY name")
	return strings.Fields(strings.NewReplacer("('", " ", "')", " ").Replace(all))
}

// TestAPartThatIsAwayDuringATakeover: facts of a part that is detached when a partition is taken over, and attached
// afterwards, change no number.
func TestAPartThatIsAwayDuringATakeover(t *testing.T) {
	_, whole := messy(t, 11)
	want := truthOf(t, whole)
	whole.step = 9
	for _, table := range []string{"facts", "sendings", "returns", "return_counts", "assistance"} {
		t.Run(table, func(t *testing.T) {
			s := fresh(t)
			exec(t, s, "SYSTEM STOP MERGES retorno."+table)
			countLog(t, s, whole)
			parts := partsOf(t, s, table)
			if len(parts) < 2 {
				t.Fatalf("%s has %d parts", table, len(parts))
			}
			away := parts[len(parts)/2]
			exec(t, s, fmt.Sprintf("ALTER TABLE retorno.%s DETACH PART '%s'", table, away))
			c, metrics := consumer(t, s, &letters{})
			if err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}}); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			bound := table == "facts" || table == "sendings"
			if got := counter(t, metrics, "retorno_store_shortfalls_total"); (got > 0) != bound {
				t.Errorf("%v shortfalls were found", got)
			}
			if mended := counter(t, metrics, "retorno_repaired_rows_total"); mended == 0 && !bound {
				t.Error("no row was mended")
			}
			isTrue(t, s, whole, want)
			exec(t, s, fmt.Sprintf("ALTER TABLE retorno.%s ATTACH PART '%s'", table, away), "SYSTEM START MERGES retorno."+table)
			isTrue(t, s, whole, want)
			countLog(t, s, whole)
			isTrue(t, s, whole, want)
		})
	}
}

// TestAPartThatIsGone: a part of the facts that is deleted for good is read again from Kafka.
func TestAPartThatIsGone(t *testing.T) {
	_, whole := messy(t, 12)
	want := truthOf(t, whole)
	whole.step = 9
	for _, folds := range []int{256, 3} {
		t.Run(fmt.Sprintf("the ledger folds after %d flushes", folds), func(t *testing.T) {
			folding(t, folds, 40)
			s := fresh(t)
			exec(t, s, "SYSTEM STOP MERGES retorno.facts")
			countLog(t, s, whole)
			parts := partsOf(t, s, "facts")
			exec(t, s, fmt.Sprintf("ALTER TABLE retorno.facts DROP PART '%s'", parts[len(parts)/2]))
			c, metrics := consumer(t, s, &letters{})
			if err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}}); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			if counter(t, metrics, "retorno_store_shortfalls_total") == 0 || counter(t, metrics, "retorno_records_reread_total") == 0 {
				t.Error("no shortfall was found")
			}
			isTrue(t, s, whole, want)
			c, metrics = consumer(t, s, &letters{}) // and it adds up from then on
			if err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}}); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			if n := counter(t, metrics, "retorno_store_shortfalls_total"); n != 0 {
				t.Errorf("%v shortfalls after they were read again", n)
			}
		})
	}
}

// TestATableRestoredAlone: any table of the flush may be older than the others when a partition is taken over: facts
// older than the ledger, the ledger older than the facts, and each table of what is derived.
func TestATableRestoredAlone(t *testing.T) {
	part, whole := messy(t, 13)
	want := truthOf(t, whole)
	for _, l := range []*log{part, whole} {
		l.step = 11
	}
	for _, table := range keptTables {
		t.Run(table, func(t *testing.T) {
			folding(t, 3, 60)
			s := fresh(t)
			countLog(t, s, part)
			backUp(t, s)
			countLog(t, s, whole)
			restoreTable(t, s, table)
			countLog(t, s, whole)
			isTrue(t, s, whole, want)
		})
	}
}

// TestFactsNewerThanEverythingElse: all tables but the facts are restored.
func TestFactsNewerThanEverythingElse(t *testing.T) {
	part, whole := messy(t, 14)
	want := truthOf(t, whole)
	part.step, whole.step = 11, 11
	s := fresh(t)
	countLog(t, s, part)
	backUp(t, s)
	countLog(t, s, whole)
	for _, table := range keptTables[1:] {
		restoreTable(t, s, table)
	}
	countLog(t, s, whole)
	isTrue(t, s, whole, want)
}

// TestFactsThatKafkaNoLongerHolds: facts are gone, and so are their records. The partition stops and says what is missing.
func TestFactsThatKafkaNoLongerHolds(t *testing.T) {
	_, whole := messy(t, 15)
	s := fresh(t)
	countLog(t, s, whole)
	exec(t, s, "ALTER TABLE retorno.facts DELETE WHERE topic = '"+events.TopicCheckpoint+"' AND kafka_offset < 3 SETTINGS mutations_sync = 2")
	c, metrics := consumer(t, s, &letters{})
	err := c.run(t.Context(), &trimmed{cursor: cursor{log: whole, next: map[string]int64{}}, starts: map[string]int64{events.TopicCheckpoint: 5}})
	var gap *stream.GapError
	if !errors.As(err, &gap) || gap.Position != 0 || gap.Found != 5 {
		t.Errorf("it ended with %v", err)
	}
	if counter(t, metrics, "retorno_store_shortfalls_total") == 0 {
		t.Error("no shortfall was found")
	}
}

// TestTheLedgerStaysShort: flushes that are stored are summed up, whatever the epochs, and the rows that hold say the same.
func TestTheLedgerStaysShort(t *testing.T) {
	_, whole := messy(t, 16)
	want := truthOf(t, whole)
	folding(t, 4, 50)
	whole.step = 1
	s := fresh(t)
	total := 0
	for _, messages := range whole.topics {
		total += len(messages)
	}
	for n := range 4 { // each epoch reads a quarter more
		some := &log{step: 1, topics: map[string][]stream.Message{}}
		for topic, messages := range whole.topics {
			some.topics[topic] = messages[:len(messages)*(n+1)/4]
		}
		countLog(t, s, some)
	}
	isTrue(t, s, whole, want)
	if got := rows(t, s, "SELECT toInt64(sum(next_offset - first_offset)), toInt64(sum(read)) FROM retorno.accounts"); got != fmt.Sprintf("(%d,%d)", total, total) {
		t.Errorf("the rows that hold cover and read %s, want %d", got, total)
	}
	var held uint64
	if err := s.Conn().QueryRow(t.Context(), "SELECT count() FROM retorno.ledger FINAL").Scan(&held); err != nil {
		t.Fatal(err)
	}
	if most := uint64(2 * (total/50 + 2*foldFlushes)); held > most {
		t.Errorf("%d rows for %d records, want at most %d", held, total, most)
	}
	if got := rows(t, s, "SELECT count() FROM retorno.claims FINAL WHERE epoch < (SELECT max(epoch) FROM retorno.claims)"); got != "(0)" {
		t.Errorf("%s claims of older epochs are kept", got)
	}
}

// TestALateFoldOfAnOvertakenEpoch: a process that was overtaken may write, however late, a row that sums up its flushes.
func TestALateFoldOfAnOvertakenEpoch(t *testing.T) {
	_, whole := messy(t, 17)
	folding(t, 1000, 1_000_000)
	whole.step = 7
	s := fresh(t)
	countLog(t, s, whole)
	before := rows(t, s, "SELECT topic, max(next_offset), sum(read), sum(accepted) FROM retorno.accounts GROUP BY topic")
	fold := "INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted) SELECT topic, kafka_partition, epoch, min(first_offset), max(next_offset), sum(read), sum(accepted) FROM retorno.test_ledger WHERE epoch = 1 AND next_offset > first_offset GROUP BY topic, kafka_partition, epoch"
	backUp(t, s)
	countLog(t, s, whole)
	exec(t, s, "INSERT INTO retorno.ledger SELECT * FROM retorno.test_ledger", fold)
	if after := rows(t, s, "SELECT topic, max(next_offset), sum(read), sum(accepted) FROM retorno.accounts GROUP BY topic"); after != before {
		t.Errorf("the ledger comes to\n%s\nbefore\n%s", after, before)
	}
}

// TestEpochsEnd: when the last epoch is taken, a partition stops by name and writes nothing.
func TestEpochsEnd(t *testing.T) {
	_, whole := messy(t, 18)
	s := fresh(t)
	exec(t, s, fmt.Sprintf("INSERT INTO retorno.claims (kafka_partition, epoch, claim, kind) VALUES (0, %d, generateUUIDv4(), 'claim')", store.LastEpoch))
	c, _ := consumer(t, s, &letters{})
	err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}})
	var ended *store.EpochsError
	if !errors.As(err, &ended) || !stream.IsStop(err) {
		t.Errorf("it ended with %v", err)
	}
	if got := rows(t, s, "SELECT count() FROM retorno.ledger"); got != "(0)" {
		t.Errorf("%s rows are in the ledger", got)
	}
}

// TestACodeOfANewerRelease: what a newer release stored is not read as unknown; the partition stops and changes nothing.
func TestACodeOfANewerRelease(t *testing.T) {
	_, whole := messy(t, 19)
	for table, column := range map[string]string{"facts": "exit_point", "returns": "exit_point", "return_counts": "centre"} {
		t.Run(table, func(t *testing.T) {
			s := fresh(t)
			countLog(t, s, whole)
			counts := "SELECT * EXCEPT version FROM retorno.return_counts FINAL"
			exec(t, s, fmt.Sprintf("INSERT INTO retorno.%[1]s SELECT * REPLACE ('L-NEW' AS %[2]s, version + 2 AS version) FROM retorno.%[1]s FINAL LIMIT 1", table, column))
			before := rows(t, s, counts)
			c, _ := consumer(t, s, &letters{})
			err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}})
			if err == nil || !stream.IsStop(err) || !strings.Contains(err.Error(), "L-NEW") || !strings.Contains(err.Error(), "newer release") {
				t.Errorf("it ended with %v", err)
			}
			if after := rows(t, s, counts); after != before {
				t.Errorf("counts are\n%s\nwere\n%s", after, before)
			}
		})
	}
}

// TestAFlushIsBoundedByBytes: large messages do not wait for many others.
func TestAFlushIsBoundedByBytes(t *testing.T) {
	l := &log{step: 4}
	for range 40 {
		l.addRaw(events.TopicCentre, []byte("k"), make([]byte, 1<<20))
	}
	s := fresh(t)
	most := 0
	dead := &counting{wrote: func(n int) { most = max(most, n) }}
	c, err := New(Config{Store: s, DeadLetters: dead, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 1, FlushEvery: 1 << 40, FlushBytes: 5 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.run(t.Context(), &cursor{log: l, next: map[string]int64{}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if most == 0 || most > 8 {
		t.Errorf("%d messages of 1 MiB waited together", most)
	}
	if got := len(dead.all); got != 40 {
		t.Errorf("%d dead letters", got)
	}
}

// counting are dead letters that tell how many come at once.
type counting struct {
	letters
	wrote func(n int)
}

func (c *counting) Write(ctx context.Context, more []deadletter.Letter) error {
	c.wrote(len(more))
	return c.letters.Write(ctx, more)
}
