package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
)

// TLS is how connections are encrypted. Its files are PEM and are read at each connection, so that changed ones count
// from then on.
type TLS struct {
	// CAFile holds the certificates that vouch for the brokers, instead of the system's.
	CAFile string
	// CertFile and KeyFile are the certificate that this program shows, for listeners that ask for one.
	CertFile, KeyFile string
	// ServerName is the name in the brokers' certificates, when it is not the host in their addresses.
	ServerName string
}

func (t *TLS) validate() error {
	if t == nil {
		return nil
	}
	_, err := t.config("")
	return err
}

// config is what a connection to host is encrypted with, from the files as they are now.
func (t *TLS) config(host string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if t.ServerName != "" {
		cfg.ServerName = t.ServerName
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("CA file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA file %s: holds no certificate in PEM form", t.CAFile)
		}
	}
	switch {
	case (t.CertFile == "") != (t.KeyFile == ""):
		return nil, errors.New("a client certificate needs both its file and its key file")
	case t.CertFile != "":
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client certificate %s with key %s: %w", t.CertFile, t.KeyFile, err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}

// hostOf is the part of an address that a certificate names.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}
