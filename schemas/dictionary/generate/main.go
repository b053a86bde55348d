// Command generate writes what follows from attributes.csv: the bodies of records in schemas/events/events.proto, the
// constants of coded.go, the tables of METHOD.md and docs/data-dictionary.md. Run it in schemas/dictionary with `go generate`; on failure it says why. The Go code of events.proto is generated from it by `make generate`.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"strings"

	"retorno/schemas/dictionary"
)

const (
	codedFile = "coded.go"
	protoFile = "../events/events.proto"
	// begin is the line of events.proto after which everything is generated.
	begin = "// The bodies of records, as schemas/dictionary/attributes.csv has them: run `make generate`.\n"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	constants, err := coded()
	if err != nil {
		return err
	}
	proto, err := os.ReadFile(protoFile)
	if err != nil {
		return err
	}
	head, _, found := bytes.Cut(proto, []byte(begin))
	if !found {
		return fmt.Errorf("%s lacks the line %q", protoFile, strings.TrimSpace(begin))
	}
	if err := os.WriteFile(codedFile, constants, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(protoFile, append(head, begin+bodies()...), 0o644); err != nil {
		return err
	}
	text, err := os.ReadFile(methodFile)
	if err != nil {
		return err
	}
	told, err := method(string(text))
	if err != nil {
		return err
	}
	if err := os.WriteFile(methodFile, []byte(told), 0o644); err != nil {
		return err
	}
	return os.WriteFile(pageFile, []byte(page()), 0o644)
}

// coded is the source of coded.go.
func coded() ([]byte, error) {
	ordered, ranks := dictionary.Ordered(), map[string]int{}
	for _, a := range ordered {
		switch {
		case a.OfReturn() && a.InCube("returns"):
			ranks["dimensions"]++
			fallthrough
		case a.OfReturn():
			ranks["returns"]++
			fallthrough
		case a.Method == dictionary.OfFact:
			ranks["facts"]++
		}
	}
	var b bytes.Buffer
	b.WriteString(`// Code generated from attributes.csv by go generate. DO NOT EDIT.

package dictionary

// Coded is the place of an attribute of type Code in arrays of codes.
type Coded uint8

// The attributes of type Code. Each array of codes is a beginning of this order.
const (
`)
	for i, a := range ordered {
		fmt.Fprintf(&b, "\t%s", name(a.Name))
		if i == 0 {
			b.WriteString(" Coded = iota")
		}
		fmt.Fprintf(&b, " // %s\n", a.LabelEN)
	}
	fmt.Fprintf(&b, `)

const (
	// ReturnDimensions is how many of them are dimensions of the counts of returns.
	ReturnDimensions = %d
	// ReturnCodes is how many a return has: those, and others after them.
	ReturnCodes = %d
	// FactCodes is how many the method needs of a fact: those, and others after them.
	FactCodes = %d
	// AllCodes is how many there are.
	AllCodes = %d
	// PackedCodes is how many bytes the codes of a fact take in memory at most: see Layout.
	PackedCodes = %d
)
`, ranks["dimensions"], ranks["returns"], ranks["facts"], len(ordered), packed())
	return format.Source(b.Bytes())
}

// packed is the most bytes that the codes of one kind of record take.
func packed() int {
	most := 0
	for _, k := range dictionary.Kinds() {
		_, bytes := dictionary.Layout(k)
		most = max(most, bytes)
	}
	return most
}

// name is an attribute's name in Go.
func name(text string) string {
	var b strings.Builder
	for _, word := range strings.Split(text, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// types are the types on the wire.
var types = map[dictionary.Type]string{
	dictionary.Code: "string", dictionary.Codes: "repeated string", dictionary.Age: "optional uint32", dictionary.Flag: "bool",
	dictionary.Time: "int64", dictionary.ID: "string",
}

// about says what each kind of record is.
var about = map[dictionary.Kind]string{
	dictionary.Crossing:     "Crossing is one person passing one border point, seen by a checkpoint. event_time_ms is the time at the post.\n// country, mode and return_type are stated only of a return.",
	dictionary.Registration: "Registration is one returned person received and interviewed at a centre. event_time_ms is the time of registration.",
	dictionary.Assistance:   "Assistance is one help given to one registered person. event_time_ms is when it was given.",
}

// bodies are the messages of the kinds of records.
func bodies() string {
	var b strings.Builder
	for _, k := range dictionary.Kinds() {
		fmt.Fprintf(&b, "\n// %s\nmessage %s {\n", about[k], name(k.String()))
		for _, a := range dictionary.Of(k) {
			fmt.Fprintf(&b, "  // %s.%s\n", a.DescriptionEN, listOf(a))
			fmt.Fprintf(&b, "  %s %s = %d;\n", types[a.Type], a.Field, a.Numbers[k])
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func listOf(a *dictionary.Attribute) string {
	if a.List == "" {
		return ""
	}
	return " List " + a.List + "."
}
