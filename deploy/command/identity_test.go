package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestASecretIsMadeAndComparedUnseen makes a secret and compares it with its copy, with another one and with the
// environment's: no output ever shows one.
func TestASecretIsMadeAndComparedUnseen(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var shown strings.Builder
	identity := func(environ map[string]string, args ...string) result {
		r := try(t, "", environ, append([]string{"identity"}, args...)...)
		shown.WriteString(r.out + r.err)
		return r
	}
	made := identity(nil, "new", path("a.key"))
	text, err := os.ReadFile(path("a.key"))
	if err != nil || made.status != exitDone {
		t.Fatalf("%v %+v", err, made)
	}
	if info, err := os.Stat(path("a.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of a secret: %v, %v", info.Mode(), err)
	}
	if r := identity(nil, "new", path("a.key")); r.status != exitUsage || !strings.Contains(r.err, "never overwritten") {
		t.Errorf("a second one in the same file: %+v", r)
	}
	if again, err := os.ReadFile(path("a.key")); err != nil || string(again) != string(text) {
		t.Errorf("the secret was overwritten: %v", err)
	}
	if r := identity(nil, "new", path("none/b.key")); r.status == exitDone {
		t.Errorf("in a folder that is not there: %+v", r)
	}
	if err := os.WriteFile(path("copy.key"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	other := identity(nil, "new", path("b.key"))
	fingerprint := strings.Fields(made.out)[0]
	if r := identity(nil, "fingerprint", path("a.key"), path("copy.key")); r.status != exitDone || r.out != fingerprint+"  "+path("a.key")+"\n"+fingerprint+"  "+path("copy.key")+"\n" {
		t.Errorf("a secret and its copy: %+v", r)
	}
	if r := identity(nil, "fingerprint", path("a.key"), path("b.key")); r.status != exitNo || r.out != made.out+other.out || made.out == other.out {
		t.Errorf("two secrets: %+v", r)
	}
	environ := map[string]string{"RETORNO_IDENTITY_KEY": string(text)}
	if r := identity(environ, "fingerprint"); r.status != exitDone || strings.TrimSpace(r.out) != fingerprint {
		t.Errorf("the secret of the environment: %+v", r)
	}
	if r := identity(nil, "fingerprint", "--identity-key-file", path("a.key")); r.status != exitDone || strings.TrimSpace(r.out) != fingerprint {
		t.Errorf("the secret of the settings: %+v", r)
	}
	if r := identity(environ, "fingerprint", "--print-config"); r.status != exitDone {
		t.Errorf("%+v", r)
	}
	for name, content := range map[string]string{"short.key": "tooshort", "simple.key": strings.Repeat("ab", 30), "empty.key": ""} {
		if err := os.WriteFile(path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := identity(nil, "fingerprint", path(name)); r.status != exitUsage || !strings.Contains(r.err, name) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := identity(nil, "fingerprint"); r.status != exitUsage {
		t.Errorf("no secret at all: %+v", r)
	}
	if strings.Contains(shown.String(), strings.TrimSpace(string(text))) || strings.Contains(shown.String(), "tooshort") {
		t.Errorf("a secret was printed:\n%s", shown.String())
	}
}

// TestImportTakesTheSecretEitherWay: from its file, as made, and from the environment.
func TestImportTakesTheSecretEitherWay(t *testing.T) {
	key, file := filepath.Join(t.TempDir(), "identity.key"), writeFile(t, "good.csv", crossings)
	if r := try(t, "", nil, "identity", "new", key); r.status != exitDone {
		t.Fatalf("%+v", r)
	}
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{"RETORNO_IDENTITY_KEY": string(text)}
	fromFile := try(t, "", nil, "import", "checkpoint", file, "--dry-run", "--json", "--identity-key-file", key)
	fromEnvironment := try(t, "", environ, "import", "checkpoint", file, "--dry-run", "--json")
	if fromFile.status != exitDone || fromFile.out != fromEnvironment.out || !strings.Contains(fromFile.out, `"without_person": 0`) {
		t.Errorf("%+v\n%+v", fromFile, fromEnvironment)
	}
}
