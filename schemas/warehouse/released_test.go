package warehouse

import (
	"os"
	"strings"
	"testing"
)

// TestReleasedMigrationsAreFrozen: a database refuses a step that was edited after it had been applied, so that an edit
// would shut out every database of the release. A change is a new step; a release adds its steps to the list.
func TestReleasedMigrationsAreFrozen(t *testing.T) {
	text, err := os.ReadFile("testdata/released.txt")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(all) < len(lines) {
		t.Fatalf("%d steps are released and %d are there", len(lines), len(all))
	}
	for i, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		if all[i].Checksum != sum || !strings.Contains(name, all[i].Name) {
			t.Errorf("%s is released and was edited: restore it and write a new step", name)
		}
	}
}
