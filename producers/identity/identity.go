// Package identity turns the document of a person into the person key: the pseudonym under which facts about one
// person meet, made where the document is read and nowhere else.
//
// It promises: the key is the first 16 bytes of HMAC-SHA-256, under a secret that only the agents hold, of the
// normalised document (issuing country, type, number), as 32 lower-case hexadecimal digits; two ways to write one
// document give one key. It never stores, logs or prints a document or a secret: errors name the fault, not the number.
// On failure: without a document there is no key (""), so that the record can never be linked; a number that is no
// document (too short, made of one digit, a DNI without its 13 digits) is an error and has no key either, because a
// wrong key would join strangers.
package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"retorno/schemas/codelists"
)

// Types of documents.
const (
	// NationalID is the identity number of a country. Honduras gives one number at birth, which stands on the birth
	// certificate, the old identity card and the DNI alike, so all three are this type.
	NationalID = "national_id"
	// Passport is a passport or a passport card.
	Passport = "passport"
	// TravelDocument is a consular safe-conduct or another single-journey paper.
	TravelDocument = "travel_document"
	// Other is any further numbered document.
	Other = "other"
	// Folio is the slip that a post gives a person without a document: see ParseSlip. It links one return, not one person.
	Folio = "folio"
)

// Document is a document as it was read. It must not leave the computer where it was typed.
type Document struct {
	Country string // issuing country, ISO 3166-1 alpha-2; "" is HN
	Type    string // one of the types above; "" is NationalID
	Number  string // as written; "" is no document
}

// String hides the number, so that a document that strays into a message says nothing.
func (d Document) String() string { return fmt.Sprintf("document(%s, %s)", d.Country, d.Type) }

// GoString hides the number from %#v too.
func (d Document) GoString() string { return d.String() }

// MarshalText hides the number from logs, JSON and YAML.
func (d Document) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

const (
	dniDigits = 13
	// minLength and maxLength bound the numbers of other documents, in letters and digits.
	minLength, maxLength = 4, 32
	// minFigures bounds those of digits alone: 0801 is the beginning of a DNI, 2016 a year, 42551 a day in a spreadsheet.
	minFigures = 6
	// firstYear and lastYear bound the year of registration inside a DNI.
	firstYear, lastYear = 1880, 2100
	// keyBytes is how much of the HMAC the key keeps: 128 bits, collisions are out of the question.
	keyBytes = 16
	// purpose keeps these HMACs apart from any other use of the same secret.
	purpose = "retorno person key 1"
)

// Key returns the person key of a document, "" without an error when there is no document. The error, when the number
// cannot be a document, is a *FaultError.
func (s Secret) Key(d Document) (string, error) {
	n, err := Normalise(d)
	if err != nil || n.Number == "" {
		return "", err
	}
	if len(s.key) < MinSecretBytes {
		return "", ErrNoSecret
	}
	mac := hmac.New(sha256.New, s.key)
	for _, part := range []string{purpose, n.Country, n.Type, n.Number} {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	var sum [sha256.Size]byte
	return hex.EncodeToString(mac.Sum(sum[:0])[:keyBytes]), nil
}

// Normalise brings a document into the form that is hashed:
//
//   - the number keeps letters and digits only, letters in upper case, full-width and other forms of a character as
//     the ordinary one (Unicode NFKC); spaces, hyphens, dots and slashes fall away; leading zeros stay;
//   - the country is upper case and HN when empty, the type NationalID when empty;
//   - the name of the document before its number (DNI, Pasaporte No.) falls away;
//   - the decimals that a program gives a whole number fall away (501198500123.0);
//   - a slip is as ParseSlip reads it, without its hyphens, and Honduran;
//   - a Honduran national id has exactly 13 digits, the middle of which are a year (DDMM-YYYY-NNNNN).
//
// No letters and digits at all are no document: the result is the zero Document.
func Normalise(d Document) (Document, error) {
	if strings.TrimSpace(d.Type) == Folio {
		return normaliseSlip(d)
	}
	text := bare(d.Number)
	number := numberIn(text)
	if number == "" {
		return Document{}, nil
	}
	out := Document{Country: strings.ToUpper(strings.TrimSpace(d.Country)), Type: strings.TrimSpace(d.Type), Number: number}
	if out.Country == "" {
		out.Country = "HN"
	}
	countries, _ := codelists.Get(codelists.Country)
	if !countries.Has(out.Country) {
		return Document{}, &FaultError{Fault: FaultCountry}
	}
	switch out.Type {
	case "":
		out.Type = NationalID
	case NationalID, Passport, TravelDocument, Other:
	default:
		return Document{}, &FaultError{Fault: FaultType}
	}
	if fault := numberFault(out); fault != "" {
		return Document{}, &FaultError{Fault: fault}
	}
	if rounded(text) || !isHonduranID(out) && (isDate(text, number) || amongOthers(text, number)) {
		return Document{}, &FaultError{Fault: FaultDummy}
	}
	return out, nil
}

// normaliseSlip is Normalise for slips, which keep their check character, also where it is a star.
func normaliseSlip(d Document) (Document, error) {
	if strings.TrimSpace(d.Number) == "" {
		return Document{}, nil
	}
	slip, ok := ParseSlip(d.Number)
	if !ok {
		return Document{}, &FaultError{Fault: FaultSlip}
	}
	if country := strings.ToUpper(strings.TrimSpace(d.Country)); country != "" && country != "HN" {
		return Document{}, &FaultError{Fault: FaultCountry}
	}
	return Document{Country: "HN", Type: Folio, Number: strings.ReplaceAll(slip, "-", "")}, nil
}

func numberFault(d Document) Fault {
	if isHonduranID(d) {
		if len(d.Number) != dniDigits || !allDigits(d.Number) {
			return FaultLength
		}
		if !possible(d.Number) {
			return FaultDummy
		}
		return ""
	}
	switch {
	case len(d.Number) < minLength || len(d.Number) > maxLength:
		return FaultLength
	case !strings.ContainsAny(d.Number, "0123456789"):
		return FaultDummy
	case filler(d.Number):
		return FaultDummy
	case len(d.Number) < minFigures && allDigits(d.Number):
		return FaultLength
	}
	return ""
}

func isHonduranID(d Document) bool { return d.Country == "HN" && d.Type == NationalID }

func foldNumber(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, norm.NFKC.String(s))
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// atoi reads a few ASCII digits.
func atoi(s string) int {
	n := 0
	for _, c := range []byte(s) {
		n = n*10 + int(c-'0')
	}
	return n
}

// TypeOf reads the name of a document type as exports and forms write it. ok is false for a name it does not know.
func TypeOf(text string) (t string, ok bool) {
	t, ok = typeNames[codelists.Fold(text)]
	return t, ok
}

var typeNames = foldKeys(map[string]string{
	NationalID: NationalID, "dni": NationalID, "identidad": NationalID, "tarjeta de identidad": NationalID, "cédula": NationalID,
	"cédula de identidad": NationalID, "documento nacional de identificación": NationalID, "partida de nacimiento": NationalID,
	"acta de nacimiento": NationalID, "certificación de nacimiento": NationalID, "national id": NationalID, "birth certificate": NationalID,
	"ID": NationalID, "RNP": NationalID, "número de identidad": NationalID, "DPI": NationalID, "DUI": NationalID,
	Passport: Passport, "pasaporte": Passport, "pas": Passport, "PP": Passport,
	TravelDocument: TravelDocument, "salvoconducto": TravelDocument, "salvoconducto consular": TravelDocument, "hoja de ruta": TravelDocument,
	"pasaporte provisional": TravelDocument, "documento de viaje": TravelDocument, "travel document": TravelDocument,
	Folio: Folio, "boleta": Folio, "slip": Folio,
	Other: Other, "otro": Other, "carné de residencia": Other, "residencia": Other, "licencia": Other, "licencia de conducir": Other,
})

func foldKeys(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[codelists.Fold(k)] = v
	}
	return out
}
