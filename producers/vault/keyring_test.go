package vault

import (
	"errors"
	"strings"
	"testing"

	"retorno/schemas/calendar"
)

const passphrase = "tres tristes tigres"

// TestWhoOpensWhat: a clerk who is let in opens what was sealed before, one who is removed opens nothing that follows, the recovery key opens
// all, and each day has the secret that holds then.
func TestWhoOpensWhat(t *testing.T) {
	recovery, err := NewRecoverySecret()
	if err != nil {
		t.Fatal(err)
	}
	k := NewKeyring(recovery.Public())
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(k.AddClerk("ana", passphrase, nil))
	ok(k.AddSecret("", "the first of three, 0123456789abcdef"))
	ok(k.AddSecret("2027-01-01", "the second of three, 0123456789abcdef"))
	ana, err := k.Unlock("ana", passphrase)
	ok(err)
	ok(k.AddClerk("ben", passphrase, ana))
	if err := k.AddClerk("ben", passphrase, ana); err == nil {
		t.Error("two clerks have one name")
	}
	if err := k.AddClerk("eva", passphrase, nil); err == nil {
		t.Error("a clerk is let in without one who is, and without the recovery key")
	}
	ben, err := k.Unlock("ben", passphrase)
	ok(err)
	all, err := k.Recover(recovery)
	ok(err)
	secrets := map[string]string{"2026-12-31": k.Secrets[0].Fingerprint, "2027-01-01": k.Secrets[1].Fingerprint}
	for who, opened := range map[string]*Opened{"ana": ana, "ben": ben, "the recovery key": all} {
		names, err := opened.Names(k)
		if err != nil || strings.Join(names, " ") != "ana ben" {
			t.Errorf("%s reads the clerks %q, %v", who, names, err)
		}
		for text, want := range secrets {
			day, err := calendar.ParseDay(text)
			ok(err)
			secret, err := opened.Secret(k, day)
			ok(err)
			if got, err := secret.Fingerprint(); err != nil || got != want {
				t.Errorf("%s has the secret %s on %s, want %s; %v", who, got, text, want, err)
			}
		}
	}
	if found, err := k.RemoveClerk("ana", ben); !found || err != nil {
		t.Errorf("ana is not found: %v", err)
	}
	if _, err := k.Unlock("ana", passphrase); !errors.Is(err, ErrPassphrase) {
		t.Errorf("ana is removed and unlocks: %v", err)
	}
	ok(k.AddSecret("2028-01-01", "the third of three, 0123456789abcdef"))
	day, err := calendar.ParseDay("2028-01-01")
	ok(err)
	if _, err := ana.Secret(k, day); !errors.Is(err, ErrNoSecret) {
		t.Errorf("ana is removed and opens a later secret: %v", err)
	}
	stranger, err := NewRecoverySecret()
	ok(err)
	if _, err := k.Recover(stranger); err == nil {
		t.Error("another recovery key opens")
	}
}

// TestClerksThatAreRefused: what is no name for a screen, and what is too short.
func TestClerksThatAreRefused(t *testing.T) {
	recovery, err := NewRecoverySecret()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"", passphrase}, {" ", passphrase}, {"a\nb", passphrase}, {"\x1b[31m", passphrase}, {strings.Repeat("a", 65), passphrase}, {"ana", "corta"}} {
		if err := NewKeyring(recovery.Public()).AddClerk(c[0], c[1], nil); err == nil {
			t.Errorf("%q with %q is let in", c[0], c[1])
		}
	}
}
