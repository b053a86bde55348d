package dispatch

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/agents"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// rights are those of a post: see docs/agent.md.
func rights() map[string][]kmsg.ACLOperation {
	all := map[string][]kmsg.ACLOperation{events.TopicCheckpoint: {kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe}}
	for _, topic := range producer.AgentTopics() {
		all[topic] = []kmsg.ACLOperation{kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe}
	}
	return all
}

// TestAPostNeedsNoOtherRight: with the rights of docs/agent.md it sends records and heartbeats, and everything else is
// refused it: reading its own records, writing another topic, making one.
func TestAPostNeedsNoOtherRight(t *testing.T) {
	const mechanism = "SCRAM-SHA-512"
	b := newBroker(t, fakekafka.Config{Users: []fakekafka.User{
		{Mechanism: mechanism, Name: "admin", Password: "admin"},
		{Mechanism: mechanism, Name: "post", Password: "post", Topics: rights()},
	}})
	as := func(user string) *kafka.SASL { return &kafka.SASL{Mechanism: mechanism, User: user, Password: user} }
	cfg := producer.TopicsConfig{Partitions: partitions, Topics: append(allTopics(), events.TopicDeadLetter), Client: producer.Config{SASL: as("admin")}}
	if err := producer.EnsureTopics(t.Context(), []string{b.Addr()}, cfg); err != nil {
		t.Fatal(err)
	}
	access := kafka.Access{Brokers: []string{b.Addr()}, SASL: as("post")}
	s := open(t, t.TempDir())
	defer s.Close()
	save(t, s, 4)
	d := run(t, s, func() (Link, error) { return Link{Access: access, Partitions: partitions}, nil })
	sentAll(t, s)
	if stop := d.Status().Stop; stop.Code != "" {
		t.Fatal(stop)
	}
	w, err := producer.New(producer.Config{Brokers: access.Brokers, SASL: access.SASL, LoginGrace: time.Millisecond, TopicGrace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, topic := range []string{events.TopicCentre, events.TopicDeadLetter} {
		if err := w.Write(ctx, producer.Message{Topic: topic, Key: []byte("k"), Value: []byte("v")}); !kafka.Refused(err) {
			t.Errorf("writing %s: %v", topic, err)
		}
	}
	r := follow.New(access, events.TopicCheckpoint)
	defer r.Close()
	if err := r.Read(ctx, func(follow.Message) error { return nil }); !kafka.Refused(err) {
		t.Errorf("reading the records: %v", err)
	}
	cfg.Topics, cfg.Client.SASL = []string{"retorno.other.v1"}, as("post")
	if err := producer.EnsureTopics(ctx, []string{b.Addr()}, cfg); !kafka.Refused(err) {
		t.Errorf("making a topic: %v", err)
	}
	if beat := beatAs(t, kafka.Access{Brokers: access.Brokers, SASL: as("admin")}); beat.LastSeq != 4 {
		t.Errorf("%+v", beat)
	}
}

func beatAs(t *testing.T, access kafka.Access) (latest agents.Beat) {
	t.Helper()
	r := follow.New(access, agents.TopicAgents)
	defer r.Close()
	if err := r.Read(t.Context(), func(m follow.Message) (err error) { latest, err = agents.ParseBeat(m.Key, m.Value); return err }); err != nil {
		t.Fatal(err)
	}
	return latest
}
