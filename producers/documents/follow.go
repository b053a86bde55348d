package documents

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
	"retorno/schemas/kafka/follow"
)

// fileName is where what came is kept between two starts.
const fileName = "documents"

const (
	maxFile   = 64 << 20
	keepEvery = time.Minute
)

// Run follows the topic until ctx ends, which is no error. The error wraps disk.ErrSync: the disk confirmed nothing.
func (b *Board) Run(ctx context.Context) error {
	var reader *follow.Reader
	defer func() {
		if reader != nil {
			reader.Close()
		}
	}()
	tick := time.NewTicker(b.cfg.Every)
	defer tick.Stop()
	kept, failed := b.cfg.Now(), false
	for {
		err := b.look(ctx, &reader)
		if err != nil && ctx.Err() == nil && !failed {
			b.cfg.Logger.Warn("what other posts found of documents is not read at present; it goes on by itself", "error", err)
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
		*reader = follow.New(access, agents.TopicDocuments)
	}
	err := (*reader).Read(ctx, func(m follow.Message) error {
		if m.Value != nil {
			b.Take(m.Key, m.Value)
		}
		return nil
	})
	if err != nil {
		// The next one asks for the enrolment once more, and reads from the beginning: what is known already changes nothing.
		(*reader).Close()
		*reader = nil
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	return nil
}

// keep writes what is known to the disk, when it changed.
func (b *Board) keep() error {
	b.mu.Lock()
	if b.cfg.Dir == "" || !b.changed {
		b.mu.Unlock()
		return nil
	}
	b.changed = false
	var out bytes.Buffer
	into := json.NewEncoder(&out)
	for _, f := range b.all {
		_ = into.Encode(f) // a buffer takes everything
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
			b.cfg.Logger.Warn("what other posts found before cannot be read and comes from the broker", "error", err)
		}
		return
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var f agents.Finding
		if json.Unmarshal(lines.Bytes(), &f) == nil {
			b.Take([]byte(f.ID), lines.Bytes())
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	b.changed = false
}
