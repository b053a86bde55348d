package clients_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesForPartners runs each example of the page for partners, as it stands there, with the address of a server.
func TestExamplesForPartners(t *testing.T) {
	base, _ := partnersFile(t)
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "sdmx.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, block := range strings.Split(string(page), "```")[1:] {
		language, code, _ := strings.Cut(block, "\n")
		code = strings.ReplaceAll(code, "http://127.0.0.1:8080", base)
		var out string
		switch language {
		case "sh":
			out, err = output(t, t.TempDir(), need(t, "sh"), "-e", "-c", code)
		case "python":
			out, err = output(t, t.TempDir(), partnersPython(t), "-I", "-c", code)
		default:
			continue
		}
		if ran++; err != nil || !strings.Contains(out, "MX-LAND") || language == "sh" && !strings.Contains(out, ",L-COR,") {
			t.Errorf("%v\n%s\n%s", err, code, out)
		}
	}
	if ran != 3 {
		t.Errorf("%d examples were run", ran)
	}
}
