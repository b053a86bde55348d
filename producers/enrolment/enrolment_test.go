package enrolment

import (
	"strings"
	"testing"

	"retorno/schemas/kafka"
)

// TestNamesOfSources: the name of a computer can stand in a file name, a cookie and a metric, and is none of an imported file.
func TestNamesOfSources(t *testing.T) {
	refused := func(source string) bool {
		_, err := New(source, "L-COR", kafka.Access{}, 12, nil)
		return err != nil && strings.HasPrefix(err.Error(), "source ")
	}
	for _, source := range []string{"", "a b", "ñ", "-a", "a\n", "a/b", "a;b", "import-siamir", strings.Repeat("a", 65)} {
		if !refused(source) {
			t.Errorf("%q is taken", source)
		}
	}
	for _, source := range []string{"L-COR-1", "CAMR-OMO.2", "a_b", strings.Repeat("a", 64)} {
		if refused(source) {
			t.Errorf("%q is refused", source)
		}
	}
}
