package identity

import (
	"crypto/hmac"
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

// SecretFrom reads a secret from a file when one is named, else from an environment variable. Neither is ErrNoSecret.
func SecretFrom(file, variable string) (Secret, error) {
	if file != "" {
		return SecretFromFile(file)
	}
	text := os.Getenv(variable)
	if text == "" {
		return Secret{}, fmt.Errorf("%w (%s is empty)", ErrNoSecret, variable)
	}
	s, err := NewSecret(text)
	if err != nil && !errors.Is(err, ErrNoSecret) {
		err = fmt.Errorf("environment variable %s: %w", variable, err)
	}
	return s, err
}

// GenerateSecret returns the text of a new secret with 256 random bits.
func GenerateSecret() string {
	var b [MinSecretBytes]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return len(s.key) == 0 }

// Fingerprint tells two secrets apart without showing either: eight hexadecimal digits to compare between computers.
func (s Secret) Fingerprint() string {
	if s.IsZero() {
		return ""
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("retorno fingerprint 1"))
	return hex.EncodeToString(mac.Sum(nil)[:4])
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
