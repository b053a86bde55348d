package dispatch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/spool"
	"retorno/schemas/agents"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// TestMissingExchangeKeepsNothingBack: without the topic of the exchange records leave all the same, and other offices are told when it is made,
// but for what the exchange would have forgotten.
func TestMissingExchangeKeepsNothingBack(t *testing.T) {
	b := newBroker(t, fakekafka.Config{})
	topics(t, b.Addr(), events.TopicCheckpoint, events.TopicCentre, agents.TopicAgents)
	s := open(t, t.TempDir())
	defer s.Close()
	if err := s.Unlock("ana", passphrase); err != nil {
		t.Fatal(err)
	}
	var told string
	for _, at := range []time.Time{time.Now().Add(-agents.ExchangeKept - time.Hour), time.Now()} {
		told = uuid.Must(uuid.NewV7()).String()
		ms := time.Now().UnixMilli()
		if _, err := s.Save([]spool.Entry{{
			Record: &events.Record{RecordId: told, Revision: 1, SchemaVersion: 1, EventTimeMs: ms, RecordedTimeMs: ms,
				Body: &events.Record_Crossing{Crossing: &events.Crossing{Direction: "entry", BorderPoint: "L-COR", Sex: "F"}}},
			Form: []byte(told), Clerk: "ana", At: at, News: []byte(told),
		}}); err != nil {
			t.Fatal(err)
		}
	}
	bus := uuid.Must(uuid.NewV7()).String()
	if err := s.Tell(bus, []byte(bus), time.Now()); err != nil {
		t.Fatal(err)
	}
	d := run(t, s, to(b.Addr()))
	sentAll(t, s)
	eventually(t, "it is said that the exchange takes nothing", func() bool {
		st := d.Status()
		return st.Exchange.Code == StopTopic && strings.Contains(st.Exchange.String(), agents.TopicExchange) && st.Stop.Code == ""
	})
	topics(t, b.Addr(), agents.TopicExchange)
	var got []string
	r := follow.New(kafka.Access{Brokers: []string{b.Addr()}}, agents.TopicExchange)
	defer r.Close()
	eventually(t, "the other offices are told", func() bool {
		err := r.Read(t.Context(), func(m follow.Message) error {
			got = append(got, string(m.Key)+" "+string(m.Value))
			return nil
		})
		return err == nil && len(got) > 1
	})
	if len(got) != 2 || !slices.Contains(got, told+" "+told) || !slices.Contains(got, bus+" "+bus) {
		t.Errorf("%v, want %s and %s once", got, told, bus)
	}
	eventually(t, "it is not said any more", func() bool { return d.Status().Exchange.Code == "" })
}
