//go:build !server

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/dissemination/report"
	"retorno/deploy/command/screen"
	"retorno/deploy/lab/register"
	"retorno/producers/producer"
)

// accountEvery is how often the ledger is asked how far it is.
const accountEvery = 100 * time.Millisecond

// play sends the register, waits until the ledger accounts for all of it, says what came out, and goes on with live
// arrivals.
func (d *demo) play(ctx context.Context) error {
	to, err := d.kafka.producer(d.t.Log, d.registry)
	if err != nil {
		return err
	}
	writer, err := producer.New(to)
	if err != nil {
		return err
	}
	defer func() { _ = writer.Close() }()
	err = d.playOnce(ctx, writer)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil || d.Exit:
		return err
	}
	return d.live(ctx, writer)
}

func (d *demo) playOnce(ctx context.Context, writer *producer.Writer) error {
	began := time.Now()
	want, err := d.sendRegister(ctx, writer)
	if err != nil {
		return err
	}
	accounts, err := d.awaitAccounts(ctx, want)
	if err != nil {
		return err
	}
	d.t.say("played and counted in %s; verifying", time.Since(began).Round(100*time.Millisecond))
	if err := d.conclude(ctx, accounts); err != nil {
		return err
	}
	if err := d.publish(ctx); err != nil {
		return err
	}
	d.concluded.Store(true)
	return nil
}

// sendRegister sends every event of the register, a batch at a time, and returns how many records the ledger must
// account for in all. A folder that was played before gets the events again when it lacks some: copies change no number.
func (d *demo) sendRegister(ctx context.Context, writer *producer.Writer) (uint64, error) {
	total := int64(d.made.Counts().Events)
	have, err := d.store.Accounted(ctx)
	if err != nil {
		return 0, err
	}
	if have.Read() >= uint64(total) {
		d.played = true
		d.t.say("the folder %s holds this register already: %s records", d.data, screen.Count(int64(have.Read())))
		return have.Read(), nil
	}
	bar := screen.NewProgress(d.t.Err, "events sent", total)
	defer bar.End()
	batch := make([]producer.Message, 0, sendBatch)
	var sent int64
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := writer.Write(ctx, batch...)
		sent += int64(len(batch))
		bar.Set(sent)
		batch = batch[:0]
		return err
	}
	err = d.made.Events(func(e register.Event) error {
		batch = append(batch, producer.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		if len(batch) < sendBatch {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return have.Read() + uint64(total), err
}

// awaitAccounts waits until the ledger accounts for so many records and the consumer has nothing left to count.
func (d *demo) awaitAccounts(ctx context.Context, want uint64) (ledger.Accounts, error) {
	bar := screen.NewProgress(d.t.Err, "events counted", int64(want))
	defer bar.End()
	for {
		accounts, err := d.store.Accounted(ctx)
		if err != nil {
			return accounts, err
		}
		bar.Set(int64(accounts.Read()))
		if accounts.Read() >= want && d.counting.caughtUp(0) == nil {
			return accounts, nil
		}
		select {
		case <-ctx.Done():
			return accounts, ctx.Err()
		case <-time.After(accountEvery):
		}
	}
}

// conclude prints the table, the accounts and the verifier's word, and says no when one of them does not hold.
func (d *demo) conclude(ctx context.Context, accounts ledger.Accounts) error {
	found, err := d.verifier.Full(ctx)
	if err != nil {
		return err
	}
	counted, err := report.Count(ctx, d.store.Conn(), d.made.Table())
	if err != nil {
		return err
	}
	if d.Out != "" {
		if err := writeCounted(d.Out, counted); err != nil {
			return err
		}
	}
	if err := d.printTable(ctx, counted); err != nil {
		return err
	}
	if err := printAccounts(d.t.Out, accounts); err != nil {
		return err
	}
	if err := printReport(d.t.Out, found); err != nil {
		return err
	}
	var no []error
	switch n := len(counted.Differences()); {
	case n > 0 && accounts.Read() > uint64(d.made.Counts().Events) && d.played:
		d.t.say("%d printed numbers of table %s have changed since: the folder %s holds more records than its register", n, counted.Table.ID, d.data)
	case n > 0:
		no = append(no, fmt.Errorf("%d printed numbers of table %s did not come out", n, counted.Table.ID))
	}
	if n := found.Different(); n > 0 {
		no = append(no, fmt.Errorf("the verifier disagrees on %d rows", n))
	} else if _, err := fmt.Fprintln(d.t.Out, "verifier: counted a second time by other means; no difference"); err != nil {
		return err
	}
	return No(errors.Join(no...))
}

// printTable prints the short table of the period in Spanish and English, and how the published numbers came out.
func (d *demo) printTable(ctx context.Context, counted *report.Counted) error {
	table := counted.Table
	short, err := report.CountHalfYear(ctx, d.store.Conn(), periodOf(table))
	if err != nil {
		return err
	}
	for _, language := range []string{"es", "en"} {
		if err := short.Text(d.t.Out, language); err != nil {
			return err
		}
	}
	cells := len(table.Cells())
	differing := counted.Differences()
	for _, difference := range differing {
		if _, err := fmt.Fprintf(d.t.Out, "differs: %s, %s: printed %s, counted %s\n", difference.Cell.Block, difference.Cell.Category, difference.Cell.Printed, difference.Counted); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(d.t.Out, "table %s (%s): %d of %d published numbers came out of ClickHouse\n", table.ID, table.System, cells-len(differing), cells)
	return err
}

func printAccounts(w io.Writer, a ledger.Accounts) error {
	_, err := fmt.Fprintf(w, "\naccounts: %s read = %s accepted + %s duplicate + %s superseded + %s rejected\n",
		screen.Count(int64(a.Read())), screen.Count(int64(a.Accepted)), screen.Count(int64(a.Duplicate)), screen.Count(int64(a.Superseded)), screen.Count(int64(a.Rejected)))
	return err
}
