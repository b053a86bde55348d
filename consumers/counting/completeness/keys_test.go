package completeness_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/completeness"
)

// linkedFact is one revision of a record with a person key or without.
type linkedFact struct {
	person, record string // one letter each
	version        uint64
	source, at     string
	sex            string
	age            int // -1: not stated
	known          bool
	void           string
	future         bool
}

func keepLinked(t *testing.T, facts []linkedFact) {
	t.Helper()
	for _, f := range facts {
		batch, err := conn.PrepareBatch(t.Context(), `INSERT INTO retorno.facts (person, record_id, version, kind, source_id, source_seq, centre, person_known,
			void_reason, future, event_time, sex, age)`)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			t.Fatal(err)
		}
		var age *uint8
		if f.age >= 0 {
			years := uint8(f.age)
			age = &years
		}
		id := func(s string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(s)) }
		if err := batch.Append(id(f.person), id(f.record), f.version, "registration", f.source, uint64(1), "CAMR-OMO", bit(f.known),
			f.void, bit(f.future), at, f.sex, age); err != nil {
			t.Fatal(err)
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKeysOfSeveralPeople: a key whose records differ in sex, or by more years of age than lie between them, is counted at each source
// and month that used it, and nothing else is; Prometheus gets the same records.
func TestKeysOfSeveralPeople(t *testing.T) {
	w := world{places: map[string]standing{"CAMR-OMO-1": {"centre", "CAMR-OMO"}, "import-x": {"centre", "CAMR-OMO"}}}
	for source := range w.places {
		w.sendings = append(w.sendings, sending{source, 1, began, 0})
	}
	w.keep(t, rand.New(rand.NewPCG(1, 1)))
	const january, march, later = "2016-01-20T18:00:00Z", "2016-03-01T05:00:00Z", "2026-01-20T18:00:00Z" // the second is the last day of February in Honduras
	keepLinked(t, []linkedFact{
		{"sex", "1", 1, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"sex", "2", 1, "CAMR-OMO-1", january, "F", 25, true, "", false},
		{"sex", "3", 1, "import-x", march, "", -1, true, "", false},
		{"age", "4", 1, "import-x", january, "F", 40, true, "", false},
		{"age", "5", 1, "import-x", march, "F", 8, true, "", false},
		{"both", "6", 1, "import-x", march, "F", 40, true, "", false},
		{"both", "7", 1, "import-x", march, "M", 8, true, "", false},
		{"one", "8", 1, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"one", "9", 1, "CAMR-OMO-1", later, "M", 35, true, "", false},
		{"told wrong", "10", 1, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"told wrong", "11", 1, "CAMR-OMO-1", march, "U", 27, true, "", false},
		{"not grown", "12", 1, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"not grown", "13", 1, "CAMR-OMO-1", later, "M", 25, true, "", false},
		{"corrected", "14", 1, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"corrected", "15", 1, "CAMR-OMO-1", january, "F", 25, true, "", false},
		{"corrected", "15", 2, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"void", "16", 1, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"void", "17", 1, "CAMR-OMO-1", january, "F", 25, true, "entered_in_error", false},
		{"future", "18", 1, "CAMR-OMO-1", january, "M", 25, true, "", false},
		{"future", "19", 1, "CAMR-OMO-1", later, "F", 25, true, "", true},
		{"no key", "20", 1, "CAMR-OMO-1", january, "M", 25, false, "", false},
		{"no key", "21", 1, "CAMR-OMO-1", january, "F", 5, false, "", false},
	})
	rows, err := conn.Query(t.Context(), `SELECT source, month, half_year, year, kind, place, records, contradicting_records, keys, contradicting_keys, by_sex, by_age
		FROM ceniss.keys_with_contradictions ORDER BY source, month`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got []string
	for rows.Next() {
		var source, month, half, kind, place string
		var year uint16
		var n [6]uint64
		if err := rows.Scan(&source, &month, &half, &year, &kind, &place, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(source, " ", month, " ", half, " ", year, " ", kind, " ", place, " ", n))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	same(t, "keys", got, []string{
		"CAMR-OMO-1 2016-01 2016-S1 2016 centre CAMR-OMO [9 3 7 2 1 1]",
		"CAMR-OMO-1 2016-02 2016-S1 2016 centre CAMR-OMO [1 0 1 0 0 0]",
		"CAMR-OMO-1 2026-01 2026-S1 2026 centre CAMR-OMO [2 1 2 1 0 1]",
		"import-x 2016-01 2016-S1 2016 centre CAMR-OMO [1 1 1 1 0 1]",
		"import-x 2016-02 2016-S1 2016 centre CAMR-OMO [4 4 3 3 2 2]",
	})
	registry := prometheus.NewRegistry()
	watch, err := completeness.New(completeness.Config{Conn: conn, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(watch.Pass(t.Context()), watch.PassLinks(t.Context())); err != nil {
		t.Fatal(err)
	}
	shown := gathered(t, registry)
	for name, want := range map[string]float64{
		`retorno_source_linked_records{source="CAMR-OMO-1"}`: 12, `retorno_source_contradicting_records{source="CAMR-OMO-1"}`: 4,
		`retorno_source_linked_records{source="import-x"}`: 5, `retorno_source_contradicting_records{source="import-x"}`: 5,
	} {
		if shown[name] != want {
			t.Errorf("%s is %v, want %v", name, shown[name], want)
		}
	}
}
