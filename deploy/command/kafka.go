package command

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/stream"
	"retorno/deploy/command/settings"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

// reachTimeout is how long a command waits for a cluster or a server that may just be starting. Of one that answers it
// bounds nothing. Variable, so that tests need not wait so long.
var reachTimeout = 15 * time.Second

// kafkaFlags say how to reach Kafka.
type kafkaFlags struct {
	Brokers          []string        `default:"127.0.0.1:9092" placeholder:"HOST:PORT" help:"Brokers to start from."`
	Partitions       int             `default:"12" placeholder:"N" help:"Partitions of each of the two fact topics; fixed when they are made."`
	Replication      int             `default:"0" placeholder:"N" help:"Copies of a topic that this program makes; 0 leaves it to the cluster."`
	MinInsync        int             `default:"0" placeholder:"N" help:"Copies of such a topic that must be alive for a record to be taken; 0 leaves it to the cluster."`
	TLS              bool            `name:"tls" help:"Encrypt."`
	CAFile           string          `name:"ca-file" placeholder:"FILE" help:"Certificates (PEM) that vouch for the brokers, instead of the system's; implies TLS."`
	CertFile         string          `name:"cert-file" placeholder:"FILE" help:"Certificate (PEM) that this program shows to the brokers; implies TLS. It is read again at each connection."`
	KeyFile          string          `name:"key-file" placeholder:"FILE" help:"Key (PEM) of that certificate."`
	ServerName       string          `name:"server-name" placeholder:"NAME" help:"Name in the brokers' certificates, when it is not the host in their addresses."`
	SaslMechanism    string          `name:"sasl-mechanism" enum:",PLAIN,SCRAM-SHA-256,SCRAM-SHA-512" default:"" placeholder:"NAME" help:"Log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."`
	SaslUser         string          `name:"sasl-user" placeholder:"NAME" help:"User to log in as."`
	SaslPasswordFile string          `name:"sasl-password-file" placeholder:"FILE" help:"File that holds the password, read again at each connection; or put it into RETORNO_KAFKA_SASL_PASSWORD"`
	SaslPassword     settings.Secret `name:"sasl-password" hidden:""`

	RequestTimeout time.Duration `default:"10s" help:"How long one request to Kafka may take before it is sent again; for the verifier: how long nothing of the answer may come."`
}

// Validate names what cannot work, before anything is asked of the cluster.
func (f *kafkaFlags) Validate() error {
	if f.Partitions < 1 {
		return fmt.Errorf("--kafka-partitions %d: must be 1 or more", f.Partitions)
	}
	if f.Replication < 0 || f.MinInsync < 0 || f.Replication > 0 && f.MinInsync > f.Replication {
		return fmt.Errorf("--kafka-replication %d and --kafka-min-insync %d: must not be negative, and no more copies can be alive than there are", f.Replication, f.MinInsync)
	}
	if (f.SaslMechanism == "") != (f.SaslUser == "") {
		return errors.New("--kafka-sasl-mechanism and --kafka-sasl-user belong together")
	}
	if (f.CertFile == "") != (f.KeyFile == "") {
		return errors.New("--kafka-cert-file and --kafka-key-file belong together")
	}
	if f.ServerName != "" && !f.TLS && f.CAFile == "" && f.CertFile == "" {
		return errors.New("--kafka-server-name is about certificates: it needs --kafka-tls")
	}
	if err := above("kafka-request-timeout", f.RequestTimeout); err != nil {
		return err
	}
	return producer.Config{Brokers: f.Brokers}.Validate()
}

// access is how to reach the cluster. Password and certificates are named by their files, which are read again at each
// connection, so that changed ones count without a restart.
func (f *kafkaFlags) access() (kafka.Access, error) {
	a := kafka.Access{Brokers: f.Brokers}
	if f.TLS || f.CAFile != "" || f.CertFile != "" {
		a.TLS = &kafka.TLS{CAFile: f.CAFile, CertFile: f.CertFile, KeyFile: f.KeyFile, ServerName: f.ServerName}
	}
	if f.SaslMechanism != "" {
		a.SASL = &kafka.SASL{Mechanism: f.SaslMechanism, User: f.SaslUser, Password: string(f.SaslPassword)}
		if f.SaslPassword == "" {
			a.SASL.PasswordFile = f.SaslPasswordFile
		}
	}
	err := a.Validate()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		err = Usage(err)
	}
	return a, err
}

// producer is the configuration of a writer to these brokers.
func (f *kafkaFlags) producer(log *slog.Logger, registry prometheus.Registerer) (producer.Config, error) {
	a, err := f.access()
	return producer.Config{Brokers: a.Brokers, Partitions: f.Partitions, Compression: "lz4", TLS: a.TLS, SASL: a.SASL, RequestTimeout: f.RequestTimeout, Logger: log, Registerer: registry}, err
}

// consumer is the configuration of a reader of these brokers; group and topics are the caller's.
func (f *kafkaFlags) consumer(log *slog.Logger, registry prometheus.Registerer) (stream.Config, error) {
	a, err := f.access()
	return stream.Config{Brokers: a.Brokers, Partitions: f.Partitions, TLS: a.TLS, SASL: a.SASL, RequestTimeout: f.RequestTimeout, Logger: log, Registerer: registry}, err
}

// readSecret returns a secret from its own variable, else from the file that is named for it.
func readSecret(value settings.Secret, file string) (string, error) {
	if value != "" || file == "" {
		return string(value), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
