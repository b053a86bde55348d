// Package ml writes SDMX-ML: of 2.1 structures, availability, and data in the generic and the structure-specific form; of 3.0 the same
// without the generic form, which it has no more.
//
// It promises XML that the schemas of its version accept, of which every byte follows from what is written: no clock and no chance is in it.
// A withheld observation is there with its statuses and without a value. It decides nothing: what stands in a message is chosen before.
// Writing to memory does not fail.
package ml

import (
	"bytes"
	"encoding/hex"
	"encoding/xml"
	"hash/fnv"
	"time"

	"retorno/consumers/dissemination/sdmx/structure"
)

// Media types (SDMX 2.1, section 7: RESTful web services, §4.3).
const (
	TypeStructure = "application/vnd.sdmx.structure+xml;version=2.1"
	TypeGeneric   = "application/vnd.sdmx.genericdata+xml;version=2.1"
	TypeSpecific  = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"

	TypeStructure30 = "application/vnd.sdmx.structure+xml;version=3.0.0" // SDMX 3.0
	TypeData30      = "application/vnd.sdmx.data+xml;version=3.0.0"
)

const (
	schemas30     = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0/"
	schemas       = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
	nsMessage     = schemas + "message"
	nsCommon      = schemas + "common"
	nsGeneric     = schemas + "data/generic"
	nsInstance    = "http://www.w3.org/2001/XMLSchema-instance"
	structureURN  = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=" + structure.Agency + ":" + structure.DataStructure + "(" + structure.Version + ")"
	nsOfStructure = structureURN + ":ObsLevelDim:"
)

// writer writes elements. Their names carry the prefixes of the message.
type writer struct {
	bytes.Buffer
	stack []string
}

// open begins an element with attributes: name, value, …; those with an empty value are left out.
func (w *writer) open(name string, attributes ...string) *writer {
	w.tag(name, attributes)
	w.WriteByte('>')
	w.stack = append(w.stack, name)
	return w
}

// empty writes an element without content.
func (w *writer) empty(name string, attributes ...string) {
	w.tag(name, attributes)
	w.WriteString("/>")
}

func (w *writer) tag(name string, attributes []string) {
	w.WriteString("<" + name)
	for i := 0; i < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			w.WriteString(" " + attributes[i] + `="`)
			w.escape(attributes[i+1])
			w.WriteByte('"')
		}
	}
}

// close ends the latest element.
func (w *writer) close() {
	last := len(w.stack) - 1
	w.WriteString("</" + w.stack[last] + ">")
	w.stack = w.stack[:last]
}

// text writes an element that holds text.
func (w *writer) text(name, text string, attributes ...string) {
	w.open(name, attributes...)
	w.escape(text)
	w.close()
}

func (w *writer) escape(text string) {
	_ = xml.EscapeText(&w.Buffer, []byte(text)) // a buffer takes all
}

// named writes a name or a description in both languages.
func (w *writer) named(element string, t structure.Text) {
	if t == (structure.Text{}) {
		return
	}
	w.text(element, t.ES, "xml:lang", "es")
	w.text(element, t.EN, "xml:lang", "en")
}

// begin writes the declaration.
func (w *writer) begin() { w.WriteString(xml.Header) }

// header writes the beginning of the header of a message. Its id names what the message is of; its time is that of the latest vintage.
func (w *writer) header(id string, prepared time.Time) {
	w.text("mes:ID", id)
	w.text("mes:Test", "false")
	w.text("mes:Prepared", moment(prepared))
	w.empty("mes:Sender", "id", structure.Agency)
}

// idOf makes an id of what makes a message what it is.
func idOf(parts ...string) string {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\n")) // a hash takes all
	}
	return structure.Agency + "-" + hex.EncodeToString(h.Sum(nil))
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
