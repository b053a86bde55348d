package kafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// SASL is how to log in to the brokers.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	User      string
	// Password is used unless a file is named.
	Password string
	// PasswordFile holds the password; it is read at each login, so that a changed one counts from then on. Line ends
	// after the password do not belong to it.
	PasswordFile string
}

func (s *SASL) validate() error {
	if s == nil {
		return nil
	}
	if s.User == "" {
		return errors.New("a login needs a user")
	}
	_, err := s.mechanism()
	return err
}

// ReadPassword returns the password as it is now. The error says that its file cannot be read.
func (s *SASL) ReadPassword() (string, error) {
	if s.PasswordFile == "" {
		return s.Password, nil
	}
	text, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// mechanism is the login with the password as it is now.
func (s *SASL) mechanism() (sasl.Mechanism, error) {
	password, err := s.ReadPassword()
	if err != nil {
		return nil, err
	}
	switch s.Mechanism {
	case "PLAIN":
		return plain.Mechanism{Username: s.User, Password: password}, nil
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, s.User, password)
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, s.User, password)
	}
	return nil, fmt.Errorf("SASL mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
}

// login gives the client library the password of the moment at which a connection logs in.
type login struct{ *SASL }

func (l login) Name() string { return l.Mechanism }

func (l login) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	m, err := l.mechanism()
	if err != nil {
		return nil, nil, err
	}
	return m.Start(ctx)
}

// forLibrary returns the login as the library takes it; nil for none.
func (s *SASL) forLibrary() sasl.Mechanism {
	if s == nil {
		return nil
	}
	return login{s}
}
