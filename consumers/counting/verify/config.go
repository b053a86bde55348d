package verify

import (
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says how the verifier works when it goes on and on. Zero fields take the defaults named.
type Config struct {
	Conn driver.Conn
	// Kafka is where the facts were sent to; nil: they are not compared with the log, each pass is a full one, and none is
	// recorded.
	Kafka *Kafka
	// Every is the time from the end of one pass to the begin of the next; default one minute.
	Every time.Duration
	// FullEvery is the time from one full pass to the next; default one day.
	FullEvery time.Duration
	// Share bounds the part of the time that passes take, by making the pause longer; default 0.05.
	Share float64
	// AtOnce is how many Kafka partitions a full pass compares at once; default 1. Each takes one thread of ClickHouse and
	// its memory, and one of the process.
	AtOnce int
	// Progress hears how many facts a full pass has taken up, of how many in all: each once for each check that reads facts.
	Progress   func(done, total uint64)
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	switch {
	case c.Conn == nil:
		return errors.New("the verifier needs a connection to ClickHouse")
	case c.Kafka != nil && (len(c.Kafka.Brokers) == 0 || c.Kafka.Partitions < 1):
		return errors.New("the verifier needs brokers and the number of partitions")
	case c.Every < 0 || c.FullEvery < 0 || c.AtOnce < 0 || c.Share < 0 || c.Share > 1:
		return errors.New("the verifier's pauses and partitions at once must not be negative, and its share lies between 0 and 1")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Every == 0 {
		c.Every = time.Minute
	}
	if c.FullEvery == 0 {
		c.FullEvery = 24 * time.Hour
	}
	if c.AtOnce == 0 {
		c.AtOnce = 1
	}
	if c.Share == 0 {
		c.Share = 0.05
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
