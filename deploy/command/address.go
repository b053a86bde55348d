package command

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"retorno/deploy/ops"
)

// checkAddress names an address that cannot be one, before anything is dialled or listened to.
func checkAddress(flag, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("--%s %q: write HOST:PORT: %w", flag, addr, err)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("--%s %q: the port must be a number from 0 to 65535", flag, addr)
	}
	return nil
}

// above names a setting that must be larger than nothing and is not.
func above[T int | time.Duration](flag string, value T) error {
	if value > 0 {
		return nil
	}
	return fmt.Errorf("--%s %v: must be above 0", flag, value)
}

// readAuthorities reads the certificates of authorities.
func readAuthorities(flag, path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--%s %s: holds no certificate in PEM form", flag, path)
	}
	return pool, nil
}

// readKeyPair reads a certificate and its key. service is what the flags begin with.
func readKeyPair(service, cert, key string) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return pair, fmt.Errorf("--%[1]s-cert-file %[2]s, --%[1]s-key-file %[3]s: %[4]w", service, cert, key, err)
	}
	return pair, nil
}

// checkAll is the first of several faults in the settings of a command.
func checkAll(faults ...error) error {
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// certificates are the files of certificates that the settings name, for their metric.
func certificates(kafka *kafkaFlags, clickhouse *clickhouseFlags) ops.Certificates {
	return ops.Certificates{"kafka_ca": kafka.CAFile, "kafka_client": kafka.CertFile, "clickhouse_ca": clickhouse.CAFile, "clickhouse_client": clickhouse.CertFile}
}
