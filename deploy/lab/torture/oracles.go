package torture

import (
	"context"
	"fmt"
	"maps"
	"time"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/verify"
	"retorno/consumers/counting/verify/wire"
	"retorno/schemas/kafka"
)

// judge asks the oracles.
func (r *run) judge(ctx context.Context) error {
	s, err := r.machine.store()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if r.report.Accounts, err = s.Accounted(ctx); err != nil {
		return err
	}
	asks := []func(context.Context, *store.Store) (Oracle, error){r.askTruth, r.askLedger, r.askVerifier, r.askReplay}
	if r.press != nil {
		asks = append(asks, r.askVintages)
		if err := r.machine.witness.look(ctx, s); err != nil { // the publishers have ended
			return err
		}
	}
	r.report.Besides, r.report.Spoilt = r.besides.sent, r.machine.toKafka.SpoiltSoFar()
	if r.report.ClockOffset, err = clockOffset(ctx, s); err != nil {
		return err
	}
	for _, ask := range asks {
		o, err := ask(ctx, s)
		if err != nil {
			return fmt.Errorf("oracle: %w", err)
		}
		r.report.Oracles = append(r.report.Oracles, o)
	}
	return nil
}

// askLedger asks whether the accounts balance and cover each partition from 0 to its end without gap or overlap.
func (r *run) askLedger(ctx context.Context, s *store.Store) (Oracle, error) {
	o := Oracle{Name: "accounts without gap or overlap"}
	ends, err := r.machine.ends(ctx)
	if err != nil {
		return o, err
	}
	at, n, err := runsOf(ctx, s, &o)
	if err != nil {
		return o, err
	}
	var sum int64
	for p, end := range ends {
		sum += end
		if at[p] != end {
			o.Faults = append(o.Faults, fmt.Sprintf("%s, partition %d: accounted to %d, the log ends at %d", p.Topic, p.Partition, at[p], end))
		}
	}
	o.Asked = fmt.Sprintf("%d runs of %d offsets in %d partitions, %d rejected", n, sum, len(ends), r.report.Accounts.Rejected)
	return o, r.askLetters(ctx, &o)
}

// runsOf follows the ledger's runs of every partition, and notes each that does not begin where the one before it
// ended or whose accounts do not balance. It returns where each partition's last run ends, and how many runs there are.
func runsOf(ctx context.Context, s *store.Store, o *Oracle) (at map[kafka.TopicPartition]int64, n int, err error) {
	rows, err := s.Conn().Query(ctx, `SELECT topic, kafka_partition, epoch, toInt64(first_offset), toInt64(next_offset), toInt64(read),
		toInt64(accepted + duplicate + superseded + rejected) FROM retorno.accounts ORDER BY topic, kafka_partition, first_offset, next_offset`)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	at = map[kafka.TopicPartition]int64{}
	for rows.Next() {
		var topic string
		var partition uint16
		var epoch uint32
		var first, next, read, accounted int64
		if err := rows.Scan(&topic, &partition, &epoch, &first, &next, &read, &accounted); err != nil {
			return nil, 0, err
		}
		n++
		p := kafka.TopicPartition{Topic: topic, Partition: int(partition)}
		if first != at[p] || read != next-first || accounted != read {
			o.Faults = append(o.Faults, fmt.Sprintf("%s, partition %d, epoch %d: offsets %d to %d follow %d; %d read, %d in accounts",
				topic, partition, epoch, first, next, at[p], read, accounted))
		}
		at[p] = max(at[p], next)
	}
	return at, n, rows.Err()
}

// askLetters asks whether each rejected record is in the dead letters, with the cause that was meant.
func (r *run) askLetters(ctx context.Context, o *Oracle) error {
	causes, hostile := map[string]int{}, maps.Clone(r.besides.causes)
	letters := uint64(0)
	err := deadletter.List(ctx, deadletter.Config{Brokers: []string{r.machine.toKafka.Addr()}}, time.Time{}, func(l deadletter.Letter) error {
		letters++
		causes[l.Code]++
		id := identity(l.Key, l.Value)
		if cause, ours := r.besides.causes[id]; ours && cause != l.Code {
			o.Faults = append(o.Faults, fmt.Sprintf("dead letter %s of a hostile sender for %q, and not for %q", l.Origin, l.Code, cause))
		}
		delete(hostile, id)
		return nil
	})
	if err != nil {
		return err
	}
	if letters != r.report.Accounts.Rejected {
		o.Faults = append(o.Faults, fmt.Sprintf("%d records were rejected, %d are in the dead letters", r.report.Accounts.Rejected, letters))
	}
	// What was sent twice because an acknowledgement was lost is rejected twice.
	for code, n := range added(maps.Clone(r.made.Truth().Rejected), r.besides.rejected) {
		if causes[code] < n {
			o.Faults = append(o.Faults, fmt.Sprintf("dead letters for %s: %d, to be set aside: %d", code, causes[code], n))
		}
	}
	for _, cause := range hostile {
		if cause != "" {
			o.Faults = append(o.Faults, fmt.Sprintf("a hostile message that was to be set aside for %q is not among the dead letters", cause))
		}
	}
	return nil
}

// askVerifier asks whether the second count agrees, from the log on.
func (r *run) askVerifier(ctx context.Context, s *store.Store) (Oracle, error) {
	o := Oracle{Name: "the verifier"}
	report, err := r.machine.verified().Once(ctx, s.Conn())
	if err != nil {
		return o, err
	}
	o.add(report)
	o.Asked += fmt.Sprintf(", %d records read again", report.Read())
	return o, nil
}

// verified is where a verifier's own reader finds the facts.
func (m *machine) verified() *verify.Kafka {
	return &verify.Kafka{Config: wire.Config{Brokers: []string{m.toKafka.Addr()}, RequestTimeout: requestTimeout}, Partitions: m.cfg.Partitions}
}

// add takes over what a pass of the verifier found.
func (o *Oracle) add(report verify.Report) {
	var compared uint64
	for _, result := range report.Results {
		compared += result.Rows
		for _, d := range result.Differences {
			o.Faults = append(o.Faults, fmt.Sprintf("%s: %+d %s", result.Check, d.Surplus, d.Row))
		}
	}
	o.Asked = fmt.Sprintf("%d rows by %d checks", compared, len(report.Results))
}
