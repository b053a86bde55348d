package portal_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"retorno/deploy/lab/browser"
)

// chromium runs the headless browser on an address and gives what it wrote to stdout and stderr.
func chromium(t *testing.T, arguments ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	// Not t.TempDir: helpers of the browser may write a moment longer than it runs, and that is no fault of the page.
	profile, err := os.MkdirTemp("", "retorno-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(profile) }()
	cmd, err := browser.Command(ctx, profile, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	cmd.WaitDelay = 5 * time.Second // helpers of the browser may hold its pipes
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, log.String())
	}
	return out.String(), log.String()
}

// TestTelephone takes pictures of the pages as a telephone shows them: something stands on each, from the left edge to the right, in the first
// screenful and below it.
func TestTelephone(t *testing.T) {
	server := httptest.NewServer(handler())
	defer server.Close()
	const width, height = 360, 1600
	for _, address := range []string{"/", "/?lang=en&period=2015-S2", "/feed/", "/revisions/2014-S1", "/explore/T8?lang=es"} {
		path := filepath.Join(t.TempDir(), "page.png")
		chromium(t, "--screenshot="+path, fmt.Sprintf("--window-size=%d,%d", width, height), server.URL+address)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(f)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		for name, part := range map[string]image.Rectangle{
			"top left": image.Rect(0, 0, width/2, height/2), "top right": image.Rect(width/2, 0, width, height/2), "below": image.Rect(0, height/2, width, height),
		} {
			if n := inked(picture, part); n < part.Dx()*part.Dy()/100 {
				t.Errorf("%s: %s has %d pixels that are not background: it is blank", address, name, n)
			}
		}
	}
}

// inked counts the pixels of a part of a picture that are clearly darker or lighter than its commonest colour.
func inked(picture image.Image, part image.Rectangle) (n int) {
	shades := map[uint8]int{}
	shade := func(x, y int) uint8 { return color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y }
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			shades[shade(x, y)]++
		}
	}
	var ground uint8
	for s, times := range shades {
		if times > shades[ground] {
			ground = s
		}
	}
	for s, times := range shades {
		if d := int(s) - int(ground); d > 40 || d < -40 {
			n += times
		}
	}
	return n
}

// TestChromium loads the page in a browser: everything it needs comes from the page's own server, nothing is refused
// or complained about, and the figure is there. With RETORNO_PICTURES=DIR it leaves screenshots of it there.
func TestChromium(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	pages := handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		pages.ServeHTTP(w, r)
	}))
	defer server.Close()
	for _, address := range []string{"/", "/?lang=en", "/feed/", "/revisions/2014-S1", "/explore/T2", "/explore", "/calendar"} {
		dom, log := chromium(t, "--dump-dom", server.URL+address)
		if !slices.Contains([]string{"/feed/", "/explore", "/calendar"}, address) && !strings.Contains(dom, "27,086") {
			t.Errorf("%s: the figure is not in the page as the browser has it", address)
		}
		for _, line := range strings.Split(log, "\n") {
			if strings.Contains(line, "CONSOLE") {
				t.Errorf("%s: the browser's console says: %s", address, line)
			}
		}
	}
	// A page of the kind that must not be: if the browser does not complain about it, its silence above says nothing.
	_, log := chromium(t, "--dump-dom", `data:text/html,<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><img src="http://127.0.0.1:9/x.png">`)
	if !strings.Contains(log, "CONSOLE") {
		t.Errorf("the browser's console does not reach this test: %s", log)
	}
	for path := range asked {
		if !slices.Contains([]string{"/", "/feed/", "/revisions/2014-S1", "/explore/T2", "/explore", "/calendar"}, path) && !strings.HasPrefix(path, "/assets/site-") {
			t.Errorf("the browser asked for %s", path)
		}
	}
	dir := os.Getenv("RETORNO_PICTURES")
	if dir == "" {
		return
	}
	for name, shot := range map[string][2]string{
		"desktop_es": {"1280,3600", "/?lang=es"}, "desktop_en": {"1280,3600", "/?lang=en"}, "phone_es": {"360,6200", "/?lang=es"}, "phone_en": {"360,6200", "/?lang=en"}, "phone_provisional_es": {"360,4800", "/?lang=es&period=2015-S2"},
		"explore_es": {"1280,2600", "/explore/T2?lang=es"}, "explore_phone_en": {"360,4200", "/explore/T5?lang=en&sex=F"}, "explore_all_en": {"1280,2600", "/explore/T1?lang=en&period=all&route=_T"}, "tables_en": {"1280,2200", "/explore?lang=en"},
		"tables_phone_es": {"360,2600", "/explore?lang=es"}, "calendar_es": {"1280,1100", "/calendar?lang=es"},
		"tablet_es": {"820,4600", "/?lang=es"}, "feed_es": {"1280,1900", "/feed/?lang=es"}, "revisions_2016_en": {"1280,1000", "/revisions/2016-S1?lang=en"}, "revisions_es": {"1280,1500", "/revisions/2014-S1?lang=es"}, "revisions_phone_en": {"360,2200", "/revisions/2014-S1?lang=en"}, "revised_es": {"1280,3600", "/?lang=es&period=2014-S1"}, "fail_es": {"1280,700", "/nada?lang=es"}, "provisional_es": {"1280,2400", "/?period=2015-S2&lang=es"},
	} {
		chromium(t, "--screenshot="+filepath.Join(dir, name+".png"), "--window-size="+shot[0], server.URL+shot[1])
	}
}
