package command

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
	"retorno/deploy/command/settings"
	"retorno/schemas/calendar"
)

// clickhouseFlags say how to reach ClickHouse.
type clickhouseFlags struct {
	Addr         string          `default:"127.0.0.1:9000" placeholder:"HOST:PORT" help:"Address of the native protocol."`
	User         string          `default:"default" placeholder:"NAME" help:"User to log in as."`
	PasswordFile string          `placeholder:"FILE" help:"File that holds the password, read again for each connection; or put it into RETORNO_CLICKHOUSE_PASSWORD"`
	Password     settings.Secret `hidden:""`

	TLS        bool   `name:"tls" help:"Encrypt."`
	CAFile     string `name:"ca-file" placeholder:"FILE" help:"Certificates (PEM) that vouch for the server, instead of the system's; implies TLS. Read again for each connection, as are the next two."`
	CertFile   string `name:"cert-file" placeholder:"FILE" help:"Certificate (PEM) to show to the server; implies TLS."`
	KeyFile    string `name:"key-file" placeholder:"FILE" help:"Its private key (PEM)."`
	ServerName string `name:"server-name" placeholder:"NAME" help:"Name that the server's certificate must bear, instead of the host of the address; implies TLS."`

	Timeout time.Duration `default:"1m" help:"How long ClickHouse may be silent on a statement before its outcome counts as unknown."`

	inserted func(table string) // see store.Config.Inserted
}

// Validate names what cannot work, before anything is asked of the server.
func (f *clickhouseFlags) Validate() error {
	if (f.CertFile == "") != (f.KeyFile == "") {
		return errors.New("--clickhouse-cert-file and --clickhouse-key-file belong together")
	}
	return checkAll(checkAddress("clickhouse-addr", f.Addr), above("clickhouse-timeout", f.Timeout))
}

// encrypted reports whether any of the settings asks for TLS.
func (f *clickhouseFlags) encrypted() bool {
	return f.TLS || f.CAFile != "" || f.CertFile != "" || f.ServerName != ""
}

// tlsConfig reads the files as they are now.
func (f *clickhouseFlags) tlsConfig() (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CAFile != "" {
		pool, err := readAuthorities("clickhouse-ca-file", f.CAFile)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = pool
	}
	if f.CertFile != "" {
		pair, err := readKeyPair("clickhouse", f.CertFile, f.KeyFile)
		if err != nil {
			return nil, err
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return settings, nil
}

// config is the way to ClickHouse. What its files hold is read here once, to name what is wrong with them, and again for
// each connection: they change while a process runs.
func (f *clickhouseFlags) config(log *slog.Logger, registry prometheus.Registerer) (store.Config, error) {
	password := func() (string, error) { return readSecret(f.Password, f.PasswordFile) }
	if _, err := password(); err != nil {
		return store.Config{}, err
	}
	c := store.Config{Addr: f.Addr, User: f.User, Password: password, QueryTimeout: f.Timeout, Inserted: f.inserted, Logger: log, Registerer: registry}
	if f.encrypted() {
		if _, err := f.tlsConfig(); err != nil {
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
				return store.Config{}, err
			}
			return store.Config{}, Usage(err)
		}
		c.TLS = f.tlsConfig
	}
	return c, nil
}

// open connects and waits until the server answers. The caller closes the store.
func (f *clickhouseFlags) open(ctx context.Context, log *slog.Logger, registry prometheus.Registerer) (*store.Store, error) {
	c, err := f.config(log, registry)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(c)
	if err != nil {
		return nil, Usage(err)
	}
	if err := f.reach(ctx, log, s); err != nil {
		_ = s.Close() // what is wrong with it is being told already
		return nil, err
	}
	return s, nil
}

// Where the latest applied step of the schema and the code lists are asked for: by the pipeline's commands, and by those that may read nothing
// but ceniss.
const (
	pipelineStep, pipelineCodes   = "SELECT max(number) FROM retorno.migrations", "retorno.codes"
	publishedStep, publishedCodes = "SELECT schema FROM ceniss.state", "ceniss.codes"
)

// openSchema is open for commands that need what `retorno migrate` makes.
func (f *clickhouseFlags) openSchema(ctx context.Context, log *slog.Logger, registry prometheus.Registerer) (*store.Store, error) {
	return f.openAt(ctx, log, registry, pipelineStep, pipelineCodes)
}

// openPublished is open for commands that read the database ceniss alone, or what was published in it.
func (f *clickhouseFlags) openPublished(ctx context.Context, log *slog.Logger, registry prometheus.Registerer) (*store.Store, error) {
	return f.openAt(ctx, log, registry, publishedStep, publishedCodes)
}

// openAt refuses a server whose schema is another than this program's, or whose code lists a newer release has filled.
func (f *clickhouseFlags) openAt(ctx context.Context, log *slog.Logger, registry prometheus.Registerer, query, codes string) (*store.Store, error) {
	s, err := f.open(ctx, log, registry)
	if err != nil {
		return nil, err
	}
	needed, err := store.Step()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	var step uint32
	err = s.Conn().QueryRow(ctx, query).Scan(&step)
	switch code := store.Code(err); {
	case err == nil && step == needed:
		if err = s.CheckCodes(ctx, codes); err == nil {
			return s, nil
		}
		err = Usage(err)
	case err == nil && step > needed:
		err = Usage(fmt.Errorf("ClickHouse at %s has a newer schema than this program knows (step %d, here %d): it was made by a newer release; run that one", f.Addr, step, needed))
	case err == nil, code == int32(proto.ErrUnknownDatabase), code == int32(proto.ErrUnknownTable):
		err = Missing(fmt.Errorf("ClickHouse at %s does not have the schema of this program yet (step %d, here %d): run `%s migrate` first", f.Addr, step, needed, program))
	default:
		err = fmt.Errorf("ask ClickHouse at %s for its schema: %w", f.Addr, err)
	}
	return nil, errors.Join(err, s.Close())
}

// reach waits a while for a server that may just be starting, and refuses one that waiting does not make right.
func (f *clickhouseFlags) reach(ctx context.Context, log *slog.Logger, s *store.Store) error {
	wait, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	for said := false; ; said = true {
		err := s.Ping(wait)
		switch {
		case err == nil:
			return f.checkVersion(ctx, s)
		case ctx.Err() != nil:
			return err
		case store.IsStop(err):
			return Usage(fmt.Errorf("%w; the settings are --clickhouse-user and --clickhouse-password-file", err))
		}
		if misuse := s.Misused(wait, err); misuse != nil {
			return Usage(misuse)
		}
		if !said {
			log.Info("waiting for ClickHouse", "addr", f.Addr, "error", err)
		}
		select {
		case <-wait.Done():
			return Missing(fmt.Errorf("no ClickHouse answers at %s: %w; %sname it with --clickhouse-addr", f.Addr, err, startOne))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (f *clickhouseFlags) checkVersion(ctx context.Context, s *store.Store) error {
	version, err := s.Version(ctx)
	if err != nil {
		return err
	}
	if store.TooOld(version) {
		return Usage(fmt.Errorf("ClickHouse at %s is of version %s; the lowest that works is %s", f.Addr, version, store.LowestVersion))
	}
	return nil
}

// warnOfZone names the server's time zone where it is not that of Honduras. No number here changes with it; but clients take
// a date or a time without a zone for one of the server's, and ask for another day than people meant.
func warnOfZone(ctx context.Context, s *store.Store, log *slog.Logger) error {
	var zone string
	if err := s.Conn().QueryRow(ctx, "SELECT serverTimezone()").Scan(&zone); err != nil {
		return fmt.Errorf("ask ClickHouse for its time zone: %w", err)
	}
	if zone != calendar.ZoneName {
		log.Warn("the time zone of ClickHouse is not that of Honduras: programs that ask it for a day or a time may find those of another one; "+
			"set <timezone>"+calendar.ZoneName+"</timezone> in its configuration (deploy/clickhouse/timezone.xml) and start it again", "zone", zone)
	}
	return nil
}
