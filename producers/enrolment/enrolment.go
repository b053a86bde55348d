// Package enrolment is the file that makes a computer a source: its id, its place, the brokers with what logs in to
// them, and the keys.
//
// It promises that the file is its owner's alone (0600), and that nothing in it opens an identity or an identity secret
// without a passphrase or the recovery key. The password of the broker is in clear, because records leave without a
// login. A file that others may read is refused, and so is one of a version that this program does not know.
package enrolment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"retorno/producers/disk"
	"retorno/producers/vault"
	"retorno/schemas/kafka"
)

// Version is that of the files that this program writes.
const Version = 1

// maxBytes bounds what is read.
const maxBytes = 4 << 20

// File is an enrolment.
type File struct {
	Version int `json:"version"`
	// Source is the id of the computer, such as L-COR-1, and Place the border point or centre where it stands.
	Source string         `json:"source"`
	Place  string         `json:"place"`
	Kafka  Kafka          `json:"kafka"`
	Keys   *vault.Keyring `json:"keys"`
}

// Kafka is how the brokers are reached.
type Kafka struct {
	Brokers []string `json:"brokers"`
	// Partitions of each of the two fact topics.
	Partitions int   `json:"partitions"`
	TLS        *TLS  `json:"tls,omitempty"`
	SASL       *SASL `json:"sasl,omitempty"`
}

// TLS encrypts. Certificates and key are PEM.
type TLS struct {
	CA         string `json:"ca,omitempty"`
	Cert       string `json:"cert,omitempty"`
	Key        string `json:"key,omitempty"`
	ServerName string `json:"server_name,omitempty"`
}

// SASL logs in.
type SASL struct {
	Mechanism string `json:"mechanism"`
	User      string `json:"user"`
	Password  string `json:"password"`
}

// New makes an enrolment from the settings of a command: files that they name are read into it.
func New(source, place string, access kafka.Access, partitions int, keys *vault.Keyring) (*File, error) {
	f := &File{Version: Version, Source: source, Place: place, Keys: keys, Kafka: Kafka{Brokers: access.Brokers, Partitions: partitions}}
	if t := access.TLS; t != nil {
		f.Kafka.TLS = &TLS{ServerName: t.ServerName}
		parts := []struct {
			path string
			to   *string
		}{{t.CAFile, &f.Kafka.TLS.CA}, {t.CertFile, &f.Kafka.TLS.Cert}, {t.KeyFile, &f.Kafka.TLS.Key}}
		for _, p := range parts {
			if p.path == "" {
				continue
			}
			text, err := os.ReadFile(p.path)
			if err != nil {
				return nil, err
			}
			*p.to = string(text)
		}
	}
	if s := access.SASL; s != nil {
		f.Kafka.SASL = &SASL{Mechanism: s.Mechanism, User: s.User, Password: s.Password}
		if s.PasswordFile != "" {
			text, err := os.ReadFile(s.PasswordFile)
			if err != nil {
				return nil, fmt.Errorf("password file: %w", err)
			}
			f.Kafka.SASL.Password = string(bytes.TrimRight(text, "\r\n"))
		}
	}
	return f, f.check()
}

// Write writes the file in one piece. A file that is there is replaced: its computer reaches the brokers by the new one
// from the next connection on, and keeps the keys that it has.
func (f *File) Write(path string) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return disk.WriteFile(disk.OS{}, path, append(text, '\n'))
}

// Read reads a file.
func Read(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("enrolment: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("enrolment %s: others may read it; set its mode to 0600", path)
	}
	text, err := disk.ReadFile(disk.OS{}, path, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("enrolment: %w", err)
	}
	f := new(File)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("enrolment %s: %w", path, err)
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("enrolment %s: %w", path, err)
	}
	return f, nil
}

// sourcePattern is what the name of a computer looks like: it stands in file names, cookies and metrics, too.
var sourcePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (f *File) check() error {
	switch {
	case f.Version != Version:
		return fmt.Errorf("version %d: this program reads version %d", f.Version, Version)
	case !sourcePattern.MatchString(f.Source) || strings.HasPrefix(f.Source, "import-"):
		return fmt.Errorf("source %q: 1 to 64 letters of a to z, digits, dots, hyphens and underscores, such as L-COR-1; import-… are imported files", f.Source)
	case f.Place == "":
		return errors.New("no place")
	case f.Kafka.Partitions < 1:
		return fmt.Errorf("partitions %d: must be 1 or more", f.Kafka.Partitions)
	case f.Keys == nil || len(f.Keys.Recovery) == 0:
		return errors.New("no keys")
	}
	return nil
}

// Access is how the brokers are reached. Certificates are put into dir, for its owner only, because the client reads them
// at each connection.
func (f *File) Access(dir string) (kafka.Access, error) {
	a := kafka.Access{Brokers: f.Kafka.Brokers}
	if t := f.Kafka.TLS; t != nil {
		a.TLS = &kafka.TLS{ServerName: t.ServerName}
		parts := []struct {
			name, text string
			to         *string
		}{{"broker-ca.pem", t.CA, &a.TLS.CAFile}, {"broker-cert.pem", t.Cert, &a.TLS.CertFile}, {"broker-key.pem", t.Key, &a.TLS.KeyFile}}
		for _, p := range parts {
			if p.text == "" {
				continue
			}
			*p.to = filepath.Join(dir, p.name)
			have, err := os.ReadFile(*p.to)
			if err == nil && string(have) == p.text {
				continue
			}
			if err := disk.WriteFile(disk.OS{}, *p.to, []byte(p.text)); err != nil {
				return a, err
			}
		}
	}
	if s := f.Kafka.SASL; s != nil {
		a.SASL = &kafka.SASL{Mechanism: s.Mechanism, User: s.User, Password: s.Password}
	}
	return a, a.Validate()
}
