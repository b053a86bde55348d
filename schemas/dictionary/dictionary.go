// Package dictionary is the data structure definition: one row for each attribute that a record can state, in
// attributes.csv. What reads, checks, packs, stores, imports and describes attributes asks it, so that an attribute is
// added in one place. The messages of schemas/events/events.proto and the constants of coded.go are generated from it.
//
// The verifier and the method's text stay written by hand: they are there to disagree.
package dictionary

//go:generate go run ./generate

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"retorno/schemas/codelists"
)

// Kind says what a record is about.
type Kind uint8

// The kinds of records, numbered as the fields of events.Record are, from 10 on.
const (
	Crossing Kind = 1 + iota
	Registration
	Assistance
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Crossing, Registration, Assistance} }

// String is the kind as events.proto and the store spell it.
func (k Kind) String() string {
	if k < Crossing || k > Assistance {
		return "unknown"
	}
	return [...]string{"crossing", "registration", "assistance"}[k-1]
}

// Type is what an attribute's values are.
type Type string

// The types of attributes.
const (
	Code  Type = "code"  // one code of a list
	Codes Type = "codes" // several codes of a list, none twice
	Age   Type = "age"   // completed years, 0 to 120
	Flag  Type = "flag"  // true or false
	Time  Type = "time"  // milliseconds since 1970-01-01 UTC; 0 when not stated
	ID    Type = "id"    // the id of another record, or empty
)

// Method is how the method chooses an attribute of a return among the facts of that return.
type Method string

// The ways to choose; see METHOD.md, "Attributes".
const (
	Unused             Method = ""                    // the attribute is stored only
	OfFact             Method = "fact"                // the method needs it of a fact; a return does not have it
	RegistrationsFirst Method = "registrations_first" // the earliest registration that states it, else the earliest return crossing
	RegistrationsOnly  Method = "registrations_only"  // the earliest registration that states it
	PostsFirst         Method = "posts_first"         // the earliest return crossing that states it, else the earliest registration
)

// Import is how the importer reads a column of the attribute.
type Import string

// The ways to import.
const (
	ImportCode Import = "code" // a code, a label or a synonym of the list; other text is a fault
	ImportText Import = "text" // the same; other text is counted and not stated
	ImportOwn  Import = "own"  // a rule of the importer's own
)

// Attribute is one thing that records of some kinds can state.
type Attribute struct {
	// Name is the attribute's name in the store and everywhere else.
	Name string
	// Field is its name in events.proto.
	Field string
	Type  Type
	// List is the name of its code list, and Codes the list; empty and nil when its values are no codes.
	List  string
	Codes *codelists.List
	// Numbers are the numbers of its field on the wire by kind of record; kinds that cannot state it are absent.
	Numbers map[Kind]int
	// Required are the kinds that must state it.
	Required []Kind
	Method   Method
	// Post is the attribute of a crossing that gives it; empty: the one of the same name.
	Post string
	// Cubes are the counts of which it is a dimension: returns, assistance, crossings.
	Cubes  []string
	Import Import
	// Headings are names of columns, in any spelling that folds to the same: see Heading.
	Headings []Heading
	// Concept is the SDMX concept: one of the cross-domain concepts where there is one (SEX, AGE, EDUCATION_LEV, OCCUPATION).
	Concept string
	// Sensitivity says what disclosure control must know: none, indirect (it helps to recognise a person), sensitive (it
	// tells about a person what they may not want told) or identifier.
	Sensitivity string
	// Labels and descriptions in Spanish and English.
	LabelES, LabelEN, DescriptionES, DescriptionEN string
	// Coded is the place of an attribute of type Code among those of its type.
	Coded Coded
}

// Heading is the name of a column of a file that states an attribute.
type Heading struct {
	// Files are the files in which it does: "checkpoint", "centre" or "both".
	Files string
	Text  string
}

// Has reports whether records of a kind can state the attribute.
func (a *Attribute) Has(k Kind) bool { return a.Numbers[k] != 0 }

// OfReturn reports whether a return has the attribute.
func (a *Attribute) OfReturn() bool {
	return a.Method == RegistrationsFirst || a.Method == RegistrationsOnly || a.Method == PostsFirst
}

// InCube reports whether the attribute is a dimension of a cube: returns, assistance or crossings.
func (a *Attribute) InCube(cube string) bool { return slices.Contains(a.Cubes, cube) }

//go:embed attributes.csv
var table []byte

var attributes = func() []*Attribute {
	all, err := Parse(table)
	if err != nil {
		panic("dictionary: " + err.Error())
	}
	return all
}()

// Attributes are all attributes in the order of the table. They are shared.
func Attributes() []*Attribute { return attributes }

// Coded attributes by their place.
var coded = func() []*Attribute {
	var all []*Attribute
	for _, a := range attributes {
		if a.Type == Code {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *Attribute) int { return int(a.Coded) - int(b.Coded) })
	return all
}()

// Ordered are the attributes of type Code in the order of their places.
func Ordered() []*Attribute { return coded }

// Current reports whether the generated constants are those of the table.
func Current() bool { return len(coded) == AllCodes }

// Attribute is the attribute with that place.
func (c Coded) Attribute() *Attribute { return coded[c] }

// Get is the attribute of a name; nil when there is none.
func Get(name string) *Attribute {
	i := slices.IndexFunc(attributes, func(a *Attribute) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return attributes[i]
}

// Of are the attributes that records of a kind can state, in the order of their numbers on the wire.
func Of(k Kind) []*Attribute {
	var all []*Attribute
	for _, a := range attributes {
		if a.Has(k) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *Attribute) int { return a.Numbers[k] - b.Numbers[k] })
	return all
}

// What follows from attributes, so that no record states it.
var (
	route = derived(codelists.Route, Attribute{LabelES: "Ruta", LabelEN: "Route",
		DescriptionES: "Ruta: país de retorno y vía", DescriptionEN: "Route: country of return and mode"})
	ageGroup = derived(codelists.AgeGroup, Attribute{LabelES: "Grupo de edad", LabelEN: "Age group",
		DescriptionES: "Grupo de edad", DescriptionEN: "Age group"})
)

// derived completes an attribute that is named as its code list.
func derived(list string, a Attribute) *Attribute {
	a.Name, a.Type, a.List = list, Code, list
	a.Codes, _ = codelists.Get(list)
	return &a
}

// Returned are the attributes of a return in the order of the columns of ceniss.returns, those that follow from others
// beside them.
func Returned() []*Attribute { return withDerived((*Attribute).OfReturn) }

// Counted are the dimensions of the counts of returns, likewise.
func Counted() []*Attribute {
	return withDerived(func(a *Attribute) bool { return a.InCube("returns") })
}

func withDerived(has func(*Attribute) bool) []*Attribute {
	all := []*Attribute{route}
	for _, a := range attributes {
		if has(a) {
			all = append(all, a)
		}
		if a.Type == Age {
			all = append(all, ageGroup)
		}
	}
	return all
}

// Parse reads a table of attributes. An error names the line and what is wrong with it.
func Parse(table []byte) ([]*Attribute, error) {
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("attributes.csv: %w", err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("attributes.csv is empty")
	}
	var all []*Attribute
	for i, row := range rows[1:] {
		cells := map[string]string{}
		for j, name := range rows[0] {
			cells[name] = row[j]
		}
		a, err := attribute(cells)
		if err != nil {
			return nil, fmt.Errorf("attributes.csv line %d: %s: %w", i+2, row[0], err)
		}
		all = append(all, a)
	}
	number(all)
	return all, check(all)
}

// attribute reads a row.
func attribute(cells map[string]string) (*Attribute, error) {
	a := &Attribute{
		Name: cells["name"], Field: cells["field"], Type: Type(cells["type"]), List: cells["list"], Numbers: map[Kind]int{},
		Method: Method(cells["method"]), Post: cells["post"], Cubes: strings.Fields(cells["cubes"]), Import: Import(cells["import"]),
		Concept: cells["concept"], Sensitivity: cells["sensitivity"],
		LabelES: cells["label_es"], LabelEN: cells["label_en"], DescriptionES: cells["description_es"], DescriptionEN: cells["description_en"],
	}
	if a.Field == "" {
		a.Field = a.Name
	}
	a.Codes, _ = codelists.Get(a.List)
	files := "centre"
	for _, k := range Kinds() {
		if text := cells[k.String()]; text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%q is no number of a field", text)
			}
			a.Numbers[k] = n
		}
		if slices.Contains(strings.Fields(cells["required"]), k.String()) {
			a.Required = append(a.Required, k)
		}
	}
	switch {
	case a.Has(Crossing) && a.Has(Registration):
		files = "both"
	case a.Has(Crossing):
		files = "checkpoint"
	}
	for _, text := range strings.Split(cells["headings"], ";") {
		if of, bare, ok := strings.Cut(text, ":"); ok {
			a.Headings = append(a.Headings, Heading{of, bare})
		} else if text != "" {
			a.Headings = append(a.Headings, Heading{files, text})
		}
	}
	return a, nil
}

// rank orders coded attributes: dimensions of returns, other attributes of returns, what else the method needs of a fact,
// and what is stored only. Each array of codes is a beginning of that order.
func (a *Attribute) rank() int {
	switch {
	case a.OfReturn() && a.InCube("returns"):
		return 0
	case a.OfReturn():
		return 1
	case a.Method == OfFact:
		return 2
	}
	return 3
}

// number gives the coded attributes their places.
func number(all []*Attribute) {
	var ofType []*Attribute
	for _, a := range all {
		if a.Type == Code {
			ofType = append(ofType, a)
		}
	}
	slices.SortStableFunc(ofType, func(a, b *Attribute) int { return a.rank() - b.rank() })
	for i, a := range ofType {
		a.Coded = Coded(i)
	}
}

// check refuses rows that contradict themselves or each other.
func check(all []*Attribute) error {
	names, numbers, types := map[string]*Attribute{}, map[string]string{}, map[Type]string{}
	for _, a := range all {
		if a.Name == "" || names[a.Name] != nil {
			return fmt.Errorf("attributes.csv: %q stands twice or has no name", a.Name)
		}
		names[a.Name] = a
		if err := a.check(); err != nil {
			return fmt.Errorf("attributes.csv: %s %w", a.Name, err)
		}
		if other := types[a.Type]; other != "" && a.Type != Code {
			return fmt.Errorf("attributes.csv: %s and %s are both of type %s: a second one needs a place of its own in events.Fields and in the store", other, a.Name, a.Type)
		}
		types[a.Type] = a.Name
		for k, n := range a.Numbers {
			field := fmt.Sprintf("%s %d", k, n)
			if other := numbers[field]; other != "" {
				return fmt.Errorf("attributes.csv: field %s is both %s and %s", field, other, a.Name)
			}
			numbers[field] = a.Name
		}
	}
	for _, a := range all {
		if post := names[a.Post]; a.Post != "" && (post == nil || !post.Has(Crossing) || post.List != a.List) {
			return fmt.Errorf("attributes.csv: %s is given by %q, which is no attribute of crossings in its code list", a.Name, a.Post)
		}
	}
	return nil
}

// check refuses what a row says by itself; the error goes on after the attribute's name.
func (a *Attribute) check() error {
	isCoded := a.Type == Code || a.Type == Codes
	switch {
	case !slices.Contains([]Type{Code, Codes, Age, Flag, Time, ID}, a.Type):
		return fmt.Errorf("is of the unknown type %q", a.Type)
	case isCoded && a.Codes == nil:
		return fmt.Errorf("has the unknown code list %q", a.List)
	case !isCoded && a.List != "":
		return fmt.Errorf("is of type %s and has the code list %q", a.Type, a.List)
	case a.Type != Code && (a.Import != ImportOwn || len(a.Required) > 0):
		return fmt.Errorf("is of type %s: only type code may be required, or imported without a rule of its own", a.Type)
	case !slices.Contains([]Method{Unused, OfFact, RegistrationsFirst, RegistrationsOnly, PostsFirst}, a.Method):
		return fmt.Errorf("is chosen in the unknown way %q", a.Method)
	case !slices.Contains([]Import{ImportCode, ImportText, ImportOwn}, a.Import):
		return fmt.Errorf("is imported in the unknown way %q", a.Import)
	case !slices.Contains([]string{"none", "indirect", "sensitive", "identifier"}, a.Sensitivity):
		return fmt.Errorf("has the unknown sensitivity %q", a.Sensitivity)
	case a.LabelES == "" || a.LabelEN == "" || a.DescriptionES == "" || a.DescriptionEN == "" || a.Concept == "" || len(a.Numbers) == 0:
		return errors.New("lacks a label, a description, a concept or a number on the wire")
	}
	return nil
}
