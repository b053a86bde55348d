package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	kafkago "github.com/segmentio/kafka-go"
)

// ErrCorrupt says that what came is no answer that a broker could have sent. Another attempt may get a good one.
var ErrCorrupt = errors.New("corrupted answer")

// SizeError says that an answer is larger than what is accepted. It wraps ErrCorrupt, because a changed bit in a size
// looks the same; an answer that is really so large is refused each time.
type SizeError struct{ Bytes, Limit int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("the answer has %d bytes, more than the %d that are accepted", e.Bytes, e.Limit)
}

func (e *SizeError) Unwrap() error { return ErrCorrupt }

// MismatchError says that what answers at an address speaks otherwise than the settings say. It may pass, because a
// broker that is going down looks alike; one that stays is a wrong setting.
type MismatchError struct {
	Addr    string
	Problem string
	// Err is what the network said. It is not unwrapped: the client library replaces whatever wraps an end of file.
	Err error
}

func (e *MismatchError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Addr, e.Problem, e.Err) }

// refusals are the brokers' codes for who may not come in, or may not do this.
var refusals = []kafkago.Error{
	kafkago.SASLAuthenticationFailed, kafkago.UnsupportedSASLMechanism, kafkago.IllegalSASLState,
	kafkago.TopicAuthorizationFailed, kafkago.GroupAuthorizationFailed, kafkago.ClusterAuthorizationFailed,
}

// Refused reports whether the broker refused who we are or what we may do, or we refused the broker's certificate. Time
// does not mend it, but a changed setting, password or right does.
func Refused(err error) bool {
	for _, e := range refusals {
		if errors.Is(err, e) {
			return true
		}
	}
	return refusedCertificate(err)
}

// RefusedLogin reports whether a refusal is about who we are. While passwords or certificates are being changed such
// refusals come and go: the brokers and the files here do not change in the same moment.
func RefusedLogin(err error) bool {
	return errors.Is(err, kafkago.SASLAuthenticationFailed) || refusedCertificate(err)
}

func refusedCertificate(err error) bool {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert *net.OpError
	return errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, &alert) && alert.Op == "remote error" // a TLS alert: the broker refused our certificate
}

// Advice says in a few words what to change about a refusal; empty for any other error.
func Advice(err error) string {
	switch {
	case errors.Is(err, kafkago.SASLAuthenticationFailed):
		return "check the user and the password"
	case errors.Is(err, kafkago.UnsupportedSASLMechanism):
		return "the listener takes another SASL mechanism"
	case errors.Is(err, kafkago.IllegalSASLState):
		return "the listener takes no login, or not before it is asked for; check the port"
	case errors.Is(err, kafkago.TopicAuthorizationFailed):
		return "grant the user READ and DESCRIBE on the topics it reads, WRITE and DESCRIBE on those it writes"
	case errors.Is(err, kafkago.GroupAuthorizationFailed):
		return "grant the user READ on the consumer group"
	case errors.Is(err, kafkago.ClusterAuthorizationFailed):
		return "grant the user CREATE on the cluster, or have an administrator make the topics"
	case Refused(err):
		return "check the certificates: the CA that vouches for the brokers, the name in theirs, and the one that this program shows"
	}
	return ""
}

// Code turns a broker's error code, and what the broker says about it, into the library's error; 0 into nil.
func Code(c int16, said *string) error {
	switch {
	case c == 0:
		return nil
	case said != nil && *said != "":
		return fmt.Errorf("%w: %s", kafkago.Error(c), *said)
	}
	return kafkago.Error(c)
}
