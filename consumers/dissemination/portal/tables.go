package portal

import (
	"slices"
	"strings"

	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
)

// tablesView is what the template of the list of tables is given.
type tablesView struct {
	Frame
	Groups  []tableGroup
	Missing []missing
}

// tableGroup has the tables that count one thing.
type tableGroup struct {
	Name   string
	Tables []tableLine
}

type tableLine struct {
	ID, Name, Address string
	Periods           string // half-years that have it
}

// missing are tables that a vintage does not have, with why.
type missing struct {
	Vintage, Why, Tables string
}

// viewTables lists the tables of the newest vintages, the latest half-year first; flows are all that can be published.
func viewTables(opened []*vintages.Opened, flows []structure.Flow, lang string) tablesView {
	v := tablesView{Frame: frame(lang, explorePath, "")}
	v.Title = both{"Tablas publicadas", "Published tables"}.in(lang)
	at := map[string]int{}
	for _, o := range opened {
		for _, t := range o.Tables {
			name := measureName(t.Measure).in(lang)
			i, ok := at[name]
			if !ok {
				i = len(v.Groups)
				at[name], v.Groups = i, append(v.Groups, tableGroup{Name: name})
			}
			g := &v.Groups[i]
			j := slices.IndexFunc(g.Tables, func(l tableLine) bool { return l.ID == t.ID })
			if j < 0 {
				j = len(g.Tables)
				g.Tables = append(g.Tables, tableLine{ID: t.ID, Name: wording.In(lang, t.Title.ES, t.Title.EN), Address: question{table: t.ID}.address(lang)})
			}
			g.Tables[j].Periods = strings.TrimPrefix(g.Tables[j].Periods+", "+o.Period, ", ")
		}
		v.Missing = append(v.Missing, notPublished(o, flows, lang)...)
	}
	for _, g := range v.Groups {
		slices.SortStableFunc(g.Tables, func(a, b tableLine) int { return compareCodes(a.ID[1:], b.ID[1:]) })
	}
	return v
}

// notPublished says which tables a vintage does not have of those that there are, and why.
func notPublished(o *vintages.Opened, flows []structure.Flow, lang string) (all []missing) {
	why := both{"no había nada que contar en ellas", "there was nothing to count in them"}
	if o.Manifest.Rounded > 1 {
		why = both{"la edición es provisional: hasta la definitiva solo se dan tablas gruesas y redondeadas", "the vintage is provisional: until the final one only coarse, rounded tables are given"}
	}
	var absent, unsafe []string
	for _, f := range flows {
		switch has := slices.ContainsFunc(o.Tables, func(has vintages.Table) bool { return structure.ID(has.ID) == f.ID }); {
		case slices.Contains(o.Manifest.LeftOut, f.ID):
			unsafe = append(unsafe, f.ID)
		case !has:
			absent = append(absent, f.ID)
		}
	}
	if len(absent) > 0 {
		all = append(all, missing{o.Name(), why.in(lang), strings.Join(absent, ", ")})
	}
	if len(unsafe) > 0 {
		all = append(all, missing{o.Name(), both{"con ellas se podrían calcular conteos de muy pocas personas", "counts of very few persons could be computed with them"}.in(lang), strings.Join(unsafe, ", ")})
	}
	return all
}
