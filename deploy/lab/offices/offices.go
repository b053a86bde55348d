// Package offices runs the agents of made computers in this process: each with a folder, a spool, a page, and what sends, as retorno
// agent has them. What a register means is typed through POST /forms.
//
// It promises that Type returns when the agent has said that all forms are saved, and that the agent's clock is at the moment of each form
// while it is read. It is for demos and tests: all clerks have one passphrase, which is no secret and cheap to check. On failure: Type
// names the first form that was refused, and what the agent answered; a killed office fails each call.
package offices

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"retorno/deploy/lab/register"
	"retorno/producers/agent"
	"retorno/producers/dispatch"
	"retorno/producers/exchange"
	"retorno/producers/spool"
	"retorno/producers/vault"
	"retorno/schemas/kafka"
)

// Clerk and Passphrase log in at each office.
const (
	Clerk      = "ana"
	Passphrase = "tres tristes tigres"
)

// Config says what an office is made of. Dir and Keys are required.
type Config struct {
	register.Computer
	// Dir is the folder in which that of the computer is.
	Dir string
	// Keys are those of Keys.
	Keys *vault.Keyring
	// Link says how the brokers are reached; nil: they are not.
	Link func() (dispatch.Link, error)
	// Retry bounds the wait after a line that failed; see dispatch.Config.
	Retry time.Duration
	// Disk is where the folder is. Default this computer's, synced.
	Disk *Disk
	// Logger receives what fails; nil drops it.
	Logger *slog.Logger
}

// Office is one made computer.
type Office struct {
	cfg    Config
	clock  clock
	spool  *spool.Spool
	agent  *agent.Agent
	out    *dispatch.Dispatcher
	told   *exchange.Board
	cookie *http.Cookie
}

// Keys makes the keys of all offices: one clerk, and the secret of made registers. A passphrase costs next to nothing to check, which is
// right for made names alone.
func Keys() (*vault.Keyring, error) {
	recovery, err := vault.NewRecoverySecret()
	if err != nil {
		return nil, err
	}
	keys := vault.NewKeyring(recovery.Public())
	keys.PassphraseKiB = 64
	return keys, errors.Join(keys.AddClerk(Clerk, Passphrase, nil), keys.AddSecret("", register.Secret))
}

// Open opens an office, or finds what its folder holds.
func Open(cfg Config) (*Office, error) {
	dir := filepath.Join(cfg.Dir, cfg.Source)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if cfg.Disk == nil {
		cfg.Disk = new(Disk)
	}
	o := &Office{cfg: cfg}
	var err error
	if o.spool, err = spool.Open(spool.Config{Dir: dir, Source: cfg.Source, Keys: cfg.Keys, Now: o.clock.now, Disk: cfg.Disk}); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Source, err)
	}
	o.told = exchange.New(exchange.Config{Access: o.access(), Dir: dir, Disk: cfg.Disk, Now: o.clock.now, Logger: cfg.Logger})
	page := agent.Config{Spool: o.spool, Dir: dir, Place: cfg.Place, Now: o.clock.now, SinceBoot: o.clock.sinceBoot, ClockOffset: o.offset, Disk: cfg.Disk, Exchange: o.told, Log: cfg.Logger}
	if cfg.Link != nil {
		o.out = dispatch.New(dispatch.Config{Spool: o.spool, Link: cfg.Link, Retry: cfg.Retry, Version: "made", Logger: cfg.Logger})
		page.Stopped = func() string { return o.out.Status().Stop.String() }
	}
	if o.agent, err = agent.New(page); err != nil {
		return nil, errors.Join(err, o.spool.Close())
	}
	return o, nil
}

func (o *Office) access() func() (kafka.Access, error) {
	if o.cfg.Link == nil {
		return nil
	}
	return func() (kafka.Access, error) {
		link, err := o.cfg.Link()
		return link.Access, err
	}
}

// offset is that of this machine's clock; made time is the broker's.
func (o *Office) offset() (time.Duration, bool) {
	if o.clock.made() {
		return 0, true
	}
	if o.out == nil {
		return 0, false
	}
	return o.out.ClockOffset()
}

// Send sends what is saved until ctx ends.
func (o *Office) Send(ctx context.Context) error { return o.out.Run(ctx) }

// Follow reads what other offices tell, until ctx ends.
func (o *Office) Follow(ctx context.Context) error { return o.told.Run(ctx) }

// ServeHTTP answers as the page does, by this machine's clock.
func (o *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.agent.ServeHTTP(w, r) }

// Source is the computer's id.
func (o *Office) Source() string { return o.cfg.Source }

// Unsent are copies of what is not acknowledged, the oldest first.
func (o *Office) Unsent() ([]spool.Copy, error) { return o.spool.Unsent(0, math.MaxInt) }

// State counts what is saved and what is not sent.
func (o *Office) State() (spool.State, error) { return o.spool.State() }

// Status is how sending stands.
func (o *Office) Status() dispatch.Status { return o.out.Status() }

// Lock logs the clerk out: what the page remembers is forgotten.
func (o *Office) Lock() {
	o.cookie = nil
	o.agent.Close()
}

// Close ends the office in order.
func (o *Office) Close() error {
	o.agent.Close()
	return o.spool.Close()
}

// Kill ends the office as the end of its process does: nothing more reaches its folder, and the next Open of it finds what is there.
func (o *Office) Kill() {
	o.cfg.Disk.kill()
	o.agent.Close()
	_ = o.spool.Close() // it can write nothing any more
}

// Both are the first post and the first centre among computers: what a person tries.
func Both(computers []register.Computer) []register.Computer {
	last := slices.IndexFunc(computers, func(c register.Computer) bool { return c.Place[1] != '-' })
	return []register.Computer{computers[0], computers[last]}
}
