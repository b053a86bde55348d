//go:build !server

package command

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"retorno/deploy/command/screen"
	"retorno/deploy/lab/offices"
	"retorno/deploy/lab/register"
	"retorno/producers/dispatch"
	"retorno/schemas/kafka"
)

// page is that of an office, with the address at which it is served.
type page struct {
	office   *offices.Office
	listener net.Listener
}

func (p page) url() string { return "http://" + p.listener.Addr().String() + "/" }

// openOffices opens the agent of each made computer, and the addresses of the two that a person may try.
func (d *demo) openOffices(context.Context) error {
	keys, err := offices.Keys()
	if err != nil {
		return err
	}
	link := func() (dispatch.Link, error) {
		return dispatch.Link{Access: kafka.Access{Brokers: d.kafka.Brokers}, Partitions: d.Partitions}, nil
	}
	d.offices = map[string]*offices.Office{}
	computers := d.made.Computers()
	for _, c := range computers {
		o, err := offices.Open(offices.Config{Computer: c, Dir: filepath.Join(d.data, "agents"), Keys: keys, Link: link, Disk: &offices.Disk{Unsynced: true}, Logger: d.t.Log})
		if err != nil {
			return errors.Join(err, d.closeOffices())
		}
		d.offices[c.Source] = o
	}
	for _, c := range offices.Both(computers) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return errors.Join(Missing(err), d.closeOffices())
		}
		d.pages = append(d.pages, page{d.offices[c.Source], listener})
	}
	return nil
}

func (d *demo) closeOffices() error {
	var all []error
	for _, o := range d.offices {
		all = append(all, o.Close())
	}
	for _, p := range d.pages {
		if err := p.listener.Close(); !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// runOffices sends what is typed, reads what offices tell each other, and serves the two pages, until ctx ends.
func (d *demo) runOffices(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, o := range d.offices {
		group.Go(func() error { return o.Send(ctx) })
	}
	for _, p := range d.pages {
		group.Go(func() error { return p.office.Follow(ctx) })
		server := &http.Server{Handler: p.office, ReadHeaderTimeout: 10 * time.Second}
		group.Go(func() error {
			if err := server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error { <-ctx.Done(); return server.Close() })
	}
	return group.Wait()
}

// typeRegister types the register's forms at the agents: those of one computer after those of the other, as many with one sync as a call of
// POST /forms is given.
func (d *demo) typeRegister(ctx context.Context) error {
	bar := screen.NewProgress(d.t.Err, "forms typed", int64(d.made.Counts().Forms))
	defer bar.End()
	var typed int64
	var some []register.Form
	flush := func() error {
		if len(some) == 0 {
			return nil
		}
		err := d.offices[some[0].Source].Type(ctx, some)
		typed += int64(len(some))
		bar.Set(typed)
		some = some[:0]
		return err
	}
	err := d.made.Forms(func(f register.Form) error {
		if n := len(some); n > 0 && (n == offices.PerCall || some[0].Source != f.Source) {
			if err := flush(); err != nil {
				return err
			}
		}
		some = append(some, f)
		return nil
	})
	if err == nil {
		err = flush()
	}
	for _, o := range d.offices {
		o.Lock()
	}
	return err
}

// unsent are the records that the agents have still to send when the register is typed.
func (d *demo) unsent() uint64 {
	left := uint64(d.made.Counts().Forms)
	for _, o := range d.offices {
		if s, err := o.State(); err == nil {
			left -= min(left, s.LastSeq-s.Unsent)
		}
	}
	return left
}
