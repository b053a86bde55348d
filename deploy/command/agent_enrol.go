package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"retorno/deploy/command/settings"
	"retorno/producers/enrolment"
	"retorno/producers/identity"
	"retorno/producers/vault"
	"retorno/schemas/codelists"
)

// agentCommand is what a computer at a post or a centre runs, and what goes with it.
type agentCommand struct {
	RecoveryKey agentRecoveryKeyCommand `cmd:"" help:"Make a recovery key: the office's way to what forgotten passphrases close."`
	Enrol       agentEnrolCommand       `cmd:"" help:"Make a computer a source: one file with its name, the brokers and its keys."`
	Checkpoint  agentCheckpointCommand  `cmd:"" help:"Run at a border post."`
	Centre      agentCentreCommand      `cmd:"" help:"Run at a reception centre."`
	Clerk       agentClerkCommand       `cmd:"" help:"Who may log in."`
	Secret      agentSecretCommand      `cmd:"" help:"Give a computer the secret of the person keys that holds from a day on."`
	Export      agentExportCommand      `cmd:"" help:"The records of a folder as JSON Lines, for retorno send."`
	Identities  agentIdentitiesCommand  `cmd:"" help:"What the recovery key opens of a folder."`
}

type agentRecoveryKeyCommand struct {
	Out string `required:"" placeholder:"FILE" help:"The file to make for the half that opens; it must not be there yet."`
}

// Help is the longer text of --help.
func (agentRecoveryKeyCommand) Help() string {
	return helpText(`Makes a key pair. The half that opens goes into FILE, for its owner only: keep it away from every post and centre, under lock. The half that seals is printed; agent enrol takes it as --recovery-key, as text or as a file that holds it.

Who has the half that opens can read the names and documents in a folder of data, until their retention has passed. Without it, what is sealed for clerks who have forgotten their passphrases stays closed; no record is lost with it.`,
		"retorno agent recovery-key --out recovery.key > recovery.pub")
}

// Run makes the key pair.
func (c *agentRecoveryKeyCommand) Run(t *terminal) error {
	secret, err := vault.NewRecoverySecret()
	if err != nil {
		return err
	}
	text, err := secret.Text()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return Usage(fmt.Errorf("%w; a key is never overwritten: what is sealed for it could not be opened any more", err))
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	_, err = fmt.Fprintln(t.Out, secret.Public())
	return err
}

type agentEnrolCommand struct {
	Source string `required:"" placeholder:"ID" help:"Name of the computer among the sources, such as L-COR-1. A new folder of data needs a new one."`
	Place  string `required:"" placeholder:"CODE" help:"Border point or centre where it stands, such as L-COR."`
	identityFlags
	NextIdentityKey []string   `placeholder:"DAY=FILE" help:"Further secrets of the person keys, each with the first day on which it holds, such as 2027-01-01=identity-2027.key."`
	RecoveryKey     string     `required:"" placeholder:"PUB" help:"The half of the recovery key that seals: its text, or a file that holds it."`
	Clerk           string     `required:"" placeholder:"NAME" help:"The first clerk who may log in."`
	PassphraseFile  string     `required:"" placeholder:"FILE" help:"File that holds that clerk's passphrase."`
	Kafka           kafkaFlags `embed:"" prefix:"kafka-"`
	Out             string     `required:"" placeholder:"FILE" help:"The file to write."`
}

// Help is the longer text of --help.
func (agentEnrolCommand) Help() string {
	return helpText(`Writes one file, for its owner only, that makes a computer a source: its name, its place, the brokers with certificates and password, the number of partitions, and the keys. The secrets of the person keys are in it sealed: the clerk's passphrase or the recovery key opens them.

Run once more with the same --out it changes how the brokers are reached (a new password, another certificate), also for an agent that runs. Clerks and secrets of a folder of data that is in use stay as they are: see agent clerk and agent secret.`,
		"retorno agent enrol --source L-COR-1 --place L-COR --identity-key-file identity.key --recovery-key recovery.pub --clerk ana --passphrase-file ana.txt --kafka-brokers=kafka-1:9092 --kafka-tls --kafka-sasl-mechanism=SCRAM-SHA-512 --kafka-sasl-user=l-cor-1 --kafka-sasl-password-file=l-cor-1.txt --out l-cor-1.enrolment")
}

// Run writes the file.
func (c *agentEnrolCommand) Run(t *terminal) error {
	if place := placeOf(c.Place); place == "" {
		return Usage(fmt.Errorf("--place %s: neither a border point nor a centre", c.Place))
	}
	keys, err := c.keys()
	if err != nil {
		return err
	}
	access, err := c.Kafka.access()
	if err != nil {
		return err
	}
	file, err := enrolment.New(c.Source, c.Place, access, c.Kafka.Partitions, keys)
	if err != nil {
		return Usage(err)
	}
	if err := file.Write(c.Out); err != nil {
		return err
	}
	t.say("%s enrolled at %s: %s", c.Source, c.Place, c.Out)
	return nil
}

// placeOf is the list that has a place: of posts, of centres, or "".
func placeOf(code string) string {
	for _, name := range []string{codelists.BorderPoint, codelists.Centre} {
		if list, ok := codelists.Get(name); ok && list.Has(code) {
			return name
		}
	}
	return ""
}

// keys seals the secrets for the clerk and the recovery key.
func (c *agentEnrolCommand) keys() (*vault.Keyring, error) {
	public, err := recoveryKey(c.RecoveryKey)
	if err != nil {
		return nil, err
	}
	passphrase, err := passphraseOf(c.PassphraseFile)
	if err != nil {
		return nil, err
	}
	keys := vault.NewKeyring(public)
	if err := keys.AddClerk(c.Clerk, passphrase, nil); err != nil {
		return nil, Usage(err)
	}
	text := string(c.IdentityKey)
	if text == "" {
		if c.IdentityKeyFile == "" {
			return nil, Usage(fmt.Errorf("name the secret of the person keys by --identity-key-file, or put it into %s", settings.EnvironmentName("identity-key")))
		}
		if text, err = secretText(c.IdentityKeyFile); err != nil {
			return nil, err
		}
	}
	if err := keys.AddSecret("", text); err != nil {
		return nil, Usage(err)
	}
	for _, next := range c.NextIdentityKey {
		day, file, _ := strings.Cut(next, "=")
		if text, err = secretText(file); err != nil {
			return nil, err
		}
		if err := keys.AddSecret(day, text); err != nil {
			return nil, Usage(fmt.Errorf("--next-identity-key %s: %w", next, err))
		}
	}
	return keys, nil
}

// recoveryKey reads the half that seals, from a text or from a file.
func recoveryKey(value string) (vault.RecoveryKey, error) {
	if text, err := os.ReadFile(value); err == nil {
		value = string(text)
	}
	key, err := vault.ParseRecoveryKey(value)
	if err != nil {
		err = Usage(fmt.Errorf("--recovery-key is neither a file nor the text that agent recovery-key prints: %w", err))
	}
	return key, err
}

// passphraseOf reads a file that holds a passphrase. Line ends after it do not belong to it.
func passphraseOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("passphrase: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// secretText reads a file that holds a secret of person keys, and checks that it is one.
func secretText(path string) (string, error) {
	if _, err := identity.SecretFromFile(path); err != nil {
		return "", Usage(err)
	}
	text, err := os.ReadFile(path)
	return string(text), err
}
