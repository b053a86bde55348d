package command

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/stream"
	"retorno/producers/publish"
)

// reachTimeout is how long a command waits for a cluster or a server that may just be starting.
const reachTimeout = 15 * time.Second

// kafkaFlags say how to reach Kafka.
type kafkaFlags struct {
	Brokers          []string `default:"127.0.0.1:9092" placeholder:"HOST:PORT" help:"Brokers to start from."`
	Partitions       int      `default:"12" placeholder:"N" help:"Partitions of each of the two fact topics; fixed when they are made."`
	TLS              bool     `name:"tls" help:"Encrypt."`
	CAFile           string   `name:"ca-file" placeholder:"FILE" help:"Certificates (PEM) that vouch for the brokers, instead of the system's; implies TLS."`
	SaslMechanism    string   `name:"sasl-mechanism" enum:",PLAIN,SCRAM-SHA-256,SCRAM-SHA-512" default:"" placeholder:"NAME" help:"Log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."`
	SaslUser         string   `name:"sasl-user" placeholder:"NAME" help:"User to log in as."`
	SaslPasswordFile string   `name:"sasl-password-file" placeholder:"FILE" help:"File that holds the password; or put it into RETORNO_KAFKA_SASL_PASSWORD"`
	SaslPassword     secret   `name:"sasl-password" hidden:""`
}

// Validate names what cannot work, before anything is asked of the cluster.
func (f *kafkaFlags) Validate() error {
	if f.Partitions < 1 {
		return fmt.Errorf("--kafka-partitions %d: must be 1 or more", f.Partitions)
	}
	if (f.SaslMechanism == "") != (f.SaslUser == "") {
		return errors.New("--kafka-sasl-mechanism and --kafka-sasl-user belong together")
	}
	return publish.Config{Brokers: f.Brokers}.Validate()
}

// kafkaAccess is the part of the settings that producers and consumers share.
type kafkaAccess struct {
	tls      *tls.Config
	password string
}

func (f *kafkaFlags) access() (kafkaAccess, error) {
	password, err := readSecret(f.SaslPassword, f.SaslPasswordFile)
	if err != nil {
		return kafkaAccess{}, err
	}
	a := kafkaAccess{password: password}
	if !f.TLS && f.CAFile == "" {
		return a, nil
	}
	a.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CAFile == "" {
		return a, nil
	}
	pem, err := os.ReadFile(f.CAFile)
	if err != nil {
		return a, fmt.Errorf("--kafka-ca-file: %w", err)
	}
	a.tls.RootCAs = x509.NewCertPool()
	if !a.tls.RootCAs.AppendCertsFromPEM(pem) {
		return a, Usage(fmt.Errorf("--kafka-ca-file %s: holds no certificate in PEM form", f.CAFile))
	}
	return a, nil
}

// producer is the configuration of a writer to these brokers.
func (f *kafkaFlags) producer(log *slog.Logger, registry prometheus.Registerer) (publish.Config, error) {
	a, err := f.access()
	if err != nil {
		return publish.Config{}, err
	}
	cfg := publish.Config{Brokers: f.Brokers, Partitions: f.Partitions, Compression: "lz4", TLS: a.tls, Logger: log, Registerer: registry}
	if f.SaslMechanism != "" {
		cfg.SASL = &publish.SASL{Mechanism: f.SaslMechanism, User: f.SaslUser, Password: a.password}
	}
	return cfg, nil
}

// consumer is the configuration of a reader of these brokers; group and topics are the caller's.
func (f *kafkaFlags) consumer(log *slog.Logger, registry prometheus.Registerer) (stream.Config, error) {
	a, err := f.access()
	if err != nil {
		return stream.Config{}, err
	}
	cfg := stream.Config{Brokers: f.Brokers, Partitions: f.Partitions, TLS: a.tls, Logger: log, Registerer: registry}
	if f.SaslMechanism != "" {
		cfg.SASL = &stream.SASL{Mechanism: f.SaslMechanism, User: f.SaslUser, Password: a.password}
	}
	return cfg, nil
}

// openWriter makes sure of the topics and returns a writer to them. The caller closes it.
func (f *kafkaFlags) openWriter(ctx context.Context, log *slog.Logger, registry prometheus.Registerer) (*publish.Writer, error) {
	cfg, err := f.producer(log, registry)
	if err != nil {
		return nil, err
	}
	if err := f.ensureTopics(ctx, cfg); err != nil {
		return nil, err
	}
	writer, err := publish.New(cfg)
	if err != nil {
		return nil, Usage(err)
	}
	return writer, nil
}

// ensureTopics creates the topics where they are missing, and refuses a cluster whose partition count is another.
func (f *kafkaFlags) ensureTopics(ctx context.Context, cfg publish.Config) error {
	return f.ask(ctx, func(ctx context.Context) error {
		return publish.EnsureTopics(ctx, f.Brokers, publish.TopicsConfig{Partitions: f.Partitions, Client: cfg})
	})
}

// checkTopics refuses a cluster without the topics, or with another partition count. It changes nothing.
func (f *kafkaFlags) checkTopics(ctx context.Context, cfg publish.Config) error {
	return f.ask(ctx, func(ctx context.Context) error { return publish.CheckTopics(ctx, f.Brokers, f.Partitions, cfg) })
}

// ask puts a question to the cluster and gives its failure an exit status and the way out.
func (f *kafkaFlags) ask(ctx context.Context, question func(context.Context) error) error {
	reach, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	err := question(reach)
	var differs *publish.TopicsError
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case errors.As(err, &differs) && differs.Missing():
		return Missing(fmt.Errorf("%w; `%s consume` or `%s send` makes the topics", err, program, program))
	case errors.As(err, &differs):
		return Usage(fmt.Errorf("%w; the setting is --kafka-partitions", err))
	case publish.IsStop(err):
		return Usage(err)
	default:
		return Missing(fmt.Errorf("no Kafka cluster answers at %s: %w; start one (`%s embedded` is enough for a trial) or name it with --kafka-brokers",
			strings.Join(f.Brokers, ", "), err, program))
	}
}

// readSecret returns a secret from its own variable, else from the file that is named for it.
func readSecret(value secret, file string) (string, error) {
	if value != "" || file == "" {
		return string(value), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
