package register

import (
	"bytes"
	"encoding/binary"

	"github.com/google/uuid"
)

// kind is what a fact is.
type kind uint8

const (
	kindCrossing kind = iota
	kindRegistration
	kindHelp
)

// none is the person of a record without a person key, and the registration of a help that names none.
const none int32 = -1

// fact is one record, in all its revisions.
type fact struct {
	minted int64 // when its id was made, by its computer's clock; milliseconds
	number int32 // decides the rest of its id: its place in the list of facts
	person int32
	under  int32 // of help: the place of the registration it names
	kind   kind
}

// id is the record id of the fact.
func (f *fact) id(seed uint64) uuid.UUID { return recordID(seed, f.number, f.minted) }

// Marks of a revision.
const (
	markExit     = 1 << iota // a crossing out of the country
	markReturned             // an entry marked as a return
	markSpelled              // "unknown" is written out where nothing is stated
	markTwin                 // a second content of the next revision in the list, made to lose against it
	markLost                 // never sent
)

// revision is one revision of one fact, as its computer recorded it. Times are milliseconds since 1970-01-01 UTC.
type revision struct {
	event, recorded int64
	arrival         int64 // of a registration: the stated arrival, 0 for none
	said            attributes
	fact            int32
	seq             uint32
	number          uint8 // 1, 2, 3 …
	void            uint8 // place in the list of void reasons; 0 for none
	source          uint8
	category        uint8 // of a crossing
	detail          uint8 // of a crossing its document check, of help its kind
	marks           uint8
}

// send is one sending of one revision, or of a broken message.
type send struct {
	at    int64 // milliseconds since 1970-01-01 UTC
	ahead int32 // how far the computer's clock is ahead then; seconds
	rev   int32 // place in the list of revisions; -1-i is the broken message i
}

// splitmix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of x decides every bit of the result.
func splitmix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Purposes keep what is drawn for one thing apart from what is drawn for another.
const (
	purposeID uint64 = iota + 1
	purposeKey
	purposePerson
	purposeDays
	purposeChains
	purposeBystanders
	purposeOutages
	purposeBroken
	purposeLive
)

func mix(seed, purpose, n uint64) uint64 {
	return splitmix(splitmix(splitmix(seed)^purpose) ^ n)
}

// recordID is the UUIDv7 (RFC 9562, 5.7) of the n-th record, minted at that millisecond.
func recordID(seed uint64, n int32, minted int64) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(minted)<<16|mix(seed, purposeID, uint64(n))&0xfff|0x7000)
	binary.BigEndian.PutUint64(id[8:], mix(seed, purposeID, 1<<40|uint64(n))&^(3<<62)|2<<62)
	return id
}

// personKey is the pseudonym of the n-th person.
func personKey(seed uint64, n int32) uuid.UUID {
	var key uuid.UUID
	binary.BigEndian.PutUint64(key[:], mix(seed, purposeKey, uint64(n)))
	binary.BigEndian.PutUint64(key[8:], mix(seed, purposeKey, 1<<40|uint64(n)))
	return key
}

// add makes room for a fact and says where it stands.
func (g *generator) add(f fact) int32 {
	f.number = int32(len(g.facts))
	g.facts = append(g.facts, f)
	return f.number
}

// before reports whether fact a, arriving at aAt, stands before b in the method's order.
func (g *generator) before(a int32, aAt int64, b int32, bAt int64) bool {
	if aAt != bAt {
		return aAt < bAt
	}
	x, y := g.facts[a].id(g.settings.Seed), g.facts[b].id(g.settings.Seed)
	return bytes.Compare(x[:], y[:]) < 0
}
