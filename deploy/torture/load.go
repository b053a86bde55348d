package torture

import (
	"context"
	"fmt"
	"strings"
	"time"

	"retorno/producers/publish"
	"retorno/producers/register"
	"retorno/schemas/published"
)

// eventsPerReturn is about how many events a register of hard mess has for each registered return.
const eventsPerReturn = 5.3

// tableOf is a made table with so many returns: its shares are round numbers near those that were published for 2016.
func tableOf(returns int) string {
	var b strings.Builder
	b.WriteString("table_id,system,period_start,period_end,as_of,block,category,value,status,source\n")
	row := func(block, category string, value int) {
		fmt.Fprintf(&b, "TORTURE,made,2016-01-01,2016-06-30,2016-08,%s,%s,%d,published,made\n", block, category, value)
	}
	share := func(percent int) int { return returns * percent / 100 }
	row("total", "TOTAL", returns)
	row("country", "MX", share(60))
	row("country", "US", share(35))
	row("country", "OTHER", returns-share(60)-share(35))
	row("exit_point", "L-COR", share(63))
	return b.String()
}

func makeLoad(ctx context.Context, cfg Config) (*register.Register, error) {
	returns := max(20, int(float64(cfg.Rate)*cfg.For.Seconds()/eventsPerReturn))
	table, err := published.Read(strings.NewReader(tableOf(returns)), "TORTURE")
	if err != nil {
		return nil, err
	}
	return register.Make(ctx, table, register.Settings{Seed: cfg.Seed, Mess: register.Hard})
}

// tick is how often events are sent; what falls due in between goes together.
const tick = 20 * time.Millisecond

// load sends the register evenly over the run's time; what could not be sent while Kafka was away follows at once.
func (r *run) load(ctx context.Context) error {
	writer, err := r.machine.writer(r.report)
	if err != nil {
		return err
	}
	defer func() { _ = writer.Close() }()
	total := r.made.Counts().Events
	var batch []publish.Message
	sent := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := writer.Write(ctx, batch...)
		sent += len(batch)
		if again := r.machine.clocks.again(batch); err == nil && len(again) > 0 {
			err = writer.Write(ctx, again...)
			r.report.Stepped += len(again)
		}
		batch = batch[:0]
		return err
	}
	due := func() int { return int(float64(total) * min(1, float64(time.Since(r.began))/float64(r.cfg.For))) }
	err = r.made.Events(func(e register.Event) error {
		for sent+len(batch) >= due() {
			if err := flush(); err != nil {
				return err
			}
			if err := pause(ctx, tick); err != nil {
				return err
			}
		}
		batch = append(batch, publish.Message{Topic: e.Topic, Key: e.Key, Value: e.Value})
		if len(batch) >= 5000 {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}
