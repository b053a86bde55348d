package identity

import (
	"regexp"

	"retorno/schemas/codelists"
)

// A DNI (documento nacional de identificación) has 13 digits: municipality of registration (INE, four digits), year,
// serial. What these say is a hint about a typing mistake. It is never identity, and never a reason to drop a record.

// Warning is something odd about a document that may still be right.
type Warning string

// Warnings about a DNI.
const (
	WarnMunicipality Warning = "dni_municipality" // the first four digits are no municipality
	WarnYear         Warning = "dni_year"         // registered before the stated birth
)

// Warnings names what is odd about a Honduran national id: a prefix that is no municipality, a year of registration
// before the birth. birthYear 0 is not stated. Other documents, and numbers that are no documents, have none.
func Warnings(d Document, birthYear int) []Warning {
	n, err := Normalise(d)
	if err != nil || n.Number == "" || !isHonduranID(n) {
		return nil
	}
	var out []Warning
	if _, ok := municipality(n); !ok {
		out = append(out, WarnMunicipality)
	}
	if birthYear > 0 && atoi(n.Number[4:8]) < birthYear {
		out = append(out, WarnYear)
	}
	return out
}

// MunicipalityOf returns the municipality in which a Honduran national id was registered; false when the prefix is no
// municipality or the document is no Honduran id.
func MunicipalityOf(d Document) (string, bool) {
	n, err := Normalise(d)
	if err != nil || n.Number == "" || !isHonduranID(n) {
		return "", false
	}
	return municipality(n)
}

// municipality returns that of a normalised Honduran id.
func municipality(n Document) (string, bool) {
	municipalities, _ := codelists.Get(codelists.Municipality)
	code := n.Number[:4]
	return code, municipalities.Has(code)
}

// RestoreZero puts back the leading zero that spreadsheets eat: a number of 12 digits that becomes a DNI with a real
// municipality and a possible year when a zero is put before it. Anything else comes back as it was, with false.
func RestoreZero(number string) (string, bool) {
	digits := numberOf(number)
	if len(digits) != dniDigits-1 || !allDigits(digits) {
		return number, false
	}
	restored := "0" + digits
	if _, ok := MunicipalityOf(Document{Number: restored}); !ok {
		return number, false
	}
	return restored, true
}

// LikeDNI reports whether a number without a type is a Honduran national id: one with a real municipality; and of a Honduran, or where
// no country is stated, also one that has a possible year where a DNI has it, or that becomes a DNI with a zero before it, or that is
// written as one, whatever it says.
func LikeDNI(number, country string) bool {
	if _, ok := MunicipalityOf(Document{Number: number}); ok {
		return true
	}
	if country != "" && country != "HN" {
		return false
	}
	if _, ok := RestoreZero(number); ok {
		return true
	}
	if n, err := Normalise(Document{Number: number}); err == nil && n.Number != "" {
		return true
	}
	digits := numberOf(number)
	municipalities, _ := codelists.Get(codelists.Municipality)
	return dniForm.MatchString(bare(number)) || len(digits) == dniDigits && allDigits(digits) && municipalities.Has(digits[:4])
}

// passportForm is how the number of a Honduran passport is written; passportLabel the name of any before its number.
var (
	passportForm  = regexp.MustCompile(`^[A-Z]\d{6}$`)
	passportLabel = regexp.MustCompile(`(?i)^\s*(?:PASAPORTE|PASSPORT)\b`)
)

// LikePassport reports whether a number without a type is that of a passport: one that is called so, or, of a Honduran or where no
// country is stated, a letter and six figures, as Honduran passports have and no other document of Honduras. Without this the
// holder would be one person under "Documento" and another under "Pasaporte".
func LikePassport(number, country string) bool {
	if plain(number) {
		return false
	}
	return passportLabel.MatchString(number) || (country == "" || country == "HN") && passportForm.MatchString(numberOf(number))
}
