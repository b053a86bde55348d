package prometheus

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"retorno/deploy/prometheus/dashboards"
)

// The files of Grafana and of Prometheus' console page are what the program makes, and each query parses and names metrics
// and labels that exist.
func TestDashboards(t *testing.T) {
	made := map[string][]byte{}
	var queries []string
	for _, b := range dashboards.Boards {
		text, err := b.JSON()
		must(t, err)
		made[filepath.Join("dashboards", b.Name+".json")] = text
		for _, p := range b.Panels {
			queries = append(queries, p.Query)
		}
	}
	page, err := dashboards.Console()
	must(t, err)
	made[filepath.Join("consoles", "retorno.html")] = page
	for file, text := range made {
		if *update {
			must(t, os.WriteFile(file, text, 0o644))
		}
		if written, err := os.ReadFile(file); err != nil || !bytes.Equal(written, text) {
			t.Errorf("%s is not what the program makes (%v): run go test ./deploy/prometheus -run %s -update", file, err, t.Name())
		}
	}
	checkQueries(t, queries)
}
