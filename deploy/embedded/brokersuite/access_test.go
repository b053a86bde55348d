package brokersuite

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"retorno/consumers/deadletter"
	"retorno/consumers/stream"
	"retorno/deploy/embedded"
	"retorno/producers/publish"
)

// certificate makes a certificate for loopback and a pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestEncryptedAndAuthenticated(t *testing.T) {
	cert, pool := certificate(t)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			broker, err := embedded.StartBroker(embedded.BrokerConfig{
				TLS:   &tls.Config{Certificates: []tls.Certificate{cert}},
				Users: []embedded.User{{Mechanism: mechanism, Name: "ana", Password: "clave"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { broker.Stop() })
			b := &backend{name: "embedded", brokers: []string{broker.Addr()}, embedded: broker}
			secure := &tls.Config{RootCAs: pool}
			access := publish.Config{Brokers: b.brokers, TLS: secure, SASL: &publish.SASL{Mechanism: mechanism, User: "ana", Password: "clave"}}
			if err := publish.EnsureTopics(limited(t), b.brokers, publish.TopicsConfig{Partitions: 2, Client: access}); err != nil {
				t.Fatal(err)
			}
			w, err := publish.New(access)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			topics := []string{publish.TopicCheckpoint, publish.TopicCentre}
			all := facts(topics, 0, 100)
			began := time.Now()
			if err := w.Write(limited(t), all...); err != nil {
				t.Fatal(err)
			}
			sameClock(t, w, time.Since(began))
			login := &stream.SASL{Mechanism: mechanism, User: "ana", Password: "clave"}
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
func refuseStrangers(t *testing.T, b *backend, access publish.Config, cfg stream.Config) {
	wrong := access
	wrong.SASL = &publish.SASL{Mechanism: access.SASL.Mechanism, User: "ana", Password: "otra"}
	w, err := publish.New(wrong)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(limited(t), publish.Message{Topic: publish.TopicCentre}); !publish.IsStop(err) {
		t.Errorf("a wrong password is answered with %v when writing", err)
	}
	cfg.Registerer = nil
	cfg.SASL = &stream.SASL{Mechanism: cfg.SASL.Mechanism, User: "ana", Password: "otra"}
	none := func(context.Context, *stream.Shard) error { return nil }
	if err := stream.Run(limited(t), cfg, none); !stream.IsStop(err) {
		t.Errorf("a wrong password is answered with %v when reading", err)
	}
	wrong = access
	wrong.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	w2, err := publish.New(wrong)
	if err != nil {
		t.Fatal(err)
	}
	defer w2.Close()
	if err := w2.Write(limited(t), publish.Message{Topic: publish.TopicCentre}); !publish.IsStop(err) {
		t.Errorf("an unknown certificate is answered with %v", err)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	ok := []string{"127.0.0.1:1"}
	for name, err := range map[string]error{
		"no broker":      publish.Config{}.Validate(),
		"bad address":    publish.Config{Brokers: []string{"host"}}.Validate(),
		"compression":    publish.Config{Brokers: ok, Compression: "rar"}.Validate(),
		"mechanism":      publish.Config{Brokers: ok, SASL: &publish.SASL{Mechanism: "GSSAPI"}}.Validate(),
		"partitions":     publish.Config{Brokers: ok, Partitions: -1}.Validate(),
		"stream brokers": stream.Config{}.Validate(),
		"group":          stream.Config{Brokers: ok, Topics: []string{"a"}, Partitions: 1}.Validate(),
		"topics":         stream.Config{Brokers: ok, Group: "g", Partitions: 1}.Validate(),
		"topic twice":    stream.Config{Brokers: ok, Group: "g", Topics: []string{"a", "a"}, Partitions: 1}.Validate(),
		"no partitions":  stream.Config{Brokers: ok, Group: "g", Topics: []string{"a"}}.Validate(),
		"letters":        deadletter.Config{}.Validate(),
		"letters' login": deadletter.Config{Brokers: ok, SASL: &stream.SASL{Mechanism: "x"}}.Validate(),
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
	if err := publish.CheckTopics(ctx, brokers, 4); err == nil || publish.IsStop(err) {
		t.Errorf("CheckTopics returns %v", err)
	}
	b := &backend{brokers: brokers}
	w := b.writer(t, 1)
	if err := w.Write(ctx, publish.Message{Topic: "t"}); err == nil || publish.IsStop(err) {
		t.Errorf("Write returns %v", err)
	}
	ctx2, cancel2 := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel2()
	err = stream.Run(ctx2, b.streamConfig(t, []string{"t"}, 1), func(context.Context, *stream.Shard) error { return nil })
	if err != nil {
		t.Errorf("Run returns %v", err)
	}
}
