package store

import (
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store/column"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// attributeWords are the code lists of the attributes, by place in the dictionary.
var attributeWords = func() (all [dictionary.AllCodes]*column.Words) {
	for i := range all {
		all[i] = column.WordsIn(dictionary.Coded(i).Attribute().Codes)
	}
	return all
}()

// The code lists of other columns.
var (
	reasonWords = column.WordsOf(codelists.Reason)
	ageGroups   = column.WordsOf(codelists.AgeGroup)
	routes      = column.WordsOf(codelists.Route)
	kinds       = column.NewWords("kind", reconcile.Crossing.String(), reconcile.Registration.String(), reconcile.Assistance.String())
)

// attributeOf is a column of an attribute, by its name.
func attributeOf(b *block, c dictionary.Coded) *column.Codes {
	return col(b, c.Attribute().Name, column.NewCodes(attributeWords[c]))
}

// routeOf is the index of a route, by country and mode.
var routeOf = func() [][]reconcile.Code {
	countries, modes := dictionary.Country.Attribute().Codes, dictionary.Mode.Attribute().Codes
	list, _ := codelists.Get(codelists.Route)
	all := make([][]reconcile.Code, countries.Len())
	for c := range all {
		all[c] = make([]reconcile.Code, modes.Len())
		for m := range all[c] {
			all[c][m], _ = list.Index(codelists.RouteOf(countries.At(uint16(c)), modes.At(uint16(m))))
		}
	}
	return all
}()
