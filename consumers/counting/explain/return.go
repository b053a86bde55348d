package explain

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// Return is the explanation of a return, or of the record of that id.
type Return struct {
	Asked         ID       `json:"asked"`
	MethodVersion int      `json:"method_version"`
	Persons       []Person `json:"persons"`
}

// Person is one person's facts, returns and history. A record that its source has filed under two persons is a fact of
// each; otherwise there is one.
type Person struct {
	Key       string     `json:"person"`
	Partition int        `json:"kafka_partition"`
	Log       []Span     `json:"log"`
	Facts     []Fact     `json:"facts"` // in the method's order
	Returns   []Made     `json:"returns"`
	Rejected  []Rejected `json:"rejected"`
	History   []Change   `json:"history"`
	// Abridged: the person has more than 1,000 copies of records. There is no history, and of the facts and returns
	// only those that concern what was asked.
	Abridged *Abridged `json:"abridged,omitempty"`
	// Pending is how many of the person's records are in the log and not counted yet.
	Pending int `json:"pending"`
	// Differences say where what is stored is not the end of the history.
	Differences []string `json:"differences"`
}

// Fact is a fact in the revision that holds, and what the method does with it.
type Fact struct {
	RecordID ID                `json:"record_id"`
	Kind     string            `json:"kind"`
	Revision uint32            `json:"revision"`
	Arrival  string            `json:"arrival"`
	Event    string            `json:"event_time"`
	Verdict  reconcile.Verdict `json:"verdict"`
	Return   *ID               `json:"return,omitempty"`
	Before   *ID               `json:"fact_before,omitempty"`
	GapHours *float64          `json:"gap_hours,omitempty"`
	// FromStore: the log no longer has its record; it is known as retorno.facts holds it.
	FromStore *Place  `json:"from_store,omitempty"`
	Stated    []Field `json:"stated"` // of the revision that holds
	Copies    []Sent  `json:"copies"`
}

// Field is a field of a record that states something.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Sent is one copy of a record in the log.
type Sent struct {
	At         Place   `json:"at"`
	SentAt     string  `json:"sent_at"`
	Recorded   string  `json:"recorded_time"`
	Revision   uint32  `json:"revision"`
	VoidReason string  `json:"void_reason,omitempty"`
	Source     string  `json:"source"`
	SourceSeq  uint64  `json:"source_seq"`
	Account    Account `json:"account"`
	Nature     Nature  `json:"nature"`
	Held       bool    `json:"held_as_future"`
}

// Made is a return as it stands, with its reasons.
type Made struct {
	ID         ID       `json:"return_id"`
	National   bool     `json:"national"` // others are not counted in ceniss
	Facts      []ID     `json:"facts"`
	Attributes []Reason `json:"attributes"`
	Helps      []ID     `json:"helps"`
}

// Reason is an attribute, its value, the rule, and the fact that gave it.
type Reason struct {
	Name  string         `json:"name"`
	Value string         `json:"value"`
	Rule  reconcile.Rule `json:"rule"`
	Fact  *ID            `json:"fact,omitempty"`
}

// Return explains the return of an id, or what became of it. The error is ErrUnknown for an id that is nowhere. A
// difference between the history and what is stored is looked at again before it is told.
func (e *Explainer) Return(ctx context.Context, id ID) (*Return, error) {
	places, err := e.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("%w: neither retorno.returns nor retorno.facts has %s", ErrUnknown, id)
	}
	report := &Return{Asked: id, MethodVersion: reconcile.MethodVersion}
	for _, p := range places {
		person, err := e.person(ctx, p, id)
		for try := 1; err == nil && len(person.Differences) > 0 && try < attempts; try++ {
			if err = e.pause(ctx); err == nil {
				person, err = e.person(ctx, p, id)
			}
		}
		if err != nil {
			return nil, err
		}
		report.Persons = append(report.Persons, *person)
	}
	return report, nil
}

// Differs reports whether what is stored is not what the log comes to.
func (r *Return) Differs() bool {
	return slices.ContainsFunc(r.Persons, func(p Person) bool { return len(p.Differences) > 0 })
}

// person reads one person's records and replays them.
func (e *Explainer) person(ctx context.Context, at whereabouts, asked ID) (*Person, error) {
	spans, err := e.spans(ctx, at.partition)
	if err != nil {
		return nil, err
	}
	p := &replay{Person: Person{Key: hex.EncodeToString(at.person[:]), Partition: at.partition, Log: spans,
		Rejected: []Rejected{}, History: []Change{}, Returns: []Made{}, Differences: []string{}}, facts: map[ID]*Fact{}}
	err = e.lost(ctx, at.partition, spans, func(r record) {
		if r.person == at.person {
			p.begin(&r)
		}
	})
	if err != nil {
		return nil, err
	}
	copies, err := e.copies(ctx, at, p)
	if err != nil {
		return nil, err
	}
	if len(copies) > mostFollowed {
		err = e.abridge(ctx, p, copies, asked)
	} else {
		for i := range copies {
			p.add(&copies[i])
		}
		p.finish()
	}
	if err != nil {
		return nil, err
	}
	differing, err := e.compare(ctx, at.person, p.history.facts, p.history.person.Returns)
	if err != nil {
		return nil, err
	}
	p.Differences = append(append(p.Differences, ahead(at.partition, spans)...), differing...)
	return &p.Person, nil
}

// copies reads a person's records from the log, in order, and notes what is rejected or pending. Of more than
// mostFollowed copies it keeps what the method needs of them.
func (e *Explainer) copies(ctx context.Context, at whereabouts, p *replay) ([]record, error) {
	records := make(map[string][]record, len(e.topics))
	keys := []string{p.Key, at.person.String()} // a person key, or the record id that stands for one
	var done, total int64
	for _, s := range p.Log {
		total += s.End - s.First
	}
	kept := 0
	err := e.scan(ctx, at.partition, p.Log, func(m *stream.Message) {
		done++
		e.cfg.Progress(done, total)
		if !slices.Contains(keys, string(m.Key)) {
			return
		}
		if !counted(p.Log, ledger.Origin{Topic: m.Topic, Offset: m.Offset}) {
			p.Pending++
			return
		}
		r, rejection := e.understand(m)
		if rejection != nil {
			p.Rejected = append(p.Rejected, Rejected{At: Place{m.Topic, m.Partition, m.Offset}, Code: rejection.Code, Detail: rejection.Detail})
			return
		}
		if kept++; kept > mostFollowed {
			r.opened = nil
		}
		records[m.Topic] = append(records[m.Topic], r)
	})
	return inOrder(records[e.topics[0]], records[e.topics[1]]), err
}

// replay makes the explanation of one person from their records in order.
type replay struct {
	Person
	history history
	facts   map[ID]*Fact
}

// begin takes a fact of before the log's beginning.
func (p *replay) begin(r *record) {
	if !p.history.begin(&r.fact) {
		return
	}
	at := Place{r.origin.Topic, r.origin.Partition, r.origin.Offset}
	p.facts[r.fact.RecordID] = &Fact{RecordID: r.fact.RecordID, Revision: revisionOf(&r.fact), FromStore: &at, Copies: []Sent{}, Stated: fieldsOf(&r.fact)}
}

// revisionOf is the revision in a fact's version.
func revisionOf(f *reconcile.Fact) uint32 { return uint32(f.Version >> 40) }

// add takes the next copy.
func (p *replay) add(r *record) {
	o := p.history.apply(&r.fact)
	before := p.copied(r, &o)
	if o.account != Accepted {
		return
	}
	if c := changeOf(r, &o, p.history.facts); c != nil {
		c.Fields = []Difference{}
		if o.held != nil {
			c.Fields = diff(before, p.facts[r.fact.RecordID].Stated)
		}
		p.History = append(p.History, *c)
	}
}

// copied notes a copy and what became of it, and what its fact states from now on. It returns what it stated before.
func (p *replay) copied(r *record, o *outcome) (before []Field) {
	f := p.facts[r.fact.RecordID]
	if f == nil {
		f = &Fact{RecordID: r.fact.RecordID}
		p.facts[r.fact.RecordID] = f
	}
	x := r.opened
	f.Copies = append(f.Copies, Sent{At: Place{r.origin.Topic, r.origin.Partition, r.origin.Offset}, SentAt: reconcile.LocalTime(r.sentAt),
		Recorded: reconcile.LocalTime(x.GetRecordedTimeMs()), Revision: x.GetRevision(), VoidReason: x.GetVoidReason(), Source: x.GetSourceId(),
		SourceSeq: x.GetSourceSeq(), Account: o.account, Nature: o.nature, Held: r.fact.Future})
	before = f.Stated
	if o.account == Accepted {
		f.Stated, f.Revision, f.FromStore = statedBy(x), x.GetRevision(), nil
	}
	return before
}

// finish writes how the method goes through the facts at the end of the history.
func (p *replay) finish() {
	p.history.settle()
	traced := reconcile.Trace(p.history.facts)
	helps := map[ID][]ID{}
	p.Facts = make([]Fact, 0, len(traced.Steps))
	for i := range traced.Steps {
		s := &traced.Steps[i]
		if s.Verdict == reconcile.HelpOf {
			helps[s.Return] = append(helps[s.Return], s.Fact.RecordID)
		}
		p.Facts = append(p.Facts, p.stepped(s))
	}
	for i, t := range traced.Returns {
		p.Returns = append(p.Returns, madeOf(&p.history.person.Returns[i], t, helps[t.ID]))
	}
}

// stepped is a fact with what the method does with it.
func (p *replay) stepped(s *reconcile.Step) Fact {
	f := p.facts[s.Fact.RecordID]
	f.Kind, f.Arrival, f.Event = s.Fact.Kind.String(), reconcile.LocalTime(s.Fact.Arrival), reconcile.LocalTime(s.Fact.Event)
	f.Verdict, f.Return, f.Before = s.Verdict, some(s.Return), some(s.Before)
	if f.Before != nil {
		hours := s.Gap.Hours()
		f.GapHours = &hours
	}
	return *f
}

// madeOf is a return with its reasons: the values are the method's, the reasons Trace's; a test holds them together.
func madeOf(r *reconcile.Return, t reconcile.TracedReturn, helps []ID) Made {
	m := Made{ID: r.ID, National: r.National(), Facts: t.Facts, Helps: append([]ID{}, helps...)}
	for i, a := range r.Attributes() {
		m.Attributes = append(m.Attributes, Reason{Name: a.Name, Value: a.Value, Rule: t.Reasons[i].Rule, Fact: some(t.Reasons[i].Fact)})
	}
	return m
}

// some is an id, or nil for none.
func some(id ID) *ID {
	if id == (ID{}) {
		return nil
	}
	return &id
}

// statedBy lists what a record states, by the names and in the order of events.proto; times are local ones.
func statedBy(r *events.Record) []Field {
	fields := []Field{{"event_time", reconcile.LocalTime(r.GetEventTimeMs())}}
	if r.GetVoidReason() != "" {
		fields = append(fields, Field{"void_reason", r.GetVoidReason()})
	}
	m := r.ProtoReflect()
	body := m.WhichOneof(m.Descriptor().Oneofs().ByName("body"))
	if body == nil {
		return fields
	}
	m = m.Get(body).Message()
	for i := range m.Descriptor().Fields().Len() {
		d := m.Descriptor().Fields().Get(i)
		if m.Has(d) {
			fields = append(fields, Field{strings.TrimSuffix(string(d.Name()), "_ms"), valueOf(d, m.Get(d))})
		}
	}
	return fields
}

func valueOf(d protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch {
	case d.IsList():
		var text string
		for i := range v.List().Len() {
			if i > 0 {
				text += ","
			}
			text += v.List().Get(i).String()
		}
		return text
	case d.Kind() == protoreflect.Int64Kind: // the only such field of a body is a time
		return reconcile.LocalTime(v.Int())
	case d.Kind() == protoreflect.Uint32Kind:
		return strconv.FormatUint(v.Uint(), 10)
	}
	return v.String()
}

// fieldsOf is what is known of a fact whose record the log no longer has: what the method needs of it, as a return of
// it alone would have it.
func fieldsOf(f *reconcile.Fact) []Field {
	fields := []Field{{"event_time", reconcile.LocalTime(f.Event)}}
	alone := *f
	alone.Void, alone.Future = false, false
	for _, r := range reconcile.Trace([]reconcile.Fact{alone}).Returns {
		for _, reason := range r.Reasons {
			if reason.Rule == reconcile.ByRegistration || reason.Rule == reconcile.ByCrossing {
				fields = append(fields, Field{reason.Name, reason.Value})
			}
		}
	}
	return fields
}
