package command

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
)

// loopbackCertificate makes a certificate for 127.0.0.1 and a file that vouches for it.
func loopbackCertificate(t *testing.T) (cert tls.Certificate, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func startBroker(t *testing.T, cfg fakekafka.Config) *fakekafka.Broker {
	t.Helper()
	b, err := fakekafka.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop() })
	return b
}

// kafkaCommands are those that talk to Kafka before anything else.
func kafkaCommands(brokers string) [][]string {
	return [][]string{
		{"send", "-", "--kafka-brokers=" + brokers},
		{"consume", "--kafka-brokers=" + brokers, "--ops-listen=127.0.0.1:0"},
		{"deadletter", "list", "--kafka-brokers=" + brokers},
		{"partition", "list", "--kafka-brokers=" + brokers},
	}
}

// A refusal is wrong configuration, said at once, with what to change.
func TestKafkasRefusalsAreWrongConfiguration(t *testing.T) {
	cert, ca := loopbackCertificate(t)
	_, otherCA := loopbackCertificate(t)
	password := writeFile(t, "password", "otra\n")
	broker := startBroker(t, fakekafka.Config{TLS: &tls.Config{Certificates: []tls.Certificate{cert}},
		Users: []fakekafka.User{{Mechanism: "SCRAM-SHA-512", Name: "ana", Password: "clave"}}})
	for name, c := range map[string]struct {
		flags []string
		want  string
	}{
		"a wrong password":  {[]string{"--kafka-ca-file=" + ca, "--kafka-sasl-mechanism=SCRAM-SHA-512", "--kafka-sasl-user=ana", "--kafka-sasl-password-file=" + password}, "check the user and the password"},
		"another mechanism": {[]string{"--kafka-ca-file=" + ca, "--kafka-sasl-mechanism=PLAIN", "--kafka-sasl-user=ana", "--kafka-sasl-password-file=" + password}, "password"},
		"another authority": {[]string{"--kafka-ca-file=" + otherCA, "--kafka-sasl-mechanism=SCRAM-SHA-512", "--kafka-sasl-user=ana", "--kafka-sasl-password-file=" + password}, "check the certificates"},
		"no encryption":     {nil, "--kafka-tls"},
	} {
		for _, args := range kafkaCommands(broker.Addr()) {
			r := try(t, "", nil, append(args, c.flags...)...)
			if r.status != exitUsage || !strings.Contains(r.err, c.want) {
				t.Errorf("%s, %s: status %d, %s; want %q", name, args[0], r.status, r.err, c.want)
			}
		}
	}
}

// What speaks otherwise is named.
func TestWhatIsNoKafkaIsNamed(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(web.Close)
	plain := startBroker(t, fakekafka.Config{})
	// The embedded broker says nothing to a handshake: nothing is known then, but what it looks like.
	if r := try(t, "", nil, "send", "-", "--kafka-tls", "--kafka-brokers="+plain.Addr()); r.status != exitMissing || !strings.Contains(r.err, "as from listeners without TLS") {
		t.Errorf("TLS where nothing answers it: %+v", r)
	}
	for name, c := range map[string]struct {
		addr  string
		flags []string
		want  string
	}{
		"TLS to a web server":      {strings.TrimPrefix(web.URL, "http://"), []string{"--kafka-tls"}, "does not speak TLS"},
		"a certificate, no TLS":    {plain.Addr(), []string{"--kafka-server-name=x"}, "--kafka-tls"},
		"a certificate and no key": {plain.Addr(), []string{"--kafka-cert-file=x"}, "--kafka-key-file"},
		"a port out of range":      {"127.0.0.1:99999", nil, "1 to 65535"},
		"a negative time":          {plain.Addr(), []string{"--kafka-fail-after=-1s"}, "--kafka-fail-after"},
		"more alive than copies":   {plain.Addr(), []string{"--kafka-replication=2", "--kafka-min-insync=3"}, "--kafka-min-insync"},
	} {
		args := append([]string{"consume", "--ops-listen=127.0.0.1:0", "--kafka-brokers=" + c.addr}, c.flags...)
		if r := try(t, "", nil, args...); r.status != exitUsage || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: status %d, %s; want %q", name, r.status, r.err, c.want)
		}
	}
}

// Missing rights are named with what to grant; a sender needs none to the dead letters.
func TestMissingRightsAreNamed(t *testing.T) {
	broker := startBroker(t, fakekafka.Config{})
	refuse := func(key kmsg.Key, topic string, err *kerr.Error) {
		broker.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{key}, Topic: topic, Err: err, Count: -1})
	}
	refuse(kmsg.CreateTopics, "", kerr.ClusterAuthorizationFailed)
	if r := try(t, "", nil, "send", "-", "--kafka-brokers="+broker.Addr()); r.status != exitUsage || !strings.Contains(r.err, "grant the user CREATE") {
		t.Errorf("no right to create: %+v", r)
	}
	broker = startBroker(t, fakekafka.Config{})
	flags := kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 2}
	producerWithTopics(t, flags)
	refuse(kmsg.Metadata, producer.TopicDeadLetter, kerr.TopicAuthorizationFailed)
	if r := try(t, "", nil, "send", "-", "--kafka-partitions=2", "--kafka-brokers="+broker.Addr()); r.status != exitDone {
		t.Errorf("a sender without rights to the dead letters: %+v", r)
	}
	if r := try(t, "", nil, "deadletter", "list", "--kafka-partitions=2", "--kafka-brokers="+broker.Addr()); r.status != exitUsage || !strings.Contains(r.err, "grant the user READ and DESCRIBE") {
		t.Errorf("a reader of the dead letters without rights to them: %+v", r)
	}
	refuse(kmsg.ListOffsets, producer.TopicCentre, kerr.TopicAuthorizationFailed)
	file := writeFile(t, "export.csv", centreHead+person(1, 20, "Corinto"))
	if r := try(t, "", nil, "import", "centre", file, "--without-documents", "--kafka-partitions=2", "--kafka-brokers="+broker.Addr()); r.status != exitUsage || !strings.Contains(r.err, "grant the user READ and DESCRIBE") {
		t.Errorf("an import without the right to read what was imported: %+v", r)
	}
}

// Topics that others made are judged: what would lose records is refused by name, what may is warned of.
func TestTopicsOfOthersAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		settings map[string]string
		status   int
		want     string
	}{
		"compaction":     {map[string]string{"cleanup.policy": "compact"}, exitUsage, "cleanup.policy is compact, and should be delete"},
		"an hour's life": {map[string]string{"retention.ms": "3600000"}, exitUsage, "retention.ms is 3600000, and should be -1"},
		"a week's life":  {map[string]string{"retention.ms": "604800000"}, exitDone, "retention.ms is 604800000, and should be -1"},
		"as we make it":  {map[string]string{"retention.ms": "-1", "retention.bytes": "-1", "max.message.bytes": "16777216", "message.timestamp.type": "LogAppendTime"}, exitDone, ""},
	} {
		broker := startBroker(t, fakekafka.Config{})
		createTopic(t, broker, producer.TopicCentre, 2, c.settings)
		r := try(t, "", nil, "send", "-", "--kafka-partitions=2", "--kafka-brokers="+broker.Addr())
		if r.status != c.status || !strings.Contains(r.err, c.want) || c.want == "" && strings.Contains(r.err, "should be") {
			t.Errorf("%s: status %d, %s; want %d and %q", name, r.status, r.err, c.status, c.want)
		}
	}
}

func createTopic(t *testing.T, broker *fakekafka.Broker, name string, partitions int, settings map[string]string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, int32(partitions), 1
	for k, v := range settings {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = k, kmsg.StringPtr(v)
		topic.Configs = append(topic.Configs, c)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}
