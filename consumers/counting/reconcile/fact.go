package reconcile

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// ID is a record id, a return id or a person's key: 16 bytes.
type ID = uuid.UUID

// Kind says what a fact is.
type Kind = events.Kind

// The three kinds of fact.
const (
	Crossing     = events.KindCrossing
	Registration = events.KindRegistration
	Assistance   = events.KindAssistance
)

// Code is the index of a code in its list; 0 is the list's unknown code, which also stands for "not stated".
type Code = uint16

// Codes by place in the dictionary.
type (
	// FactCodes are those of a fact.
	FactCodes = [dictionary.FactCodes]Code
	// ReturnCodes are those of a return.
	ReturnCodes = [dictionary.ReturnCodes]Code
	// DimensionCodes are those of a cell of the counts of returns.
	DimensionCodes = [dictionary.ReturnDimensions]Code
)

// Fact is one record in one revision, with what the method needs of it and nothing more. Times are in milliseconds
// since 1970-01-01 UTC.
type Fact struct {
	RecordID ID
	// Version orders the revisions of one record: see Version.
	Version uint64
	// Arrival is the time at the post; of a registration the arrival the form states, else its own time; of help
	// when it was given.
	Arrival int64
	// Event is when the record says it happened.
	Event int64
	// Reasons has bit i set for the reason with index i; 0 when not stated.
	Reasons uint16
	// Age in completed years; -1 when not stated.
	Age int16

	// Codes are what it states, by place in the dictionary.
	Codes FactCodes

	Kind                                              Kind
	Void /* withdrawn */, Future /* held */, Returned bool
}

// FutureLimit is how far an event may lie after the moment its latest copy was sent before it is held as future.
const FutureLimit = time.Hour

// Version orders the copies and revisions of one record; the largest holds, whatever the order of arrival. From the
// top: the revision (24 bits), the content hash's upper 39 bits, which decides between two contents of one revision,
// and one bit that is set when the event does not lie in the future of its copy, so that a later copy mends.
func Version(revision uint32, contentHash uint64, future bool) uint64 {
	v := uint64(revision)<<40 | contentHash>>25<<1
	if !future {
		v |= 1
	}
	return v
}

// SameContent reports whether two versions are copies of one revision with the same content.
func SameContent(a, b uint64) bool { return a>>1 == b>>1 }

// SameRevision reports whether two versions are of one revision, with the same content or not.
func SameRevision(a, b uint64) bool { return a>>40 == b>>40 }

// PersonID is the key under which a record's facts meet, as 16 bytes: see events.Key.
func PersonID(r *events.Record) (ID, error) {
	key := events.Key(r)
	if key == r.GetPersonKey() {
		var id ID
		if n, err := hex.Decode(id[:], []byte(key)); err != nil || n != len(id) {
			return ID{}, fmt.Errorf("person key of record %s is not 32 hexadecimal digits", r.GetRecordId())
		}
		return id, nil
	}
	return uuid.Parse(key)
}

// FactOf reads a valid record. The error is for records that events.Validate refuses.
func FactOf(o *events.Opened) (Fact, error) {
	f, err := events.FieldsOf(o)
	if err != nil {
		return Fact{}, err
	}
	return FactFrom(&f), nil
}

// FactFrom takes of a record what the method needs.
func FactFrom(f *events.Fields) Fact {
	fact := Fact{
		RecordID: f.RecordID, Event: f.EventMs, Arrival: f.EventMs, Age: f.Age, Kind: f.Kind, Void: f.VoidReason != 0,
		Future: f.EventMs-FutureLimit.Milliseconds() > f.SentAtMs, Returned: f.Returned,
	}
	for i := range fact.Codes {
		fact.Codes[i] = f.Codes[i].Index()
	}
	if f.ArrivalMs != 0 {
		fact.Arrival = f.ArrivalMs
	}
	for _, reason := range f.Reasons[:f.ReasonCount] {
		if i := reason.Index(); i > 0 {
			fact.Reasons |= 1 << i
		}
	}
	fact.Version = Version(f.Revision, f.ContentHash, fact.Future)
	return fact
}

// Counts reports whether the fact is neither void nor held as future.
func (f *Fact) Counts() bool { return !f.Void && !f.Future }

// byArrival is the method's order: arrival, then the bytes of the record id.
func byArrival(a, b *Fact) int {
	if c := cmp.Compare(a.Arrival, b.Arrival); c != 0 {
		return c
	}
	return compareIDs(&a.RecordID, &b.RecordID)
}

func compareIDs(a, b *ID) int { return bytes.Compare(a[:], b[:]) }

// list is a code list that tells the index of a code.
type list struct{ *codelists.List }

func (l list) code(code string) Code {
	i, _ := l.Index(code)
	return i
}

func get(name string) list {
	l, ok := codelists.Get(name)
	if !ok {
		panic("reconcile: no code list " + name)
	}
	return list{l}
}

// lists are the code lists of the attributes, by place.
var lists = func() (all [dictionary.FactCodes]list) {
	for i := range all {
		all[i] = list{dictionary.Coded(i).Attribute().Codes}
	}
	return all
}()

var (
	ageGroupList = get(codelists.AgeGroup)
	reasonList   = get(codelists.Reason)
)

// Codes that the method itself knows.
var (
	exit          = lists[dictionary.Direction].code("exit")
	honduras      = lists[dictionary.Country].code("HN")
	notRegistered = lists[dictionary.Centre].code("X-NON")
)
