package identity

import "errors"

// ErrNoSecret says that a key was asked for without a secret.
var ErrNoSecret = errors.New("no identity secret: name its file or environment variable")

// Fault is why a number cannot be a document.
type Fault string

// Faults of a document.
const (
	FaultCountry Fault = "document_country" // the issuing country is not in the list
	FaultType    Fault = "document_type"    // not one of the types
	FaultLength  Fault = "document_length"  // a DNI without 13 digits, or another number of a length no document has
	FaultSlip    Fault = "document_slip"    // no slip, or its check character does not fit
	FaultDummy   Fault = "document_dummy"   // one repeated digit, 12345…, no digit at all, a DNI without a possible year or with serial 00000
)

// FaultError is the error for a number that cannot be a document. It never contains the number.
type FaultError struct{ Fault Fault }

func (e *FaultError) Error() string {
	switch e.Fault {
	case FaultCountry:
		return "document: the issuing country is not in the list of countries"
	case FaultType:
		return "document: the type must be national_id, passport, travel_document, folio or other"
	case FaultSlip:
		return "document: no slip, or its check character does not fit: see what was typed"
	case FaultLength:
		return "document: the number has not the length of such a document (a DNI has 13 digits)"
	}
	return "document: the number is a filler, no document"
}
