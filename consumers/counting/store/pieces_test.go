package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// TestPiecesMissNoID: pieces follow one another in the order in which ClickHouse keeps UUIDs, and cover all of them.
func TestPiecesMissNoID(t *testing.T) {
	s := migrated(t)
	for _, rows := range []uint64{0, pieceRows, pieceRows + 1, 10 * pieceRows, 1 << 40} {
		n := piecesFor(rows)
		if rows > pieceRows && uint64(n) < min(1<<16, rows/pieceRows) || n > 1<<16 {
			t.Errorf("%d rows make %d pieces", rows, n)
		}
		for range 1000 {
			if i := n.Of(uuid.New()); i < 0 || i >= int(n) {
				t.Fatalf("piece %d of %d", i, n)
			}
		}
		if n > 64 {
			continue
		}
		all := make([]string, n)
		for i := range all {
			all[i] = n.where("id", i)
		}
		counts := make([]string, len(all))
		for i, piece := range all {
			counts[i] = "countIf(" + piece + ")"
		}
		var found, twice uint64
		query := fmt.Sprintf("SELECT toUInt64(%s), toUInt64(countIf(%s != 1)) FROM (SELECT arrayJoin([generateUUIDv4(number), generateUUIDv7(number), toUUID('00000000-0000-0000-0000-000000000000'), toUUID('ffffffff-ffff-ffff-ffff-ffffffffffff')]) AS id FROM numbers(10000))",
			strings.Join(counts, " + "), "("+strings.Join(all, ") + (")+")")
		if err := s.Conn().QueryRow(t.Context(), query).Scan(&found, &twice); err != nil {
			t.Fatal(err)
		}
		if found != 40000 || twice != 0 {
			t.Errorf("%d pieces hold %d of 40000 ids; %d are in none or in two", len(all), found, twice)
		}
	}
}
