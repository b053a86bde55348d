package command

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/consumers/dissemination/release"
	"retorno/consumers/dissemination/typst"
)

// publicFlags say how the public form of a vintage is made.
type publicFlags struct {
	Known      string `placeholder:"FILE" help:"Counts that others publish about the same people, as for retorno attack: what is published must withstand one who has them too."`
	SigningKey string `placeholder:"FILE" help:"Ed25519 key that signs the certificate of a half-year's vintage, as PEM (PKCS #8); retorno vintage new-key makes one."`
	Lattice    string `placeholder:"FILE" help:"Which tables are published, and by which rules; without it, those that come with the program."`
	Typst      string `placeholder:"PROGRAM" help:"Typst 0.14 or newer, which makes the PDF of the bulletin; without it, the program typst where it is on the PATH; none: no PDF."`
}

// public reads both files. A key that is not named is missing only where one is needed.
func (f publicFlags) public() (p release.Public, err error) {
	if f.Lattice == "" {
		p.Lattice, err = lattice.Shipped()
	} else {
		p.Lattice, err = lattice.Load(f.Lattice)
	}
	if err != nil {
		return p, Usage(err)
	}
	if f.Known != "" {
		if p.Known, err = readKnown(f.Known, p.Lattice); err != nil {
			return p, err
		}
	}
	if p.PDF, err = f.typst(); err != nil {
		return p, Usage(fmt.Errorf("--typst: %w; --typst=%s publishes without a PDF", err, noProgram))
	}
	if f.SigningKey == "" {
		return p, nil
	}
	text, err := os.ReadFile(f.SigningKey)
	if err != nil {
		return p, err
	}
	if p.Key, err = bundle.ParseKey(text); err != nil {
		return p, Usage(fmt.Errorf("--signing-key %s: %w", f.SigningKey, err))
	}
	return p, nil
}

// noProgram is what --typst is called where there is to be no PDF.
const noProgram = "none"

// typst finds the program that makes PDF. One that is named must be there.
func (f publicFlags) typst() (*typst.Program, error) {
	switch f.Typst {
	case noProgram:
		return nil, nil
	case "":
		found, err := typst.Find("typst")
		if errors.Is(err, typst.ErrMissing) {
			return nil, nil
		}
		return found, err
	}
	return typst.Find(f.Typst)
}

type vintageCommand struct {
	Verify vintageVerifyCommand `cmd:"" help:"Check a vintage as it was published: every hash, the signature, and the disclosure audit once more."`
	NewKey vintageNewKeyCommand `cmd:"" name:"new-key" help:"Make the key that signs certificates, in a new file."`
}

type vintageVerifyCommand struct {
	Where string `arg:"" name:"dir|url" help:"A folder or an archive bundle.zip, or the address of a folder, such as http://127.0.0.1:8080/vintages/2016-S1/1/."`
	Key   string `placeholder:"FILE" help:"The public key that must have signed it; without it, any, and its fingerprint is printed."`
}

// Help is the longer text of --help.
func (vintageVerifyCommand) Help() string {
	return helpText("Reads the public form of a vintage and checks it: the signature of its certificate, the hash of its manifest and of every file, that no other file lies there, and that every table can be read. It repeats the disclosure audit from the public files alone. Status 1 names the file that is not what was published.",
		"retorno vintage verify 2016-S1-1/", "retorno vintage verify https://example.org/vintages/2016-S1/1/ --key=ceniss-public-key.pem")
}

// Run checks the vintage.
func (c *vintageVerifyCommand) Run(ctx context.Context, t *terminal) error {
	var trusted ed25519.PublicKey
	if c.Key != "" {
		text, err := os.ReadFile(c.Key)
		if err != nil {
			return err
		}
		if trusted, err = bundle.ParsePublicKey(text); err != nil {
			return Usage(fmt.Errorf("--key %s: %w", c.Key, err))
		}
	}
	b, err := openVintage(ctx, c.Where, trusted)
	if err != nil {
		return err
	}
	audited, err := repeatAudit(b)
	if err != nil {
		return No(fmt.Errorf("%s: %s: %w", c.Where, bundle.CertificatePath, err))
	}
	_, err = fmt.Fprintf(t.Out, "%s, vintage %d, %s: %d tables, %d cells, %d withheld; every file is as it was published\n%s\nsigned by %s\n",
		b.Manifest.Period, b.Manifest.Vintage, b.Manifest.Status, len(b.Tables), b.Certificate.Cells, b.Certificate.Withheld, audited, b.Certificate.Key)
	return err
}

// repeatAudit attacks the published tables and audits them again, from public bytes alone, and holds the certificate against what it finds. It
// holds the vintage against the rules of its own lattice, too: what its status publishes, and rounded to what.
func repeatAudit(b *bundle.Bundle) (string, error) {
	l, err := lattice.Parse(bundle.LatticePath, b.Lattice)
	if err != nil {
		return "", err
	}
	if err := classOf(b, l); err != nil {
		return "", err
	}
	attacker, err := release.AttackOn([]*bundle.Bundle{b}, nil)
	if err != nil {
		return "", err
	}
	found, err := attack.Run(attacker)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return "", fmt.Errorf("its tables give away %d counts, such as: %s", len(found), found[0])
	}
	if b.Manifest.Rounded > 1 {
		return fmt.Sprintf("rounded to %d; attacked: nothing was found", b.Manifest.Rounded), nil
	}
	if b.Manifest.Revises > 0 {
		return fmt.Sprintf("it corrects %d counts of vintage %d and keeps %d; attacked: nothing was found; the audit of what it withholds is that of vintage %s", len(b.Differences), b.Manifest.Revises, b.Certificate.Kept, b.Certificate.Audit.Of), nil
	}
	in, err := l.Published(b.Manifest.Period, b.Vintage().Tables, b.Hierarchies())
	if err != nil {
		return "", err
	}
	r, err := suppress.Repeat(in)
	if err != nil {
		return "", err
	}
	if !r.Accepted() || r.Determined != b.Certificate.Audit.Determined {
		return "", fmt.Errorf("the audit of its tables finds %d cells that are not protected, and the certificate says %d", len(r.Faults), b.Certificate.Audit.Determined)
	}
	if r.Audited != b.Certificate.Audit.Audited || r.MaxLow != b.Certificate.Audit.MaxLow || b.Certificate.Audit.MinWidth != nil && r.MinWidth != *b.Certificate.Audit.MinWidth {
		return "", fmt.Errorf("the audit of its tables comes to %d withheld cells, low %d, width %d, and the certificate says %+v", r.Audited, r.MaxLow, r.MinWidth, b.Certificate.Audit)
	}
	return fmt.Sprintf("audited again: of %d withheld cells %d are determined", r.Audited, r.Determined), nil
}

// classOf holds what a vintage publishes against the class of its status.
func classOf(b *bundle.Bundle, l *lattice.Lattice) error {
	class, ok := l.Class(b.Manifest.Status)
	if !ok {
		return fmt.Errorf("its lattice has no class of %s releases", b.Manifest.Status)
	}
	if base := max(b.Manifest.Rounded, 1); base != class.Base {
		return fmt.Errorf("its tables are rounded to %d, and those of %s releases to %d", base, b.Manifest.Status, class.Base)
	}
	for _, t := range b.Tables {
		if b.Manifest.Revises == 0 && !class.Has(t.ID) {
			return fmt.Errorf("it has table %s, which is in no %s release", t.ID, b.Manifest.Status)
		}
	}
	return nil
}

// openVintage reads the vintage of a folder or an address. Status 1 is for one that is not what was published.
func openVintage(ctx context.Context, where string, trusted ed25519.PublicKey) (*bundle.Bundle, error) {
	from, err := bundleAt(where)
	if err != nil {
		return nil, Missing(err)
	}
	defer func() { _ = from.Close() }()
	b, err := bundle.Open(ctx, from, trusted)
	var bad *bundle.BadFileError
	switch {
	case errors.As(err, &bad) && !unreachable(err):
		return nil, No(fmt.Errorf("%s: %w", where, err))
	case err != nil:
		return nil, Missing(fmt.Errorf("%s: %w", where, err))
	}
	return b, nil
}

// closing is a source that is closed when it has been read.
type closing interface {
	bundle.Source
	io.Closer
}

// site is an address, of which nothing has to be closed.
type site struct{ bundle.Site }

// Close does nothing.
func (site) Close() error { return nil }

// bundleAt is the vintage of an address, of an archive or of a folder.
func bundleAt(where string) (closing, error) {
	switch {
	case isAddress(where):
		return site{bundle.Site{Base: where, Client: reader()}}, nil
	case strings.HasSuffix(where, ".zip"):
		return bundle.OpenZip(where)
	}
	return bundle.OpenDir(where)
}

func isAddress(where string) bool {
	return strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://")
}

// reader reads files of a server. What another server says is not what this one published.
func reader() *http.Client {
	return &http.Client{Timeout: time.Minute, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if to.URL.Host != via[0].URL.Host || to.URL.Scheme != via[0].URL.Scheme || len(via) > 3 {
			return fmt.Errorf("it redirects to %s, which is not followed", to.URL.Redacted())
		}
		return nil
	}}
}

// unreachable reports whether the network or the server is to blame, and not the file.
func unreachable(err error) bool {
	var failed *url.Error
	var answer *bundle.AnswerError
	var bad *bundle.BadFileError
	if errors.As(err, &answer) && errors.As(err, &bad) {
		return answer.Status >= http.StatusInternalServerError || bad.Path == bundle.CertificatePath
	}
	return errors.As(err, &failed)
}

type vintageNewKeyCommand struct {
	File string `arg:"" placeholder:"FILE" help:"The file to make; it must not be there yet."`
}

// Help is the longer text of --help.
func (vintageNewKeyCommand) Help() string {
	return helpText("Makes an Ed25519 key that only its owner may read. Everyone who has it can sign vintages; partner agencies trust the public key that stands in each. `openssl genpkey -algorithm ed25519` makes the same.", "retorno vintage new-key signing.key")
}

// Run makes the key.
func (c *vintageNewKeyCommand) Run(t *terminal) error {
	public, err := newSigningKey(c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Out, "%s  %s\n", bundle.Fingerprint(public), c.File)
	return err
}

// newSigningKey writes a new key into a new file.
func newSigningKey(path string) (ed25519.PublicKey, error) {
	text, err := bundle.NewKey()
	if err != nil {
		return nil, err
	}
	key, err := bundle.ParseKey(text)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, Usage(fmt.Errorf("%w; a key is never overwritten", err))
	}
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return key.Public().(ed25519.PublicKey), errors.Join(err, f.Sync(), f.Close())
}
