package command

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"retorno/consumers/counting/deadletter"
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/events"
)

// setAside starts a broker with the topics and writes letters as a consumer does.
func setAside(t *testing.T, letters ...deadletter.Letter) []string {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	flags := []string{"--kafka-brokers", broker.Addr(), "--kafka-partitions=3"}
	if r := try(t, "", nil, append([]string{"deadletter", "list"}, flags...)...); r.status != exitMissing || !strings.Contains(r.err, "does not exist") {
		t.Errorf("a cluster without topics: %+v", r)
	}
	producerWithTopics(t, kafkaFlags{Brokers: []string{broker.Addr()}, Partitions: 3})
	w, err := deadletter.New(deadletter.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := w.Write(t.Context(), letters); err != nil {
		t.Fatal(err)
	}
	return flags
}

func TestDeadLettersAreListedShownAndSentAgain(t *testing.T) {
	parsed, err := events.ParseLine([]byte(event(7)))
	if err != nil {
		t.Fatal(err)
	}
	message, err := parsed.Message(1460000001000, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2016, 4, 7, 0, 0, 0, 0, time.UTC)
	flags := setAside(t,
		deadletter.Letter{Origin: deadletter.Origin{Topic: events.TopicCheckpoint, Partition: 1, Offset: 12}, Key: message.Key, Value: message.Value,
			Code: "unknown_code", Field: "crossing.border_point", Detail: "no such code", At: at},
		deadletter.Letter{Origin: deadletter.Origin{Topic: events.TopicCentre, Partition: 2, Offset: 3}, Key: []byte("k"), Value: []byte("\x00broken\xff"),
			Code: "malformed", Detail: "the value is not an envelope", At: at.AddDate(0, 1, 0)})
	tried := func(args ...string) result {
		return try(t, "", nil, append(append([]string{"deadletter"}, args...), flags...)...)
	}

	t.Run("list", func(t *testing.T) {
		r := tried("list")
		for _, want := range []string{"retorno.checkpoint.v1/1/12", "unknown_code", "crossing.border_point", "retorno.centre.v1/2/3", "malformed"} {
			if !strings.Contains(r.out, want) {
				t.Errorf("lacks %s: %s", want, r.out)
			}
		}
		if r.status != exitDone || r.err != "2 dead letters\n" {
			t.Errorf("%d %s", r.status, r.err)
		}
	})
	t.Run("chosen, as JSON lines", func(t *testing.T) {
		for _, choice := range []string{"--code=malformed", "--since=2016-05-01", "--since=2016-05-07T00:00:00Z"} {
			r := tried("list", "--json", choice)
			var got []letterJSON
			for lines := bufio.NewScanner(strings.NewReader(r.out)); lines.Scan(); {
				var l letterJSON
				if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
					t.Fatal(err)
				}
				got = append(got, l)
			}
			if len(got) != 1 || got[0].Origin != "retorno.centre.v1/2/3" || got[0].Code != "malformed" || got[0].Value != nil {
				t.Errorf("%s: %+v", choice, got)
			}
		}
		if r := tried("list", "--since=1h"); r.status != exitDone || r.out != "" {
			t.Errorf("nothing to list: %+v", r)
		}
	})
	t.Run("show", func(t *testing.T) {
		if r := tried("show", "retorno.centre.v1/2/3", "--raw"); r.out != "\x00broken\xff" {
			t.Errorf("raw bytes became %q", r.out)
		}
		if r := tried("show", "retorno.centre.v1/2/3"); !strings.Contains(r.out, "62 72 6f 6b 65 6e") || !strings.Contains(r.out, "malformed") {
			t.Errorf("%s", r.out)
		}
		var l letterJSON
		r := tried("show", "retorno.checkpoint.v1/1/12", "--json")
		if err := json.Unmarshal([]byte(r.out), &l); err != nil || string(l.Value) != string(message.Value) || !strings.Contains(string(l.Event), `"border_point":"L-COR"`) {
			t.Errorf("%v %s", err, r.out)
		}
		if r := tried("show", "retorno.centre.v1/2/99"); r.status != exitNo || !strings.Contains(r.err, "retorno.centre.v1/2/99") {
			t.Errorf("no such letter: %+v", r)
		}
	})
	t.Run("redrive", func(t *testing.T) {
		if r := tried("redrive", "retorno.centre.v1/2/3"); r.status != exitDone || r.out != "1 dead letters sent again\n" {
			t.Errorf("%+v", r)
		}
		if r := tried("redrive", "retorno.centre.v1/2/3", "retorno.centre.v1/2/99"); r.status != exitNo || r.out != "1 dead letters sent again\n" || !strings.Contains(r.err, "2/99") {
			t.Errorf("%+v", r)
		}
		if r := tried("redrive", "--all", "--code=unknown_code"); r.status != exitDone || r.out != "1 dead letters sent again\n" {
			t.Errorf("%+v", r)
		}
	})
}
