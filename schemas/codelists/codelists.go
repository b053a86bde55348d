// Package codelists is the authority over every code that a record may carry: border points, centres,
// countries, routes, departments, municipalities, reasons and the other closed lists, each with Spanish and
// English labels, dates of validity and an explicit code for "unknown".
//
// It promises: a released code never changes its meaning, its place in its list or its index, lists only grow at
// their end; the first code of every list is its unknown code and has index 0; looking a code up allocates nothing.
// It never reads a file, a clock or the network: the lists are CSV files compiled into the program (data/).
// On failure: a malformed embedded list stops the program at start with the file and line; a code that is not
// there is answered with false, never with a guess.
package codelists

//go:generate go run ./generate

// Names of the lists.
const (
	BorderPoint      = "border_point"
	Centre           = "centre"
	Country          = "country"
	Department       = "department"
	Municipality     = "municipality"
	Sex              = "sex"
	Mode             = "mode"
	ReturnType       = "return_type"
	Accompaniment    = "accompaniment"
	Reason           = "reason"
	Direction        = "direction"
	DocumentCheck    = "document_check"
	CrossingCategory = "crossing_category"
	AssistanceKind   = "assistance_kind"
	AgeGroup         = "age_group"
	Route            = "route"
	VoidReason       = "void_reason"
	Programme        = "programme"
	TravelCompany    = "travel_company"
	Answer           = "answer"
	Education        = "education"
	Occupation       = "occupation"
)

// names is the order in which Lists gives the lists.
var names = []string{
	BorderPoint, Centre, Country, Route, Mode, Department, Municipality, Sex, AgeGroup, ReturnType, Programme,
	Accompaniment, Reason, Direction, CrossingCategory, DocumentCheck, AssistanceKind, TravelCompany, Answer,
	Education, Occupation, VoidReason,
}

// Code is one code of a list.
type Code struct {
	// Code is what records and tables carry.
	Code string
	// LabelES and LabelEN say in Spanish and English what the code means.
	LabelES, LabelEN string
	// ValidFrom and ValidTo are the first and last day on which the code may be used, as ISO dates; "" is open.
	ValidFrom, ValidTo string
	// Attrs are the further columns of the list by name (kind, department, lat, lon, source …); empty ones are absent.
	Attrs map[string]string
}

// List is one code list. It does not change after the program has started and may be shared by goroutines.
type List struct {
	// Name is the name of the list, one of the constants above.
	Name string
	// Unknown is the list's code for "not stated"; it is the list's first code and has index 0.
	Unknown string

	codes []Code
	index map[string]uint16
	keys  map[string]string // folded label, code or synonym -> code; "" marks an ambiguous one
	known memory            // what texts meant
}

var (
	byName  = mustLoad()
	ordered = inOrder(byName)
)

// Get returns the list of that name.
func Get(name string) (*List, bool) {
	l, ok := byName[name]
	return l, ok
}

// Lists returns every list, always in the same order. The slice is the caller's; the lists are shared.
func Lists() []*List {
	return append([]*List(nil), ordered...)
}

// Codes returns the codes in the order of the list; the position of a code is its index. The slice is the caller's.
func (l *List) Codes() []Code {
	return append([]Code(nil), l.codes...)
}

// Len returns the number of codes, the unknown one included.
func (l *List) Len() int { return len(l.codes) }

// Has reports whether code stands in the list. The empty string does not: it is the way to leave a field out.
func (l *List) Has(code string) bool {
	_, ok := l.index[code]
	return ok
}

// HasBytes is Has for bytes; it allocates nothing.
func (l *List) HasBytes(code []byte) bool {
	_, ok := l.index[string(code)]
	return ok
}

// Index returns the dense number of a code: its position in the list, 0 for the unknown code. The empty string,
// which is how a record leaves a field out, is the unknown code too. A code that is not there gives 0 and false.
func (l *List) Index(code string) (uint16, bool) {
	if code == "" {
		return 0, true
	}
	i, ok := l.index[code]
	return i, ok
}

// IndexBytes is Index for bytes; it allocates nothing.
func (l *List) IndexBytes(code []byte) (uint16, bool) {
	if len(code) == 0 {
		return 0, true
	}
	i, ok := l.index[string(code)]
	return i, ok
}

// At returns the code with that index, and the unknown code for an index beyond the list.
func (l *List) At(i uint16) string {
	if int(i) >= len(l.codes) {
		return l.Unknown
	}
	return l.codes[i].Code
}

// Lookup returns a code with its labels and attributes.
func (l *List) Lookup(code string) (Code, bool) {
	i, ok := l.index[code]
	if !ok {
		return Code{}, false
	}
	return l.codes[i], true
}

// Attr returns one attribute of a code, "" when the code or the attribute is not there.
func (l *List) Attr(code, attr string) string {
	i, ok := l.index[code]
	if !ok {
		return ""
	}
	return l.codes[i].Attrs[attr]
}

// OrUnknown returns code, or the list's unknown code for an empty string or one that is not in the list.
func (l *List) OrUnknown(code string) string {
	if _, ok := l.index[code]; ok {
		return code
	}
	return l.Unknown
}

// ValidAt reports whether code stands in the list and day (an ISO date such as "2016-06-30") lies inside its validity,
// both ends included. The validity of a border point is that of the post as an official one: where people say they
// left the country is a statement of theirs, so an exit point need not be valid on that day.
func (l *List) ValidAt(code, day string) bool {
	i, ok := l.index[code]
	if !ok {
		return false
	}
	c := &l.codes[i]
	return (c.ValidFrom == "" || c.ValidFrom <= day) && (c.ValidTo == "" || day <= c.ValidTo)
}
