package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Parameters of Argon2id (RFC 9106), as OWASP's password storage cheat sheet has them for 19 MiB.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
)

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

func sealFor(public hpke.PublicKey, purpose string, text []byte) ([]byte, error) {
	return hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(purpose), text)
}

func openFor(private hpke.PrivateKey, purpose string, sealed []byte) ([]byte, error) {
	return hpke.Open(private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(purpose), sealed)
}

// passphraseKey makes a key of a clerk's name and passphrase.
func passphraseKey(salt []byte, clerk, passphrase string) []byte {
	salted := append(append([]byte{}, salt...), clerk...)
	return argon2.IDKey([]byte(passphrase), salted, argonTime, argonMemory, argonThreads, 32)
}

// sealWith seals by AES-256-GCM with a random nonce, which stands before the rest.
func sealWith(key, text, bound []byte) ([]byte, error) {
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	nonce := random(aead.NonceSize())
	return aead.Seal(nonce, nonce, text, bound), nil
}

func openWith(key, sealed, bound []byte) ([]byte, error) {
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("sealed text is too short")
	}
	return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], bound)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// RecoveryKey is the public half of a recovery key. It seals and opens nothing.
type RecoveryKey struct{ public hpke.PublicKey }

// RecoverySecret is the half that opens. It is kept away from the computer.
type RecoverySecret struct{ private hpke.PrivateKey }

const (
	publicPrefix = "retorno-recovery-public-1:"
	secretPrefix = "retorno-recovery-secret-1:"
)

// NewRecoverySecret makes a key pair.
func NewRecoverySecret() (RecoverySecret, error) {
	private, err := kem().GenerateKey()
	return RecoverySecret{private}, err
}

// Public is the half that seals.
func (r RecoverySecret) Public() RecoveryKey { return RecoveryKey{r.private.PublicKey()} }

// Text is the secret as its file holds it.
func (r RecoverySecret) Text() (string, error) {
	b, err := r.private.Bytes()
	return secretPrefix + base64.RawURLEncoding.EncodeToString(b), err
}

// String hides the secret.
func (RecoverySecret) String() string { return "recovery(…)" }

// GoString hides the secret from %#v too.
func (r RecoverySecret) GoString() string { return r.String() }

// Bytes is the public key as RFC 9180 writes it.
func (r RecoveryKey) Bytes() []byte { return r.public.Bytes() }

// String is the public key as text, as people hand it on.
func (r RecoveryKey) String() string {
	return publicPrefix + base64.RawURLEncoding.EncodeToString(r.public.Bytes())
}

// ParseRecoveryKey reads the text of a public half.
func ParseRecoveryKey(text string) (RecoveryKey, error) {
	b, err := decode(text, publicPrefix)
	if err != nil {
		return RecoveryKey{}, fmt.Errorf("recovery key: %w", err)
	}
	public, err := kem().NewPublicKey(b)
	if err != nil {
		return RecoveryKey{}, fmt.Errorf("recovery key: %w", err)
	}
	return RecoveryKey{public}, nil
}

// RecoverySecretFromFile reads the secret half. Errors name the file, never what it holds.
func RecoverySecretFromFile(path string) (RecoverySecret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return RecoverySecret{}, fmt.Errorf("recovery key: %w", err)
	}
	b, err := decode(string(text), secretPrefix)
	if err != nil {
		return RecoverySecret{}, fmt.Errorf("recovery key %s: %w", path, err)
	}
	private, err := kem().NewPrivateKey(b)
	if err != nil {
		return RecoverySecret{}, fmt.Errorf("recovery key %s: not a key", path)
	}
	return RecoverySecret{private}, nil
}

func decode(text, prefix string) ([]byte, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), prefix)
	if !ok {
		return nil, fmt.Errorf("it does not begin with %s", prefix)
	}
	b, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil {
		return nil, errors.New("what follows its beginning is not a key")
	}
	return b, nil
}
