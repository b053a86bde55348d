package command

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"retorno/consumers/counting/reconcile"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/producers/spool"
	"retorno/schemas/agents"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// twoOffices are a post and a centre under one identity secret, and another one from 2026 on.
type twoOffices struct {
	t                       *testing.T
	addr                    string
	post, centre            post
	postPage, centrePage    string
	postClient, centreClerk *http.Client
}

func newOffices(t *testing.T, addr string) *twoOffices {
	o := &twoOffices{t: t, addr: addr, post: post{t, t.TempDir()}, centre: post{t, t.TempDir()}}
	o.post.enrol("--kafka-brokers", addr)
	o.post.must("identity", "new", o.post.file("later.key", ""))
	o.post.must("agent", "enrol", "--source", "CAMR-OMO-1", "--place", "CAMR-OMO", "--identity-key-file", o.post.file("identity.key", ""), "--recovery-key", o.post.file("recovery.pub", ""),
		"--clerk", "ana", "--passphrase-file", o.post.file("ana.txt", ""), "--kafka-brokers", addr, "--out", o.centre.file("e.json", ""))
	var stops [2]func()
	o.postPage, stops[0] = o.post.start("checkpoint")
	o.centrePage, stops[1] = o.centre.start("centre")
	t.Cleanup(func() { stops[0](); stops[1]() })
	for _, p := range []post{o.post, o.centre} {
		p.must("agent", "secret", "--data", p.file("data", ""), "--identity-key-file", o.post.file("later.key", ""), "--from", "2026-01-01")
	}
	o.postClient = o.post.login(o.postPage, "ana", "tres tristes tigres")
	o.centreClerk = o.centre.login(o.centrePage, "ana", "tres tristes tigres")
	return o
}

// send posts a form to a page and returns the answer.
func (o *twoOffices) send(client *http.Client, page, fields string) (int, map[string]any) {
	o.t.Helper()
	values, err := url.ParseQuery(fields)
	if err != nil {
		o.t.Fatal(err)
	}
	if !strings.HasSuffix(page, "/known") && !values.Has("record_id") {
		values.Set("record_id", uuid.Must(uuid.NewV7()).String())
	}
	req, _ := http.NewRequestWithContext(o.t.Context(), http.MethodPost, page, strings.NewReader(values.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		o.t.Fatal(err)
	}
	return res.StatusCode, answer
}

func (o *twoOffices) saved(client *http.Client, page, fields string) string {
	o.t.Helper()
	status, answer := o.send(client, page, fields)
	if status != http.StatusCreated {
		o.t.Fatalf("%s %s: %d %v", page, fields, status, answer)
	}
	return answer["record_id"].(string)
}

// known waits until the centre knows a person, and returns the crossing.
func (o *twoOffices) known(fields string) (crossing string) {
	o.t.Helper()
	o.centre.until("the centre knows "+fields, func() bool {
		_, answer := o.send(o.centreClerk, o.centrePage+"/known", fields)
		found, _ := answer["fields"].(map[string]any)
		crossing, _ = found["crossing_id"].(string)
		return answer["found"] == true
	})
	return crossing
}

// returns reconciles what both offices made, and returns those of each person of the crossings named.
func (o *twoOffices) returns(crossings ...string) (all [][]reconcile.Return) {
	o.t.Helper()
	facts, keys := map[string][]reconcile.Fact{}, map[string]string{}
	for _, p := range []post{o.post, o.centre} {
		v, err := spool.OpenView(p.file("data", ""))
		if err != nil {
			o.t.Fatal(err)
		}
		err = v.Each(false, func(c spool.Copy) error {
			opened, err := events.Open(events.SealBytes(c.Record, c.At.UnixMilli(), 0))
			if err != nil {
				return err
			}
			fact, err := reconcile.FactOf(&opened)
			facts[c.Key] = append(facts[c.Key], fact)
			keys[opened.Record.GetRecordId()] = c.Key
			return err
		})
		if err := errors.Join(err, v.Close()); err != nil {
			o.t.Fatal(err)
		}
	}
	for _, id := range crossings {
		all = append(all, reconcile.Reconcile(facts[keys[id]]).Returns)
	}
	if len(facts) != len(crossings) {
		o.t.Errorf("%d persons in the records, want %d", len(facts), len(crossings))
	}
	return all
}

// Who crosses at Corinto and is registered at Omoa is one return: with a DNI, with a slip, with a mistyped DNI that is picked
// from the list, and over New Year, when another secret comes into force. The exchange shows nothing of what was typed.
func TestAgentsMakeOneReturnOfACrossingAndARegistration(t *testing.T) {
	b, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop() })
	names := append([]string{events.TopicCheckpoint, events.TopicCentre}, producer.AgentTopics()...)
	if err := producer.EnsureTopics(t.Context(), []string{b.Addr()}, producer.TopicsConfig{Topics: names}); err != nil {
		t.Fatal(err)
	}
	o := newOffices(t, b.Addr())
	const slip = "COR1-000123-Z"
	bus := o.saved(o.postClient, o.postPage+"/arrival", "means=bus&country=MX&return_type=deported&plate=AAB1234&sent_to=CAMR-OMO")
	night := o.saved(o.postClient, o.postPage+"/arrival", "means=bus&country=MX&return_type=deported&happened=31/12/2025 23:30")
	cross := func(arrival, fields string) string {
		return o.saved(o.postClient, o.postPage+"/crossing", "arrival_id="+arrival+"&sex=f&age=31&"+fields)
	}
	crossings := []string{
		cross(bus, "document_number=0801-1985-00123&names=Xiomara"), cross(bus, "folio="+slip), cross(bus, "document_number=0801-1985-00125"),
		cross(night, "document_number=0801-1985-00126&happened=31/12/2025 23:40"),
	}
	register := func(fields string) string { return o.saved(o.centreClerk, o.centrePage+"/registration", fields) }
	register("document_number=0801198500123&crossing_id=" + o.known("document_number=0801198500123"))
	register("document_number=" + slip + "&crossing_id=" + o.known("document_number="+slip))
	register("document_number=0801198500152&confirm=other_document&crossing_id=" + crossings[2])
	register("document_number=0801198500126&happened=01/01/2026 00:40&crossing_id=" + o.known("document_number=0801198500126"))
	for i, returns := range o.returns(crossings...) {
		if len(returns) != 1 || !returns[0].Registered || !returns[0].Checkpoint {
			t.Errorf("person %d: %+v", i, returns)
		}
	}
	o.post.until("the post sees who was received", func() bool {
		res, err := o.postClient.Get(o.postPage + "/list")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		page, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(page), "recibidos 3 de 3")
	})
	o.leaks("0801198500123", "0801-1985-00123", "0801198500125", "0801198500152", "Xiomara", slip, strings.ReplaceAll(slip, "-", ""), "AAB1234", "ana")
}

// leaks looks on the exchange, and in what the offices keep of it, for what was typed and for its hashes without a key.
func (o *twoOffices) leaks(typed ...string) {
	o.t.Helper()
	var hidden []string
	for _, text := range typed {
		hidden = append(hidden, text, base64.StdEncoding.EncodeToString([]byte(text)), hex.EncodeToString([]byte(text)))
		for _, spelt := range []string{text, "HN/national_id/" + text, "HN|national_id|" + text, "HN:national_id:" + text, "HN\x00national_id\x00" + text} {
			m, s, l := md5.Sum([]byte(spelt)), sha1.Sum([]byte(spelt)), sha256.Sum256([]byte(spelt))
			for _, sum := range [][]byte{m[:], s[:16], l[:16]} {
				hidden = append(hidden, hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum)[:20])
			}
		}
	}
	var all bytes.Buffer
	r := follow.New(kafka.Access{Brokers: []string{o.addr}}, agents.TopicExchange)
	defer r.Close()
	messages := 0
	err := r.Read(o.t.Context(), func(m follow.Message) error {
		messages++
		_, err := agents.ParseNews(m.Key, m.Value)
		_, _ = all.Write(append(m.Key, m.Value...))
		return err
	})
	if err != nil || messages < 8 {
		o.t.Fatalf("%d messages, %v", messages, err)
	}
	for _, text := range hidden {
		if bytes.Contains(all.Bytes(), []byte(`"`+text)) || len(text) > 4 && bytes.Contains(bytes.ToLower(all.Bytes()), []byte(strings.ToLower(text))) {
			o.t.Errorf("the exchange holds %q", text)
		}
	}
}
