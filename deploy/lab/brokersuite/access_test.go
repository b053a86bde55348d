package brokersuite

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/stream"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

// authority makes certificates for loopback, and keeps its own in a file.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	var der []byte
	a.key, der = a.sign(t, template, template)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = a.write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

// sign makes a certificate with a key of its own, signed by the authority, or by itself while there is none.
func (a *authority) sign(t *testing.T, template, parent *x509.Certificate) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := key
	if a.key != nil {
		signer = a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}

func (a *authority) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue makes a certificate for a name and 127.0.0.1, in files of that name.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	key, der := a.sign(t, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return a.write(t, name+".pem", "CERTIFICATE", der), a.write(t, name+".key", "PRIVATE KEY", keyDER)
}

// pair loads a certificate from its files.
func pair(t *testing.T, certFile, keyFile string) tls.Certificate {
	t.Helper()
	c, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEncryptedAndAuthenticated(t *testing.T) {
	ca := newAuthority(t)
	certFile, keyFile := ca.issue(t, "broker")
	cert := pair(t, certFile, keyFile)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			broker, err := fakekafka.Start(fakekafka.Config{
				TLS:   &tls.Config{Certificates: []tls.Certificate{cert}},
				Users: []fakekafka.User{{Mechanism: mechanism, Name: "ana", Password: "clave"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { broker.Stop() })
			b := &backend{name: "embedded", brokers: []string{broker.Addr()}, embedded: broker}
			secure := &kafka.TLS{CAFile: ca.file}
			access := producer.Config{Brokers: b.brokers, TLS: secure, SASL: &kafka.SASL{Mechanism: mechanism, User: "ana", Password: "clave"}}
			if err := producer.EnsureTopics(limited(t), b.brokers, producer.TopicsConfig{Partitions: 2, Client: access}); err != nil {
				t.Fatal(err)
			}
			w, err := producer.New(access)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			topics := []string{producer.TopicCheckpoint, producer.TopicCentre}
			all := facts(topics, 0, 100)
			began := time.Now()
			if err := w.Write(limited(t), all...); err != nil {
				t.Fatal(err)
			}
			sameClock(t, w, time.Since(began))
			login := &kafka.SASL{Mechanism: mechanism, User: "ana", Password: "clave"}
			cfg := b.streamConfig(t, topics, 2)
			cfg.TLS, cfg.SASL = secure, login
			l := newLedger()
			join(t, cfg, l.run(topics))
			until(t, "everything is read", func() bool { return l.count() == len(all) })
			letters := b.letters(t)
			letters.TLS, letters.SASL = secure, login
			if err := b.letterWriter(t, letters).Write(limited(t), poison("origin", 2)); err != nil {
				t.Fatal(err)
			}
			letters.Registerer = nil
			if got := list(t, letters, "origin", time.Time{}); len(got) != 2 {
				t.Errorf("%d letters", len(got))
			}
			refuseStrangers(t, b, access, cfg)
		})
	}
}

// refuseStrangers checks that wrong credentials are said at once.
func refuseStrangers(t *testing.T, b *backend, access producer.Config, cfg stream.Config) {
	wrong := access
	wrong.SASL = &kafka.SASL{Mechanism: access.SASL.Mechanism, User: "ana", Password: "otra"}
	w, err := producer.New(wrong)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(limited(t), producer.Message{Topic: producer.TopicCentre}); !producer.IsStop(err) {
		t.Errorf("a wrong password is answered with %v when writing", err)
	}
	cfg.Registerer = nil
	cfg.SASL = &kafka.SASL{Mechanism: cfg.SASL.Mechanism, User: "ana", Password: "otra"}
	none := func(context.Context, *stream.Shard) error { return nil }
	if err := stream.Run(limited(t), cfg, none); !stream.IsStop(err) {
		t.Errorf("a wrong password is answered with %v when reading", err)
	}
	wrong = access
	wrong.TLS = &kafka.TLS{CAFile: newAuthority(t).file}
	w2, err := producer.New(wrong)
	if err != nil {
		t.Fatal(err)
	}
	defer w2.Close()
	if err := w2.Write(limited(t), producer.Message{Topic: producer.TopicCentre}); !producer.IsStop(err) {
		t.Errorf("an unknown certificate is answered with %v", err)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	ok := []string{"127.0.0.1:1"}
	for name, err := range map[string]error{
		"no broker":      producer.Config{}.Validate(),
		"bad address":    producer.Config{Brokers: []string{"host"}}.Validate(),
		"compression":    producer.Config{Brokers: ok, Compression: "rar"}.Validate(),
		"mechanism":      producer.Config{Brokers: ok, SASL: &kafka.SASL{Mechanism: "GSSAPI"}}.Validate(),
		"partitions":     producer.Config{Brokers: ok, Partitions: -1}.Validate(),
		"stream brokers": stream.Config{}.Validate(),
		"group":          stream.Config{Brokers: ok, Topics: []string{"a"}, Partitions: 1}.Validate(),
		"topics":         stream.Config{Brokers: ok, Group: "g", Partitions: 1}.Validate(),
		"topic twice":    stream.Config{Brokers: ok, Group: "g", Topics: []string{"a", "a"}, Partitions: 1}.Validate(),
		"no partitions":  stream.Config{Brokers: ok, Group: "g", Topics: []string{"a"}}.Validate(),
		"letters":        deadletter.Config{}.Validate(),
		"letters' login": deadletter.Config{Brokers: ok, SASL: &kafka.SASL{Mechanism: "x"}}.Validate(),
	} {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// A Kafka that is not there is waited for when reading and writing, and said
// when topics are to be checked.
func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	brokers := []string{ln.Addr().String()}
	ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := producer.CheckTopics(ctx, brokers, producer.TopicsConfig{Partitions: 4}); err == nil || producer.IsStop(err) {
		t.Errorf("CheckTopics returns %v", err)
	}
	b := &backend{brokers: brokers}
	w := b.writer(t, 1)
	if err := w.Write(ctx, producer.Message{Topic: "t"}); err == nil || producer.IsStop(err) {
		t.Errorf("Write returns %v", err)
	}
	ctx2, cancel2 := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel2()
	err = stream.Run(ctx2, b.streamConfig(t, []string{"t"}, 1), func(context.Context, *stream.Shard) error { return nil })
	if err != nil {
		t.Errorf("Run returns %v", err)
	}
}
