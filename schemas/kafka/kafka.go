// Package kafka says how a Kafka cluster is reached: the brokers to start from, encryption, the login, and what is let
// through of what a broker answers. Every client of the program makes its connections here.
//
// It promises three things of each connection. Passwords and certificates are read when the connection is made, so a
// changed file counts from the next one on. An answer reaches kafka-go or a Conn only when its fields hold together and its size
// is bounded: random bytes, another protocol or a flipped bit are an error (ErrCorrupt), never an allocation without
// bound and never a panic. And a refusal that time does not mend (a wrong password, missing rights, TLS to a listener
// without it) is told from a network that fails (Refused), with what to change.
//
// The verifier's reader has a client library of its own, which checks answers itself: of this package it takes settings
// and DialUnguarded.
//
// Producers and the dead-letter queue write by it (ByTopic.Produce). It knows nothing of what messages say. Brokers from
// Kafka 2.1 on.
package kafka

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Access is how to reach a cluster. It may be copied.
type Access struct {
	// Brokers are addresses to start from, host:port.
	Brokers []string
	// TLS encrypts; nil does not.
	TLS *TLS
	// SASL logs in; nil does not.
	SASL *SASL
	// ClientID names this program to the broker. Default retorno.
	ClientID string
	// Silence is how long a broker may send nothing while a connection has a deadline: each byte that comes moves
	// the deadline so far away at least. 0: a deadline is what it is.
	Silence time.Duration
}

// Validate names the first setting that cannot work.
func (a Access) Validate() error {
	if len(a.Brokers) == 0 {
		return errors.New("no broker address; name at least one host:port")
	}
	for _, b := range a.Brokers {
		if err := validAddress(b); err != nil {
			return err
		}
	}
	if err := a.TLS.validate(); err != nil {
		return err
	}
	return a.SASL.validate()
}

func validAddress(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("broker address %q: want host:port, such as kafka-1:9092", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || host == "" {
		return fmt.Errorf("broker address %q: want a host and a port from 1 to 65535", addr)
	}
	return nil
}

func (a Access) clientID() string {
	if a.ClientID == "" {
		return "retorno"
	}
	return a.ClientID
}
