package portal_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// element is a start tag with its attributes.
type element struct {
	name  string
	attrs map[string]string
}

// elements reads a page as a strict reader would: every tag closed, in order.
func elements(t *testing.T, page string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var all []element
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{token.Name.Local, map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attrs[a.Name.Local]; twice {
					t.Errorf("<%s> has %s twice", e.name, a.Name.Local)
				}
				e.attrs[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e.name)
		case xml.EndElement:
			if last := open[len(open)-1]; last != token.Name.Local {
				t.Errorf("</%s> closes <%s>", token.Name.Local, last)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %v", open)
	}
	return all
}

// What every page owes to screen readers, keyboards and the policy that forbids everything from elsewhere.
func TestPagesAreWellMade(t *testing.T) {
	pages := map[string]http.Handler{"/": handler(), "/?lang=en": handler(), "/?period=2015-S2": handler(), "/feed/": handler(), "/feed/?lang=en": handler(), "/problems/": handler(), "/problems/?lang=en": handler(),
		"/explore": handler(), "/explore/T5?lang=en": handler(), "/calendar": handler(), "/partners": handler(), "/method": handler(), "/method?lang=en": handler(), "/revisions/2014-S1": handler(), "/nada": handler(), "/?lang=fr": handler(), "/?empty": nothing}
	for target, h := range pages {
		_, page := get(t, h, target)
		all := elements(t, page)
		ids, count, heading := map[string]bool{}, map[string]int{}, 1
		for _, e := range all {
			count[e.name]++
			if id := e.attrs["id"]; id != "" {
				if ids[id] {
					t.Errorf("%s: id %s twice", target, id)
				}
				ids[id] = true
			}
		}
		for _, e := range all {
			for name, value := range e.attrs {
				if name == "style" || strings.HasPrefix(name, "on") {
					t.Errorf("%s: <%s %s> is refused by the policy", target, e.name, name)
				}
				if (name == "href" || name == "src" || name == "action") && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "data:image/svg+xml,") || strings.HasPrefix(value, "//") {
					t.Errorf("%s: <%s %s=%q> leads elsewhere", target, e.name, name, value)
				}
				if strings.HasPrefix(value, "#") && name == "href" && !ids[value[1:]] {
					t.Errorf("%s: %s leads nowhere", target, value)
				}
				if name == "aria-labelledby" || name == "for" {
					for _, id := range strings.Fields(value) {
						if !ids[id] {
							t.Errorf("%s: <%s> is named by %s, which is not there", target, e.name, id)
						}
					}
				}
			}
			switch e.name {
			case "th":
				if !slices.Contains([]string{"col", "row", "rowgroup"}, e.attrs["scope"]) {
					t.Errorf("%s: a th without scope", target)
				}
			case "svg":
				if e.attrs["aria-hidden"] != "true" && (e.attrs["role"] != "img" || e.attrs["aria-labelledby"] == "") {
					t.Errorf("%s: a picture without words", target)
				}
			case "h1", "h2", "h3":
				level := int(e.name[1] - '0')
				if level > heading+1 {
					t.Errorf("%s: %s after h%d", target, e.name, heading)
				}
				heading = level
			}
		}
		if count["h1"] != 1 || count["main"] != 1 || count["script"] != 0 || count["table"] != count["caption"] || count["title"] < 1 {
			t.Errorf("%s: %v", target, count)
		}
		if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "<no value>") {
			t.Errorf("%s: a template put a hole into the page", target)
		}
	}
}
