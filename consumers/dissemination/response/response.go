// Package response sends finished representations over HTTP: what the feed and the page have in common once they know
// what to say.
//
// It promises a strong ETag made from the bytes that are sent, the conditional requests and ranges of RFC 9110 (by
// net/http), the same headers on HEAD as on GET, gzip for a client that takes it, and bytes that are the same for the same
// content. It never streams: a representation is whole before its first byte leaves, so a failure half-way is an error
// status and not half a table. It never logs who asked.
//
// It compresses by itself because a middleware changes the ETag after the condition was judged by it, and counts by itself
// because the labels of the metrics are classes of status and not each status.
package response

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// Representation is one whole response.
type Representation struct {
	// Status is the HTTP status; 0 is 200. Only 200 is answered conditionally and gets an ETag.
	Status int
	// Type is the Content-Type.
	Type string
	// Language is the Content-Language, "es" or "en"; "" leaves it out.
	Language string
	// Cache is the Cache-Control.
	Cache string
	// Link is the Link header (RFC 8288); "" leaves it out.
	Link string
	// Name is what a browser calls the file that it saves; "" leaves that to the address.
	Name string
	// Vary lists the request headers that chose this representation, Accept-Encoding left out: it always did.
	Vary []string
	// Modified is when the content was made, which does not change any more; zero when that is not known.
	Modified time.Time
	// Body is the content before compression.
	Body []byte
}

// smallest is the size in bytes below which compressing gains nothing.
const smallest = 600

// Send writes the representation, or what the request's conditions come to.
func Send(w http.ResponseWriter, r *http.Request, rep Representation) {
	h := w.Header()
	h.Set("Content-Type", rep.Type)
	h.Set("X-Content-Type-Options", "nosniff")
	if rep.Language != "" {
		h.Set("Content-Language", rep.Language)
	}
	if rep.Cache != "" {
		h.Set("Cache-Control", rep.Cache)
	}
	if rep.Link != "" {
		h.Set("Link", rep.Link)
	}
	if rep.Name != "" {
		h.Set("Content-Disposition", `inline; filename="`+rep.Name+`"`)
	}
	for _, name := range rep.Vary {
		h.Add("Vary", name)
	}
	h.Add("Vary", "Accept-Encoding")
	body, encoding := rep.Body, ""
	if len(body) >= smallest && AcceptsGzip(r.Header.Values("Accept-Encoding")) {
		body, encoding = compress(body), "gzip"
		h.Set("Content-Encoding", encoding)
	}
	if rep.Status != 0 && rep.Status != http.StatusOK {
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(rep.Status)
		if r.Method != http.MethodHead {
			// The client may have gone away; no reader is left.
			_, _ = w.Write(body)
		}
		return
	}
	name := tag(rep)
	if encoding != "" {
		name += "-" + encoding
	}
	h.Set("ETag", `"`+name+`"`)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	f := &finished{modified: rep.Modified.Truncate(time.Second), body: body}
	if !rep.Modified.IsZero() {
		h.Set("Last-Modified", f.modified.UTC().Format(http.TimeFormat))
	}
	f.keep(w)
	f.send(w, r)
}

// tag names the content: the first 128 bits of a SHA-256 over everything that makes the representation what it is.
func tag(rep Representation) string {
	sum := sha256.New()
	sum.Write([]byte(rep.Type + "\n" + rep.Language + "\n"))
	sum.Write(rep.Body)
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// compress writes no name and no time into the gzip header, so equal content has equal bytes.
func compress(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	// Writing to memory does not fail.
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}
