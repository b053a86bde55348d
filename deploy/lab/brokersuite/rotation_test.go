package brokersuite

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"retorno/consumers/counting/deadletter"
	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

// secured is a broker that wants a certificate and a password, behind a proxy that ends connections.
type secured struct {
	*backend
	access kafka.Access // with files that can be changed
	// trust makes the broker show a certificate of the authority, and believe no other's clients.
	trust func(t *testing.T, ca *authority)
	// password changes that of ana, at the broker.
	password func(t *testing.T, password string)
}

const user = "ana"

// onBothSecured runs a test on the embedded broker and on Apache Kafka.
func onBothSecured(t *testing.T, test func(t *testing.T, s *secured)) {
	for name, start := range map[string]func(*testing.T, *proxy, *authority) *secured{"embedded": securedEmbedded, "apache": securedApache} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t)
			p.raw = true
			t.Cleanup(p.close)
			ca := newAuthority(t)
			s := start(t, p, ca)
			s.brokers, s.proxy = []string{p.addr()}, p
			dir := t.TempDir()
			s.access = kafka.Access{Brokers: s.brokers,
				TLS:  &kafka.TLS{CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")},
				SASL: &kafka.SASL{Mechanism: "SCRAM-SHA-512", User: user, PasswordFile: filepath.Join(dir, "password")}}
			s.install(t, ca)
			s.write(t, "first")
			test(t, s)
		})
	}
}

// install puts a certificate of the authority where the clients read theirs.
func (s *secured) install(t *testing.T, ca *authority) {
	t.Helper()
	certFile, keyFile := ca.issue(t, "client")
	for from, to := range map[string]string{ca.file: s.access.TLS.CAFile, certFile: s.access.TLS.CertFile, keyFile: s.access.TLS.KeyFile} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// write puts a password where the clients read theirs.
func (s *secured) write(t *testing.T, password string) {
	t.Helper()
	if err := os.WriteFile(s.access.SASL.PasswordFile, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func securedEmbedded(t *testing.T, p *proxy, ca *authority) *secured {
	var current atomic.Pointer[tls.Config]
	trust := func(t *testing.T, ca *authority) {
		pool := x509.NewCertPool()
		pool.AddCert(ca.cert)
		certFile, keyFile := ca.issue(t, "broker")
		current.Store(&tls.Config{Certificates: []tls.Certificate{pair(t, certFile, keyFile)}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert})
	}
	trust(t, ca)
	broker, err := fakekafka.Start(fakekafka.Config{
		Advertise: p.addr(),
		TLS:       &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return current.Load(), nil }},
		Users:     []fakekafka.User{{Mechanism: "SCRAM-SHA-512", Name: user, Password: "first"}, {Mechanism: "SCRAM-SHA-512", Name: "admin", Password: "admin"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	p.target(broker.Addr())
	b := &backend{name: "embedded", embedded: broker}
	admin := func(t *testing.T) *kgo.Client {
		certFile, keyFile := ca.issue(t, "admin")
		client, err := kgo.NewClient(kgo.SeedBrokers(p.addr()), kgo.DialTLSConfig(&tls.Config{RootCAs: current.Load().ClientCAs,
			Certificates: []tls.Certificate{pair(t, certFile, keyFile)}}), kgo.SASL(scram.Auth{User: "admin", Pass: "admin"}.AsSha512Mechanism()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		return client
	}
	client := admin(t)
	return &secured{backend: b, trust: trust, password: func(t *testing.T, password string) { setPassword(t, client, password) }}
}

func securedApache(t *testing.T, p *proxy, ca *authority) *secured {
	certFile, keyFile := ca.issue(t, "broker")
	store, trusted := filepath.Join(t.TempDir(), "store.pem"), filepath.Join(t.TempDir(), "trusted.pem")
	keep := func(certFile, keyFile, caFile string) {
		key, err := os.ReadFile(keyFile)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := os.ReadFile(certFile)
		if err != nil {
			t.Fatal(err)
		}
		authority, err := os.ReadFile(caFile)
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string][]byte{store: append(key, cert...), trusted: authority} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	keep(certFile, keyFile, ca.file)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	server, err := apachekafka.Start(ctx, apachekafka.Config{Advertise: p.addr(),
		Secure: &apachekafka.Secure{KeyStore: store, TrustStore: trusted, Users: map[string]string{user: "first"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	p.target(server.Behind())
	a := newAdmin(t, []string{server.Addr()}) // the listener between brokers asks for nothing
	return &secured{
		backend:  &backend{name: "apache", admin: a},
		password: func(t *testing.T, password string) { setPassword(t, a.client, password) },
		trust: func(t *testing.T, ca *authority) {
			certFile, keyFile := ca.issue(t, "broker")
			keep(certFile, keyFile, ca.file)
			req := kmsg.NewPtrIncrementalAlterConfigsRequest()
			r := kmsg.NewIncrementalAlterConfigsRequestResource()
			r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeBroker, "1"
			for name, path := range map[string]string{"keystore": store, "truststore": trusted} { // a setting that is set again is read again
				c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
				c.Name, c.Value = "listener.name.proxied.ssl."+name+".location", kmsg.StringPtr(path)
				r.Configs = append(r.Configs, c)
			}
			req.Resources = append(req.Resources, r)
			res, err := req.RequestWith(limited(t), a.client)
			if err == nil {
				err = kerr.ErrorForCode(res.Resources[0].ErrorCode)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	}
}

// setPassword changes that of the user.
func setPassword(t *testing.T, client *kgo.Client, password string) {
	t.Helper()
	salt := make([]byte, 24)
	_, _ = rand.Read(salt) // it never fails
	salted, err := pbkdf2.Key(sha512.New, password, salt, 4096, sha512.Size)
	if err != nil {
		t.Fatal(err)
	}
	up := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	up.Name, up.Mechanism, up.Iterations, up.Salt, up.SaltedPassword = user, 2, 4096, salt, salted
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	req.Upsertions = append(req.Upsertions, up)
	res, err := req.RequestWith(limited(t), client)
	if err == nil {
		err = kerr.ErrorForCode(res.Results[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// troubles is what keeps a member from reading, or from its group.
func troubles(m *member) string {
	st := m.consumer.Status()
	all := []string{st.Problem}
	for _, shard := range st.Shards {
		for _, topic := range shard.Topics {
			all = append(all, topic.Trouble)
		}
	}
	return strings.Join(all, "\n")
}

// TestF37PasswordAndCertificateChanged: the password and every certificate change while records are written, read and
// set aside, the old ones are refused from then on, and all connections end. The files change some time after the
// broker does. Each record is there once its sender was told so, and is read once.
func TestF37PasswordAndCertificateChanged(t *testing.T) {
	onBothSecured(t, func(t *testing.T, s *secured) {
		access := producer.Config{Brokers: s.brokers, TLS: s.access.TLS, SASL: s.access.SASL, MinBackoff: 20 * time.Millisecond,
			MaxBackoff: 200 * time.Millisecond, Logger: testLog(t)}
		if err := producer.EnsureTopics(limited(t), s.brokers, producer.TopicsConfig{Partitions: 2, Client: access}); err != nil {
			t.Fatal(err)
		}
		topics := []string{producer.TopicCheckpoint, producer.TopicCentre}
		w, err := producer.New(access)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		cfg := s.streamConfig(t, topics, 2)
		cfg.TLS, cfg.SASL, cfg.RequestTimeout, cfg.SessionTimeout = s.access.TLS, s.access.SASL, 5*time.Second, 10*time.Second
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		letters, err := deadletter.New(deadletter.Config{Brokers: s.brokers, TLS: s.access.TLS, SASL: s.access.SASL, MaxBackoff: 200 * time.Millisecond, Logger: testLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer letters.Close()

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel() // the writer is waited for when it is closed
		var stop atomic.Bool
		var sent atomic.Int64
		writing := make(chan error, 1)
		go func() {
			for !stop.Load() {
				n := int(sent.Load())
				if err := w.Write(ctx, facts(topics, n, 20)...); err != nil {
					writing <- err
					return
				}
				sent.Store(int64(n + 20))
			}
			writing <- nil
		}()
		flows := func(what string) {
			t.Helper()
			from := sent.Load()
			until(t, what, func() bool { return sent.Load() > from+100 && int64(l.count()) > from+100 })
			if err := letters.Write(limited(t), poison("origin", 1)); err != nil {
				t.Fatal(err)
			}
		}
		refused := func(what, why string) {
			t.Helper()
			// A broker takes up a change some time after it has said so, each of its network threads for itself.
			inARow := 0
			until(t, what+" are refused to newcomers", func() bool {
				c, err := s.access.Connect(limited(t), s.brokers[0], 0)
				if err == nil {
					c.Close()
				}
				if inARow++; !kafka.Refused(err) {
					inARow = 0
				}
				return inARow == 12
			})
			s.proxy.cutAll()
			at := sent.Load()
			until(t, what+" are refused", func() bool { return strings.Contains(troubles(m), why) })
			if now := sent.Load(); now > at+20 {
				t.Errorf("%d messages were taken although %s are refused", now-at, what)
			}
		}
		flows("messages flow")
		s.password(t, "second")
		refused("old passwords", "SASL Authentication Failed")
		s.write(t, "second")
		flows("messages flow with the new password")
		other := newAuthority(t)
		s.trust(t, other)
		refused("old certificates", "certificate")
		s.install(t, other)
		flows("messages flow with the new certificates")

		stop.Store(true)
		if err := <-writing; err != nil {
			t.Fatal(err)
		}
		n := int(sent.Load())
		until(t, "everything is read", func() bool { return l.count() == n })
		l.check(t, facts(topics, 0, n))
		if st, stopped := m.stopped(); stopped {
			t.Errorf("partition %d is stopped: %v", st.Partition, st.Err)
		}
	})
}
