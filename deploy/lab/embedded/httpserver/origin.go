package httpserver

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// A browser on this machine reaches this server, too, and with it every page that is open in it. So a request is
// answered only when no page of another origin can have sent it: browsers say so in Origin, Sec-Fetch-Site and Referer,
// which a page cannot change, and programs send none of them. And it must have asked for this server by an address, or
// by a name that only this machine gives: else a page could give its own name this address after it was loaded (DNS
// rebinding) and be of the same origin.

// foreign gives the reason for which a request may have been sent by a page of another origin; "" when it was not.
func foreign(r *http.Request) string {
	if !ownName(r) {
		return fmt.Sprintf("the host %q is not this machine's address: use %s, or localhost", clip(r.Host), localAddress(r))
	}
	for _, header := range []string{"Origin", "Referer"} {
		for _, from := range r.Header.Values(header) {
			if !sameOrigin(from, r.Host) {
				return fmt.Sprintf("a page of another origin (%s %q) may not ask", header, clip(from))
			}
		}
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" { // none: an address that a person typed
			return fmt.Sprintf("a page of another origin (Sec-Fetch-Site %q) may not ask", clip(site))
		}
	}
	return ""
}

// ownName reports whether the request names this server by its address or by a name of the loopback interface.
func ownName(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") || host == "" && r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		return true
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return false
	}
	local, _, err := net.SplitHostPort(localAddress(r))
	return ip.IsLoopback() || err == nil && ip.Equal(net.ParseIP(local))
}

// localAddress is the address at which the connection of the request came in.
func localAddress(r *http.Request) string {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return addr.String()
	}
	return "the address"
}

// sameOrigin reports whether a page's address or origin has the scheme, host and port of this server.
func sameOrigin(from, host string) bool {
	u, err := url.Parse(from)
	return err == nil && u.Scheme == "http" && strings.EqualFold(u.Host, host)
}

// clip bounds what a stranger sent before it is written anywhere.
func clip(text string) string {
	if len(text) > 100 {
		return text[:100] + "…"
	}
	return text
}

// refuseForeign answers such a request, without a header that would let a page read the answer.
func refuseForeign(w http.ResponseWriter, why string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close")
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprintf(w, "Refused: %s.\n", why) // a client that is gone needs no answer
}
