package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// agentCall is how many forms a call brings.
const agentCall = 6000

// agentSaves are forms that are saved one by one, for each round.
const agentSaves = 200

// agent fills the computer of a post without a line, starts it once more, has people type there, and gives it the line back.
func (r *run) agent(ctx context.Context) (err error) {
	d, err := r.newDesk(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.end()) }()
	r.report.Sizes["agent_records"] = r.cfg.AgentRecords
	rates, err := d.fill(r.cfg.AgentRecords)
	if err != nil {
		return err
	}
	d.note("agent_memory_filling_mb", "the most memory of the process that took them all")
	r.report.set("agent_forms_per_second", "1/s", fmt.Sprintf("returned people in calls of POST /forms with %d each, until the folder has %d records without a line; a run is a call", agentCall, d.records), rates)
	var starts []float64
	for range r.cfg.Rounds {
		if err := errors.Join(d.end(), d.start()); err != nil {
			return err
		}
		starts = append(starts, d.started.Seconds())
	}
	r.report.set("agent_start_seconds", "s", fmt.Sprintf("from the start of `retorno agent checkpoint` until GET /state answers, with %d records that wait; the folder is in the cache of the disk", d.records), starts)
	d.note("agent_memory_started_mb", "the most memory of the process when GET /state has answered")
	if err := d.login(); err != nil {
		return err
	}
	if err := d.typing(r); err != nil {
		return err
	}
	d.note("agent_memory_saved_mb", fmt.Sprintf("the most memory of the process after %d more, one by one and in calls of POST /forms", d.records-r.cfg.AgentRecords))
	if err := d.sending(ctx, r); err != nil {
		return err
	}
	d.note("agent_memory_sending_mb", "the most memory of the same process when all is sent")
	r.report.set("agent_most_memory_mb", "MB", "the largest of agent_memory_…_mb", []float64{d.most})
	return nil
}

// typing has 10,000 forms saved in calls, and some one by one beside as many appends with fsync on the same disk.
func (d *desk) typing(r *run) error {
	if _, err := d.fill(d.records + min(10_000, r.cfg.AgentRecords)); err != nil {
		return err
	}
	var ratios, ours, bare []float64
	for range r.cfg.Rounds {
		saves, err := d.saveSome(agentSaves)
		if err != nil {
			return err
		}
		appends, err := appendSome(filepath.Join(d.dir, "appended"), agentSaves)
		if err != nil {
			return err
		}
		ours, bare = append(ours, agentSaves/saves.Seconds()), append(bare, agentSaves/appends.Seconds())
		ratios = append(ratios, appends.Seconds()/saves.Seconds())
	}
	r.report.set("agent_save_ratio", "", fmt.Sprintf("saves a second by POST /crossing, one by one, beside appends of 1,024 bytes with fsync to the same disk, %d of each in turn; a crossing is signed, sealed and written twice", agentSaves), ratios)
	r.report.set("agent_saves_per_second", "1/s", "saves one by one, of agent_save_ratio", ours)
	r.report.set("agent_appends_per_second", "1/s", "appends with fsync, of agent_save_ratio", bare)
	return nil
}

// sending gives the line back and has people type while all leaves.
func (d *desk) sending(ctx context.Context, r *run) (err error) {
	idle, err := d.saveSome(agentSaves)
	if err != nil {
		return err
	}
	broker, err := fakekafka.Start(fakekafka.Config{Addr: d.broker})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, broker.Stop()) }()
	topics := append([]string{events.TopicCheckpoint, events.TopicCentre}, producer.AgentTopics()...)
	if err := producer.EnsureTopics(ctx, []string{broker.Addr()}, producer.TopicsConfig{Topics: topics}); err != nil {
		return err
	}
	last := d.records
	err = await(ctx, "the line to be back", time.Minute, func() (bool, error) {
		s, err := d.state()
		return s.Unsent < last, err
	})
	if err != nil {
		return err
	}
	began := time.Now()
	first, err := d.state()
	if err != nil {
		return err
	}
	var beside time.Duration
	saves := 0
	for s := first; s.Unsent > 0; {
		took, err := d.saveSome(20)
		if err != nil {
			return err
		}
		if s, err = d.state(); err != nil {
			return err
		}
		beside, saves = beside+took, saves+20
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	took := time.Since(began)
	r.report.set("agent_sent_per_second", "1/s", "records acknowledged by the embedded broker on the same machine, while a clerk types", []float64{float64(first.Unsent) / took.Seconds()})
	r.report.set("agent_save_while_sending_ratio", "", fmt.Sprintf("time of a save one by one while all leaves (%d saves), beside that of one without a line", saves), []float64{beside.Seconds() / float64(saves) * agentSaves / idle.Seconds()})
	return nil
}

// appendSome is what the disk does with as many appends and no promise.
func appendSome(file string, n int) (took time.Duration, err error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	record := make([]byte, 1024)
	began := time.Now()
	for range n {
		if _, err := f.Write(record); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
