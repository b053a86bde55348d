package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const secretText = "0123456789abcdef0123456789abcdef-test"

func secret(t testing.TB, text string) Secret {
	t.Helper()
	s, err := NewSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func key(t testing.TB, d Document) string {
	t.Helper()
	k, err := secret(t, secretText).Key(d)
	if err != nil {
		t.Fatalf("%v: %v", d, err)
	}
	return k
}

// Released keys link records over years: these must never change. They were worked out with another HMAC program.
func TestKeysAreStable(t *testing.T) {
	for number, want := range map[Document]string{
		{Number: "0503-1981-00123"}:                              "0dbbdce83217fbbd4c5083f161be8abd",
		{Country: "HN", Type: Passport, Number: "C123456"}:       "fbc7cc730ec9709156c365777017ddb7",
		{Country: "GT", Type: NationalID, Number: "2345 678901"}: "0c4a355622f1ab0101a67c1829fa9a49",
		{Type: Folio, Number: "COR1-000123-Z"}:                   "3033145f7935211500075537fd964560",
		{Type: Folio, Number: "como2 000007 u"}:                  "dafe9c4cf99d520518f016f059754f75",
		{Country: "HN", Type: Folio, Number: "ASAP1-999999-5"}:   "d05a6b2578860d23755dde401ee809e4",
	} {
		k := key(t, number)
		if k != want {
			t.Errorf("%v: key %s, want %s", number, k, want)
		}
	}
}

func TestSpellingsOfOneDocument(t *testing.T) {
	want := key(t, Document{Number: "0503198100123"})
	for _, d := range []Document{
		{Number: "0503-1981-00123"}, {Number: " 0503 1981 00123 "}, {Number: "0503.1981.00123"}, {Number: "0503‑1981–00123"},
		{Number: "０５０３１９８１００１２３"}, {Country: "hn", Type: NationalID, Number: "0503198100123"}, {Number: "0503\u00a01981\t00123"},
	} {
		if got := key(t, d); got != want {
			t.Errorf("%q has another key", d.Number)
		}
	}
	for _, d := range []Document{{Number: "0503198100123.0"}, {Number: "0503198100123,00"}} {
		if key(t, d) != want {
			t.Errorf("%q has another key", d.Number)
		}
	}
	if key(t, Document{Country: "HN", Type: Passport, Number: "c-123 456"}) != key(t, Document{Country: "HN", Type: Passport, Number: "C123456"}) {
		t.Error("case or hyphen of a passport changes the key")
	}
	different := []Document{
		{Number: "0503198100123"}, {Number: "0503198100124"}, {Country: "HN", Type: Passport, Number: "0503198100123"},
		{Country: "GT", Number: "0503198100123"}, {Country: "GT", Number: "503198100123"}, {Country: "GT", Type: Passport, Number: "503198100123"},
		{Country: "GT", Type: Passport, Number: "0503198100123"},
	}
	seen := map[string]Document{}
	for _, d := range different {
		k := key(t, d)
		if other, twice := seen[k]; twice {
			t.Errorf("%#v %q and %#v %q share a key", d, d.Number, other, other.Number)
		}
		seen[k] = d
	}
}

func TestNoDocumentHasNoKey(t *testing.T) {
	for _, number := range []string{"", " ", "-", "---", "\t\n", "¿?"} {
		if got := key(t, Document{Number: number}); got != "" {
			t.Errorf("%q has key %s", number, got)
		}
	}
}

func TestFillersAreRefused(t *testing.T) {
	for _, c := range []struct {
		d    Document
		want Fault
	}{
		{Document{Number: "0000000000000"}, FaultDummy}, {Document{Number: "9999999999999"}, FaultDummy}, {Document{Number: "0801190000000"}, FaultDummy},
		{Document{Number: "0503198100"}, FaultLength}, {Document{Number: "05031981001234"}, FaultLength}, {Document{Number: "503198100123"}, FaultLength},
		{Document{Number: "5.03E+11"}, FaultLength}, {Document{Number: "no porta"}, FaultLength}, {Document{Number: "0503198100l23"}, FaultLength},
		{Document{Type: Passport, Number: "000000"}, FaultDummy}, {Document{Type: Passport, Number: "123456"}, FaultDummy},
		{Document{Type: Other, Number: "5.01199E+11"}, FaultDummy}, {Document{Type: Other, Number: "5,01199e+11"}, FaultDummy}, {Document{Type: Other, Number: "5.01199E11"}, FaultDummy},
		{Document{Type: Passport, Number: "5E+11"}, FaultDummy}, {Document{Country: "GT", Type: NationalID, Number: "2.34568E+12"}, FaultDummy},
		{Document{Type: Other, Number: "501199000000"}, FaultDummy}, {Document{Type: Other, Number: "1801199000000"}, FaultDummy}, {Document{Country: "GT", Number: "2345678900000"}, FaultDummy},
		{Document{Type: Other, Number: "1111111111111"}, FaultDummy}, {Document{Type: Other, Number: "1234567890123"}, FaultDummy}, {Document{Type: Other, Number: "0000-0000-00001"}, FaultDummy},
		{Document{Type: Other, Number: "0101010101010"}, FaultDummy}, {Document{Type: Other, Number: "123123123"}, FaultDummy}, {Document{Type: Other, Number: "9876543210"}, FaultDummy},
		{Document{Type: Other, Number: "0000"}, FaultDummy}, {Document{Type: Other, Number: "9999"}, FaultDummy}, {Document{Type: Passport, Number: "000001"}, FaultDummy},
		{Document{Type: Passport, Number: "ZZZZZZ"}, FaultDummy}, {Document{Type: Passport, Number: "NINGUNO"}, FaultDummy},
		{Document{Type: Passport, Number: "C1"}, FaultLength}, {Document{Type: Passport, Number: strings.Repeat("C1", 20)}, FaultLength},
		{Document{Country: "ZZ", Number: "0503198100123"}, FaultCountry}, {Document{Type: "horoscope", Number: "0503198100123"}, FaultType},
	} {
		k, err := secret(t, secretText).Key(c.d)
		var fault *FaultError
		if k != "" || !errors.As(err, &fault) || fault.Fault != c.want {
			t.Errorf("%q: key %q, %v, want %s", c.d.Number, k, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), c.d.Number) {
			t.Errorf("the message shows the number: %v", err)
		}
	}
}

func TestSecretsDivide(t *testing.T) {
	d := Document{Number: "0503198100123"}
	other, err := secret(t, secretText+"2").Key(d)
	if err != nil || other == key(t, d) {
		t.Errorf("another secret gives the same key, %v", err)
	}
	if _, err := (Secret{}).Key(d); !errors.Is(err, ErrNoSecret) {
		t.Errorf("without a secret: %v", err)
	}
	if k, err := (Secret{}).Key(Document{}); k != "" || err != nil {
		t.Errorf("no document needs no secret: %q, %v", k, err)
	}
	// Worked out with another program: two offices compare what two releases print.
	if got := fingerprint(t, secret(t, secretText)); got != "8ea6eddd" {
		t.Errorf("fingerprint %s", got)
	}
	if fingerprint(t, secret(t, secretText)) == fingerprint(t, secret(t, secretText+"2")) {
		t.Error("two secrets have one fingerprint")
	}
	if f, err := (Secret{}).Fingerprint(); f != "" || !errors.Is(err, ErrNoSecret) {
		t.Errorf("no secret has the fingerprint %q, %v", f, err)
	}
}

func TestSecretsAreChecked(t *testing.T) {
	for _, text := range []string{"", "  \n", "ab12", strings.Repeat("a", 64), strings.Repeat("0123456789abcdef", 400)} {
		if _, err := NewSecret(text); err == nil {
			t.Errorf("a secret of %d bytes was taken", len(text))
		} else if text != "" && len(text) > 4 && strings.Contains(err.Error(), text) {
			t.Errorf("the message shows the secret: %v", err)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte(secretText+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := SecretFromFile(path); err != nil || !bytes.Equal(s.key, []byte(secretText)) {
		t.Errorf("a secret from a file: %v", err)
	}
	if _, err := SecretFromFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestASecretIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	a, err := CreateSecret(first)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(first); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	if read, err := SecretFromFile(first); err != nil || !bytes.Equal(read.key, a.key) || len(a.key) != 2*MinSecretBytes {
		t.Errorf("what was made is not what is read: %v", err)
	}
	b, err := CreateSecret(second)
	if err != nil || bytes.Equal(a.key, b.key) {
		t.Errorf("two new secrets are one: %v", err)
	}
	if _, err := CreateSecret(first); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a secret was overwritten: %v", err)
	}
	if read, err := SecretFromFile(first); err != nil || !bytes.Equal(read.key, a.key) {
		t.Errorf("the first secret is another one now: %v", err)
	}
	if _, err := CreateSecret(filepath.Join(dir, "nowhere", "secret")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

func fingerprint(t *testing.T, s Secret) string {
	t.Helper()
	f, err := s.Fingerprint()
	if err != nil || len(f) != 8 {
		t.Fatalf("fingerprint %q, %v", f, err)
	}
	return f
}

func TestSecretsAndNumbersAreNeverPrinted(t *testing.T) {
	s, d := secret(t, secretText), Document{Country: "HN", Type: Passport, Number: "C123456"}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x %v %+v %#v %s", s, s, s, s, s, s, []any{s, &s}, struct{ S Secret }{s}, d, d)
	fmt.Fprintf(&out, " %v %+v %#v %s", d, d, d, []Document{d})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "document", d)
	b, _ := json.Marshal(map[string]any{"secret": s, "document": d})
	out.Write(b)
	for _, shown := range []string{secretText, fmt.Sprintf("%x", secretText), "123456789abc", "C123456"} {
		if strings.Contains(out.String(), shown) {
			t.Errorf("%q was printed: %s", shown, out.String())
		}
	}
}

func TestDNI(t *testing.T) {
	if m, ok := MunicipalityOf(Document{Number: "0503-1981-00123"}); m != "0503" || !ok {
		t.Errorf("municipality %s, %v", m, ok)
	}
	if _, ok := MunicipalityOf(Document{Type: Passport, Number: "0503-1981-00123"}); ok {
		t.Error("a passport names no municipality")
	}
	for _, c := range []struct {
		number string
		birth  int
		want   string
	}{
		{"0503198100123", 1981, "[]"}, {"0503198100123", 0, "[]"}, {"0503198100123", 1979, "[]"},
		{"0599198100123", 1981, "[dni_municipality]"}, {"0503198100123", 1990, "[dni_year]"}, {"9999198100123", 1990, "[dni_municipality dni_year]"},
		{"", 1990, "[]"}, {"nonsense", 1990, "[]"},
	} {
		if got := fmt.Sprint(Warnings(Document{Number: c.number}, c.birth)); got != c.want {
			t.Errorf("%q born %d: %s, want %s", c.number, c.birth, got, c.want)
		}
	}
	for in, want := range map[string]string{"503198100123": "0503198100123", "1503198100123": "", "990198100123": "", "50319810012": "", "801 1981 00123": "0801198100123"} {
		got, ok := RestoreZero(in)
		if ok != (want != "") || ok && got != want || !ok && got != in {
			t.Errorf("%s: %s, %v", in, got, ok)
		}
	}
}

func TestNumbersWithoutATypeThatAreDNI(t *testing.T) {
	for _, c := range []struct {
		number, country string
		want            bool
	}{
		{"0503198100123", "GT", true}, {"0503198100123", "", true}, {"503198100123", "", true}, {"503198100123", "HN", true}, {"503198100123", "GT", false}, {"503198100123.0", "HN", true},
		{"0599198100123", "HN", true}, {"0599198100123", "GT", false}, {"2345678901234", "", false}, {"501199000000", "", false}, {"C123456", "", false}, {"", "", false}, {"5.01199E+11", "HN", false},
	} {
		if got := LikeDNI(c.number, c.country); got != c.want {
			t.Errorf("%q of %q: %v", c.number, c.country, got)
		}
	}
	// Numbers that look odd and are none of these keep their keys.
	for _, number := range []string{"AA123456", "C5E11", "12E45678", "10203040", "98765400", "11223344", "20002001", "A000001"} {
		if key(t, Document{Country: "GT", Type: Passport, Number: number}) == "" {
			t.Errorf("%q has no key", number)
		}
	}
}

func TestTypeOf(t *testing.T) {
	for text, want := range map[string]string{"DNI": NationalID, "Tarjeta de Identidad": NationalID, "PARTIDA DE NACIMIENTO": NationalID, "Pasaporte": Passport,
		"salvoconducto": TravelDocument, "otro": Other, "passport": Passport} {
		if got, ok := TypeOf(text); got != want || !ok {
			t.Errorf("%q: %s, %v", text, got, ok)
		}
	}
	if _, ok := TypeOf("horoscope"); ok {
		t.Error("an unknown type was known")
	}
}

// Separators never matter, digits always do.
func TestNormaliseIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Document{
			Country: rapid.SampledFrom([]string{"", "HN", "hn", "GT"}).Draw(t, "country"),
			Type:    rapid.SampledFrom([]string{"", NationalID, Passport}).Draw(t, "type"),
			Number:  rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9]{4}[- ]?(19|20)[0-9]{2}[- ]?[0-9]{5}`)).Draw(t, "number"),
		}
		n, err := Normalise(d)
		if err != nil {
			if n != (Document{}) {
				t.Fatalf("a refused document has a form: %q", n.Number)
			}
			return
		}
		again, err := Normalise(n)
		if err != nil || again != n {
			t.Fatalf("%q becomes %q, then %q, %v", d.Number, n.Number, again.Number, err)
		}
		for _, r := range n.Number {
			if r == ' ' || r == '-' {
				t.Fatalf("%q keeps a separator", n.Number)
			}
		}
	})
}

func BenchmarkKey(b *testing.B) {
	s := secret(b, secretText)
	d := Document{Number: "0503-1981-00123"}
	for b.Loop() {
		if _, err := s.Key(d); err != nil {
			b.Fatal(err)
		}
	}
}
