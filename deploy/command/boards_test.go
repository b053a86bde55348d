package command

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/prometheus/dashboards"
)

// startPrometheus runs a real Prometheus with the shipped rules and console page over one target until the test ends.
func startPrometheus(t *testing.T, metrics string) (address string) {
	t.Helper()
	at, err := url.Parse(metrics)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Abs("../prometheus")
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), freeAddress(t)
	config := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%[1]s/slo.yml, %[1]s/rules_operate.yml, %[1]s/roles.yml]\n"+
		"scrape_configs: [{job_name: retorno, static_configs: [{targets: ['%[2]s']}]}]\n", files, at.Host)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--web.console.templates="+filepath.Join(files, "consoles"), "--log.level=error")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatalf("prometheus (Debian's package prometheus): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it ends by the signal
	})
	return "http://" + address
}

// answersOf is how many series a query has.
func answersOf(prometheus, query string) (int, error) {
	response, err := http.Get(prometheus + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Error string
		Data  struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Error != "" {
		return 0, fmt.Errorf("%s", answer.Error)
	}
	return len(answer.Data.Result), nil
}

// boardsHaveAnswers: a real Prometheus that has scraped the demo answers every query of the boards, but those that say when they
// have none; and its console page shows the overview.
func boardsHaveAnswers(t *testing.T, metrics string) {
	t.Helper()
	prometheus := startPrometheus(t, metrics)
	for _, b := range dashboards.Boards {
		for _, p := range b.Panels {
			var said error
			has := func() bool { n, err := answersOf(prometheus, p.Query); said = err; return n > 0 }
			if p.Empty != "" {
				if has(); said != nil {
					t.Errorf("%s, %s: %v", b.Name, p.EN, said)
				}
				continue
			}
			embeddedtest.Eventually(t, b.Name+" has no answer: "+p.Query, has)
		}
	}
	response, err := http.Get(prometheus + "/consoles/retorno.html")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Retorno: objetivos / Retorno: objectives", "<td>Registros fuera de cuenta / Records out of account</td><td></td><td class=\"number\">0</td>"} {
		if response.StatusCode != http.StatusOK || !strings.Contains(string(page), want) {
			t.Errorf("the console page, %s, lacks %q:\n%s", response.Status, want, page)
		}
	}
}
