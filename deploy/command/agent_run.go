package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"retorno/producers/disk"
	"retorno/producers/dispatch"
	"retorno/producers/documents"
	"retorno/producers/enrolment"
	"retorno/producers/exchange"
	"retorno/producers/paper"
	"retorno/producers/spool"
	"retorno/schemas/codelists"
	"retorno/schemas/kafka"
)

// agentFlags are what both kinds of agent need.
type agentFlags struct {
	Enrolment string `required:"" placeholder:"FILE" help:"The file that agent enrol wrote."`
	Data      string `required:"" placeholder:"DIR" help:"Folder of the agent's data; it is made when it is not there. A new one needs a new source."`
	Listen    string `default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"Address of the page, on this computer only. A port that is taken is replaced by a free one."`
	Endpoints string `per:"call" placeholder:"FILE" help:"Write {\"page\": URL} to this file once the page answers."`
	Retain    days   `default:"30d" placeholder:"TIME" help:"How long names and documents are kept after they were typed, such as 30d or 36h; never less than until the record is acknowledged."`
}

// days is a time that people give in days.
type days time.Duration

// UnmarshalText reads 30d, or a time as Go writes it.
func (d *days) UnmarshalText(text []byte) error {
	if n, ok := strings.CutSuffix(string(text), "d"); ok {
		count, err := strconv.ParseUint(n, 10, 16)
		*d = days(time.Duration(count) * 24 * time.Hour)
		return err
	}
	t, err := time.ParseDuration(string(text))
	if err == nil && t < 0 {
		err = errors.New("must not be negative")
	}
	*d = days(t)
	return err
}

// MarshalText writes what UnmarshalText reads.
func (d days) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d days) String() string {
	if t := time.Duration(d); t%(24*time.Hour) != 0 {
		return t.String()
	}
	return strconv.Itoa(int(time.Duration(d)/(24*time.Hour))) + "d"
}

// Validate names what cannot work.
func (f *agentFlags) Validate() error {
	host, _, err := net.SplitHostPort(f.Listen)
	if err != nil {
		return checkAddress("listen", f.Listen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen %s: the page is for this computer only; name 127.0.0.1, [::1] or localhost", f.Listen)
	}
	return checkAddress("listen", f.Listen)
}

const agentHelp = ` It keeps what is typed in its folder, synced before it says guardado, and sends it to the brokers of its enrolment, the oldest first, whether a clerk is logged in or not. Open the address that it prints in the browser of the same computer.

When the disk does not confirm what was written, it ends with status 3: start it by something that starts it once more.`

type agentCheckpointCommand struct{ agentFlags }

// Help is the longer text of --help.
func (agentCheckpointCommand) Help() string {
	return helpText("Runs the computer of a border post: arrivals and crossings."+agentHelp,
		"retorno agent checkpoint --enrolment l-cor-1.enrolment --data /var/lib/retorno")
}

// Run runs until it is told to end.
func (c *agentCheckpointCommand) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, codelists.BorderPoint)
}

type agentCentreCommand struct{ agentFlags }

// Help is the longer text of --help.
func (agentCentreCommand) Help() string {
	return helpText("Runs the computer of a reception centre: registrations and assistance."+agentHelp,
		"retorno agent centre --enrolment omoa-1.enrolment --data /var/lib/retorno")
}

// Run runs until it is told to end.
func (c *agentCentreCommand) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, codelists.Centre)
}

func (f *agentFlags) run(ctx context.Context, t *terminal, places string) error {
	file, err := enrolment.Read(f.Enrolment)
	if err != nil {
		return Usage(err)
	}
	if placeOf(file.Place) != places {
		return Usage(fmt.Errorf("%s is not in the list %s: use the other kind of agent", file.Place, places))
	}
	if err := withoutDumps(); err != nil {
		return err
	}
	boundMemory()
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return err
	}
	s, err := spool.Open(spool.Config{Dir: f.Data, Source: file.Source, Keys: file.Keys, Retain: time.Duration(f.Retain)})
	if errors.Is(err, spool.ErrInUse) {
		return Missing(err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // all that was promised is on the disk
	collectOften()
	forms, err := paper.Open(disk.OS{}, filepath.Join(f.Data, paper.FileName))
	if err != nil {
		t.Log.Warn("the account of paper forms cannot be read and begins empty: enter what was received once more", "error", err)
	}
	parts := agentParts{spool: s, forms: forms, place: file.Place, met: new(atomic.Int64)}
	parts.out = dispatch.New(dispatch.Config{Spool: s, Link: f.link, Version: version, FormsMissing: forms.Missing,
		DocumentsMet: func() int { return int(parts.met.Load()) }, Logger: t.Log})
	parts.told = exchange.New(exchange.Config{Access: f.access, Dir: f.Data, Post: placeOf(file.Place) == codelists.BorderPoint, Logger: t.Log})
	parts.found = documents.New(documents.Config{Access: f.access, Dir: f.Data, Logger: t.Log})
	listener, err := f.listen(t)
	if err != nil {
		return err
	}
	return f.serve(ctx, t, listener, parts)
}

// withoutDumps keeps what is in memory out of core dumps.
func withoutDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("core dumps cannot be switched off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("core dumps cannot be switched off: %w", err)
	}
	return nil
}

// link reads the enrolment once more: a changed password or certificate counts without a restart.
func (f *agentFlags) link() (dispatch.Link, error) {
	file, err := enrolment.Read(f.Enrolment)
	if err != nil {
		return dispatch.Link{}, err
	}
	access, err := file.Access(f.Data)
	return dispatch.Link{Access: access, Partitions: file.Kafka.Partitions}, err
}

func (f *agentFlags) access() (kafka.Access, error) {
	l, err := f.link()
	return l.Access, err
}

// listen takes the address, or a free port of the same host when that one is taken.
func (f *agentFlags) listen(t *terminal) (net.Listener, error) {
	listener, err := net.Listen("tcp", f.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(f.Listen) // Validate has split it
		if listener, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err == nil {
			t.say("%s is taken: the page is at %s instead", f.Listen, listener.Addr())
		}
	}
	if err != nil {
		return nil, Missing(err)
	}
	return listener, nil
}

// serve runs the page, the sending and the erasing until one of them fails or ctx ends.
func (f *agentFlags) serve(ctx context.Context, t *terminal, listener net.Listener, parts agentParts) error {
	group, ctx := errgroup.WithContext(ctx)
	fatal := make(chan error, 1)
	page, closePage, err := f.page(t, parts, func(err error) {
		select {
		case fatal <- err:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer closePage()
	server := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second, ErrorLog: nil}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return errors.Join(server.Shutdown(closing), server.Close())
	})
	group.Go(func() error {
		select {
		case err := <-fatal:
			return err
		case <-ctx.Done():
			return nil
		}
	})
	group.Go(func() error { return parts.out.Run(ctx) })
	group.Go(func() error { return parts.told.Run(ctx) })
	group.Go(func() error { return parts.found.Run(ctx) })
	group.Go(func() error { return eraseOften(ctx, t, parts.spool) })
	group.Go(func() error { leaveOften(ctx); return nil })
	if err := f.announce(t, listener); err != nil {
		return errors.Join(err, server.Close(), group.Wait())
	}
	err = group.Wait()
	if errors.Is(err, disk.ErrSync) {
		err = Missing(fmt.Errorf("%w; what was said to be saved is there at the next start", err))
	}
	return err
}

// announce says where the page is, and writes it to the file that is named.
func (f *agentFlags) announce(t *terminal, listener net.Listener) error {
	url := "http://" + listener.Addr().String() + "/"
	t.say("the page is at %s", url)
	if f.Endpoints == "" {
		return nil
	}
	return writeEndpoints(f.Endpoints, map[string]string{"page": url})
}

// eraseOften forgets what has passed its retention, each hour.
func eraseOften(ctx context.Context, t *terminal, s *spool.Spool) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		switch err := s.Erase(); {
		case errors.Is(err, disk.ErrSync):
			return err
		case err != nil:
			t.Log.Warn("identities past their retention cannot be erased at present", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
