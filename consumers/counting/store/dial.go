package store

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// dialTimeout bounds the making of one connection.
const dialTimeout = 5 * time.Second

// dial makes a connection to ClickHouse. What TLS needs is asked for each time: certificates change while we run.
func (c Config) dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	if c.TLS == nil {
		return dialer.DialContext(ctx, "tcp", addr)
	}
	settings, err := c.TLS()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return (&tls.Dialer{NetDialer: dialer, Config: settings}).DialContext(ctx, "tcp", addr)
}

// login is the password as it is now.
func (c Config) login() (string, error) {
	if c.Password == nil {
		return "", nil
	}
	return c.Password()
}

// options are those of the pool. Each connection logs in with the password as it is then.
func (c Config) options() *clickhouse.Options {
	return &clickhouse.Options{
		Addr:        []string{c.Addr},
		Auth:        clickhouse.Auth{Username: c.User},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		DialTimeout: dialTimeout,
		ReadTimeout: noLimit, // patient bounds the silence instead
		DialContext: c.dial,
		DialStrategy: func(ctx context.Context, _ int, o *clickhouse.Options, dial clickhouse.Dial) (clickhouse.DialResult, error) {
			password, err := c.login()
			if err != nil {
				return clickhouse.DialResult{}, err
			}
			now := *o
			now.Auth.Password = password
			return dial(ctx, c.Addr, &now)
		},
	}
}

// dialBulk makes a connection for whole columns over the dialer.
func (c Config) dialBulk(ctx context.Context, dialer ch.Dialer) (*ch.Client, error) {
	password, err := c.login()
	if err != nil {
		return nil, err
	}
	return ch.Dial(ctx, ch.Options{
		Address: c.Addr, User: c.User, Password: password, ClientName: "retorno",
		Compression: ch.CompressionLZ4, DialTimeout: dialTimeout, ReadTimeout: c.QueryTimeout, Dialer: dialer,
	})
}

// MisuseError says that what answers at the address cannot be used with these settings, however long one waits.
type MisuseError struct {
	Addr string
	Why  string
}

func (e *MisuseError) Error() string { return "ClickHouse at " + e.Addr + ": " + e.Why }

// Misused looks for what is wrong when a Ping failed with err: TLS that is refused, something else than ClickHouse's
// native protocol at the address. It is nil when nothing of the kind is found, and the server may just be starting.
func (s *Store) Misused(ctx context.Context, err error) error {
	if why := tlsRefusal(err); why != "" {
		return &MisuseError{s.cfg.Addr, why}
	}
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" {
		return nil // no server is there
	}
	if why := s.cfg.look(ctx); why != "" {
		return &MisuseError{s.cfg.Addr, why}
	}
	return nil
}

// tlsRefusal puts into words why a TLS connection was not made; "" for other errors.
func tlsRefusal(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var remote *net.OpError
	switch {
	case errors.As(err, &host):
		return fmt.Sprintf("its certificate is for another name (%v); the setting is --clickhouse-server-name", host)
	case errors.As(err, &unknown):
		return "its certificate comes from an authority that is not known here; the setting is --clickhouse-ca-file"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("its certificate is not valid now: it is for %s to %s", invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly))
	case errors.As(err, &invalid):
		return fmt.Sprintf("its certificate is not valid: %v", invalid)
	case errors.As(err, &record):
		return "it speaks no TLS at this port; name the port that does, usually 9440, or leave the settings --clickhouse-tls, -ca-file, -cert-file and -server-name away"
	case errors.As(err, &remote) && remote.Op == "remote error": // a TLS alert
		switch text := remote.Err.Error(); text {
		case "tls: certificate required", "tls: handshake failure":
			return "it wants a client certificate; the settings are --clickhouse-cert-file and --clickhouse-key-file"
		case "tls: bad certificate", "tls: unknown certificate authority", "tls: unknown certificate", "tls: expired certificate", "tls: revoked certificate", "tls: access denied":
			return "it does not accept the client certificate of --clickhouse-cert-file (" + text + ")"
		default:
			return "it refuses the TLS connection (" + text + ")"
		}
	}
	return ""
}

// lookTimeout bounds one look at what speaks at the address.
const lookTimeout = 2 * time.Second

// look finds out what else than the native protocol is spoken at the address; "" when nothing else is recognised.
func (c Config) look(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	answer, err := c.say(ctx, c.dial, "GET /ping HTTP/1.0\r\n\r\n")
	switch {
	case tlsRefusal(err) != "":
		return tlsRefusal(err)
	case bytes.Contains(answer, []byte("native protocol")), bytes.Contains(answer, []byte("clickhouse-client")):
		return "" // what a native port says to a browser
	case bytes.HasPrefix(answer, []byte("HTTP/")) && bytes.Contains(answer, []byte("\r\n\r\nOk.\n")):
		return "this is its HTTP port; name the one of the native protocol, usually 9000, or 9440 with TLS"
	case bytes.HasPrefix(answer, []byte("HTTP/")) && !bytes.Contains(answer, []byte("HTTPS server")):
		return "a web server answers there, and no ClickHouse; the setting is --clickhouse-addr"
	}
	if c.TLS != nil {
		return ""
	}
	hello := func(ctx context.Context, addr string) (net.Conn, error) {
		// Only to see whether TLS is spoken: nothing is sent over it.
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		return d.DialContext(ctx, "tcp", addr)
	}
	if _, err := c.say(ctx, hello, ""); err == nil || tlsRefusal(err) != "" && !errors.As(err, new(tls.RecordHeaderError)) {
		return "it speaks TLS at this port; set --clickhouse-tls, or --clickhouse-ca-file with the certificate of its authority"
	}
	return ""
}

// say connects, says something, and gives the begin of the answer, if there is one in time.
func (c Config) say(ctx context.Context, dial func(context.Context, string) (net.Conn, error), text string) ([]byte, error) {
	conn, err := dial(ctx, c.Addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if text == "" {
		return nil, nil
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 4<<10))
	if len(answer) > 0 {
		err = nil // it may be cut off as it likes
	}
	return answer, err
}

// Version is the server's version, such as 25.8.2.29.
func (s *Store) Version(ctx context.Context) (string, error) {
	var version string
	if err := s.conn.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		return "", classify("ask ClickHouse for its version", err)
	}
	return strings.TrimSpace(version), nil
}

// LowestVersion is the oldest ClickHouse that the schema and the statements of this program work with.
const LowestVersion = "25.8"

// TooOld reports whether a version is lower than LowestVersion. What cannot be read as a version is not.
func TooOld(version string) bool {
	var major, minor, lowestMajor, lowestMinor int
	if n, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || n != 2 {
		return false
	}
	_, _ = fmt.Sscanf(LowestVersion, "%d.%d", &lowestMajor, &lowestMinor) // a constant
	return major < lowestMajor || major == lowestMajor && minor < lowestMinor
}
