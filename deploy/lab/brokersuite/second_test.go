package brokersuite

import (
	"errors"
	"testing"
	"time"

	"retorno/consumers/counting/verify/wire"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

// TestTheVerifierReadsWithThePasswordAndCertificateOfTheMoment: the verifier's reader, which has a client library of its
// own, logs in with what the files hold when it connects, and a refusal is told from a network that fails.
func TestTheVerifierReadsWithThePasswordAndCertificateOfTheMoment(t *testing.T) {
	onBothSecured(t, func(t *testing.T, s *secured) {
		const n = 30
		access := producer.Config{Brokers: s.brokers, Partitions: 1, TLS: s.access.TLS, SASL: s.access.SASL, Logger: testLog(t)}
		if err := producer.EnsureTopics(limited(t), s.brokers, producer.TopicsConfig{Partitions: 1, Client: access}); err != nil {
			t.Fatal(err)
		}
		w, err := producer.New(access)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Write(limited(t), facts([]string{producer.TopicCentre}, 0, n)...); err != nil {
			t.Fatal(err)
		}
		log, err := wire.Open(wire.Config{Brokers: s.brokers, TLS: s.access.TLS, SASL: s.access.SASL, RequestTimeout: 5 * time.Second}, producer.TopicCentre, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		read := func() error {
			next := int64(0)
			err := log.Read(limited(t), 0, n, func(*wire.Message) error { next++; return nil })
			if err == nil && next != n {
				return errors.New("messages are missing")
			}
			return err
		}
		reads := func(with string) {
			t.Helper()
			until(t, "it reads with "+with, func() bool { // a broker takes up a change some time after it has said so
				err := read()
				if err != nil && !kafka.Refused(err) {
					t.Log(err)
				}
				return err == nil
			})
		}
		refused := func(what string) {
			t.Helper()
			until(t, what+" is refused", func() bool {
				s.proxy.cutAll()
				return kafka.Refused(read())
			})
		}
		reads("the first password")
		s.password(t, "second")
		refused("the old password")
		s.write(t, "second")
		reads("the new password")
		other := newAuthority(t)
		s.trust(t, other)
		refused("the old certificate")
		s.install(t, other)
		reads("the new certificate")
	})
}
