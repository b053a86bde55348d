package formats

import (
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/vintages"
)

// Files are the tables of a vintage for its bundle, in every format but the CSV that it has by itself, in both languages:
// formats/es/T1.jsonstat.json.
func Files(o *vintages.Opened) (all []bundle.File, err error) {
	for _, lang := range []string{"es", "en"} {
		for _, t := range o.Tables {
			for _, f := range formats {
				if f.ID == "csv" {
					continue
				}
				body, err := f.Write(Slice{From: o, Table: t.Table, Lang: lang})
				if err != nil {
					return nil, err
				}
				all = append(all, bundle.File{Path: bundle.FormatsPath + lang + "/" + t.ID + "." + f.Suffix, Body: body})
			}
		}
	}
	return all, nil
}
