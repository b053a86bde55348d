// Code generated from attributes.csv by go generate. DO NOT EDIT.

package dictionary

// Coded is the place of an attribute of type Code in arrays of codes.
type Coded uint8

// The attributes of type Code. Each array of codes is a beginning of this order.
const (
	Country                 Coded = iota // Country of return
	Mode                                 // Mode of return
	ReturnType                           // Type of return
	EntryPoint                           // Entry point
	ExitPoint                            // Exit point as stated
	Centre                               // Centre
	Sex                                  // Sex
	Department                           // Department of origin
	Municipality                         // Municipality of origin
	Accompanied                          // Accompaniment
	Nationality                          // Nationality
	Direction                            // Direction
	BorderPoint                          // Border point
	DocumentCheck                        // Document check
	AssistanceKind                       // Kind of assistance
	Category                             // Category of the crossing
	Programme                            // Programme
	DestinationDepartment                // Department of destination
	DestinationMunicipality              // Municipality of destination
	TravelCompany                        // Travel company
	IntendedCountry                      // Intended country
	DisplacedByViolence                  // Displaced by violence
	IntendsToMigrateAgain                // Intends to migrate again
	Education                            // Education
	Occupation                           // Occupation
)

const (
	// ReturnDimensions is how many of them are dimensions of the counts of returns.
	ReturnDimensions = 7
	// ReturnCodes is how many a return has: those, and others after them.
	ReturnCodes = 11
	// FactCodes is how many the method needs of a fact: those, and others after them.
	FactCodes = 15
	// AllCodes is how many there are.
	AllCodes = 25
	// PackedCodes is how many bytes the codes of a fact take in memory at most: see Layout.
	PackedCodes = 12
)
