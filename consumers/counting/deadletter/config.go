package deadletter

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/schemas/kafka"
)

// Config says where the letters are. Zero fields take the defaults named.
type Config struct {
	// Brokers are addresses to start from, host:port.
	Brokers []string
	// RequestTimeout bounds one attempt. Default 10 s.
	RequestTimeout time.Duration
	// MinBackoff and MaxBackoff bound the wait before another attempt.
	// Default 50 ms and 2 s.
	MinBackoff, MaxBackoff time.Duration
	// TLS encrypts; nil does not.
	TLS *kafka.TLS
	// SASL logs in; nil does not.
	SASL *kafka.SASL
	// Registerer receives the writer's metrics; nil keeps none.
	Registerer prometheus.Registerer
	// Logger receives what is retried, never a message's bytes; nil drops it.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.RequestTimeout, 10*time.Second)
	set(&c.MinBackoff, 50*time.Millisecond)
	set(&c.MaxBackoff, 2*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate names the first setting that cannot work.
func (c Config) Validate() error {
	if err := c.access().Validate(); err != nil {
		return err
	}
	if c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("backoff from %s to %s: the second must not be less", c.MinBackoff, c.MaxBackoff)
	}
	return nil
}

func (c Config) access() kafka.Access {
	return kafka.Access{Brokers: c.Brokers, TLS: c.TLS, SASL: c.SASL}
}
