package agents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// MaxNewsBytes is the largest message of the exchange that is read.
const MaxNewsBytes = 4 << 10

// News is a message of the exchange: the value of a message on TopicExchange, as JSON; the key is Record. It is either a
// Crossing or an Arrival, which a post tells, or Registered, which a centre tells back, or says that the record holds no
// longer (Void).
// The same message read twice, or an older revision read late, changes nothing.
type News struct {
	// Record is the id of the crossing, of the arrival or of the registration, and Revision that of the record.
	Record   string `json:"record_id"`
	Revision uint32 `json:"revision"`
	// Void reports whether the record was voided, or is a returned person's no longer.
	Void bool `json:"void,omitempty"`
	// Crossing is what a post saw; nil of a registration and of a void.
	Crossing *Crossing `json:"crossing,omitempty"`
	// Arrival is an arrival that was sent on to a centre; nil of the others.
	Arrival *Arrival `json:"arrival,omitempty"`
	// Registered is the id of the crossing that a registration is of; "" of a crossing.
	Registered string `json:"registered,omitempty"`
}

// Crossing is a returned person on the way to a centre. It holds neither a document nor a name nor a birth date.
type Crossing struct {
	Post string `json:"post"` // border point
	// Arrival is the id of the bus, flight or group at the post; "" without one.
	Arrival string `json:"arrival_id,omitempty"`
	// ArrivedMs is when that arrived, and AtMs when the person crossed; milliseconds since 1970-01-01 UTC.
	ArrivedMs int64 `json:"arrived_ms"`
	AtMs      int64 `json:"at_ms"`
	// Key is the person key under the secret of the day of ArrivedMs: of the document, or of the slip. "": neither.
	Key string `json:"person_key,omitempty"`
	// Slip is the slip's number, sealed under that secret (identity.Secret.SealSlip); "" of a person with a document.
	Slip        string  `json:"slip,omitempty"`
	Sex         string  `json:"sex,omitempty"`
	Age         *uint32 `json:"age,omitempty"` // completed years
	Nationality string  `json:"nationality,omitempty"`
	Country     string  `json:"country,omitempty"`
	Mode        string  `json:"mode,omitempty"`
	ReturnType  string  `json:"return_type,omitempty"`
}

// Arrival is a bus, a flight or a group that its post sent on to a centre.
type Arrival struct {
	Post   string `json:"post"`   // border point
	Centre string `json:"centre"` // to which its people were sent on
	// Expected is how many people were said to be in it; 0 is not stated.
	Expected int `json:"expected,omitempty"`
}

// Bytes are the message's value.
func (n News) Bytes() ([]byte, error) { return json.Marshal(n) }

// ParseNews reads a message of the exchange. Fields of a later version are passed over; whatever else is not as it must
// be is an error that names the field.
func ParseNews(key, value []byte) (News, error) {
	var n News
	if len(value) > MaxNewsBytes {
		return n, fmt.Errorf("exchange: %d bytes: at most %d are read", len(value), MaxNewsBytes)
	}
	if err := json.NewDecoder(bytes.NewReader(value)).Decode(&n); err != nil {
		return News{}, fmt.Errorf("exchange: %w", err)
	}
	if field := n.fault(string(key)); field != "" {
		return News{}, fmt.Errorf("exchange: %s is not as it must be", field)
	}
	return n, nil
}

// fault names the first field that is wrong; "" is none.
func (n News) fault(key string) string {
	switch {
	case n.Record != key || !isID(n.Record):
		return "record_id"
	case n.Revision == 0:
		return "revision"
	case n.Registered != "" && (!isID(n.Registered) || n.Crossing != nil || n.Arrival != nil):
		return "registered"
	case n.Crossing != nil && (n.Void || n.Arrival != nil), n.Crossing == nil && n.Arrival == nil && n.Registered == "" && !n.Void:
		return "crossing"
	case n.Arrival != nil && (n.Void || !n.Arrival.holds()):
		return "arrival"
	case n.Crossing != nil:
		return n.Crossing.fault()
	}
	return ""
}

func (a *Arrival) holds() bool {
	posts, _ := codelists.Get(codelists.BorderPoint)
	centres, _ := codelists.Get(codelists.Centre)
	return posts.Has(a.Post) && centres.Has(a.Centre) && a.Expected >= 0
}

// latest is the end of the year 9999, in milliseconds since 1970-01-01 UTC.
const latest = 253_402_300_799_999

func (c *Crossing) fault() string {
	const keyDigits, maxSlip = 32, 100
	coded := []struct{ field, list, code string }{
		{"post", codelists.BorderPoint, c.Post}, {"sex", codelists.Sex, c.Sex}, {"nationality", codelists.Country, c.Nationality},
		{"country", codelists.Country, c.Country}, {"mode", codelists.Mode, c.Mode}, {"return_type", codelists.ReturnType, c.ReturnType},
	}
	for _, f := range coded {
		if l, _ := codelists.Get(f.list); f.code != "" && !l.Has(f.code) {
			return f.field
		}
	}
	switch {
	case c.Post == "":
		return "post"
	case c.Arrival != "" && !isID(c.Arrival):
		return "arrival_id"
	case c.ArrivedMs <= 0 || c.ArrivedMs > latest:
		return "arrived_ms"
	case c.AtMs <= 0 || c.AtMs > latest:
		return "at_ms"
	case c.Key != "" && (len(c.Key) != keyDigits || strings.Trim(c.Key, "0123456789abcdef") != ""):
		return "person_key"
	case len(c.Slip) > maxSlip:
		return "slip"
	case c.Age != nil && *c.Age > events.MaxAge:
		return "age"
	}
	return ""
}

// Arrived is when the bus, flight or group arrived.
func (c *Crossing) Arrived() time.Time { return time.UnixMilli(c.ArrivedMs) }

func isID(text string) bool {
	id, err := uuid.Parse(text)
	return err == nil && id.Version() == 7 && id.String() == text
}
