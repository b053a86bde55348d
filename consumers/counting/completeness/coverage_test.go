package completeness_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/schemas/calendar"
)

// cellKey names a row of ceniss.coverage.
type cellKey struct{ month, centre, post string }

// cell is what it says.
type cell struct{ registered, checkpoint, both, reconciled, late, missing, gaps uint64 }

// oneReturn is a return of the test's own.
type oneReturn struct {
	id                               uuid.UUID
	arrival                          time.Time
	centre, post                     string
	registered, checkpoint, national bool
}

// uuidAt is a UUIDv7 that was made at that time.
func uuidAt(r *rand.Rand, at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|0x7000|r.Uint64N(1<<12))
	binary.BigEndian.PutUint64(id[8:], 1<<63|r.Uint64()>>2)
	return id
}

func makeReturns(r *rand.Rand) []oneReturn {
	posts, centres := []string{"L-COR", "A-SAP", "L-AGC", "X-UNK"}, []string{"CAMR-OMO", "CAMR-SPS", "CANFM-BEL", "X-UNK"}
	var all []oneReturn
	for range 3000 {
		arrival := time.UnixMilli(began + r.Int64N(80*24*hourMs))
		delay := time.Duration(r.Int64N(int64(time.Hour)))
		switch r.IntN(20) {
		case 0:
			delay = 72*time.Hour + time.Duration(r.Int64N(int64(90*24*time.Hour))) + time.Millisecond
		case 1:
			delay = 72 * time.Hour // still in time
		case 2:
			delay = -time.Hour // a clock that is behind
		}
		one := oneReturn{id: uuidAt(r, arrival.Add(delay)), arrival: arrival, post: posts[r.IntN(len(posts))], centre: "X-NON",
			registered: r.IntN(5) > 0, checkpoint: r.IntN(6) > 0, national: r.IntN(10) > 0}
		if one.checkpoint = one.checkpoint || !one.registered; one.registered {
			one.centre = centres[r.IntN(len(centres))]
		}
		all = append(all, one)
	}
	return all
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// keepReturns writes the returns, each under an older version with another post first, and counts them into cells as the
// consumer does: absolute, with a version and a tombstone of a cell that came to zero.
func keepReturns(t *testing.T, all []oneReturn) {
	t.Helper()
	ctx := t.Context()
	for _, version := range []uint64{1, 2} {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.returns (return_id, version, is_deleted, person, day, arrival, entry_point, centre, national, registered, checkpoint)")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			post := one.post
			if version == 1 {
				post = "L-POY"
			}
			if err := batch.Append(one.id, version, uint8(0), one.id, calendar.DayOfTime(one.arrival).Start(), one.arrival, post, one.centre,
				bit(one.national), bit(one.registered), bit(one.checkpoint)); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	type key struct {
		day          calendar.Day
		centre, post string
		partition    uint16
	}
	counts := map[key][3]uint64{}
	for _, one := range all {
		if !one.national {
			continue
		}
		k := key{calendar.DayOfTime(one.arrival), one.centre, one.post, uint16(one.id[15] % 3)}
		n := counts[k]
		counts[k] = [3]uint64{n[0] + uint64(bit(one.registered)), n[1] + uint64(bit(one.checkpoint)), n[2] + 1}
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.return_counts (day, centre, entry_point, kafka_partition, registered, checkpoint, reconciled, version, is_deleted)")
	if err != nil {
		t.Fatal(err)
	}
	for k, n := range counts {
		for _, row := range []struct {
			post    string
			n       [3]uint64
			version uint64
			deleted uint8
		}{{k.post, [3]uint64{7, 7, 7}, 1, 0}, {k.post, n, 2, 0}, {"L-POY", [3]uint64{3, 3, 3}, 1, 0}, {"L-POY", [3]uint64{}, 2, 1}} {
			if err := batch.Append(k.day.Start(), k.centre, row.post, k.partition, row.n[0], row.n[1], row.n[2], row.version, row.deleted); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}

func coverageTruth(w world, all []oneReturn) map[cellKey]cell {
	want := map[cellKey]cell{}
	for _, one := range all {
		if !one.national {
			continue
		}
		key := cellKey{calendar.DayOfTime(one.arrival).Month(), one.centre, one.post}
		c := want[key]
		c.reconciled++
		c.registered += uint64(bit(one.registered))
		c.checkpoint += uint64(bit(one.checkpoint))
		c.both += uint64(bit(one.registered && one.checkpoint))
		made := int64(binary.BigEndian.Uint64(one.id[:8]) >> 16)
		c.late += uint64(bit(made > one.arrival.UnixMilli()+72*hourMs))
		want[key] = c
	}
	_, gaps := w.truth()
	for _, g := range gaps {
		key := cellKey{g.month, "X-UNK", "X-UNK"}
		switch g.kind {
		case "centre":
			key.centre = g.place
		case "border_point":
			key.post = g.place
		}
		c := want[key]
		c.missing += g.last - g.first + 1
		c.gaps++
		want[key] = c
	}
	return want
}

// TestCoverageIsTheTruth compares ceniss.coverage with the returns and gaps that a test made, row by row and summed up by
// month, post and centre: what it calls additive must add up, and nothing may be counted twice.
func TestCoverageIsTheTruth(t *testing.T) {
	r := random(t)
	w, all := makeWorld(r), makeReturns(r)
	w.keep(t, r)
	keepReturns(t, all)
	want := coverageTruth(w, all)
	rows, err := conn.Query(t.Context(), `SELECT month, centre, entry_point, half_year, year, registered, checkpoint, both, reconciled, coverage, checkpoint_coverage, late, missing, gaps
		FROM ceniss.coverage`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var sum, total cell
	late := uint64(0)
	for rows.Next() {
		var key cellKey
		var got cell
		var half string
		var year uint16
		var coverage, seen *float64
		if err := rows.Scan(&key.month, &key.centre, &key.post, &half, &year, &got.registered, &got.checkpoint, &got.both, &got.reconciled,
			&coverage, &seen, &got.late, &got.missing, &got.gaps); err != nil {
			t.Fatal(err)
		}
		if want[key] != got {
			t.Errorf("%v: %+v, want %+v", key, got, want[key])
		}
		if half != "2016-S1" || year != 2016 {
			t.Errorf("%v lies in %s, %d", key, half, year)
		}
		share(t, key, "coverage", coverage, got.registered, got.reconciled)
		share(t, key, "checkpoint_coverage", seen, got.checkpoint, got.reconciled)
		delete(want, key)
		sum.registered, sum.checkpoint, sum.reconciled = sum.registered+got.registered, sum.checkpoint+got.checkpoint, sum.reconciled+got.reconciled
		sum.missing, sum.gaps, late = sum.missing+got.missing, sum.gaps+got.gaps, late+got.late
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(want) > 0 {
		t.Errorf("not in the view: %+v", want)
	}
	if late < 20 {
		t.Errorf("only %d returns were known late", late)
	}
	if err := conn.QueryRow(t.Context(), "SELECT sum(registered), sum(checkpoint), sum(reconciled) FROM ceniss.return_counts").Scan(&total.registered, &total.checkpoint, &total.reconciled); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT sum(missing), sum(gaps) FROM ceniss.sources").Scan(&total.missing, &total.gaps); err != nil {
		t.Fatal(err)
	}
	if sum != total {
		t.Errorf("the parts come to %+v, the wholes are %+v", sum, total)
	}
}

func share(t *testing.T, key cellKey, what string, got *float64, part, whole uint64) {
	t.Helper()
	if whole == 0 {
		if got != nil {
			t.Errorf("%v: %s of no returns is %v", key, what, *got)
		}
		return
	}
	if got == nil || math.Abs(*got-float64(part)/float64(whole)) > 1e-12 {
		t.Errorf("%v: %s is %v, want %d/%d", key, what, got, part, whole)
	}
}
