package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// ErrSealed says that a sealed slip is not of this secret and record.
var ErrSealed = errors.New("the slip was not sealed under this secret for this record")

// sealer is AES-256-GCM under a key of its own purpose: neither a person key nor the secret itself.
func (s Secret) sealer() (cipher.AEAD, error) {
	if s.IsZero() {
		return nil, ErrNoSecret
	}
	mac := hmac.New(sha256.New, s.key)
	_, _ = mac.Write([]byte("retorno exchange slip 1"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// SealSlip seals the number of a slip for the offices that hold the secret, as base64. record is the id of the record that
// it is of: the slip of another one does not open under it.
func (s Secret) SealSlip(slip, record string) (string, error) {
	aead, err := s.sealer()
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(aead.Seal(nil, nil, []byte(slip), []byte(record))), nil
}

// OpenSlip opens what SealSlip sealed. The error is ErrSealed or ErrNoSecret.
func (s Secret) OpenSlip(sealed, record string) (string, error) {
	aead, err := s.sealer()
	if err != nil {
		return "", err
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrSealed
	}
	text, err := aead.Open(nil, nil, raw, []byte(record))
	if err != nil {
		return "", ErrSealed
	}
	slip, ok := ParseSlip(string(text))
	if !ok {
		return "", ErrSealed
	}
	return slip, nil
}
