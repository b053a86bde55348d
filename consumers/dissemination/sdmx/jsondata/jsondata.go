// Package jsondata writes SDMX-JSON 2.0: structures, availability, and data.
//
// It promises JSON that the schemas of SDMX-JSON 2.0 accept, of which every byte follows from what is written and the language. A withheld
// observation is there with its statuses and the value "NaN", which is missing on purpose. It decides nothing about what is in an answer.
// Writing to memory does not fail.
package jsondata

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"retorno/consumers/dissemination/sdmx/structure"
)

// Media types (SDMX-JSON 2.0.0).
const (
	TypeStructure = "application/vnd.sdmx.structure+json;version=2.0.0"
	TypeData      = "application/vnd.sdmx.data+json;version=2.0.0"
)

// object is a JSON object; its members are written by name.
type object map[string]any

// meta is the meta object of a message. Its time is that of the latest vintage.
func meta(schema string, id, lang string, prepared time.Time) object {
	return object{"schema": schema, "id": id, "test": false, "prepared": moment(prepared), "contentLanguages": []string{lang, map[string]string{"es": "en", "en": "es"}[lang]},
		"sender": object{"id": structure.Agency}}
}

// named adds a name in both languages.
func (o object) named(t structure.Text, lang string) object {
	o["name"], o["names"] = t.In(lang), object{"es": t.ES, "en": t.EN}
	return o
}

func (o object) described(t structure.Text, lang string) object {
	if t != (structure.Text{}) {
		o["description"], o["descriptions"] = t.In(lang), object{"es": t.ES, "en": t.EN}
	}
	return o
}

// ordered is an object of which the members stand in an order.
type ordered []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members.
func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(strconv.AppendQuote(b, m.name), ':'), value...) // names are ids and numbers
	}
	return append(b, '}'), nil
}

// write writes a message. Programs look for the schema at its beginning.
func write(meta, data object) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(ordered{{"meta", meta}, {"data", data}}); err != nil { // texts, numbers and lists of them always marshal
		panic(err)
	}
	return b.Bytes()
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func flowURN(id string) string { return structure.URN("datastructure.Dataflow", id) }

var structureURN = structure.URN("datastructure.DataStructure", structure.DataStructure)
