package deadletter

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"retorno/consumers/stream"
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
	// TLS switches encryption on.
	TLS *tls.Config
	// SASL logs in; nil does not.
	SASL *stream.SASL
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
	if len(c.Brokers) == 0 {
		return errors.New("no broker address; name at least one host:port")
	}
	if c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("backoff from %s to %s: the second must not be less", c.MinBackoff, c.MaxBackoff)
	}
	_, err := mechanism(c.SASL)
	return err
}

func mechanism(s *stream.SASL) (sasl.Mechanism, error) {
	if s == nil {
		return nil, nil
	}
	switch s.Mechanism {
	case "PLAIN":
		return plain.Mechanism{Username: s.User, Password: s.Password}, nil
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, s.User, s.Password)
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, s.User, s.Password)
	}
	return nil, fmt.Errorf("SASL mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
}

func newClient(c Config) (*kafka.Client, *kafka.Transport, error) {
	m, err := mechanism(c.SASL)
	if err != nil {
		return nil, nil, err
	}
	t := &kafka.Transport{
		Dial:        (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		DialTimeout: 5 * time.Second,
		MetadataTTL: 2 * time.Second,
		ClientID:    "retorno",
		TLS:         c.TLS,
		SASL:        m,
	}
	return &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: t}, t, nil
}
