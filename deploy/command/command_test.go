package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retorno/deploy/command/settings"
)

// result is one command line's outcome.
type result struct {
	status   int
	out, err string
}

// try runs a command line with an environment of its own.
func try(t *testing.T, in string, environ map[string]string, args ...string) result {
	t.Helper()
	return tryUntil(t.Context(), in, environ, args...)
}

func tryUntil(ctx context.Context, in string, environ map[string]string, args ...string) result {
	var pairs []string
	for k, v := range environ {
		pairs = append(pairs, k+"="+v)
	}
	lookup := func(k string) (string, bool) { v, ok := environ[k]; return v, ok }
	var out, errs bytes.Buffer
	status := run(ctx, args, lookup, pairs, &terminal{In: strings.NewReader(in), Out: &out, Err: &errs})
	return result{status, out.String(), errs.String()}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWrongUseIsAnsweredWithWhatIsPossible(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"which command?", "commands: ", "version"}},
		{[]string{"nonsense"}, []string{"nonsense", "commands: ", "send"}},
		{[]string{"verzion"}, []string{"did you mean 'version'"}},
		{[]string{"version", "--no-such-flag"}, []string{"retorno version: ", "--no-such-flag", "see retorno version --help"}},
		{[]string{"version", "--log-level", "loud"}, []string{"--log-level", "'debug'"}},
		{[]string{"version", "--log-level"}, []string{"--log-level: needs a value"}},
		{[]string{"deadletter"}, []string{"commands: list, show, redrive"}},
		{[]string{"deadletter", "burn"}, []string{"burn", "commands: list, show, redrive"}},
		{[]string{"deadletter", "redrive"}, []string{"retorno deadletter redrive: name the letters to send again, or say --all"}},
		{[]string{"deadletter", "list", "--since=yesterday"}, []string{"yesterday", "2016-06-30"}},
		{[]string{"deadletter", "show", "x"}, []string{"topic/partition/offset"}},
	} {
		r := try(t, "", nil, c.args...)
		if r.status != exitUsage || r.out != "" {
			t.Errorf("%v: status %d, stdout %q", c.args, r.status, r.out)
		}
		for _, w := range c.want {
			if !strings.Contains(r.err, w) {
				t.Errorf("%v: %q lacks %q", c.args, r.err, w)
			}
		}
	}
}

// Every command explains itself: what it does, exit statuses, and the variable of each setting.
func TestHelpOfEveryCommand(t *testing.T) {
	var cli grammar
	parser, err := newParser(&cli, settings.New(os.LookupEnv))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		words := strings.Fields(strings.TrimPrefix(leaf.FullPath(), parser.Model.Name+" "))
		r := try(t, "", nil, append(words, "--help")...)
		plain := strings.Join(strings.Fields(r.out), " ")
		if r.status != exitDone || r.err != "" {
			t.Errorf("%v --help: status %d, stderr %q", words, r.status, r.err)
		}
		for _, w := range []string{"Examples:", "    retorno " + words[0], "Exit status: 0 done", "[RETORNO_CONFIG]"} {
			if !strings.Contains(plain, strings.Join(strings.Fields(w), " ")) {
				t.Errorf("%v --help lacks %q", words, w)
			}
		}
		for _, f := range leaf.Flags {
			if settings.Settable(f) && !f.Hidden && !strings.Contains(plain, "["+settings.EnvironmentName(f.Name)+"]") {
				t.Errorf("%v --help does not name %s", words, settings.EnvironmentName(f.Name))
			}
		}
	}
}

func TestVersion(t *testing.T) {
	r := try(t, "", nil, "version", "--json")
	var answer map[string]string
	if err := json.Unmarshal([]byte(r.out), &answer); err != nil || answer["version"] != version || answer["go"] == "" {
		t.Errorf("%v %q", err, r.out)
	}
	if r := try(t, "", nil, "version"); !strings.Contains(r.out, version) || r.status != exitDone {
		t.Errorf("%+v", r)
	}
}

// TestWhatCommandsPrintIsVisible: the name of a file and what stands in it come back in errors.
func TestWhatCommandsPrintIsVisible(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a\x1b[31mb.csv")
	if err := os.WriteFile(file, []byte("\x1b]0;title\x07;\x1b[2J\n1;2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"import", file}, {"table", "--id=x", "--like", file}, {"demo", "--table", file}, {"\x1b[31m"}, {"explain", "\x1b[31m=1"}} {
		r := try(t, "", nil, args...)
		if strings.ContainsAny(r.out+r.err, "\x1b\x07") || !strings.Contains(r.err, `1b[`) {
			t.Errorf("%q prints %q and %q", args, r.out, r.err)
		}
	}
}
