package command

import (
	"errors"
	"fmt"
	"io/fs"

	"retorno/deploy/command/settings"
	"retorno/producers/identity"
)

// identityFlags name the secret of the person keys.
type identityFlags struct {
	IdentityKeyFile string          `placeholder:"FILE" help:"File that holds the secret of the person keys; or put it into RETORNO_IDENTITY_KEY"`
	IdentityKey     settings.Secret `hidden:""`
}

// secret is the secret that is named; the zero Secret when none is.
func (f identityFlags) secret() (s identity.Secret, err error) {
	switch {
	case f.IdentityKey != "":
		if s, err = identity.NewSecret(string(f.IdentityKey)); err != nil {
			err = Usage(fmt.Errorf("%s: %w", settings.EnvironmentName("identity-key"), err))
		}
	case f.IdentityKeyFile != "":
		s, err = secretOf(f.IdentityKeyFile)
	}
	return s, err
}

// secretOf reads a file that holds a secret. What it holds is wrong configuration when it is none.
func secretOf(path string) (identity.Secret, error) {
	s, err := identity.SecretFromFile(path)
	var unreadable *fs.PathError
	if err != nil && !errors.As(err, &unreadable) {
		err = Usage(err)
	}
	return s, err
}

type identityCommand struct {
	New         identityNewCommand         `cmd:"" help:"Make the secret of the person keys, in a new file."`
	Fingerprint identityFingerprintCommand `cmd:"" help:"Compare secrets without showing them."`
}

type identityNewCommand struct {
	File string `arg:"" placeholder:"FILE" help:"The file to make; it must not be there yet."`
}

// Help is the longer text of --help.
func (identityNewCommand) Help() string {
	return helpText(`Makes the secret under which document numbers become person keys: 256 random bits, in a file that only its owner may read. It is not printed; its fingerprint is.

All computers of all posts and centres need the same one: with another secret a post cannot link its records with those of others. Carry the file to each by hand, and keep a copy under lock: without it no later record can be linked to an earlier one, and a person who has it and the topics can find out who everyone is.`,
		"retorno identity new identity.key")
}

// Run makes the secret.
func (c *identityNewCommand) Run(t *terminal) error {
	s, err := identity.CreateSecret(c.File)
	if errors.Is(err, fs.ErrExist) {
		return Usage(fmt.Errorf("%w; a secret is never overwritten: records that were linked under it could not be linked again", err))
	}
	if err != nil {
		return err
	}
	_, err = printFingerprint(t, s, "  "+c.File)
	return err
}

type identityFingerprintCommand struct {
	Files []string `arg:"" optional:"" name:"file" placeholder:"FILE" help:"Files that hold secrets; none: the secret that the settings name."`
	identityFlags
}

// Help is the longer text of --help.
func (identityFingerprintCommand) Help() string {
	return helpText(`Prints a fingerprint of eight digits for each secret. Two computers whose fingerprints are equal make the same person keys. Of several files it reports whether they hold the same secret: status 1 when they do not.

A fingerprint may be read aloud. It is one-way, tells nothing of a random secret, and was made slow to compute so that guessing does not quickly find a secret that a person thought up.`,
		"retorno identity fingerprint identity.key", "RETORNO_IDENTITY_KEY=… retorno identity fingerprint", "retorno identity fingerprint /media/usb/identity.key identity.key")
}

// Run prints fingerprints, and compares them.
func (c *identityFingerprintCommand) Run(t *terminal) error {
	if len(c.Files) == 0 {
		s, err := c.secret()
		if err != nil {
			return err
		}
		if s.IsZero() {
			return Usage(fmt.Errorf("name a file, or --identity-key-file, or put the secret into %s", settings.EnvironmentName("identity-key")))
		}
		_, err = printFingerprint(t, s, "")
		return err
	}
	first, same := "", true
	for _, file := range c.Files {
		s, err := secretOf(file)
		if err != nil {
			return err
		}
		print, err := printFingerprint(t, s, "  "+file)
		if err != nil {
			return err
		}
		if first == "" {
			first = print
		}
		same = same && print == first
	}
	if !same {
		return No(errors.New("these files hold different secrets"))
	}
	return nil
}

// printFingerprint prints the fingerprint of a secret and, after it, where it is.
func printFingerprint(t *terminal, s identity.Secret, where string) (string, error) {
	print, err := s.Fingerprint()
	if err == nil {
		_, err = fmt.Fprintln(t.Out, print+where)
	}
	return print, err
}
