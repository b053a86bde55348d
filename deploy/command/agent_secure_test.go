package command

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/deploy/lab/fakekafka"
	"retorno/deploy/lab/tlstest"
	"retorno/producers/producer"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// secured is a broker that asks for TLS and SCRAM, with the topics made; a post has the rights of docs/agent.md and no others.
func secured(t *testing.T) (address, certificates string) {
	t.Helper()
	const mechanism = "SCRAM-SHA-512"
	authority := tlstest.NewAuthority(t, "office")
	pair, err := tls.LoadX509KeyPair(authority.Pair(t, "127.0.0.1", time.Now().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	rights := map[string][]kmsg.ACLOperation{events.TopicCheckpoint: {kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe}}
	for _, topic := range producer.AgentTopics() {
		rights[topic] = []kmsg.ACLOperation{kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe}
	}
	b, err := fakekafka.Start(fakekafka.Config{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}, Users: []fakekafka.User{
		{Mechanism: mechanism, Name: "admin", Password: "admin"}, {Mechanism: mechanism, Name: "l-cor-1", Password: "puente rojo", Topics: rights},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop() })
	admin := producer.Config{TLS: &kafka.TLS{CAFile: authority.File}, SASL: &kafka.SASL{Mechanism: mechanism, User: "admin", Password: "admin"}}
	names := append([]string{events.TopicCheckpoint, events.TopicCentre}, producer.AgentTopics()...)
	if err := producer.EnsureTopics(t.Context(), []string{b.Addr()}, producer.TopicsConfig{Topics: names, Client: admin}); err != nil {
		t.Fatal(err)
	}
	return b.Addr(), authority.File
}

// An enrolment has all that a broker with TLS and SCRAM asks for: the certificates that vouch for it are in the file, whatever becomes of the
// ones that made it. A wrong password stands on the page in words, and a new enrolment mends it without a restart.
func TestAgentReachesABrokerWithTLSAndSCRAM(t *testing.T) {
	address, certificates := secured(t)
	p := post{t, t.TempDir()}
	flags := func(password string) []string {
		return []string{"--kafka-brokers", address, "--kafka-ca-file", certificates, "--kafka-sasl-mechanism", "SCRAM-SHA-512", "--kafka-sasl-user", "l-cor-1",
			"--kafka-sasl-password-file", p.file("password", password)}
	}
	p.enrol(flags("puente azul\n")...)
	page, stop := p.start("checkpoint")
	client := p.login(page, "ana", "tres tristes tigres")
	if status, answer := p.save(client, page, url.Values{"record_id": {uuid.Must(uuid.NewV7()).String()}, "direction": {"entry"}, "sex": {"F"}}); status != http.StatusCreated {
		t.Fatalf("%d %s", status, answer)
	}
	p.until("the page says that the password is refused", func() bool {
		s := p.state(page)
		return strings.Contains(s.Stopped, "contraseña") && strings.Contains(s.Stopped, "password") && s.Unsent == 1
	})
	p.must(append([]string{"agent", "enrol", "--source", "L-COR-1", "--place", "L-COR", "--identity-key-file", p.file("identity.key", ""), "--recovery-key", p.file("recovery.pub", ""),
		"--clerk", "ana", "--passphrase-file", p.file("ana.txt", ""), "--out", p.file("e.json", "")}, flags("puente rojo\n")...)...)
	if err := os.Remove(certificates); err != nil {
		t.Fatal(err)
	}
	p.until("the record is sent", func() bool { s := p.state(page); return s.Unsent == 0 && s.Stopped == "" })
	stop()
}
