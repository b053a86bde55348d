package release

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// claim takes the next number of the period for a publication, and returns it. A number belongs to one publication for
// ever. Who takes one writes that down, and only then looks whether another publication has it: of two that take the same
// one at least one sees the other, and goes on to a later number. So none is given twice; one that was taken by a
// publication that never came to its end is left out.
func claim(ctx context.Context, conn Conn, period string, id uuid.UUID) (uint64, error) {
	for {
		var taken uint64
		if err := conn.QueryRow(ctx, "SELECT max(vintage) FROM retorno.vintages WHERE period = ?", period).Scan(&taken); err != nil {
			return 0, fmt.Errorf("read the vintages: %w", err)
		}
		if err := conn.Exec(ctx, "INSERT INTO retorno.vintages (period, vintage, publication, claimed_at) VALUES (?, ?, toUUID(?), now64(3))", period, taken+1, id.String()); err != nil {
			return 0, fmt.Errorf("take a vintage: %w", err)
		}
		var others uint64
		err := conn.QueryRow(ctx, "SELECT countIf(publication != toUUID(?)) FROM retorno.vintages WHERE period = ? AND vintage = ?", id.String(), period, taken+1).Scan(&others)
		if err != nil {
			return 0, fmt.Errorf("read the vintages: %w", err)
		}
		if others == 0 {
			return taken + 1, nil
		}
		// Both may have seen the other: they step back, not equally far.
		if err := sleep(ctx, time.Duration(rand.Int64N(int64(pause)))); err != nil {
			return 0, err
		}
	}
}
