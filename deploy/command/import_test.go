package command

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/importer"
)

const crossings = "Fecha;Hora;Delegación;Tipo de movimiento;Sexo;Edad;Nacionalidad;Identidad\n" +
	"30/06/2016;23:30;Aduana Corinto;Entrada;M;25;Hondureña;0503-1991-00123\n" +
	"30/06/2016;08:05;La Mesa;Entrada;F;31;HND;0501198500321\n"

const broken = "31/02/2016;08:05;La Mesa;Entrada;F;31;HND;0501198500321\n30/06/2016;08:05;Nowhere at all;Entrada;F;31;HND;0501198500321\n"

var identityKey = map[string]string{"RETORNO_IDENTITY_KEY": "the agents of all posts share this secret, which is long"}

func TestImportSendsGoodRowsAndKeepsTheOthers(t *testing.T) {
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	imported := func(file string, args ...string) result {
		return try(t, "", identityKey, append([]string{"import", "checkpoint", file, "--kafka-brokers", broker.Addr(), "--kafka-partitions=3"}, args...)...)
	}
	good := writeFile(t, "good.csv", crossings)
	r := imported(good, "--json")
	var s importer.Summary
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || r.status != exitDone || s.Accepted != 2 || s.Rejected != 0 {
		t.Errorf("%v %+v", err, r)
	}
	if _, err := os.Stat(good + ".rejected.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of rejected rows without any: %v", err)
	}
	mixed := writeFile(t, "mixed.csv", crossings+broken)
	r = imported(mixed)
	if r.status != exitNo || !strings.Contains(r.out, "2 accepted, 2 rejected") || !strings.Contains(r.err, mixed+".rejected.csv") {
		t.Errorf("%+v", r)
	}
	text, err := os.ReadFile(mixed + ".rejected.csv")
	if err != nil || !strings.Contains(string(text), "31/02/2016") || !strings.Contains(string(text), "Nowhere at all") || strings.Contains(string(text), "Corinto") {
		t.Errorf("%v %s", err, text)
	}
	// Sent as they are, the rejected rows are rejected once more.
	r = imported(mixed + ".rejected.csv")
	if r.status != exitNo || !strings.Contains(r.out, "0 accepted, 2 rejected") || !strings.Contains(r.err, mixed+".rejected.csv.rejected.csv") {
		t.Errorf("%+v", r)
	}
}

func TestImportIsRefusedWithTheWayOut(t *testing.T) {
	good := writeFile(t, "good.csv", crossings)
	for _, c := range []struct {
		name, want string
		environ    map[string]string
		status     int
		args       []string
	}{
		{"documents without a secret", "--identity-key-file", nil, exitUsage, []string{"checkpoint", good, "--dry-run"}},
		{"a secret that is too short", "too short", map[string]string{"RETORNO_IDENTITY_KEY": "short"}, exitUsage, []string{"checkpoint", good, "--dry-run"}},
		{"no such file", "/no/such.csv", nil, exitMissing, []string{"checkpoint", "/no/such.csv", "--dry-run"}},
		{"no such kind", "checkpoint", nil, exitUsage, []string{"border", good}},
		{"unknown columns", "columns", nil, exitNo, []string{"checkpoint", writeFile(t, "bad.csv", "a,b\n1,2\n"), "--dry-run"}},
		{"two delimiters", "--delimiter", nil, exitUsage, []string{"checkpoint", good, "--dry-run", "--delimiter=;;"}},
		{"an unknown field", "shoe_size", nil, exitUsage, []string{"checkpoint", good, "--dry-run", "--assume=shoe_size=43"}},
		{"an unknown field, in Spanish", "debe ser uno de", nil, exitUsage, []string{"checkpoint", good, "--dry-run", "--assume=shoe_size=43"}},
		{"flags that contradict each other", "indique una de las dos", nil, exitUsage, []string{"checkpoint", good, "--keep", "--replace=x"}},
		{"no broker", "127.0.0.1:1", identityKey, exitMissing, []string{"checkpoint", good, "--kafka-brokers=127.0.0.1:1"}},
	} {
		r := try(t, "", c.environ, append([]string{"import"}, c.args...)...)
		if r.status != c.status || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: %+v", c.name, r)
		}
		if strings.Contains(r.out+r.err, "0501198500321") {
			t.Errorf("%s: a document number is shown", c.name)
		}
	}
}
