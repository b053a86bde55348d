// Package fakekafka runs a Kafka broker inside the process (franz-go's kfake, with files), for demos, training and tests.
//
// It promises the wire protocol that Kafka clients speak (topics, groups, offsets, SASL, TLS), times of LogAppendTime
// topics in the answers to producers, and, when a folder is named, that an acknowledged batch has been synced to it and is
// found there at the next start. A folder belongs to one process at a time; a second one is refused. It never replicates,
// never deletes by age unless a topic says so, and is no Kafka for production. When it cannot start it leaves nothing
// behind: no listener and no lock.
package fakekafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"
)

// ErrInUse says that a data folder is being used by another process.
var ErrInUse = errors.New("data folder is in use by another process")

// User is a login to the broker by SASL.
type User struct {
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	Name      string
	Password  string
	// Topics, when there are any, are all that the user may touch, with what it may do there: read, write, describe. Of
	// other users everything is allowed.
	Topics map[string][]kmsg.ACLOperation
}

func (u User) rights() (all []kfake.ACL) {
	for topic, operations := range u.Topics {
		for _, operation := range operations {
			all = append(all, kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true})
		}
	}
	return all
}

// Config says how to run the broker. The zero value is a broker in
// memory on a free loopback port.
type Config struct {
	// Dir keeps topics, records and group offsets. Empty means in memory.
	Dir string
	// Addr is where to listen; empty means 127.0.0.1:0, a free port.
	Addr string
	// Advertise is the address that clients are told to connect to, when it
	// is not Addr: of a proxy or of the machine around a container. It needs
	// Nodes to be one.
	Advertise string
	// Nodes is how many brokers the cluster shows; the first listens on
	// Addr, the others on free ports of the same host. Zero means one.
	Nodes int
	// MinSessionTimeout is the shortest group session a client may ask for.
	// Zero means one second.
	MinSessionTimeout time.Duration
	// TLS makes the listeners speak TLS only.
	TLS *tls.Config
	// Users makes SASL obligatory, with these users.
	Users []User
	// Log receives the broker's own complaints; nil drops them.
	Log *slog.Logger
}

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	clock   *appendClock
	addr    string
	release func() error
	stop    sync.Once
	stopErr error
}

// Start starts a broker and returns when it accepts connections. The
// error wraps ErrInUse when Dir belongs to another process, and
// syscall.EADDRINUSE when Addr is taken.
func Start(cfg Config) (*Broker, error) {
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.Nodes == 0 {
		cfg.Nodes = 1
	}
	if cfg.MinSessionTimeout == 0 {
		cfg.MinSessionTimeout = time.Second
	}
	release := func() error { return nil }
	if cfg.Dir != "" {
		var err error
		if release, err = lockBrokerDir(cfg.Dir); err != nil {
			return nil, fmt.Errorf("fake Kafka: %w", err)
		}
	}
	clock := newAppendClock()
	cluster, addr, err := startCluster(cfg, clock)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fake Kafka: %w", err), release())
	}
	clock.watch(cluster)
	return &Broker{cluster: cluster, clock: clock, addr: addr, release: release}, nil
}

// startCluster makes the kfake cluster and returns the first node's address.
func startCluster(cfg Config, clock *appendClock) (*kfake.Cluster, string, error) {
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, "", fmt.Errorf("address %q: %w", cfg.Addr, err)
	}
	if cfg.Advertise != "" {
		if _, _, err := net.SplitHostPort(cfg.Advertise); err != nil || cfg.Nodes != 1 {
			return nil, "", fmt.Errorf("advertised address %q: want host:port and one node", cfg.Advertise)
		}
	}
	var first string
	listen := func(network, _ string) (net.Listener, error) {
		addr := cfg.Addr
		if first != "" {
			addr = net.JoinHostPort(host, "0")
		}
		ln, err := net.Listen(network, addr)
		if err != nil {
			return nil, err
		}
		if first == "" {
			first = ln.Addr().String()
		}
		if cfg.TLS != nil {
			ln = tls.NewListener(ln, cfg.TLS)
		}
		if cfg.Advertise != "" {
			ln = advertised{ln, cfg.Advertise}
		}
		return brokerListener{ln, clock}, nil
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(cfg.Nodes),
		kfake.ClusterID("retorno-embedded"),
		kfake.ListenFn(listen),
		kfake.GroupMinSessionTimeout(cfg.MinSessionTimeout),
		kfake.WithLogger(brokerLog{cfg.Log}),
		kfake.BrokerConfigs(map[string]string{"default.replication.factor": "1"}),
	}
	if cfg.Dir != "" {
		opts = append(opts, kfake.DataDir(filepath.Join(cfg.Dir, "data")), kfake.SyncWrites())
	}
	if len(cfg.Users) > 0 {
		opts = append(opts, kfake.EnableSASL())
		for _, u := range cfg.Users {
			if len(u.Topics) == 0 {
				opts = append(opts, kfake.Superuser(u.Mechanism, u.Name, u.Password))
				continue
			}
			opts = append(opts, kfake.EnableACLs(), kfake.User(u.Mechanism, u.Name, u.Password, u.rights()...))
		}
	}
	cluster, err := kfake.NewCluster(opts...)
	return cluster, first, err
}

// advertised is a listener that says another address of itself, which is the
// one kfake tells clients.
type advertised struct {
	net.Listener
	addr string
}

func (a advertised) Addr() net.Addr { return advertisedAddr(a.addr) }

type advertisedAddr string

func (advertisedAddr) Network() string  { return "tcp" }
func (a advertisedAddr) String() string { return string(a) }

// Addr returns the address that the broker listens on.
func (b *Broker) Addr() string { return b.addr }

// Cluster returns the cluster behind the broker, with which tests inject
// faults, move leaders and look at groups.
func (b *Broker) Cluster() *kfake.Cluster { return b.cluster }

// Stop closes every connection, writes what is left to the folder and gives
// the folder free. A second call does nothing and returns the same.
func (b *Broker) Stop() error {
	b.stop.Do(func() {
		b.clock.leave()
		b.cluster.Close()
		b.stopErr = b.release()
	})
	return b.stopErr
}

// lockBrokerDir makes dir if it is missing and takes it for this process. The
// lock is the operating system's, so it ends with the process however that ends.
func lockBrokerDir(dir string) (func() error, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(dir, "broker.lock")
	// Not an os.File: the garbage collector closes one that nothing holds, and with it ends the lock of a broker that runs on.
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o640)
	if err != nil {
		return nil, fmt.Errorf("data folder: %s: %w", path, err)
	}
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return func() error { return unix.Close(fd) }, nil
	}
	_ = unix.Close(fd)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w", dir, ErrInUse)
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
