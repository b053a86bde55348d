// Package tlstest gives tests certificates, and servers that want TLS and client certificates.
package tlstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority makes certificates for tests.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	File string // its own certificate, PEM
}

// NewAuthority makes one, whose files lie in the test's folder.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{}
	a.cert, a.key, a.File, _ = a.issue(t, name, time.Now().Add(time.Hour), true)
	return a
}

// Pair makes a certificate for a name (a host, or localhost's address) that ends at the given time, and its key; both are
// files in PEM form.
func (a *Authority) Pair(t testing.TB, name string, end time.Time) (cert, key string) {
	t.Helper()
	_, _, cert, key = a.issue(t, name, end, false)
	return cert, key
}

func (a *Authority) issue(t testing.TB, name string, end time.Time, authority bool) (*x509.Certificate, *ecdsa.PrivateKey, string, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: end.Add(-2 * time.Hour), NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: authority, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, DNSNames: []string{name},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	parent, signer := a.cert, a.key
	if authority {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(file, kind string, der []byte) string {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key, write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private)
}

// Encrypted listens with TLS in front of an address and passes on what it decrypts, until the test ends. certificates gives
// the server's certificate for each connection; clients, unless nil, vouches for those of clients, who must show one.
func Encrypted(t testing.TB, to string, certificate func() (cert, key string), clients *Authority) (address string) {
	t.Helper()
	settings := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(certificate())
		return &pair, err
	}}
	if clients != nil {
		settings.ClientAuth, settings.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		settings.ClientCAs.AddCert(clients.cert)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			from, err := ln.Accept()
			if err != nil {
				return
			}
			go pass(from, to)
		}
	}()
	return ln.Addr().String()
}

// pass joins a connection with one to the address, until either ends.
func pass(from net.Conn, address string) {
	defer from.Close()
	if err := from.(*tls.Conn).Handshake(); err != nil { // nothing of who is refused reaches the server
		return
	}
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		_, _ = io.Copy(to, from)
		_ = to.Close()
		_ = from.Close()
	}()
	_, _ = io.Copy(from, to)
}
