package torture

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sort"
	"syscall"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/embedded"
)

// replayed are the tables that a replay must give again, each with what tells its rows: everything but the numbers of
// writes. Which account a record fell in when it was read twice is history, so the ledger is compared by its sums.
var replayed = []struct{ table, rows string }{
	{"facts", "SELECT * FROM retorno.latest_facts"},
	{"returns", "SELECT * EXCEPT (version) FROM retorno.returns FINAL"},
	{"return_counts", "SELECT * EXCEPT (version) FROM retorno.return_counts FINAL"},
	{"assistance", "SELECT * EXCEPT (version) FROM retorno.assistance FINAL"},
	{"assistance_counts", "SELECT * EXCEPT (version) FROM retorno.assistance_counts FINAL"},
	{"crossing_counts", "SELECT * EXCEPT (version) FROM retorno.crossing_counts FINAL"},
	{"sendings", "SELECT * FROM retorno.sendings FINAL"},
	{"accounts", "SELECT topic, kafka_partition, max(next_offset), sum(read), sum(rejected) FROM retorno.accounts GROUP BY ALL"},
}

// askReplay lets one consumer read all topics into an empty engine, and compares the tables.
func (r *run) askReplay(ctx context.Context, s *store.Store) (o Oracle, err error) {
	o = Oracle{Name: "a replay into an empty database"}
	engine, err := embedded.StartEngine(ctx, embedded.EngineConfig{Dir: filepath.Join(r.machine.dir, "replay"), Library: r.cfg.Engine, Log: r.machine.log})
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, engine.Kill()) }()
	empty, err := store.Open(store.Config{Addr: engine.Native(), Logger: r.cfg.Logger})
	if err != nil {
		return o, err
	}
	defer func() { _ = empty.Close() }()
	if _, err := empty.Migrate(ctx); err != nil {
		return o, err
	}
	ends, err := r.machine.ends(ctx)
	if err != nil {
		return o, err
	}
	again := &consumer{name: "replay", log: r.machine.log, command: func(ops string) *exec.Cmd {
		return r.machine.command(context.Background(), r.machine.consumeFlags(engine.Native(), "replay", ops)...)
	}}
	again.start()
	err = errors.Join(awaitAccounts(ctx, empty, ends, r.cfg.Patience), again.end(syscall.SIGTERM))
	if err != nil {
		return o, fmt.Errorf("replay: %w", err)
	}
	if err := r.recount(ctx, empty); err != nil {
		return o, err
	}
	var all uint64
	for _, t := range replayed {
		have, n, err := fingerprint(ctx, s, t.rows)
		if err != nil {
			return o, err
		}
		want, m, err := fingerprint(ctx, empty, t.rows)
		if err != nil {
			return o, err
		}
		all += n
		if have != want || n != m {
			o.Faults = append(o.Faults, fmt.Sprintf("%s: %d rows, the replay has %d, and they are not the same", t.table, n, m))
			different, err := differing(ctx, s, empty, t.rows)
			if err != nil {
				return o, err
			}
			o.Faults = append(o.Faults, different...)
		}
	}
	o.Asked = fmt.Sprintf("%d rows of %d tables", all, len(replayed))
	return o, nil
}

// fingerprint is a checksum of rows in which their order makes no difference.
func fingerprint(ctx context.Context, s *store.Store, rows string) (sum, n uint64, err error) {
	err = s.Conn().QueryRow(ctx, "SELECT sum(cityHash64(toString(tuple(*)))), count() FROM ("+rows+")").Scan(&sum, &n)
	return sum, n, err
}

// differing names the first rows that only one of two stores has.
func differing(ctx context.Context, s, replay *store.Store, rows string) ([]string, error) {
	sides := map[string]int{}
	for side, store := range map[int]*store.Store{1: s, -1: replay} {
		result, err := store.Conn().Query(ctx, "SELECT toString(tuple(*)) FROM ("+rows+")")
		if err != nil {
			return nil, err
		}
		for result.Next() {
			var row string
			if err := result.Scan(&row); err != nil {
				return nil, errors.Join(err, result.Close())
			}
			sides[row] += side
		}
		if err := errors.Join(result.Err(), result.Close()); err != nil {
			return nil, err
		}
	}
	var all []string
	for row, side := range sides {
		switch {
		case side > 0:
			all = append(all, row+" (counted)")
		case side < 0:
			all = append(all, row+" (replayed)")
		}
	}
	sort.Strings(all)
	return all[:min(len(all), mostShown)], nil
}
