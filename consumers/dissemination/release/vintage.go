package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// lease is how long a publication that has taken a number may take to become visible. For as long another publication of the
// period steps back.
var lease = 2 * time.Minute

// errBusy tells that another publication has a lease. It may be over soon.
var errBusy = fmt.Errorf("%w", ErrConcurrent)

// claim takes the next number of the period for a publication, and returns it. A number belongs to one publication for
// ever. Who takes one writes that down, and only then looks who else has: of two at once at least one sees the other, and
// steps back with errBusy. So none is given twice, and one publication of a period becomes visible at a time; a number
// that was taken by a publication that never came to its end is left out.
func claim(ctx context.Context, conn Conn, period string, id uuid.UUID) (uint64, error) {
	for {
		var taken uint64
		if err := conn.QueryRow(ctx, "SELECT max(vintage) FROM retorno.vintages WHERE period = ?", period).Scan(&taken); err != nil {
			return 0, fmt.Errorf("read the vintages: %w", err)
		}
		if err := note(ctx, conn, period, taken+1, id); err != nil {
			return 0, err
		}
		var same, open uint64
		err := conn.QueryRow(ctx, `SELECT countIf(publication != toUUID(?) AND vintage = ?),
				countIf(publication != toUUID(?) AND claimed_at > now64(3) - INTERVAL ? MILLISECOND AND publication NOT IN (SELECT id FROM retorno.publications)
					AND publication NOT IN (SELECT publication FROM retorno.vintages WHERE vintage = ?))
			FROM retorno.vintages WHERE period = ?`, id.String(), taken+1, id.String(), lease.Milliseconds(), withdrawn, period).Scan(&same, &open)
		if err != nil {
			return 0, fmt.Errorf("read the vintages: %w", err)
		}
		if open > 0 {
			return 0, errors.Join(errBusy, note(ctx, conn, period, withdrawn, id))
		}
		if same == 0 {
			return taken + 1, nil
		}
	}
}

// withdrawn is the number of a publication that has stepped back.
const withdrawn = 0

func note(ctx context.Context, conn Conn, period string, number uint64, id uuid.UUID) error {
	err := conn.Exec(ctx, "INSERT INTO retorno.vintages (period, vintage, publication, claimed_at) VALUES (?, ?, toUUID(?), now64(3))", period, number, id.String())
	if err != nil {
		return fmt.Errorf("take a vintage: %w", err)
	}
	return nil
}
