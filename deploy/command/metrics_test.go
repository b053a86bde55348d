package command

import (
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestDemoMetrics: what the demo tells Prometheus passes promtool's check, the accounts balance in one scrape, and
// the boards of operators have answers in it.
func TestDemoMetrics(t *testing.T) {
	addresses := runDemo(t, "--live=0", "--id=A04", "--mess=hard")
	response, err := http.Get(addresses.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = bytes.NewReader(text)
	if said, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool (Debian's package prometheus): %v\n%s", err, said)
	}
	read := sumOf(t, text, "retorno_records_read_total")
	var accounted float64
	for _, name := range []string{"retorno_records_accepted_total", "retorno_records_duplicate_total", "retorno_records_superseded_total",
		"retorno_records_rejected_total", "retorno_records_in_flight"} {
		accounted += sumOf(t, text, name)
	}
	if read < 3411 || read != accounted {
		t.Errorf("%v records read, %v in an account or in flight", read, accounted)
	}
	boardsHaveAnswers(t, addresses.Metrics)
}

func sumOf(t *testing.T, text []byte, metric string) float64 {
	t.Helper()
	var sum float64
	lines := regexp.MustCompile(`(?m)^`+metric+`\{[^}]*\} (\S+)$`).FindAllSubmatch(text, -1)
	if len(lines) == 0 {
		t.Fatalf("no metric %s", metric)
	}
	for _, line := range lines {
		n, err := strconv.ParseFloat(strings.TrimSpace(string(line[1])), 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}
