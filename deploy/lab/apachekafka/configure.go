package apachekafka

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// seat is a broker's place in its cluster.
type seat struct {
	id     int
	voters []string // id@host:port of each controller
	listen string   // where this one's controller listens; empty: on a free port, as the only one
}

// alone is the seat of a broker that is a cluster by itself.
var alone = seat{id: 1}

// seatsOf makes the seats of n brokers, on ports that are free now.
func seatsOf(n int) ([]seat, error) {
	ports, err := freePorts(n)
	if err != nil {
		return nil, err
	}
	seats := make([]seat, n)
	var voters []string
	for i := range seats {
		seats[i] = seat{id: i + 1, listen: fmt.Sprintf("127.0.0.1:%d", ports[i])}
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, seats[i].listen))
	}
	for i := range seats {
		seats[i].voters = voters
	}
	return seats, nil
}

// configure writes the server's properties with ports that are free now.
func (s *Server) configure(cfg Config, at seat) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	s.broker = fmt.Sprintf("127.0.0.1:%d", ports[0])
	if at.listen == "" {
		at.listen = fmt.Sprintf("127.0.0.1:%d", ports[1])
		at.voters = []string{fmt.Sprintf("%d@%s", at.id, at.listen)}
	}
	copies := min(3, len(at.voters))
	properties := map[string]string{
		"process.roles":                                    "broker,controller",
		"node.id":                                          strconv.Itoa(at.id),
		"controller.quorum.voters":                         strings.Join(at.voters, ","),
		"controller.listener.names":                        "CONTROLLER",
		"inter.broker.listener.name":                       "PLAINTEXT",
		"listener.security.protocol.map":                   "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"listeners":                                        fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://%s", s.broker, at.listen),
		"advertised.listeners":                             "PLAINTEXT://" + s.broker,
		"log.dirs":                                         filepath.Join(s.dir, "data"),
		"auto.create.topics.enable":                        "false",
		"default.replication.factor":                       strconv.Itoa(copies),
		"min.insync.replicas":                              strconv.Itoa(max(1, copies-1)),
		"offsets.topic.replication.factor":                 strconv.Itoa(copies),
		"offsets.topic.num.partitions":                     "1",
		"transaction.state.log.replication.factor":         strconv.Itoa(copies),
		"transaction.state.log.min.isr":                    "1",
		"share.coordinator.state.topic.replication.factor": strconv.Itoa(copies),
		"share.coordinator.state.topic.min.isr":            "1",
		"group.initial.rebalance.delay.ms":                 "0",
		"group.min.session.timeout.ms":                     "500",
		// A broker that was killed may register again after this time.
		"broker.session.timeout.ms":    "2000",
		"broker.heartbeat.interval.ms": "500",
	}
	if len(at.voters) > 1 { // on a busy machine a live broker is not to be taken for dead
		properties["broker.session.timeout.ms"] = "9000"
	}
	if cfg.Advertise != "" {
		s.behind = fmt.Sprintf("127.0.0.1:%d", ports[2])
		properties["listeners"] += ",PROXIED://" + s.behind
		properties["advertised.listeners"] += ",PROXIED://" + cfg.Advertise
		properties["listener.security.protocol.map"] += ",PROXIED:" + cfg.Secure.protocol()
		maps.Copy(properties, cfg.Secure.properties("listener.name.proxied."))
	}
	maps.Copy(properties, cfg.Properties)
	lines := make([]string, 0, len(properties))
	for k, v := range properties {
		lines = append(lines, k+"="+v)
	}
	sort.Strings(lines)
	return os.WriteFile(s.properties(), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

func (c *Secure) protocol() string {
	switch {
	case c == nil:
		return "PLAINTEXT"
	case len(c.Users) == 0:
		return "SSL"
	}
	return "SASL_SSL"
}

// properties are those of the listener that has the prefix.
func (c *Secure) properties(prefix string) map[string]string {
	if c == nil {
		return nil
	}
	p := map[string]string{
		prefix + "ssl.keystore.type": "PEM", prefix + "ssl.keystore.location": c.KeyStore,
		prefix + "ssl.truststore.type": "PEM", prefix + "ssl.truststore.location": c.TrustStore,
		prefix + "ssl.client.auth": "required",
	}
	if len(c.Users) > 0 {
		p[prefix+"sasl.enabled.mechanisms"] = "SCRAM-SHA-512"
		p[prefix+"scram-sha-512.sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
	}
	return p
}
