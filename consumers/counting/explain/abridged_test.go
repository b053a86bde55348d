package explain

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"retorno/schemas/events"
)

// TestAPersonWithVeryManyRecords explains one of 30,000 crossings of a post that types one number for everybody, and the
// cell that they are counted in. Were each of them followed, it would take hours.
func TestAPersonWithVeryManyRecords(t *testing.T) {
	const many = 30_000
	b := fresh(t)
	age := uint32(30)
	first := registration(many+2, ana, hour(0), &events.Registration{Centre: "CAMR-OMO", Age: &age})
	b.send(first, hour(0.1))
	b.send(again(first, 2, hour(1), func(r *events.Record) { r.GetRegistration().ExitPoint = "L-AGC" }), hour(1.1))
	var messages []kafka.Message
	for n := 1; n <= many; n++ {
		x := back("L-COR")
		if n%1000 == 0 {
			x = &events.Crossing{Direction: "exit", BorderPoint: "L-COR"}
		}
		when := hour(1).Add(time.Duration(n) * time.Minute)
		r := crossing(n, ana, when, x)
		value, err := events.Seal(r, when.UnixMilli(), 0)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, kafka.Message{Topic: events.Topic(r), Key: []byte(events.Key(r)), Value: value})
	}
	if err := b.writer.WriteMessages(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
	b.sent += many
	b.send(crossing(many+1, bea, hour(3), back("L-COR")), hour(3))
	b.count()

	r := b.explain(many + 2)
	p := r.Persons[0]
	want := Abridged{Copies: many + 2, Facts: many + 1, Returns: 1 + (many-1)/1000, FactsOfReturn: 1000}
	if r.Differs() || p.Abridged == nil || *p.Abridged != want {
		t.Fatalf("%+v, want %+v; pending %d, rejected %+v, differences %q", p.Abridged, want, p.Pending, p.Rejected, p.Differences)
	}
	if n := len(p.Facts); n < 3 || n > 20 || len(p.Returns) != 1 || len(p.Facts[0].Copies) != 2 {
		t.Errorf("%d facts and %d returns are shown: %+v", n, len(p.Returns), p.Facts)
	}
	var text bytes.Buffer
	if err := r.Write(&text, Style{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Return " + idOf(many+2), fmt.Sprintf("%d facts and %d returns", want.Facts, want.Returns), "opens return", "closes return",
		"exit_point    L-AGC", "a correction", "fact 1: the earliest registration that states it", "are not followed one by one", "is the end of this history"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("the text does not say %q:\n%s", line, text.String())
		}
	}
	// A crossing in the midst of the return that an exit has ended before.
	if p := b.explain(1500).Persons[0]; len(p.Returns) != 1 || p.Returns[0].ID.String() != idOf(1001) || p.Abridged.FactsOfReturn != 999 {
		t.Errorf("record 1500 is in %+v", p.Returns)
	}
	total := b.cell("entry_point=L-COR", 0)
	if total.Differs() || total.Unfollowed != (Unfollowed{Persons: 1, Records: many + 2}) || total.Recounted.Reconciled != int64(want.Returns)+1 {
		t.Errorf("%+v, differences %q", total.Unfollowed, total.Differences)
	}
}
