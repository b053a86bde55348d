package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Purposes of the hashes by which posts tell each other of documents that were found false: each is of its own, so that none
// equals a person key or another hash of the same secret.
const (
	purposeDocument = "retorno found document 1"
	purposeFinding  = "retorno finding 1"
)

// DocumentHash is the keyed hash of a document that was found false or reported stolen: 16 bytes of HMAC-SHA-256 of the normalised
// document under a purpose of its own, as 32 lower-case hexadecimal digits; "" without a document. A slip has none. The errors are
// those of Key.
func (s Secret) DocumentHash(d Document) (string, error) {
	n, err := Normalise(d)
	if err != nil || n.Number == "" || n.Type == Folio {
		return "", err
	}
	return s.named(purposeDocument, n.Country, n.Type, n.Number)
}

// FindingID names what one record, or one entry of a list, says of a document, so that it can be taken back: 32 lower-case hexadecimal
// digits, from which neither can be told. The error is ErrNoSecret.
func (s Secret) FindingID(of string) (string, error) { return s.named(purposeFinding, of) }

func (s Secret) named(parts ...string) (string, error) {
	if len(s.key) < MinSecretBytes {
		return "", ErrNoSecret
	}
	mac := hmac.New(sha256.New, s.key)
	for _, part := range parts {
		_, _ = mac.Write(append([]byte(part), 0))
	}
	return hex.EncodeToString(mac.Sum(nil)[:keyBytes]), nil
}
