package importer

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/schemas/events"
)

// rowHash is the SHA-256 of the normalised content of a row.
type rowHash [sha256.Size]byte

// short tells contents apart within one file. Two contents that share it would merely count as alike, and get
// different ids all the same.
func (h rowHash) short() uint64 { return binary.BigEndian.Uint64(h[:8]) }

// contentHash hashes what a record says: the system, the person, the times and every field that is stated, by field
// number. The source, the row's number and the form of the file are left out, so that an event has one id however
// it is exported. The text form is fixed here and not protobuf's, whose bytes may differ between versions.
func contentHash(system string, r *events.Record) rowHash {
	b := make([]byte, 0, 512)
	b = strconv.AppendQuote(append(b, "retorno import 1\nsystem="...), system)
	b = strconv.AppendQuote(append(b, "\nperson="...), r.GetPersonKey())
	b = strconv.AppendInt(append(b, "\nevent="...), r.GetEventTimeMs(), 10)
	b = strconv.AppendInt(append(b, "\nrecorded="...), r.GetRecordedTimeMs(), 10)
	b = append(b, '\n')
	body := bodyOf(r)
	if body == nil {
		return sha256.Sum256(b)
	}
	b = append(append(append(b, "body="...), body.Descriptor().Name()...), '\n')
	for _, f := range byNumber[body.Descriptor().FullName()] {
		if body.Has(f) {
			b = appendField(b, f, body.Get(f))
		}
	}
	return sha256.Sum256(b)
}

// byNumber are the fields of each body in the order of their numbers.
var byNumber = map[protoreflect.FullName][]protoreflect.FieldDescriptor{}

func init() {
	for _, body := range []protoreflect.ProtoMessage{&events.Crossing{}, &events.Registration{}, &events.Assistance{}} {
		d := body.ProtoReflect().Descriptor()
		var fields []protoreflect.FieldDescriptor
		for i := range d.Fields().Len() {
			fields = append(fields, d.Fields().Get(i))
		}
		slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return cmp.Compare(a.Number(), b.Number()) })
		byNumber[d.FullName()] = fields
	}
}

// bodyOf is what a record says beside when and of whom; nil: nothing.
func bodyOf(r *events.Record) protoreflect.Message {
	switch of := r.GetBody().(type) {
	case *events.Record_Crossing:
		return of.Crossing.ProtoReflect()
	case *events.Record_Registration:
		return of.Registration.ProtoReflect()
	case *events.Record_Assistance:
		return of.Assistance.ProtoReflect()
	}
	return nil
}

// Differ names the fields, by their names in events.proto, in which two records of one kind differ, and counts those that one of them
// states. The times, of which that of arrival mostly follows the other, are one field, event_time_ms.
func Differ(a, b *events.Record) (differ []string, stated int) {
	moved := a.GetEventTimeMs() != b.GetEventTimeMs()
	one, other := bodyOf(a), bodyOf(b)
	for _, f := range byNumber[one.Descriptor().FullName()] {
		if !one.Has(f) && !other.Has(f) {
			continue
		}
		same := one.Has(f) == other.Has(f) && one.Get(f).Equal(other.Get(f))
		if f.Name() == "arrival_time_ms" {
			moved = moved || !same
			continue
		}
		if stated++; !same {
			differ = append(differ, string(f.Name()))
		}
	}
	if moved {
		differ = append(differ, "event_time_ms")
	}
	return differ, stated + 1
}

// AnotherID is the id of the n-th record of a system that says what r says, for r whose own id is that of a record which says
// something else by now.
func AnotherID(system string, r *events.Record, n uint32) string {
	return contentHash(system, r).recordID(r.GetEventTimeMs(), n)
}

func appendField(b []byte, f protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	one := func(v protoreflect.Value) {
		b = append(strconv.AppendInt(b, int64(f.Number()), 10), '=')
		b = append(strconv.AppendQuote(b, v.String()), '\n')
	}
	if !f.IsList() {
		one(v)
		return b
	}
	for i := 0; i < v.List().Len(); i++ {
		one(v.List().Get(i))
	}
	return b
}

// recordID makes the id of the n-th record with this content: 48 bits of the event's time, then bits of the SHA-256
// of content and n, with version 7 and variant set (RFC 9562, 5.7 and 5.8).
func (h rowHash) recordID(eventMs int64, n uint32) string { return RecordID(eventMs, h, n) }

// RecordID is the id of a record that an import makes, from when it happened (milliseconds since 1970), the SHA-256 of what it
// says, and which one it is of those that say so, from 1.
func RecordID(eventMs int64, content [sha256.Size]byte, n uint32) string {
	var in [sha256.Size + 4]byte
	copy(in[:], content[:])
	binary.BigEndian.PutUint32(in[sha256.Size:], n)
	sum := sha256.Sum256(in[:])
	var id [16]byte
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(eventMs))
	copy(id[:6], ms[2:])
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0F | 0x70
	id[8] = id[8]&0x3F | 0x80
	text := hex.EncodeToString(id[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// sourceID names the file in the account of sources: what the caller says, else system and the content of the first good
// row, so that re-saving the file in another form changes nothing. A file without a good row is named after those cells
// that concern no person.
func (p *pass) sourceID() string {
	if p.cfg.Source != "" {
		return "import-" + p.cfg.Source
	}
	sum := p.ruins
	if p.name != nil {
		sum = *p.name
	}
	return "import-" + p.cfg.system() + "-" + hex.EncodeToString(sum[:4])
}

// ruin notes a rejected row, for the name of a file in which no row is good.
func (p *pass) ruin(r row) {
	if p.name != nil {
		return
	}
	sum := p.file.dialect.header.placeHash(r)
	h := sha256.New()
	_, _ = h.Write(p.ruins[:])
	_, _ = h.Write(sum[:])
	fmt.Fprintf(h, "%d", len(r.raw))
	p.ruins = rowHash(h.Sum(nil))
}

// placeFields are the fields that say when and where, and nothing about anyone.
var placeFields = []string{"date", "time", "arrival_date", "arrival_time", "border_point", "centre", "entry_point", "exit_point", "direction", "mode"}

func (h *header) placeHash(r row) rowHash {
	var b strings.Builder
	for _, field := range placeFields {
		if i, ok := h.at[field]; ok && i < len(r.cells) {
			fmt.Fprintf(&b, "%s=%q\n", field, trimmed(r.cells[i]))
		}
	}
	return sha256.Sum256([]byte(b.String()))
}

// printed are the fields whose cells make the print of a row.
var printed = append([]string{"sex", "age"}, placeFields...)

// print is the print of a row. It asks what a column is called and no setting, so that settings do not change it.
func (h *header) print(r row) uint64 {
	b := make([]byte, 0, 256)
	for i, cell := range r.cells {
		if i < len(h.prints) && h.prints[i] {
			b = append(append(b, trimmed(cell)...), 0)
		}
	}
	return xxhash.Sum64(b)
}
