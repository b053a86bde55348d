package vault

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"retorno/producers/identity"
	"retorno/schemas/calendar"
)

// Keyring is what opens what is sealed: for each clerk and for the recovery key. It holds nothing in clear.
type Keyring struct {
	// Salt goes into each passphrase's key.
	Salt []byte `json:"salt"`
	// Recovery is the public half of the recovery key.
	Recovery []byte `json:"recovery"`
	// Clerks may log in.
	Clerks []Clerk `json:"clerks"`
	// Secrets are those of the person keys, by the day from which each holds.
	Secrets []Secret `json:"secrets"`
	// Days are the data keys of days.
	Days []Day `json:"days,omitempty"`
}

// Clerk is a person who may log in.
type Clerk struct {
	// ID names the clerk among the recipients of a key; random.
	ID string `json:"id"`
	// Public is the public half of the clerk's key, and Private the other, sealed under the passphrase.
	Public  []byte `json:"public"`
	Private []byte `json:"private"`
	// Name is the clerk's name, sealed for every recipient.
	Name Sealed `json:"name"`
}

// Secret is an identity secret.
type Secret struct {
	// From is the first day on which it holds, as 2006-01-02; empty: from the beginning.
	From string `json:"from,omitempty"`
	// Fingerprint tells two secrets apart: see identity.Secret.
	Fingerprint string `json:"fingerprint"`
	Sealed      Sealed `json:"sealed"`
}

// Day is the data key of one day.
type Day struct {
	Day    string `json:"day"`
	Sealed Sealed `json:"sealed"`
}

// Sealed is one small text sealed by HPKE for several recipients: clerk's id, or "recovery".
type Sealed map[string][]byte

const recovery = "recovery"

// MinPassphrase is the least length of a passphrase, in characters.
const MinPassphrase = 10

// Errors of logging in and of keys.
var (
	// ErrPassphrase says that the clerk or the passphrase is wrong; it does not tell which.
	ErrPassphrase = errors.New("wrong clerk or passphrase")
	// ErrErased says that a key is gone: its retention has passed.
	ErrErased = errors.New("erased: its retention has passed")
	// ErrNoSecret says that no identity secret holds on a day.
	ErrNoSecret = errors.New("no identity secret holds on that day")
)

// NewKeyring returns a keyring without clerks and secrets.
func NewKeyring(recoveryKey RecoveryKey) *Keyring {
	return &Keyring{Salt: random(16), Recovery: recoveryKey.Bytes()}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand never fails: it ends the program instead
	return b
}

// recipients are the public keys that each new key is sealed for.
func (k *Keyring) recipients() (map[string]hpke.PublicKey, error) {
	all := map[string]hpke.PublicKey{}
	add := func(id string, public []byte) error {
		key, err := kem().NewPublicKey(public)
		if err != nil {
			return fmt.Errorf("public key of %s: %w", id, err)
		}
		all[id] = key
		return nil
	}
	if err := add(recovery, k.Recovery); err != nil {
		return nil, err
	}
	for _, c := range k.Clerks {
		if err := add(c.ID, c.Public); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// seal seals a text for every recipient.
func (k *Keyring) seal(purpose string, text []byte) (Sealed, error) {
	all, err := k.recipients()
	if err != nil {
		return nil, err
	}
	s := Sealed{}
	for id, public := range all {
		if s[id], err = sealFor(public, purpose, text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Purposes keep the sealed texts apart.
const (
	purposeName   = "retorno agent clerk 1"
	purposeSecret = "retorno agent identity secret 1 "
	purposeDay    = "retorno agent day 1 "
)

// AddSecret seals an identity secret that holds from a day on ("" from the beginning). The text is that of the
// secret's file. A secret with the same day is replaced. It needs no
// passphrase.
func (k *Keyring) AddSecret(from, text string) error {
	if from != "" {
		if _, err := calendar.ParseDay(from); err != nil {
			return err
		}
	}
	secret, err := identity.NewSecret(text)
	if err != nil {
		return err
	}
	print, err := secret.Fingerprint()
	if err != nil {
		return err
	}
	sealed, err := k.seal(purposeSecret+from, []byte(strings.TrimSpace(text)))
	if err != nil {
		return err
	}
	k.Secrets = slices.DeleteFunc(k.Secrets, func(s Secret) bool { return s.From == from })
	k.Secrets = append(k.Secrets, Secret{From: from, Fingerprint: print, Sealed: sealed})
	slices.SortFunc(k.Secrets, func(a, b Secret) int { return strings.Compare(a.From, b.From) })
	return nil
}

// AddClerk lets a person log in. What opened can open is sealed for the new clerk too; opened may be nil while there
// is nothing sealed yet.
func (k *Keyring) AddClerk(name, passphrase string, opened *Opened) error {
	name = strings.TrimSpace(name)
	switch {
	case name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("a clerk's name has 1 to 64 bytes, all of which can be printed")
	case len([]rune(passphrase)) < MinPassphrase:
		return fmt.Errorf("the passphrase is too short: at least %d characters", MinPassphrase)
	case opened == nil && (len(k.Clerks) > 0 || len(k.Secrets) > 0):
		return errors.New("a clerk who may log in, or the recovery key, is needed to let another one in")
	}
	if opened != nil {
		names, err := opened.Names(k)
		if err != nil {
			return err
		}
		if slices.Contains(names, name) {
			return fmt.Errorf("there is a clerk %s already", name)
		}
	}
	private, err := kem().GenerateKey()
	if err != nil {
		return err
	}
	raw, err := private.Bytes()
	if err != nil {
		return err
	}
	c := Clerk{ID: hex.EncodeToString(random(8)), Public: private.PublicKey().Bytes()}
	if c.Private, err = sealWith(passphraseKey(k.Salt, name, passphrase), raw, []byte(c.ID)); err != nil {
		return err
	}
	k.Clerks = append(k.Clerks, c)
	if k.Clerks[len(k.Clerks)-1].Name, err = k.seal(purposeName+c.ID, []byte(name)); err != nil {
		return err
	}
	return opened.handOver(k, c.ID, private.PublicKey())
}

// handOver seals what is sealed for others for a new recipient.
func (o *Opened) handOver(k *Keyring, id string, public hpke.PublicKey) error {
	return k.each(func(purpose string, s Sealed) error {
		if _, has := s[id]; has || o == nil {
			return nil
		}
		text, err := o.open(purpose, s)
		if errors.Is(err, ErrErased) {
			return nil // what the one could not open, the other cannot either
		}
		if err != nil {
			return err
		}
		s[id], err = sealFor(public, purpose, text)
		return err
	})
}

// each goes through all that is sealed.
func (k *Keyring) each(do func(purpose string, s Sealed) error) error {
	var all []error
	for _, s := range k.Secrets {
		all = append(all, do(purposeSecret+s.From, s.Sealed))
	}
	for _, d := range k.Days {
		all = append(all, do(purposeDay+d.Day, d.Sealed))
	}
	for _, c := range k.Clerks {
		all = append(all, do(purposeName+c.ID, c.Name))
	}
	return errors.Join(all...)
}

// RemoveClerk ends what a clerk may open. It reports whether there was one of that name.
func (k *Keyring) RemoveClerk(name string, opened *Opened) (bool, error) {
	for i, c := range k.Clerks {
		found, err := opened.open(purposeName+c.ID, c.Name)
		if err != nil {
			return false, err
		}
		if string(found) != name {
			continue
		}
		k.Clerks = slices.Delete(k.Clerks, i, i+1)
		return true, k.each(func(_ string, s Sealed) error { delete(s, c.ID); return nil })
	}
	return false, nil
}

// Erase drops the keys of the days before a day, and reports whether there were any.
func (k *Keyring) Erase(before calendar.Day) bool {
	n := len(k.Days)
	k.Days = slices.DeleteFunc(k.Days, func(d Day) bool { return d.Day < before.String() })
	return len(k.Days) < n
}

// Unlock opens the keyring for a clerk. The error for a wrong name or passphrase is ErrPassphrase.
func (k *Keyring) Unlock(clerk, passphrase string) (*Opened, error) {
	key := passphraseKey(k.Salt, strings.TrimSpace(clerk), passphrase)
	for _, c := range k.Clerks {
		raw, err := openWith(key, c.Private, []byte(c.ID))
		if err != nil {
			continue
		}
		private, err := kem().NewPrivateKey(raw)
		if err != nil {
			return nil, err
		}
		return &Opened{id: c.ID, private: private}, nil
	}
	return nil, ErrPassphrase
}

// Recover opens the keyring by the recovery key.
func (k *Keyring) Recover(key RecoverySecret) (*Opened, error) {
	if !bytes.Equal(key.private.PublicKey().Bytes(), k.Recovery) {
		return nil, errors.New("this is not the recovery key under which the computer was enrolled")
	}
	return &Opened{id: recovery, private: key.private}, nil
}
