package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/store"
)

// clickhouseFlags say how to reach ClickHouse.
type clickhouseFlags struct {
	Addr         string `default:"127.0.0.1:9000" placeholder:"HOST:PORT" help:"Address of the native protocol."`
	User         string `default:"default" placeholder:"NAME" help:"User to log in as."`
	PasswordFile string `placeholder:"FILE" help:"File that holds the password; or put it into RETORNO_CLICKHOUSE_PASSWORD"`
	Password     secret `hidden:""`

	Timeout time.Duration `default:"1m" help:"How long ClickHouse may be silent on a statement before its outcome counts as unknown."`

	inserted func(table string) // see store.Config.Inserted
}

// Validate names what cannot work, before anything is asked of the server.
func (f *clickhouseFlags) Validate() error {
	if _, _, err := net.SplitHostPort(f.Addr); err != nil {
		return fmt.Errorf("--clickhouse-addr %q: %w", f.Addr, err)
	}
	return nil
}

// open connects and waits until the server answers. The caller closes the store.
func (f *clickhouseFlags) open(ctx context.Context, log *slog.Logger, registry prometheus.Registerer) (*store.Store, error) {
	password, err := readSecret(f.Password, f.PasswordFile)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(store.Config{Addr: f.Addr, User: f.User, Password: password, QueryTimeout: f.Timeout,
		Inserted: f.inserted, Logger: log, Registerer: registry})
	if err != nil {
		return nil, Usage(err)
	}
	if err := f.reach(ctx, log, s); err != nil {
		_ = s.Close() // what is wrong with it is being told already
		return nil, err
	}
	return s, nil
}

// openSchema is open for commands that need what `retorno migrate` makes.
func (f *clickhouseFlags) openSchema(ctx context.Context, log *slog.Logger, registry prometheus.Registerer) (*store.Store, error) {
	s, err := f.open(ctx, log, registry)
	if err != nil {
		return nil, err
	}
	var steps uint64
	err = s.Conn().QueryRow(ctx, "SELECT count() FROM retorno.migrations").Scan(&steps)
	switch code := store.Code(err); {
	case err == nil && steps > 0:
		return s, nil
	case err == nil, code == int32(proto.ErrUnknownDatabase), code == int32(proto.ErrUnknownTable):
		err = Missing(fmt.Errorf("ClickHouse at %s does not have the schema yet: run `%s migrate` first", f.Addr, program))
	default:
		err = fmt.Errorf("ask ClickHouse at %s for its schema: %w", f.Addr, err)
	}
	return nil, errors.Join(err, s.Close())
}

// reach waits a while for a server that may just be starting.
func (f *clickhouseFlags) reach(ctx context.Context, log *slog.Logger, s *store.Store) error {
	wait, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	for said := false; ; said = true {
		err := s.Ping(wait)
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case store.IsStop(err):
			return Usage(fmt.Errorf("%w; the settings are --clickhouse-user and --clickhouse-password-file", err))
		case !said:
			log.Info("waiting for ClickHouse", "addr", f.Addr, "error", err)
		}
		select {
		case <-wait.Done():
			return Missing(fmt.Errorf("no ClickHouse answers at %s: %w; start one (`%s embedded` is enough for a trial) or name it with --clickhouse-addr", f.Addr, err, program))
		case <-time.After(250 * time.Millisecond):
		}
	}
}
