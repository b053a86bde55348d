package store

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config says which ClickHouse to use.
type Config struct {
	Addr string // host:port of the native protocol
	User string // default: default
	// Password gives the password for each login, as it is then; nil: none.
	Password func() (string, error)
	// TLS gives the settings for each connection, as they are then; nil: no encryption.
	TLS func() (*tls.Config, error)
	// QueryTimeout is how long ClickHouse may be silent on a statement before its outcome counts as unknown; default 60 s. A
	// writer, whose statements are bounded, may not take longer in all, and goes on trying after it.
	QueryTimeout time.Duration
	// RetryFirst and RetryMost bound the pause between attempts, which doubles; default 50 ms and 500 ms. While connections
	// are refused it is at most 100 ms.
	RetryFirst, RetryMost time.Duration
	// Inserted is called after each insert that was answered, with the table's name, and first with retorno.claims, once
	// all flushes that go together are announced and their claims were seen to hold; nil: nothing. Tests tear flushes there.
	Inserted   func(table string)
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	if c.Addr == "" {
		return errors.New("clickhouse: no address; set --clickhouse-addr to HOST:PORT of the native protocol")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.User == "" {
		c.User = "default"
	}
	if c.QueryTimeout == 0 {
		c.QueryTimeout = 60 * time.Second
	}
	if c.RetryFirst == 0 {
		c.RetryFirst = 50 * time.Millisecond
	}
	if c.RetryMost == 0 {
		c.RetryMost = 500 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
