package agent

import (
	"strings"

	"github.com/google/uuid"

	"retorno/producers/form"
	"retorno/producers/identity"
	"retorno/schemas/agents"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// foundFalse reports whether a crossing says that its document is false, or may be.
func foundFalse(r *events.Record) bool {
	check := r.GetCrossing().GetDocumentCheck()
	return r.GetVoidReason() == "" && (check == agents.ConfirmedFalse || check == agents.SuspectedFalse)
}

// finding is what other posts are told of a record's document: that it was found false, or that this holds no longer. nil is nothing.
func (a *Agent) finding(m *memory, record *events.Record, id form.Identity) ([]byte, error) {
	holds := foundFalse(record) && id.Number != "" && id.Folio == ""
	if record.GetCrossing() == nil || !holds && !a.wasFound(record) {
		return nil, nil
	}
	name, err := a.findingID(m, record.GetRecordId())
	if err != nil {
		return nil, err
	}
	f := agents.Finding{ID: name, Revision: uint64(record.GetRevision()), Void: !holds}
	if holds {
		day := calendar.DayOf(record.GetEventTimeMs())
		secret, ok := m.secret(a.cfg.Spool, day)
		if !ok {
			return nil, identity.ErrNoSecret
		}
		if f.Hash, err = secret.DocumentHash(identity.Document{Country: id.Country, Type: id.Type, Number: id.Number}); err != nil {
			return nil, err
		}
		points, _ := codelists.Get(codelists.BorderPoint)
		f.Result, f.Day, f.Region = record.GetCrossing().GetDocumentCheck(), day.String(), points.Attr(record.GetCrossing().GetBorderPoint(), "department")
	}
	return f.Bytes()
}

// wasFound reports whether an earlier revision said that the document is false; one that is saved in the same call is taken for such.
func (a *Agent) wasFound(record *events.Record) bool {
	if record.GetRevision() < 2 {
		return false
	}
	all, err := a.cfg.Spool.Record(record.GetRecordId())
	if err != nil || len(all) == 0 || all[len(all)-1].Record.GetRevision()+1 < record.GetRevision() {
		return true
	}
	for _, r := range all {
		if r.Record.GetRevision() < record.GetRevision() && foundFalse(r.Record) {
			return true
		}
	}
	return false
}

// findingID names what a record says of its document, under the secret of the day on which the record's id was minted: it never changes.
func (a *Agent) findingID(m *memory, record string) (string, error) {
	id, err := uuid.Parse(record)
	if err != nil {
		return "", err
	}
	sec, nsec := id.Time().UnixTime()
	secret, ok := m.secret(a.cfg.Spool, calendar.DayOf(sec*1000+nsec/1_000_000))
	if !ok {
		return "", identity.ErrNoSecret
	}
	return secret.FindingID(record)
}

// foundBefore is the code of the doubt about a document that was found false or reported stolen, with day and place; "" is none. It is looked up
// under each secret that this office has.
func (a *Agent) foundBefore(m *memory, d identity.Document, record string) (code, found string) {
	own, _ := a.findingID(m, record) // a record of an id that is a fault has none
	for _, s := range a.cfg.Spool.Fingerprints() {
		day := calendar.Day(0)
		if s.From != "" {
			var err error
			if day, err = calendar.ParseDay(s.From); err != nil {
				continue
			}
		}
		secret, ok := m.secret(a.cfg.Spool, day)
		if !ok {
			continue
		}
		hash, err := secret.DocumentHash(d)
		if err != nil || hash == "" {
			return "", ""
		}
		f, ok := a.cfg.Findings.Find(hash, own)
		if !ok {
			continue
		}
		on, err := calendar.ParseDay(f.Day)
		if err != nil {
			continue
		}
		said := []string{form.Spoken(on, false)}
		if region := labelOf(codelists.Department, f.Region, false); region != "" {
			said = append(said, region)
		}
		return foundPrefix + f.Result, strings.Join(said, ", ")
	}
	return "", ""
}

// foundPrefix begins the codes of doubts about a document that was found false or reported stolen.
const foundPrefix = "document_is_"

// met reports whether a clerk confirmed a doubt about a document that was found false or reported stolen.
func met(confirmed []string) bool {
	for _, code := range confirmed {
		if strings.HasPrefix(code, foundPrefix) {
			return true
		}
	}
	return false
}

// told gives the boards of this office what other offices are told of a record, and counts documents that were known.
func (a *Agent) told(m *memory, record string, news []byte) {
	for _, n := range agents.Messages(record, news) {
		if n.Topic == agents.TopicDocuments {
			a.cfg.Findings.Take(n.Key, n.Value)
			continue
		}
		a.cfg.Exchange.Take(n.Key, n.Value, a.cfg.Now())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.byID[record]; k != nil && met(k.identity.Confirmed) {
		a.cfg.DocumentsMet.Add(1)
	}
}
