package identity

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

const (
	// MinSecretBytes is the least length of a secret: that of the hash.
	MinSecretBytes = 32
	// maxSecretBytes bounds what is read from a file, so that a wrong path does not become a key.
	maxSecretBytes = 4096
	// minDistinct is the least number of different bytes; 32 letters a are no secret.
	minDistinct = 8
)

// Secret is the key of the agents. The zero Secret makes no keys. It prints as "secret(…)" whatever the verb, and
// marshals to the same.
type Secret struct{ key []byte }

// NewSecret checks and takes a secret. White space around it (the newline of a file) does not count.
func NewSecret(text string) (Secret, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Secret{}, ErrNoSecret
	case len(text) < MinSecretBytes:
		return Secret{}, fmt.Errorf("the identity secret is too short: %d bytes, at least %d are needed", len(text), MinSecretBytes)
	case len(text) > maxSecretBytes:
		return Secret{}, fmt.Errorf("the identity secret is too long: over %d bytes; is it the right file?", maxSecretBytes)
	}
	var seen [256]bool
	distinct := 0
	for _, b := range []byte(text) {
		if !seen[b] {
			seen[b] = true
			distinct++
		}
	}
	if distinct < minDistinct {
		return Secret{}, fmt.Errorf("the identity secret is too simple: %d different characters, at least %d are needed", distinct, minDistinct)
	}
	return Secret{key: []byte(text)}, nil
}

// SecretFromFile reads a secret from a file. Errors name the file, never what it holds.
func SecretFromFile(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("identity secret: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+2))
	if err != nil {
		return Secret{}, fmt.Errorf("identity secret: %w", err)
	}
	s, err := NewSecret(string(text))
	if err != nil {
		return Secret{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// CreateSecret makes a secret of 256 random bits, and writes it to a new file that only its owner may read. The error for a
// file that is there already is fs.ErrExist: a secret that is overwritten takes every link between records with it.
func CreateSecret(path string) (s Secret, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Secret{}, fmt.Errorf("identity secret: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(fmt.Errorf("identity secret: %w", err), os.Remove(path))
		}
	}()
	var b [MinSecretBytes]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails: it ends the program instead
	text := hex.EncodeToString(b[:])
	if _, err := io.WriteString(f, text+"\n"); err != nil {
		return Secret{}, err
	}
	if err := f.Sync(); err != nil {
		return Secret{}, err
	}
	return NewSecret(text)
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return len(s.key) == 0 }

// fingerprintRounds makes each guess at a secret by its fingerprint cost a quarter of a second, as it costs us.
const fingerprintRounds = 1 << 20

// Fingerprint tells two secrets apart without showing either: eight hexadecimal digits to compare between computers. They
// are the first 32 bits of PBKDF2-HMAC-SHA-256 (RFC 8018) of the secret, so that a reader of them learns nothing of a
// random secret, and has to try each guess at one that a person thought up for long, one in four billion of which
// fits by chance. The zero Secret has none.
func (s Secret) Fingerprint() (string, error) {
	if s.IsZero() {
		return "", ErrNoSecret
	}
	sum, err := pbkdf2.Key(sha256.New, string(s.key), []byte("retorno identity fingerprint 1"), fingerprintRounds, 4)
	if err != nil {
		return "", fmt.Errorf("identity secret: fingerprint: %w", err)
	}
	return hex.EncodeToString(sum), nil
}

const masked = "secret(…)"

// String hides the secret.
func (s Secret) String() string { return masked }

// Format hides the secret from every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }
