package exchange

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/schemas/agents"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

const key = "0123456789abcdef0123456789abcdef"

func crossing(id string, revision uint32, arrival string) agents.News {
	return agents.News{Record: id, Revision: revision, Crossing: &agents.Crossing{Post: "L-COR", Arrival: arrival, ArrivedMs: 1, AtMs: 2, Key: key, Sex: "F"}}
}

func take(t *testing.T, b *Board, n agents.News) {
	t.Helper()
	value, err := n.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b.Take([]byte(n.Record), value, time.Now())
}

// An arrival names the centre to which it was sent on, whichever message comes first; the last word of the post counts.
func TestArrivalNamesItsCentre(t *testing.T) {
	b, bus := New(Config{}), newID()
	sent := func(revision uint32, centre string) agents.News {
		return agents.News{Record: bus, Revision: revision, Arrival: &agents.Arrival{Post: "L-COR", Centre: centre, Expected: 40}}
	}
	take(t, b, sent(3, "CAMR-OMO"))
	take(t, b, crossing(newID(), 1, bus))
	take(t, b, sent(2, "CAMR-SPS"))
	if a := b.Arrivals(); len(a) != 1 || a[0].Centre != "CAMR-OMO" || a[0].Expected != 40 {
		t.Errorf("%+v", a)
	}
	take(t, b, agents.News{Record: bus, Revision: 4, Void: true})
	if a := b.Arrivals(); len(a) != 1 || a[0].Centre != "" {
		t.Errorf("taken back: %+v", a)
	}
	wrong := sent(5, "L-COR")
	value, err := wrong.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if b.Take([]byte(bus), value, time.Now()); b.Unreadable() != 1 || b.Arrivals()[0].Centre != "" {
		t.Error("a post was taken for a centre")
	}
}

// The newest revision counts in whatever order messages come, and however often.
func TestNewestRevisionCounts(t *testing.T) {
	b, id, bus := New(Config{}), newID(), newID()
	take(t, b, crossing(id, 2, bus))
	late := crossing(id, 1, bus)
	late.Crossing.Key = strings.Repeat("f", 32)
	take(t, b, late)
	take(t, b, crossing(id, 2, bus))
	if _, ok := b.ByKey(late.Crossing.Key); ok {
		t.Error("an older revision that came late is known")
	}
	if p, ok := b.ByKey(key); !ok || p.ID != id || len(b.Arrivals()) != 1 {
		t.Errorf("%v %v", p, b.Arrivals())
	}
	first, second := newID(), newID()
	take(t, b, agents.News{Record: first, Revision: 2, Void: true, Registered: id})
	take(t, b, agents.News{Record: first, Revision: 1, Registered: id})
	if b.Registered(id, "") {
		t.Error("a registration that was voided counts")
	}
	take(t, b, agents.News{Record: second, Revision: 1, Registered: id})
	if !b.Registered(id, "") || b.Registered(id, second) || len(b.Arrivals()[0].Waiting) != 0 {
		t.Errorf("%v", b.Arrivals())
	}
	take(t, b, agents.News{Record: id, Revision: 3, Void: true})
	if _, ok := b.Person(id); ok || len(b.Arrivals()) != 0 {
		t.Error("a crossing that was voided is on the way")
	}
}

// What cannot be read is counted and changes nothing.
func TestWrongMessagesAreCounted(t *testing.T) {
	b, id := New(Config{}), newID()
	good, err := crossing(id, 1, newID()).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	wrong := [][]byte{nil, []byte("{"), []byte(`{"record_id":"` + id + `","revision":1}`), []byte(strings.Repeat(" ", agents.MaxNewsBytes) + string(good))}
	for field, value := range map[string]any{"post": "nowhere", "sex": "?", "person_key": "ABC", "age": 121, "arrived_ms": -1, "at_ms": 0, "arrival_id": "x", "slip": strings.Repeat("x", 101), "country": "QQ"} {
		var n map[string]any
		if err := json.Unmarshal(good, &n); err != nil {
			t.Fatal(err)
		}
		n["crossing"].(map[string]any)[field] = value
		text, _ := json.Marshal(n)
		wrong = append(wrong, text)
	}
	for _, value := range wrong {
		b.Take([]byte(id), value, time.Now())
	}
	b.Take([]byte(newID()), good, time.Now())
	if b.Unreadable() != len(wrong)+1 || len(b.Arrivals()) != 0 {
		t.Errorf("%d of %d are counted, %v", b.Unreadable(), len(wrong)+1, b.Arrivals())
	}
	b.Take([]byte(id), good, time.Now())
	if _, ok := b.Person(id); !ok {
		t.Error("a right message is not taken")
	}
}

// What came is there after a start without a line; a damaged file is no error; seven days and MaxRecords are the bounds.
func TestKeptOverAStartAndBounded(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	b, id := New(cfg), newID()
	take(t, b, crossing(id, 1, newID()))
	if err := b.keep(); err != nil {
		t.Fatal(err)
	}
	if _, ok := New(cfg).Person(id); !ok {
		t.Error("gone after a start")
	}
	later := cfg
	later.Now = func() time.Time { return time.Now().Add(agents.ExchangeKept + time.Minute) }
	if _, ok := New(later).Person(id); ok {
		t.Error("known after seven days")
	}
	if err := os.WriteFile(filepath.Join(cfg.Dir, fileName), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := len(New(cfg).Arrivals()); n != 0 {
		t.Errorf("%d arrivals of a damaged file", n)
	}
	value, err := crossing(id, 1, "").Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * MaxRecords {
		other := fmt.Sprintf("%08x%s", i, id[8:])
		b.Take([]byte(other), []byte(strings.Replace(string(value), id, other, 1)), time.Now())
	}
	if n := len(b.records); n > 2*MaxRecords+MaxRecords/4 || b.Unreadable() != 0 {
		t.Errorf("%d records are known, %d skipped", n, b.Unreadable())
	}
}
