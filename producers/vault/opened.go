package vault

import (
	"errors"
	"fmt"

	"crypto/hpke"

	"retorno/producers/identity"
	"retorno/schemas/calendar"
)

// Opened is a keyring opened by a clerk or by the recovery key.
type Opened struct {
	id      string
	private hpke.PrivateKey
}

func (o *Opened) open(purpose string, s Sealed) ([]byte, error) {
	sealed, ok := s[o.id]
	if !ok {
		return nil, ErrErased
	}
	return openFor(o.private, purpose, sealed)
}

// Names are those of all clerks.
func (o *Opened) Names(k *Keyring) ([]string, error) {
	names := make([]string, 0, len(k.Clerks))
	for _, c := range k.Clerks {
		name, err := o.open(purposeName+c.ID, c.Name)
		if err != nil {
			return nil, fmt.Errorf("name of a clerk: %w", err)
		}
		names = append(names, string(name))
	}
	return names, nil
}

// Day returns the data key of a day, and ErrErased when it is gone.
func (o *Opened) Day(k *Keyring, day calendar.Day) ([]byte, error) {
	name := day.String()
	for _, d := range k.Days {
		if d.Day == name {
			return o.open(purposeDay+name, d.Sealed)
		}
	}
	return nil, fmt.Errorf("data key of %s: %w", name, ErrErased)
}

// Secret returns the identity secret in force on a day, and ErrNoSecret when none is.
func (o *Opened) Secret(k *Keyring, day calendar.Day) (identity.Secret, error) {
	for i := len(k.Secrets) - 1; i >= 0; i-- {
		s := k.Secrets[i]
		if s.From > day.String() {
			continue
		}
		text, err := o.open(purposeSecret+s.From, s.Sealed)
		if err != nil {
			return identity.Secret{}, errors.Join(ErrNoSecret, err)
		}
		return identity.NewSecret(string(text))
	}
	return identity.Secret{}, ErrNoSecret
}
