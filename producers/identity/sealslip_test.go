package identity

import (
	"errors"
	"testing"
)

// TestSealedSlip: a slip opens under the secret and record that it was sealed for and no others, and no two seals are alike.
func TestSealedSlip(t *testing.T) {
	one, err := NewSecret("0123456789abcdef0123456789abcdef-test")
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewSecret("0123456789abcdef0123456789abcdef-other")
	if err != nil {
		t.Fatal(err)
	}
	const slip, record = "COR1-000123-Z", "01890000-0000-7000-8000-000000000001"
	sealed, err := one.SealSlip(slip, record)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := one.OpenSlip(sealed, record); err != nil || got != slip {
		t.Errorf("%q %v", got, err)
	}
	if other, err := one.SealSlip(slip, record); err != nil || other == sealed {
		t.Errorf("sealed alike twice: %v", err)
	}
	for name, open := range map[string]func() (string, error){
		"another secret": func() (string, error) { return two.OpenSlip(sealed, record) },
		"another record": func() (string, error) { return one.OpenSlip(sealed, record+"x") },
		"a changed text": func() (string, error) { return one.OpenSlip("AAAA"+sealed[4:], record) },
		"no base64":      func() (string, error) { return one.OpenSlip("?", record) },
	} {
		if got, err := open(); !errors.Is(err, ErrSealed) || got != "" {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, err := (Secret{}).SealSlip(slip, record); !errors.Is(err, ErrNoSecret) {
		t.Errorf("no secret: %v", err)
	}
}
