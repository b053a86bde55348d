// Package browser looks at the project's pages as their readers do: in headless Chromium, by a script that opens pages at a width, follows
// links, and asks axe-core (https://github.com/dequelabs/axe-core) what WCAG finds fault with. It is for tests.
//
// It promises that a script's value comes back, or an error that says what the script or the browser said. The browser asks nothing but the
// handler that it is given. Chromium is that of the machine; axe-core is pinned and fetched once, with npm.
package browser

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"retorno/deploy/lab/embedded/fetchonce"
)

//go:embed package.json package-lock.json
var pinned embed.FS

//go:embed drive.js
var drive string

// Path finds Chromium by the names it goes by.
func Path() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("chromium is not there: pages are looked at in a browser; install Debian's package chromium")
}

// Command is headless Chromium with a folder for its profile, which is the caller's to remove.
func Command(ctx context.Context, profile string, arguments ...string) (*exec.Cmd, error) {
	path, err := Path()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--enable-logging=stderr", "--lang=es", "--disable-crash-reporter", "--user-data-dir=" + profile}, arguments...)...)
	cmd.Env = append(os.Environ(), "HOME="+profile, "XDG_CONFIG_HOME="+profile, "XDG_CACHE_HOME="+profile)
	return cmd, nil
}

// Drive runs a script, the body of an async function, on pages, and returns its value as JSON. The script has the functions of drive.js in
// visit. Pages are given without their policies about scripts and frames, so that the script can look at them.
func Drive(ctx context.Context, pages http.Handler, script string) (json.RawMessage, error) {
	axe, err := axeCore(ctx)
	if err != nil {
		return nil, err
	}
	results := make(chan []byte, 1)
	server := httptest.NewServer(stage(pages, axe, script, results))
	defer server.Close()
	profile, err := os.MkdirTemp("", "retorno-chromium-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(profile) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd, err := Command(ctx, profile, "--remote-debugging-port=0", server.URL+"/-/") // with a port to debug by, it stays
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case body := <-results:
		stop()
		<-ended
		return valueOf(body)
	case err := <-ended:
		return nil, fmt.Errorf("chromium ended before the script: %w", errors.Join(err, context.Cause(ctx)))
	}
}

// valueOf reads what the script sent.
func valueOf(body []byte) (json.RawMessage, error) {
	var sent struct {
		Value json.RawMessage
		Error string
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	if sent.Error != "" {
		return nil, errors.New(sent.Error)
	}
	return sent.Value, nil
}

// Findings are what axe-core finds on pages at widths in pixels, each with its page and width.
func Findings(ctx context.Context, pages http.Handler, addresses []string, widths ...int) (all []string, err error) {
	asked, err := json.Marshal(map[string]any{"addresses": addresses, "widths": widths})
	if err != nil {
		return nil, err
	}
	value, err := Drive(ctx, pages, "const asked = "+string(asked)+`;
		const all = [];
		for (const address of asked.addresses) for (const width of asked.widths) {
			const frame = await visit.open(address, width);
			for (const finding of await visit.findings(frame)) all.push(address + ' at ' + width + ': ' + finding);
		}
		return all;`)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(value, &all)
}

// stage serves pages, and below /-/ what drives the browser.
func stage(pages http.Handler, axe []byte, script string, results chan<- []byte) http.Handler {
	mux := http.NewServeMux()
	page := "<!DOCTYPE html><meta charset=utf-8><body><script>\n" + drive + "\n(async () => {\n" + script + "\n})().then(value => ({value}), error => ({error: String(error)})).then(result => fetch('/-/result', {method: 'POST', body: JSON.stringify(result)}));</script>"
	mux.HandleFunc("/-/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	})
	mux.HandleFunc("/-/axe.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(axe)
	})
	mux.HandleFunc("/-/result", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			results <- body
		}
	})
	mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pages.ServeHTTP(open{w}, r) }))
	return mux
}

// open is an answer that may be framed, and looked at by a script.
type open struct{ http.ResponseWriter }

func (o open) WriteHeader(status int) {
	o.Header().Del("Content-Security-Policy")
	o.Header().Del("X-Frame-Options")
	o.ResponseWriter.WriteHeader(status)
}

// axeCore is the program of axe-core.
func axeCore(ctx context.Context) ([]byte, error) {
	lock, err := pinned.ReadFile("package-lock.json")
	if err != nil {
		return nil, err
	}
	proof := filepath.Join("node_modules", "axe-core", "axe.min.js")
	dir, err := fetchonce.Folder{Name: fmt.Sprintf("browser/%.8x", sha256.Sum256(lock)), Proof: proof, Fill: install}.Path(ctx)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, proof))
}

// install lets npm bring what the lock file pins.
func install(ctx context.Context, dir string) error {
	if err := os.CopyFS(dir, pinned); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--cache", filepath.Join(dir, "npm"))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm could not fetch axe-core: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return os.RemoveAll(filepath.Join(dir, "npm"))
}
