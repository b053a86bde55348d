package response

import (
	"net/http"
	"strconv"
	"strings"
)

// weighed is one element of an Accept-* header.
type weighed struct {
	name   string // lower case
	weight float64
}

// weights reads an Accept-* header (RFC 9110 §12.4.2). An element whose weight cannot be read counts as refused.
func weights(lines []string) []weighed {
	var all []weighed
	for _, element := range strings.Split(strings.Join(lines, ","), ",") {
		name, parameters, _ := strings.Cut(element, ";")
		w := weighed{strings.ToLower(strings.TrimSpace(name)), 1}
		if w.name == "" {
			continue
		}
		for _, p := range strings.Split(parameters, ";") {
			key, value, ok := strings.Cut(p, "=")
			if !ok || !strings.EqualFold(strings.TrimSpace(key), "q") {
				continue
			}
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
			w.weight = q
		}
		all = append(all, w)
	}
	return all
}

// AcceptsGzip reports whether the values of Accept-Encoding allow gzip. Without the header nothing is compressed.
func AcceptsGzip(lines []string) bool {
	named, any := -1.0, -1.0
	for _, w := range weights(lines) {
		switch w.name {
		case "gzip", "x-gzip":
			named = w.weight
		case "*":
			any = w.weight
		}
	}
	if named >= 0 {
		return named > 0
	}
	return any > 0
}

// Language chooses between Spanish and English from Accept-Language: the one with the larger weight, Spanish when they
// are equal or neither is wanted. The result is "es" or "en".
func Language(r *http.Request) string {
	best := map[string]float64{}
	for _, w := range weights(r.Header.Values("Accept-Language")) {
		primary, _, _ := strings.Cut(w.name, "-")
		if w.weight > best[primary] {
			best[primary] = w.weight
		}
	}
	if best["en"] > best["es"] {
		return "en"
	}
	return "es"
}

const allowed = "GET, HEAD"

// Allowed answers 405 with Allow and false to methods other than GET and HEAD; refuse writes the body of the answer.
func Allowed(w http.ResponseWriter, r *http.Request, refuse func()) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	methods := allowed
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		methods += ", OPTIONS"
	}
	w.Header().Set("Allow", methods)
	refuse()
	return false
}

// exposed are the headers that a page of another site may read (Fetch Standard §3.3.3).
const exposed = "Content-Disposition, ETag, Last-Modified, Link, RateLimit, RateLimit-Policy, Retry-After, Retorno-Coverage-Percent"

// Readable makes what follows readable for any page of any site, and answers what does not read: OPTIONS, which a browser sends before a
// request with a header such as If-None-Match or Authorization, with what is allowed, and other methods with a problem. Then it reports false.
func Readable(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", exposed)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	if r.Method != http.MethodOptions {
		return Allowed(w, r, func() {
			Refuse(w, r, Method.Of("Aquí solo se lee: use GET o HEAD, no "+Short(r.Method)+".", "This is for reading only: use GET or HEAD, not "+Short(r.Method)+"."))
		})
	}
	h.Set("Allow", allowed+", OPTIONS")
	h.Set("Access-Control-Allow-Methods", allowed)
	h.Set("Access-Control-Allow-Headers", "*, Authorization") // the star does not mean Authorization
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
	return false
}
