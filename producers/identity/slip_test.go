package identity

import (
	"errors"
	"strings"
	"testing"

	"retorno/schemas/codelists"
)

func TestSlips(t *testing.T) {
	if got := Slip("COR1", 123); got != "COR1-000123-Z" {
		t.Fatalf("slip %s", got)
	}
	for _, text := range []string{"COR1-000123-Z", "cor1-000123-z", " COR1 000123 Z ", "COR1000123Z"} {
		if got, ok := ParseSlip(text); !ok || got != "COR1-000123-Z" {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "COR1-000123", "COR1-000123-Y", "COR1-000132-Z", "COR1-00123-Z", "COR1-000000-" + string(checkCharacter("COR1000000")), "0801-1990-12345"} {
		if got, ok := ParseSlip(text); ok {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
	if _, err := secret(t, secretText).Key(Document{Type: Folio, Number: "COR1-000124-Z"}); !errors.As(err, new(*FaultError)) {
		t.Errorf("a slip that does not check: %v", err)
	}
}

// Any one character that is mistyped, and any two neighbours that are swapped, are seen.
func TestSlipSeesMistypedCharacters(t *testing.T) {
	for n := 1; n <= MaxSlip; n += 7919 {
		slip := strings.ReplaceAll(Slip("COR12", n), "-", "")
		for i := range len(slip) {
			for _, c := range []byte(checkAlphabet) {
				wrong := slip[:i] + string(c) + slip[i+1:]
				if _, ok := ParseSlip(wrong); ok && wrong != slip {
					t.Fatalf("%s is taken for a slip beside %s", wrong, slip)
				}
			}
			if i == 0 {
				continue
			}
			swapped := slip[:i-1] + string(slip[i]) + string(slip[i-1]) + slip[i+1:]
			if _, ok := ParseSlip(swapped); ok && swapped != slip {
				t.Fatalf("%s is taken for a slip beside %s", swapped, slip)
			}
		}
	}
}

// No two computers give slips of one office.
func TestSlipOffices(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{codelists.BorderPoint, codelists.Centre} {
		list, _ := codelists.Get(name)
		for _, c := range list.Codes() {
			if strings.HasPrefix(c.Code, "X-") {
				continue
			}
			for _, number := range []string{"1", "12"} {
				source := c.Code + "-" + number
				office, ok := SlipOffice(source)
				if !ok || seen[office] != "" {
					t.Fatalf("%s and %s give slips of %s", source, seen[office], office)
				}
				if _, ok := ParseSlip(Slip(office, 1)); !ok {
					t.Fatalf("%s makes no slip", office)
				}
				seen[office] = source
			}
		}
	}
	for _, source := range []string{"", "L-COR", "elsewhere", "L-COR-0", "L-COR-100"} {
		if office, ok := SlipOffice(source); ok {
			t.Errorf("%q has %q", source, office)
		}
	}
}
