package command

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"retorno/producers/disk"
	"retorno/producers/spool"
	"retorno/producers/vault"
	"retorno/schemas/calendar"
)

// openerFlags open a folder's keys: by a clerk who may log in, or by the recovery key.
type openerFlags struct {
	As               string `placeholder:"NAME" help:"A clerk who may log in."`
	AsPassphraseFile string `placeholder:"FILE" help:"File that holds that clerk's passphrase."`
	RecoveryKey      string `placeholder:"FILE" help:"File that holds the half of the recovery key that opens, in place of a clerk."`
}

func (f openerFlags) none() bool { return f.As == "" && f.RecoveryKey == "" }

// open opens a keyring.
func (f openerFlags) open(keys *vault.Keyring) (*vault.Opened, error) {
	switch {
	case f.RecoveryKey != "":
		secret, err := vault.RecoverySecretFromFile(f.RecoveryKey)
		if err != nil {
			return nil, err
		}
		opened, err := keys.Recover(secret)
		return opened, No(err)
	case f.As != "" && f.AsPassphraseFile != "":
		passphrase, err := passphraseOf(f.AsPassphraseFile)
		if err != nil {
			return nil, err
		}
		opened, err := keys.Unlock(f.As, passphrase)
		return opened, No(err)
	}
	return nil, Usage(errors.New("the names of clerks and all secrets are sealed: name a clerk by --as and --as-passphrase-file, or the recovery key by --recovery-key"))
}

type agentClerkCommand struct {
	Add    agentClerkAddCommand    `cmd:"" help:"Let a clerk log in."`
	Remove agentClerkRemoveCommand `cmd:"" help:"Let a clerk log in no more."`
	List   agentClerkListCommand   `cmd:"" help:"List who may log in."`
}

// dataFlags name a folder.
type dataFlags struct {
	Data string `required:"" placeholder:"DIR" help:"Folder of the agent's data."`
}

func (f dataFlags) vault() (*vault.Vault, error) {
	return vault.Open(disk.OS{}, f.Data, nil, time.Now)
}

// changeOpened changes the keys of a folder by who may open them, and reports what do does.
func changeOpened(data dataFlags, opener openerFlags, do func(*vault.Keyring, *vault.Opened) (bool, error)) error {
	v, err := data.vault()
	if err != nil {
		return err
	}
	return v.Change(func(keys *vault.Keyring) (bool, error) {
		opened, err := opener.open(keys)
		if err != nil {
			return false, err
		}
		return do(keys, opened)
	})
}

type agentClerkAddCommand struct {
	dataFlags
	Clerk          string `required:"" placeholder:"NAME" help:"The clerk."`
	PassphraseFile string `required:"" placeholder:"FILE" help:"File that holds the clerk's passphrase."`
	openerFlags
}

// Help is the longer text of --help.
func (agentClerkAddCommand) Help() string {
	return helpText("Lets a clerk log in with a passphrase of at least 10 characters. What is sealed in the folder is sealed for the new clerk too, which needs a clerk who may log in, or the recovery key. It works beside an agent that runs: the clerk may log in at once.",
		"retorno agent clerk add --data /var/lib/retorno --clerk ben --passphrase-file ben.txt --as ana --as-passphrase-file ana.txt",
		"retorno agent clerk add --data /var/lib/retorno --clerk ana --passphrase-file ana-new.txt --recovery-key recovery.key")
}

// Run adds the clerk.
func (c *agentClerkAddCommand) Run(t *terminal) error {
	passphrase, err := passphraseOf(c.PassphraseFile)
	if err != nil {
		return err
	}
	err = changeOpened(c.dataFlags, c.openerFlags, func(keys *vault.Keyring, opened *vault.Opened) (bool, error) {
		return true, Usage(keys.AddClerk(c.Clerk, passphrase, opened))
	})
	if err == nil {
		t.say("%s may log in", c.Clerk)
	}
	return err
}

type agentClerkRemoveCommand struct {
	dataFlags
	Clerk string `required:"" placeholder:"NAME" help:"The clerk."`
	openerFlags
}

// Help is the longer text of --help.
func (agentClerkRemoveCommand) Help() string {
	return helpText("Lets a clerk log in no more; records stay. A clerk who knew the secret of the person keys may have kept it: see retorno identity new.",
		"retorno agent clerk remove --data /var/lib/retorno --clerk ben --as ana --as-passphrase-file ana.txt")
}

// Run removes the clerk.
func (c *agentClerkRemoveCommand) Run(t *terminal) error {
	err := changeOpened(c.dataFlags, c.openerFlags, func(keys *vault.Keyring, opened *vault.Opened) (bool, error) {
		found, err := keys.RemoveClerk(c.Clerk, opened)
		if err == nil && !found {
			err = No(fmt.Errorf("there is no clerk %s", c.Clerk))
		}
		return found, err
	})
	if err == nil {
		t.say("%s may log in no more", c.Clerk)
	}
	return err
}

type agentClerkListCommand struct {
	dataFlags
	openerFlags
}

// Help is the longer text of --help.
func (agentClerkListCommand) Help() string {
	return helpText("Lists who may log in. The names are sealed: without a clerk or the recovery key it says how many there are.",
		"retorno agent clerk list --data /var/lib/retorno --as ana --as-passphrase-file ana.txt")
}

// Run lists the clerks.
func (c *agentClerkListCommand) Run(t *terminal) error {
	v, err := c.vault()
	if err != nil {
		return err
	}
	return v.Change(func(keys *vault.Keyring) (bool, error) {
		if c.none() {
			_, err := fmt.Fprintf(t.Out, "%d clerks; their names are sealed: see --as and --recovery-key\n", len(keys.Clerks))
			return false, err
		}
		opened, err := c.open(keys)
		if err != nil {
			return false, err
		}
		names, err := opened.Names(keys)
		for _, name := range names {
			_, err = fmt.Fprintln(t.Out, name)
		}
		return false, err
	})
}

type agentSecretCommand struct {
	dataFlags
	IdentityKeyFile string `required:"" placeholder:"FILE" help:"File that holds the secret of the person keys."`
	From            string `required:"" placeholder:"DAY" help:"The first day on which it holds, such as 2027-01-01."`
}

// Help is the longer text of --help.
func (agentSecretCommand) Help() string {
	return helpText("Gives a computer the secret of the person keys that holds from a day of arrival on, sealed for all clerks and the recovery key; it needs no passphrase. The secrets before it stay for arrivals before that day. Clerks who are logged in have it with their next login. All computers need the same one from the same day.",
		"retorno agent secret --data /var/lib/retorno --identity-key-file identity-2027.key --from 2027-01-01")
}

// Run seals the secret.
func (c *agentSecretCommand) Run(t *terminal) error {
	if _, err := calendar.ParseDay(c.From); err != nil {
		return Usage(fmt.Errorf("--from: %w", err))
	}
	text, err := secretText(c.IdentityKeyFile)
	if err != nil {
		return err
	}
	v, err := c.vault()
	if err != nil {
		return err
	}
	if err := v.Change(func(keys *vault.Keyring) (bool, error) { return true, keys.AddSecret(c.From, text) }); err != nil {
		return err
	}
	for _, s := range v.Fingerprints() {
		from := s.From
		if from == "" {
			from = "the beginning"
		}
		if _, err := fmt.Fprintf(t.Out, "%s  from %s\n", s.Fingerprint, from); err != nil {
			return err
		}
	}
	return nil
}

type agentExportCommand struct {
	dataFlags
	Unsent bool `per:"call" help:"Only what no broker has acknowledged."`
}

// Help is the longer text of --help.
func (agentExportCommand) Help() string {
	return helpText("Prints the records of a folder as JSON Lines of events, in the order of their numbers: for a stick, where there is no line. It needs no passphrase, changes nothing, and works on a copy of a folder and beside an agent that runs. Sending the same records later changes nothing. What is damaged is named on stderr, with status 1 when a record is lost with it.",
		"retorno agent export --data /var/lib/retorno --unsent > /media/usb/l-cor-1.jsonl", "retorno send /media/usb/l-cor-1.jsonl --kafka-brokers=kafka-1:9092")
}

// Run prints the records.
func (c *agentExportCommand) Run(t *terminal) error {
	v, err := spool.OpenView(c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = v.Close() }() // it was read only
	out := bufio.NewWriterSize(t.Out, 256<<10)
	var line []byte
	err = v.Each(c.Unsent, func(r spool.Copy) error {
		if line, err = r.Line(line[:0]); err != nil {
			return err
		}
		_, err := out.Write(append(line, '\n'))
		return err
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	for _, words := range v.Damage() {
		t.say("%s", words)
	}
	if lost := v.Lost(); lost > 0 {
		return No(fmt.Errorf("%d records cannot be read", lost))
	}
	return nil
}

type agentIdentitiesCommand struct {
	dataFlags
	RecoveryKey string `required:"" placeholder:"FILE" help:"File that holds the half of the recovery key that opens."`
}

// Help is the longer text of --help.
func (agentIdentitiesCommand) Help() string {
	return helpText("Prints what the recovery key opens of a folder, as JSON Lines: record id, revision, number, clerk, and what the form said of the person (names, document, birth date). What is older than the retention is erased, and only counted. Keep what it prints as you would keep the papers.",
		"retorno agent identities --data /var/lib/retorno --recovery-key recovery.key")
}

// Run prints the identities.
func (c *agentIdentitiesCommand) Run(t *terminal) (err error) {
	secret, err := vault.RecoverySecretFromFile(c.RecoveryKey)
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.Data); err != nil {
		return err
	}
	keys, err := c.vault()
	if err != nil {
		return err
	}
	open, err := keys.Recovery(secret)
	if err != nil {
		return No(err)
	}
	v, err := spool.OpenView(c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = v.Close() }() // it was read only
	erased, err := v.Identities(open, func(k spool.Known) error { return printKnown(t.Out, k) })
	if err == nil && erased > 0 {
		t.say("%d identities are erased: their retention has passed", erased)
	}
	return err
}

// printKnown prints an identity as one line: what the form said, with the record, the number and the clerk.
func printKnown(out io.Writer, k spool.Known) error {
	fields := map[string]json.RawMessage{}
	if len(k.Identity) > 0 {
		if err := json.Unmarshal(k.Identity, &fields); err != nil {
			fields = map[string]json.RawMessage{"identity": k.Identity}
		}
	}
	for name, value := range map[string]any{"record_id": k.RecordID, "revision": k.Revision, "source_seq": k.SourceSeq, "clerk": k.Clerk} {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		fields[name] = text
	}
	return json.NewEncoder(out).Encode(fields)
}
