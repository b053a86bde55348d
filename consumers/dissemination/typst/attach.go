package typst

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode/utf16"
)

// Attachment is a file within a document. PDF/A-2 lets in documents only that are PDF/A themselves (ISO 19005-2, 6.8).
type Attachment struct {
	Name        string // ASCII
	Description string
	Body        []byte // a PDF/A document
	Made        time.Time
}

// What Typst writes at the end of a document: a table of references, and which object is the catalogue.
var (
	trailer = regexp.MustCompile(`(?s)trailer\s*<<(/Size (\d+)/Root (\d+) 0 R.*?)>>\s*startxref\s*(\d+)\s*%%EOF\s*$`)
	asName  = regexp.MustCompile(`^[a-z0-9.-]+$`)
)

var errForm = errors.New("a document is not written as Typst 0.14 and 0.15 write it, so nothing can be attached to it")

// Attach adds a file to a document that PDF made, as an incremental update (ISO 32000-1, 7.5.6), which leaves the bytes before it as they
// are: Typst attaches nothing to PDF/A-2.
func Attach(document []byte, a Attachment) ([]byte, error) {
	end := trailer.FindSubmatch(document)
	if end == nil || !asName.MatchString(a.Name) {
		return nil, errForm
	}
	size, _ := strconv.Atoi(string(end[2])) // digits, by the expression
	root := string(end[3])
	begin := []byte("\n" + root + " 0 obj\n<<")
	at := bytes.LastIndex(document, begin)
	if at < 0 {
		return nil, errForm
	}
	catalogue, _, _ := bytes.Cut(document[at+len(begin):], []byte("\nendobj"))
	catalogue, ok := bytes.CutSuffix(bytes.TrimSpace(catalogue), []byte(">>"))
	if !ok || bytes.Contains(catalogue, []byte("/Names")) {
		return nil, errForm
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed) // writes into memory, which does not fail
	_, _ = z.Write(a.Body)
	_ = z.Close()
	out := bytes.NewBuffer(bytes.Clone(document))
	places := make([]int, 0, 3)
	object := func(number, body string) {
		places = append(places, out.Len())
		fmt.Fprintf(out, "%s 0 obj\n%s\nendobj\n", number, body)
	}
	if !bytes.HasSuffix(document, []byte("\n")) {
		out.WriteByte('\n')
	}
	object(root, fmt.Sprintf("<<%s/Names<</EmbeddedFiles<</Names[(%s) %d 0 R]>>>>>>", catalogue, a.Name, size))
	object(strconv.Itoa(size), fmt.Sprintf("<</Type/Filespec/F(%s)/UF(%s)/Desc<%X>/AFRelationship/Data/EF<</F %d 0 R/UF %d 0 R>>>>", a.Name, a.Name, words(a.Description), size+1, size+1))
	object(strconv.Itoa(size+1), fmt.Sprintf("<</Type/EmbeddedFile/Subtype/application#2Fpdf/Filter/FlateDecode/Length %d/Params<</Size %d/ModDate(D:%s)>>>>\nstream\n%s\nendstream",
		packed.Len(), len(a.Body), a.Made.UTC().Format("20060102150405Z"), packed.Bytes()))
	table := out.Len()
	fmt.Fprintf(out, "xref\n%s 1\n%010d 00000 n \n%d 2\n%010d 00000 n \n%010d 00000 n \n", root, places[0], size, places[1], places[2])
	fmt.Fprintf(out, "trailer\n<<%s/Prev %s>>\nstartxref\n%d\n%%%%EOF\n", bytes.Replace(end[1], []byte("/Size "+string(end[2])), []byte("/Size "+strconv.Itoa(size+2)), 1), end[4], table)
	return out.Bytes(), nil
}

// words is a text as PDF writes it: UTF-16 with its mark in front.
func words(text string) []byte {
	out := []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return out
}
