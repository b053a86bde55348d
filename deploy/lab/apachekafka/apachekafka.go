// Package apachekafka runs a real Apache Kafka broker for tests.
//
// It promises one broker in KRaft mode on free loopback ports that answers
// when Start returns, with data in a folder of its own, and that the process
// is gone when Stop returns or when its parent dies. The program comes from
// Maven Central once, with the versions pinned in pom.xml, and is kept in the
// user's cache folder; a user who has it there needs only Java.
//
// It never touches another Kafka, and never pretends: without Java, Maven or
// the download, Start fails and names what is missing.
package apachekafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Version is the release of Apache Kafka that runs.
const Version = "4.1.0"

// Config says how to run the broker. The zero value serves most tests.
type Config struct {
	// Dir keeps the data; empty means a temporary folder that Stop removes.
	Dir string
	// Properties are added to the server's, or replace them.
	Properties map[string]string
	// Advertise makes a second listener, whose clients are told to connect
	// to this address: of a proxy, in front of Server.Behind.
	Advertise string
	// Secure is what the second listener wants of its clients; nil: nothing.
	Secure *Secure
	// Log receives what the server prints; nil keeps only the last lines,
	// for error messages.
	Log io.Writer
}

// Secure is a listener that encrypts, and lets in who shows a certificate and
// logs in.
type Secure struct {
	// KeyStore is a PEM file with the listener's key and certificate, and
	// TrustStore one with the certificates that vouch for clients' ones.
	KeyStore, TrustStore string
	// Users log in by SCRAM-SHA-512 with these passwords. None means that a
	// certificate is enough.
	Users map[string]string
}

// Server is a broker process.
type Server struct {
	java      string
	classpath string
	dir       string
	temporary bool
	broker    string
	behind    string
	log       *tail

	mu   sync.Mutex
	proc *process
}

// Start downloads what is missing, formats a data folder, starts a broker and
// waits until it answers. ctx bounds the start, not the broker's life.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	s, err := start(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("apache kafka %s: %w", Version, err)
	}
	return s, nil
}

func start(ctx context.Context, cfg Config) (_ *Server, err error) {
	for attempt := 1; ; attempt++ {
		s, err := prepare(ctx, cfg, alone)
		if err != nil {
			return nil, err
		}
		if err = s.launch(ctx); err == nil {
			return s, nil
		}
		err = errors.Join(err, s.Stop())
		// The ports were free a moment ago; another program may have been faster.
		if ctx.Err() != nil || attempt == 3 || !strings.Contains(s.log.String(), "Address already in use") {
			return nil, err
		}
	}
}

// StartCluster starts brokers that replicate to each other: three copies of each
// topic, of which two must be alive. cfg is asked for the settings of each, by
// its number. They are to be stopped one by one.
func StartCluster(ctx context.Context, n int, cfg func(i int) Config) ([]*Server, error) {
	for attempt := 1; ; attempt++ {
		servers, err := startCluster(ctx, n, cfg)
		if err == nil {
			return servers, nil
		}
		if ctx.Err() != nil || attempt == 3 || !strings.Contains(err.Error(), "Address already in use") {
			return nil, fmt.Errorf("apache kafka %s, %d brokers: %w", Version, n, err)
		}
	}
}

func startCluster(ctx context.Context, n int, cfg func(i int) Config) ([]*Server, error) {
	seats, err := seatsOf(n)
	if err != nil {
		return nil, err
	}
	servers := make([]*Server, n)
	var starting errgroup.Group // a broker answers once most of them are there
	for i := range n {
		starting.Go(func() error {
			var err error
			if servers[i], err = prepare(ctx, cfg(i), seats[i]); err != nil {
				return err
			}
			return servers[i].launch(ctx)
		})
	}
	if err := starting.Wait(); err != nil {
		for _, s := range servers {
			if s != nil {
				err = errors.Join(err, s.Stop())
			}
		}
		return nil, err
	}
	return servers, nil
}

// prepare makes a server whose folder is formatted, and which does not run yet.
func prepare(ctx context.Context, cfg Config, at seat) (_ *Server, err error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, errors.New("java is not on the PATH; install Java 17 or newer (Debian: openjdk-17-jre-headless)")
	}
	libs, err := Fetch(ctx, nil)
	if err != nil {
		return nil, err
	}
	s := &Server{java: java, classpath: filepath.Join(libs, "*"), dir: cfg.Dir, log: newTail(cfg.Log)}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "retorno-kafka-"); err != nil {
			return nil, err
		}
		s.temporary = true
	}
	if err = s.configure(cfg, at); err == nil {
		err = s.format(ctx, cfg.Secure)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) properties() string { return filepath.Join(s.dir, "server.properties") }

// format prepares an empty data folder and leaves a used one alone.
func (s *Server) format(ctx context.Context, secure *Secure) error {
	args := []string{"-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", s.classpath,
		"kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", s.properties()}
	if secure != nil {
		for user, password := range secure.Users {
			args = append(args, "--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", user, password))
		}
	}
	cmd := exec.CommandContext(ctx, s.java, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format %s: %w: %s", s.dir, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// launch starts the process and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	p, err := startProcess(s.log, s.java, "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", s.classpath, "kafka.Kafka", s.properties())
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	for {
		if err = answers(ctx, s.broker); err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("the server ended while starting: %w; its last words: %s", p.err, s.log)
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("the server does not answer: %w (%w); its last words: %s", ctx.Err(), err, s.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Addr returns the address clients connect to.
func (s *Server) Addr() string { return s.broker }

// Behind returns where the second listener listens; empty without Advertise.
func (s *Server) Behind() string { return s.behind }

// PID returns the process id.
func (s *Server) PID() int { return s.process().pid() }

func (s *Server) process() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

// Kill ends the process at once, as a power cut would. The data stays.
func (s *Server) Kill() {
	if p := s.process(); p != nil {
		p.signal(syscall.SIGKILL)
		<-p.done
	}
}

// Restart ends the process if it runs and starts it again with the same data
// and address.
func (s *Server) Restart(ctx context.Context) error {
	s.end()
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("apache kafka %s: restart: %w", Version, err)
	}
	return nil
}

// Stop ends the process and removes its temporary folder.
func (s *Server) Stop() error {
	s.end()
	if s.temporary {
		return os.RemoveAll(s.dir)
	}
	return nil
}

// end asks the process to end, and kills it when it does not hear.
func (s *Server) end() {
	p := s.process()
	if p == nil {
		return
	}
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		s.Kill()
	}
}

// freePorts returns loopback ports that are free at the moment.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("no free port: %w", err)
		}
		defer ln.Close()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
