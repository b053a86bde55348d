package formats

import (
	"slices"
	"strconv"

	"retorno/consumers/dissemination/vintages"
)

// dataset is a JSON-stat 2.0 dataset (https://json-stat.org/full/). Value and Status have a place for each combination of codes, the
// last column the fastest; both are null for a combination that the table does not have.
type dataset struct {
	Version   string               `json:"version"`
	Class     string               `json:"class"`
	Href      string               `json:"href"`
	Label     string               `json:"label"`
	Source    string               `json:"source"`
	Updated   string               `json:"updated"`
	Note      []string             `json:"note"`
	ID        []string             `json:"id"`
	Size      []int                `json:"size"`
	Role      map[string][]string  `json:"role"`
	Dimension map[string]dimension `json:"dimension"`
	Value     []*int64             `json:"value"`
	Status    []*string            `json:"status"`
	Extension extension            `json:"extension"`
}

type dimension struct {
	Label    string   `json:"label"`
	Category category `json:"category"`
}

// category has the codes of a dimension; Child has those right below a code.
type category struct {
	Index []string            `json:"index"`
	Label map[string]string   `json:"label"`
	Child map[string][]string `json:"child,omitempty"`
}

// extension is what JSON-stat has no member for.
type extension struct {
	about
	Unit string `json:"unit"`
	// Of has the vintages of the counts of a revision, in the places of Value, where that is an earlier one.
	Of map[string]string `json:"vintage_of,omitempty"`
}

func writeJSONStat(s Slice) ([]byte, error) {
	d := dataset{Version: "2.0", Class: "dataset", Href: address(s.From.Vintage, s.Table.ID, "jsonstat", s.Lang), Label: text(s.Table.Title).in(s.Lang), Source: source.in(s.Lang),
		Updated: moment(s.From.Published), Role: map[string][]string{"time": {timeColumn}}, ID: s.Table.Columns, Dimension: map[string]dimension{},
		Extension: extension{about: s.about(), Unit: measures[s.Table.Measure].in(s.Lang), Of: map[string]string{}}}
	words := map[string]string{}
	for status, t := range statuses {
		words[status] = t.in(s.Lang)
	}
	d.Extension.Statuses = map[string]any{"label": words} // as programs that show JSON-stat look for it
	for _, note := range s.notes() {
		d.Note = append(d.Note, note.in(s.Lang))
	}
	places := 1
	for i, name := range s.Table.Columns {
		if columns[name].geo {
			d.Role["geo"] = append(d.Role["geo"], name)
		}
		one := dimension{Label: columns[name].in(s.Lang), Category: s.category(i)}
		d.Dimension[name] = one
		d.Size = append(d.Size, len(one.Category.Index))
		places *= len(one.Category.Index)
	}
	d.Value, d.Status = make([]*int64, places), make([]*string, places)
	for _, r := range s.rows() {
		at := 0
		for i, code := range r.codes {
			index := d.Dimension[d.ID[i]].Category.Index
			place, _ := slices.BinarySearch(index, code)
			at = at*len(index) + place
		}
		d.Value[at], d.Status[at] = r.value, &r.status
		if r.vintage != s.From.Name() {
			d.Extension.Of[strconv.Itoa(at)] = r.vintage
		}
	}
	return indented(d)
}

// category is that of the i-th column: its codes sorted, with their labels and what is below them.
func (s Slice) category(i int) category {
	name := s.Table.Columns[i]
	c := category{Label: map[string]string{}, Child: map[string][]string{}}
	for _, cell := range s.Table.Cells {
		code := cell.Codes[i]
		if c.Label[code] == "" {
			c.Label[code] = s.From.Label(name, code, s.Lang)
			c.Index = append(c.Index, code)
		}
	}
	slices.Sort(c.Index)
	if !labelled(name) {
		return c
	}
	for _, code := range c.Index {
		parent := s.From.Hierarchies[name].Parent(code)
		for parent != "" && c.Label[parent] == "" { // a table may lack a code in between
			parent = s.From.Hierarchies[name].Parent(parent)
		}
		if parent != "" {
			c.Child[parent] = append(c.Child[parent], code)
		}
	}
	return c
}

// collection is the index of a vintage's tables (JSON-stat 2.0, class collection).
type collection struct {
	Version string                 `json:"version"`
	Class   string                 `json:"class"`
	Href    string                 `json:"href"`
	Label   string                 `json:"label"`
	Updated string                 `json:"updated"`
	Link    map[string][]reference `json:"link"`
}

type reference struct {
	Class string `json:"class,omitempty"`
	Type  string `json:"type,omitempty"`
	Href  string `json:"href"`
	Label string `json:"label,omitempty"`
}

func writeCollection(o *vintages.Opened, lang string) ([]byte, error) {
	c := collection{Version: "2.0", Class: "collection", Href: folder(o.Vintage) + "?lang=" + lang, Label: text{"Tablas de la edición " + o.Name(), "Tables of vintage " + o.Name()}.in(lang),
		Updated: moment(o.Published), Link: map[string][]reference{"item": {}, "via": {{Type: "application/json", Href: vintages.Address(o.Period, o.Number)}}}}
	for _, t := range o.Tables {
		c.Link["item"] = append(c.Link["item"], reference{Class: "dataset", Type: "application/json", Href: address(o.Vintage, t.ID, "jsonstat", lang), Label: text(t.Title).in(lang)})
	}
	return indented(c)
}
