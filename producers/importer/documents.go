package importer

import (
	"retorno/producers/identity"
	"retorno/schemas/codelists"
)

// personKey turns whichever document the row has into the person key. A number that is no document leaves the record
// without one: it counts, and is never linked.
func (c *conversion) personKey(nationality string) string {
	if c.cfg.WithoutDocuments {
		return ""
	}
	unreadable := false
	for _, d := range c.documents(nationality) {
		d, restored := c.national(d)
		key, err := c.cfg.Secret.Key(d)
		if err != nil || key == "" {
			unreadable = true
			continue
		}
		if unreadable {
			c.warn("", "document_next")
		}
		if restored {
			c.warn("", "document_zero_restored")
		}
		for _, w := range identity.Warnings(d, 0) {
			c.warn("", string(w))
		}
		return key
	}
	if unreadable {
		c.warn("", "document_unreadable")
	}
	return ""
}

// documents are those of the row, of which the first that can be one counts: the national id, the numbered document with its
// type, the passport.
func (c *conversion) documents(nationality string) (out []identity.Document) {
	dni, number, passport := c.text("dni"), c.text("document_number"), c.text("passport")
	if dni+number+passport == "" {
		return nil
	}
	country := c.coded("document_country", codelists.Country)
	if country == "" {
		country = nationality
	}
	if dni != "" {
		out = append(out, identity.Document{Country: country, Type: identity.NationalID, Number: dni})
	}
	if number != "" {
		d := identity.Document{Country: country, Type: identity.NationalID, Number: number}
		if t, ok := identity.TypeOf(c.text("document_type")); ok {
			d.Type = t
		} else if !identity.LikeDNI(number, country) {
			d.Type = identity.Other
			if identity.LikePassport(number, country) {
				d.Type = identity.Passport
			}
		}
		out = append(out, d)
	}
	if passport != "" {
		out = append(out, identity.Document{Country: country, Type: identity.Passport, Number: passport})
	}
	return out
}

// national knows a national id among other documents, and restores its zero and its country.
func (c *conversion) national(d identity.Document) (_ identity.Document, restored bool) {
	// No other document has a number like a DNI: it stands in a column of passports, or of documents of any sort.
	if (d.Country == "" || d.Country == "HN" || c.text("document_country") == "") && identity.LikeDNI(d.Number, d.Country) {
		d.Type = identity.NationalID
	}
	if d.Type != identity.NationalID {
		return d, false
	}
	if number, ok := identity.RestoreZero(d.Number); ok && (d.Country == "" || d.Country == "HN") {
		d.Number, restored = number, true
	}
	// Children of Hondurans born abroad carry a Honduran number beside another nationality.
	if _, honduran := identity.MunicipalityOf(identity.Document{Number: d.Number}); honduran && c.text("document_country") == "" {
		d.Country = "HN"
	}
	return d, restored
}
