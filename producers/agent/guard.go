package agent

import (
	"net"
	"net/http"
	"strings"
)

// maxBody is the largest body of a form, in bytes; maxForms that of many forms.
const (
	maxBody  = 64 << 10
	maxForms = 32 << 20
)

// policy lets a page use its own script and style, and nothing else: no other host, no frame around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard refuses requests that do not come from a page of this agent or a program of this computer, and says how a browser has to treat
// what it gets.
func guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: with it Chromium sends "Origin: null" with the page's own forms.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !ownHost(r) {
			refuse(w, r, http.StatusForbidden, "foreign", text{"esta dirección no es la de esta computadora", "this address is not that of this computer"})
			return
		}
		if err := origin.Check(r); err != nil || foreignOrigin(r) {
			refuse(w, r, http.StatusForbidden, "foreign", text{"la petición viene de otra página", "the request comes from another page"})
			return
		}
		limit := int64(maxBody)
		if r.URL.Path == "/forms" {
			limit = maxForms
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// ownHost reports whether the request names this address and port, whole: a name that an attacker's server resolves to 127.0.0.1 is none of
// these.
func ownHost(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	_, port, err := net.SplitHostPort(local.String())
	if err != nil {
		return false
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
		if r.Host == host+":"+port {
			return true
		}
	}
	return false
}

// foreignOrigin reports whether a browser says that the request comes from elsewhere, whatever the method: no page of another origin, and none
// on another port of this computer, has business here. A person who follows a link gets there without an Origin.
func foreignOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Dest") != "document"
	}
	return false
}

// wantsJSON reports whether a program asks, not a browser.
func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json") || r.URL.Path == "/forms"
}

// local is where a form may send the browser afterwards: a path of this agent.
func local(path, otherwise string) string {
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.Contains(path, "\\") {
		return path
	}
	return otherwise
}
