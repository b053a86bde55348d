package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// selfSigned makes a certificate for loopback, and a file that vouches for it.
func selfSigned(t *testing.T) (file string, cert tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"kafka-1"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serveTLS makes the handshake and hangs up.
func serveTLS(cert tls.Certificate) func(net.Conn) {
	return func(c net.Conn) { _ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake() }
}

func TestWrongSettingsAreNamed(t *testing.T) {
	ok := []string{"kafka-1:9092"}
	cert, _ := selfSigned(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		access Access
		want   string
	}{
		"no broker":           {Access{}, "no broker address"},
		"no port":             {Access{Brokers: []string{"kafka-1"}}, `"kafka-1"`},
		"port 0":              {Access{Brokers: []string{"kafka-1:0"}}, "1 to 65535"},
		"port 99999":          {Access{Brokers: []string{"kafka-1:9092", "kafka-2:99999"}}, `"kafka-2:99999"`},
		"no host":             {Access{Brokers: []string{":9092"}}, "want a host"},
		"unknown mechanism":   {Access{Brokers: ok, SASL: &SASL{Mechanism: "GSSAPI", User: "ana"}}, "GSSAPI"},
		"no user":             {Access{Brokers: ok, SASL: &SASL{Mechanism: "PLAIN"}}, "user"},
		"no password file":    {Access{Brokers: ok, SASL: &SASL{Mechanism: "PLAIN", User: "ana", PasswordFile: empty + "x"}}, "password file"},
		"no CA file":          {Access{Brokers: ok, TLS: &TLS{CAFile: empty + "x"}}, "CA file"},
		"an empty CA file":    {Access{Brokers: ok, TLS: &TLS{CAFile: empty}}, "no certificate in PEM form"},
		"a certificate alone": {Access{Brokers: ok, TLS: &TLS{CertFile: cert}}, "both"},
		"a key alone":         {Access{Brokers: ok, TLS: &TLS{KeyFile: cert}}, "both"},
		"a key that is none":  {Access{Brokers: ok, TLS: &TLS{CertFile: cert, KeyFile: cert}}, cert},
		"another key":         {Access{Brokers: ok, TLS: &TLS{CertFile: cert, KeyFile: otherKey(t)}}, "private key does not match"},
	} {
		if err := c.access.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if err := (Access{Brokers: ok, TLS: &TLS{CAFile: empty + "x"}}).Validate(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there is answered with %v", err)
	}
	if err := (Access{Brokers: ok, TLS: &TLS{CAFile: cert, CertFile: cert, KeyFile: cert + ".key"}, SASL: &SASL{Mechanism: "SCRAM-SHA-512", User: "ana"}}).Validate(); err != nil {
		t.Error(err)
	}
}

func otherKey(t *testing.T) string {
	file, _ := selfSigned(t)
	return file + ".key"
}

// A name of one's own is what the certificate has to have; otherwise it is the host in the address.
func TestTheCertificatesName(t *testing.T) {
	ca, cert := selfSigned(t)
	addr := listen(t, serveTLS(cert))
	for name, fits := range map[string]bool{"": true, "kafka-1": true, "kafka-2": false} {
		c, err := Access{TLS: &TLS{CAFile: ca, ServerName: name}}.Dial(t.Context(), "tcp", addr)
		if err == nil {
			c.Close()
		}
		if (err == nil) != fits || !fits && !Refused(err) {
			t.Errorf("server name %q: %v", name, err)
		}
	}
}

func TestRefusalsSayWhatToChange(t *testing.T) {
	for _, code := range refusals {
		if err := error(code); !Refused(err) || Advice(err) == "" {
			t.Errorf("%v: refused %v, advice %q", err, Refused(err), Advice(err))
		}
	}
	for _, err := range []error{kafkago.NotLeaderForPartition, ErrCorrupt, os.ErrDeadlineExceeded, nil} {
		if Refused(err) || Advice(err) != "" {
			t.Errorf("%v is taken for a refusal", err)
		}
	}
}
