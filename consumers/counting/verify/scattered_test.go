package verify_test

import (
	"fmt"
	"testing"

	"github.com/segmentio/kafka-go"

	"retorno/consumers/counting/verify"
)

// TestDamageThatLiesEverywhereIsCounted takes what is stored of every second person away, in buckets which no run of
// buckets describes: a full pass and an incremental one of many named persons count each row, and no statement of theirs
// is more than ClickHouse takes.
func TestDamageThatLiesEverywhereIsCounted(t *testing.T) {
	const persons = 2048
	s := start(t)
	when := at("2016-06-01", "10:00")
	writeEverywhere := func(from int) {
		var all []kafka.Message
		for n := range persons {
			r, h := registration(from+n, when), help(from+persons+n, when)
			r.PersonKey = fmt.Sprintf("%016x%03x0000000000000", from+n, 2*n) // each in a bucket of their own
			h.PersonKey = r.PersonKey
			all = append(all, message(r), message(h))
		}
		s.write(all...)
		s.count()
	}
	takeAway := func(tables ...string) {
		for _, table := range tables {
			s.exec("ALTER TABLE retorno." + table + " DELETE WHERE bitTest(toUInt64(bitShiftRight(reinterpretAsUInt128(person), 116)), 1) SETTINGS mutations_sync = 2")
		}
	}
	v := s.verifier()
	expect := func(full bool, different map[string]uint64) { // of the checks of rows of persons
		t.Helper()
		report, err := v.Pass(t.Context())
		if err != nil || report.Full != full {
			t.Fatalf("full %v, %v", report.Full, err)
		}
		for _, r := range report.Results {
			if want, of := different[r.Check]; of && r.Different != want {
				t.Errorf("full %v: %d rows of %s differ, want %d: %+v", full, r.Different, r.Check, want, r.Differences[:min(1, len(r.Differences))])
			}
		}
	}
	writeEverywhere(1)
	s.pass(v, true)
	writeEverywhere(1 + 2*persons)
	verify.NameEveryPerson(t)
	takeAway("returns", "assistance")
	expect(false, map[string]uint64{"returns": persons / 2, "assistance": persons / 2, "facts": 0})
	expect(true, map[string]uint64{"returns": persons, "assistance": persons, "facts": 0})
	takeAway("facts")
	expect(true, map[string]uint64{"facts": 2 * persons, "returns": 0, "assistance": 0})
}
