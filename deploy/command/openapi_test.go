package command

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"retorno/consumers/dissemination/openapi"
	"retorno/deploy/lab/clients"
	"retorno/deploy/lab/embedded/embeddedtest"
)

// schemathesisCases is how many cases each address gets from Schemathesis; 320 make more than 5,000 in all.
var schemathesisCases = flag.Int("schemathesis-cases", 10, "cases that Schemathesis makes for each address")

// serveOne serves a final vintage, without limits.
func serveOne(t *testing.T) (base, operator string) {
	t.Helper()
	s, addr := migratedStore(t)
	publishOne(t, s)
	web, operator := freeAddress(t), freeAddress(t)
	running(t, map[string]string{"RETORNO_CLICKHOUSE_ADDR": addr, "RETORNO_CLICKHOUSE_USER": "ceniss_public", "RETORNO_LOG_LEVEL": "warn"},
		"serve", "--listen", web, "--ops-listen", operator, "--limit-data=0", "--limit-structures=0")
	embeddedtest.Eventually(t, "the web is not ready", func() bool { status, _ := fetch("http://" + web + "/readyz"); return status == http.StatusOK })
	return "http://" + web, "http://" + operator
}

// TestOpenAPIHasEveryAddress: every address that the web answers and records is in the description, but for SDMX and what is no address of
// its own; and every address of the description answers, with the examples that stand there.
func TestOpenAPIHasEveryAddress(t *testing.T) {
	base, operator := serveOne(t)
	var d struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Name, In string
					Required bool
					Schema   struct{ Examples, Enum []any }
				}
			}
		}
	}
	_, text := fetch(base + openapi.Path)
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	_, page := fetch(operator + "/metrics")
	tails := map[string]string{"/vintages/": "{period}/{vintage}/{file}", "/bulletin/": "{period}", "/revisions/": "{period}", "/explore/": "{table}"}
	served := 0
	for _, found := range regexp.MustCompile(`retorno_http_requests_total\{code="2xx",route="([^"]*)"\}`).FindAllStringSubmatch(page, -1) {
		route := strings.ReplaceAll(found[1], "{number}", "{vintage}") + tails[found[1]]
		if strings.HasPrefix(route, "/sdmx/") || slices.Contains([]string{"/*", "/feed/v1/", "/assets/"}, route) {
			continue
		}
		if served++; d.Paths[route].Get.Parameters == nil {
			t.Errorf("%s is served and not described", route)
		}
	}
	if served < 15 {
		t.Errorf("%d addresses are served", served)
	}
	for path, item := range d.Paths {
		address, query := path, "?"
		for _, p := range item.Get.Parameters {
			example := fmt.Sprint(append(p.Schema.Examples, append(p.Schema.Enum, "")...)[0])
			if address = strings.ReplaceAll(address, "{"+p.Name+"}", example); p.In == "query" && p.Required {
				query += p.Name + "=" + example
			}
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, base+address+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s is described, and %s answers %d", path, address+query, resp.StatusCode)
		}
	}
}

// TestSpectral: the rules for OpenAPI find no error.
func TestSpectral(t *testing.T) {
	program, err := clients.Spectral(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, body := range map[string][]byte{"openapi.json": openapi.Document(), "rules.yaml": []byte("extends: spectral:oas\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", program, "lint", "--ruleset", "rules.yaml", "--fail-severity", "error", "openapi.json")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Error(err)
	}
}

// TestSchemathesis: what is made from the description is answered as it says, whether it is right or wrong. The seed is fixed, so that a
// failure can be had again; a stream does not end, so it is left out.
func TestSchemathesis(t *testing.T) {
	base, _ := serveOne(t)
	python, err := clients.Python(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const seed = "16"
	cmd := exec.CommandContext(t.Context(), python, "-I", "-m", "schemathesis.cli", "run", base+openapi.Path, "--seed", seed, "--max-examples", strconv.Itoa(*schemathesisCases),
		"--exclude-path", "/changes/stream", "--phases", "examples,coverage,fuzzing", "--no-color", "--workers", "1")
	cmd.Dir = t.TempDir() // it keeps what it found
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	out, err := cmd.CombinedOutput()
	if t.Logf("seed %s\n%s", seed, out); err != nil {
		t.Error(err)
	}
}
