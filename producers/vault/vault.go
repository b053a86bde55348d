// Package vault keeps what must not be read without a passphrase: identities, drafts and the identity secret.
//
// It promises that a text is sealed under a data key of its day (AES-256-GCM), that this key is sealed for each clerk
// and for the recovery key by HPKE (RFC 9180), and that a clerk's own key is sealed under the passphrase (Argon2id). A
// new day's key, and sealing for all clerks, need no passphrase of another clerk. Once the key of a day is erased,
// neither a passphrase nor the recovery key opens what was sealed on that day. The names of clerks are sealed too.
//
// It never writes a key in clear, and keeps opened keys in memory only while a clerk is logged in. A file of keys that
// is damaged is read from its copy; when both are, Open fails and what was sealed stays shut, and nothing else depends
// on it.
package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"retorno/producers/disk"
	"retorno/producers/identity"
	"retorno/schemas/calendar"
)

// ErrLocked says that no clerk is logged in.
var ErrLocked = errors.New("locked: no clerk is logged in")

// WaitError says that too many wrong passphrases came one after the other.
type WaitError struct{ Until time.Time }

func (e *WaitError) Error() string {
	return "too many wrong passphrases: wait until " + e.Until.In(calendar.Zone()).Format("15:04:05")
}

const (
	keysFile = "keys"
	maxKeys  = 16 << 20
	// freeTries are the wrong passphrases before the first wait; then each wait is twice the one before.
	freeTries = 5
	firstWait = 10 * time.Second
	lastWait  = 15 * time.Minute
)

// Vault is the keyring of a folder, with a clerk logged in or without. It is safe for concurrent use.
type Vault struct {
	disk disk.Disk
	dir  string
	now  func() time.Time

	mu      sync.Mutex
	ring    *Keyring
	opened  *Opened
	clerk   string
	days    map[calendar.Day][]byte
	wrong   int
	waiting time.Time
}

// Open opens the vault of a folder. seed is the keyring of the enrolment, with which a vault begins; one that
// is there stays as it is. A nil seed opens what is there.
func Open(d disk.Disk, dir string, seed *Keyring, now func() time.Time) (*Vault, error) {
	v := &Vault{disk: d, dir: dir, now: now}
	err := v.change(func(ring *Keyring) (bool, error) { return ring.adopt(seed) })
	if err != nil {
		return nil, fmt.Errorf("keys of %s: %w", dir, err)
	}
	return v, nil
}

// adopt begins a keyring with that of the enrolment, and reports whether it did.
func (k *Keyring) adopt(seed *Keyring) (bool, error) {
	switch {
	case seed == nil && len(k.Recovery) == 0:
		return false, errors.New("there are none; start the agent with its enrolment first")
	case len(k.Recovery) == 0:
		*k = *seed
		return true, nil
	}
	return false, nil
}

// change lets do change the keyring as it is on the disk, and writes it when do reports that it did.
func (v *Vault) change(do func(*Keyring) (bool, error)) error {
	release, err := v.disk.Lock(filepath.Join(v.dir, keysFile+".lock"), true)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // the lock ends with the file
	ring := new(Keyring)
	data, damaged, err := disk.ReadTwice(v.disk, filepath.Join(v.dir, keysFile), maxKeys)
	switch {
	case err == nil:
		err = json.Unmarshal(data, ring)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return err
	}
	changed, err := do(ring)
	if err != nil {
		return err
	}
	if changed || len(damaged) > 0 {
		if data, err = json.Marshal(ring); err != nil {
			return err
		}
		if err := disk.WriteTwice(v.disk, filepath.Join(v.dir, keysFile), data); err != nil {
			return err
		}
	}
	v.ring = ring
	return nil
}

// Change changes the keyring: clerks come and go. do reports whether it did.
func (v *Vault) Change(do func(*Keyring) (bool, error)) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.change(do)
}

// Unlock logs a clerk in. The error is ErrPassphrase, or a *WaitError after five wrong ones: the wait doubles with each
// further one.
func (v *Vault) Unlock(clerk, passphrase string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now().Before(v.waiting) {
		return &WaitError{v.waiting}
	}
	// Another process may have added or removed a clerk.
	if err := v.change(func(*Keyring) (bool, error) { return false, nil }); err != nil {
		return err
	}
	opened, err := v.ring.Unlock(clerk, passphrase)
	if errors.Is(err, ErrPassphrase) {
		if v.wrong++; v.wrong >= freeTries {
			v.waiting = v.now().Add(min(firstWait<<min(v.wrong-freeTries, 10), lastWait))
		}
	}
	if err != nil {
		return err
	}
	v.wrong, v.opened, v.clerk, v.days = 0, opened, clerk, map[calendar.Day][]byte{}
	return nil
}

// Lock logs out: what was opened is forgotten.
func (v *Vault) Lock() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, key := range v.days {
		clear(key)
	}
	v.opened, v.clerk, v.days = nil, "", nil
}

// Clerk is who is logged in; "" is no clerk.
func (v *Vault) Clerk() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.clerk
}

// Secret returns the identity secret in force on a day.
func (v *Vault) Secret(day calendar.Day) (identity.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.opened == nil {
		return identity.Secret{}, ErrLocked
	}
	return v.opened.Secret(v.ring, day)
}

// Fingerprints are those of the identity secrets, each with the day from which it holds ("" from the beginning). It
// needs no login.
func (v *Vault) Fingerprints() []Secret {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make([]Secret, len(v.ring.Secrets))
	for i, s := range v.ring.Secrets {
		all[i] = Secret{From: s.From, Fingerprint: s.Fingerprint}
	}
	return all
}

// key returns the data key of a day; a day without one gets one when create is set.
func (v *Vault) key(day calendar.Day, create bool) ([]byte, error) {
	if v.opened == nil {
		return nil, ErrLocked
	}
	if key, ok := v.days[day]; ok {
		return key, nil
	}
	key, err := v.opened.Day(v.ring, day)
	if errors.Is(err, ErrErased) && create {
		key, err = v.newDay(day)
	}
	if err != nil {
		return nil, err
	}
	v.days[day] = key
	return key, nil
}

func (v *Vault) newDay(day calendar.Day) (key []byte, err error) {
	err = v.change(func(ring *Keyring) (bool, error) {
		if key, err = v.opened.Day(ring, day); !errors.Is(err, ErrErased) {
			return false, err
		}
		key = random(32)
		sealed, err := ring.seal(purposeDay+day.String(), key)
		if err != nil {
			return false, err
		}
		ring.Days = append(ring.Days, Day{Day: day.String(), Sealed: sealed})
		return true, nil
	})
	return key, err
}

// Seal seals a text under the key of a day, bound to a name: it opens under the same name only.
func (v *Vault) Seal(day calendar.Day, name string, text []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, err := v.key(day, true)
	if err != nil {
		return nil, err
	}
	return sealWith(key, text, []byte(name))
}

// Open opens what was sealed on a day under a name. The error wraps ErrLocked, or ErrErased when the day's key is gone.
func (v *Vault) Open(day calendar.Day, name string, sealed []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, err := v.key(day, false)
	if err != nil {
		return nil, err
	}
	return openWith(key, sealed, []byte(name))
}

// MAC is a keyed hash of a text under the key of a day: equal texts have equal ones, and without the key they say
// nothing. The error is that of Open.
func (v *Vault) MAC(day calendar.Day, text []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, err := v.key(day, false)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte("retorno agent form 1\x00"))
	_, _ = mac.Write(text)
	return mac.Sum(nil)[:16], nil
}

// Erase drops the keys of the days before a day for good.
func (v *Vault) Erase(before calendar.Day) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.ContainsFunc(v.ring.Days, func(d Day) bool { return d.Day < before.String() }) {
		return nil
	}
	for day, key := range v.days {
		if day < before {
			clear(key)
			delete(v.days, day)
		}
	}
	return v.change(func(ring *Keyring) (bool, error) { return ring.Erase(before), nil })
}

// Opener opens what was sealed on a day under a name.
type Opener func(day calendar.Day, name string, sealed []byte) ([]byte, error)

// Recovery opens by the recovery key. The Opener's error wraps ErrErased when the day's key is gone.
func (v *Vault) Recovery(key RecoverySecret) (Opener, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	ring := v.ring
	opened, err := ring.Recover(key)
	if err != nil {
		return nil, err
	}
	keys := map[calendar.Day][]byte{}
	return func(day calendar.Day, name string, sealed []byte) ([]byte, error) {
		if keys[day] == nil {
			data, err := opened.Day(ring, day)
			if err != nil {
				return nil, err
			}
			keys[day] = data
		}
		return openWith(keys[day], sealed, []byte(name))
	}, nil
}
