package explain

import (
	"context"
	"slices"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/stream"
)

// Abridged says how much there is of a person with more records than are shown.
type Abridged struct {
	Copies  int `json:"copies"` // of records in the log
	Facts   int `json:"facts"`
	Returns int `json:"returns"`
	// Of the return that is shown.
	FactsOfReturn int `json:"facts_of_return"`
	HelpsOfReturn int `json:"helps_of_return"`
}

// abridge explains what concerns one id of a person who has too many records to be followed one by one: the fact of that
// id, the return that it is in, the facts that begin and end that return, and those that gave it its attributes.
func (e *Explainer) abridge(ctx context.Context, p *replay, copies []record, asked ID) error {
	outcomes := make([]outcome, len(copies))
	for i := range copies {
		o := p.history.merge(&copies[i].fact)
		outcomes[i] = outcome{account: o.account, nature: o.nature}
	}
	p.history.settle()
	p.Abridged = &Abridged{Copies: len(copies), Facts: len(p.history.facts), Returns: len(p.history.person.Returns)}
	steps := reconcile.Steps(p.history.facts)
	shown := p.chosen(steps, asked)
	places := map[Place]int{}
	for i := range copies {
		if r := &copies[i]; shown[r.fact.RecordID] {
			places[Place{r.origin.Topic, r.origin.Partition, r.origin.Offset}] = i
		}
	}
	// What they state is read again: to keep it of all would take a gigabyte of a person with a million.
	err := e.scan(ctx, p.Partition, p.Log, func(m *stream.Message) {
		if i, ok := places[Place{m.Topic, m.Partition, m.Offset}]; ok {
			copies[i], _ = e.understand(m) // it was understood before
		}
	})
	if err != nil {
		return err
	}
	for i := range copies {
		if shown[copies[i].fact.RecordID] {
			p.copied(&copies[i], &outcomes[i])
		}
	}
	p.Facts = []Fact{}
	for i := range steps {
		if shown[steps[i].Fact.RecordID] {
			p.Facts = append(p.Facts, p.stepped(&steps[i]))
		}
	}
	return nil
}

// chosen adds the return that an id belongs to, and names the facts that are shown.
func (p *replay) chosen(steps []reconcile.Step, asked ID) map[ID]bool {
	shown := map[ID]bool{asked: true}
	at := slices.IndexFunc(steps, func(s reconcile.Step) bool { return s.Fact.RecordID == asked })
	if at < 0 {
		return shown
	}
	in := steps[at].Return
	of := slices.IndexFunc(p.history.person.Returns, func(r reconcile.Return) bool { return r.ID == in })
	if of < 0 {
		return shown
	}
	var facts []reconcile.Fact
	var helps []ID
	for i := range steps {
		switch s := &steps[i]; {
		case s.Return != in:
		case s.Verdict == reconcile.HelpOf:
			helps = append(helps, s.Fact.RecordID)
		case s.Verdict == reconcile.Closes:
			shown[s.Fact.RecordID] = true
		default:
			facts = append(facts, s.Fact)
		}
	}
	p.Abridged.FactsOfReturn, p.Abridged.HelpsOfReturn = len(facts), len(helps)
	made := madeOf(&p.history.person.Returns[of], reconcile.Trace(facts).Returns[0], nil)
	shown[facts[0].RecordID], shown[facts[len(facts)-1].RecordID] = true, true
	for _, r := range made.Attributes {
		if r.Fact != nil {
			shown[*r.Fact] = true
		}
	}
	others := func(id ID) bool { return !shown[id] }
	made.Facts, made.Helps = slices.DeleteFunc(made.Facts, others), slices.DeleteFunc(helps, others)
	p.Returns = []Made{made}
	return shown
}
