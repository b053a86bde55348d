package exchange

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"retorno/producers/disk"
	"retorno/schemas/agents"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// fileName is where what came is kept between two starts.
const fileName = "exchange"

const (
	maxFile   = 64 << 20
	keepEvery = time.Minute
)

// Run follows the topic until ctx ends, which is no error. The error wraps disk.ErrSync: the disk confirmed nothing.
func (b *Board) Run(ctx context.Context) error {
	var reader *follow.Reader
	kept := b.cfg.Now()
	tick := time.NewTicker(b.cfg.Every)
	defer tick.Stop()
	failed := false
	for {
		err := b.look(ctx, &reader)
		if err != nil && ctx.Err() == nil && !failed {
			b.cfg.Logger.Warn("what other offices tell is not read at present; it goes on by itself", "error", err)
		}
		failed = err != nil
		ending := ctx.Err() != nil
		if now := b.cfg.Now(); ending || now.Sub(kept) >= keepEvery || now.Before(kept) {
			kept = now
			if err := b.keep(); errors.Is(err, disk.ErrSync) {
				return err
			}
		}
		if ending {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// look reads what the topic holds.
func (b *Board) look(ctx context.Context, reader **follow.Reader) error {
	if b.cfg.Access == nil || ctx.Err() != nil {
		return nil
	}
	if *reader == nil {
		access, err := b.cfg.Access()
		if err != nil {
			return err
		}
		*reader = follow.New(access, agents.TopicExchange)
	}
	err := (*reader).Read(ctx, func(m follow.Message) error {
		b.Take(m.Key, m.Value, m.At)
		return nil
	})
	if ctx.Err() == nil {
		b.mu.Lock()
		b.refused = kafka.Refused(err) || errors.Is(err, follow.ErrNoTopic)
		b.mu.Unlock()
	}
	if err != nil || ctx.Err() != nil {
		// The next one asks for the enrolment once more, and reads from the beginning: what is known already changes nothing.
		(*reader).Close()
		*reader = nil
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = b.cfg.Now()
	b.forget()
	return nil
}

// line is one message as it is kept.
type line struct {
	AtMs int64       `json:"at_ms"`
	News agents.News `json:"news"`
}

// keep writes what is known to the disk, when it changed.
func (b *Board) keep() error {
	if b.cfg.Dir == "" {
		return nil
	}
	b.mu.Lock()
	if !b.changed {
		b.mu.Unlock()
		return nil
	}
	b.changed = false
	var out bytes.Buffer
	into := json.NewEncoder(&out)
	for _, s := range b.records {
		_ = into.Encode(line{s.at.UnixMilli(), s.news}) // a buffer takes everything
	}
	b.mu.Unlock()
	err := disk.WriteChecked(b.cfg.Disk, filepath.Join(b.cfg.Dir, fileName), out.Bytes())
	if err != nil {
		b.mu.Lock()
		b.changed = true
		b.mu.Unlock()
	}
	return err
}

// load takes what was kept. What is not there, or damaged, comes from the broker.
func (b *Board) load() {
	if b.cfg.Dir == "" {
		return
	}
	data, err := disk.ReadChecked(b.cfg.Disk, filepath.Join(b.cfg.Dir, fileName), maxFile)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			b.cfg.Logger.Warn("what other offices told before cannot be read and comes from the broker", "error", err)
		}
		return
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 2*agents.MaxNewsBytes)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			continue
		}
		if value, err := l.News.Bytes(); err == nil {
			b.Take([]byte(l.News.Record), value, time.UnixMilli(l.AtMs))
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	b.changed = false
}
